"""``bench doctor``: what this machine offers and what is missing."""

from __future__ import annotations

import argparse

from benchmark.cli.parser import Command
from benchmark.cli.terminal import console


def doctor(_: argparse.Namespace) -> int:
    """Show this machine; 0 if nothing is missing, else 2."""
    from benchmark import api
    from benchmark.cli.views.hardware import show_diagnosis

    diagnosis = api.doctor()
    show_diagnosis(diagnosis, console())
    return 0 if diagnosis.ok else 2


COMMAND = Command(doctor, "show what this machine offers and which libraries are missing")
