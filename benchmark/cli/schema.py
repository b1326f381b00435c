"""``bench schema``: the JSON schema of suites."""

from __future__ import annotations

import argparse

from benchmark.cli.parser import Command
from benchmark.cli.terminal import write_json


def schema(_: argparse.Namespace) -> int:
    """Print the JSON schema of suites."""
    from benchmark import api

    write_json(api.schema())
    return 0


COMMAND = Command(schema, "print the JSON schema of suites, for editors")
