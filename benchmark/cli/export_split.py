"""``bench export-split``: write train and validation of a run for whoever wants to compete."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.cli.parser import Command
from benchmark.cli.terminal import write


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench export-split``."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the directory of a run")
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new folder, or an empty one")
    parser.add_argument("--dataset", metavar="NAME", help="required if the run has several")


def export_split(options: argparse.Namespace) -> int:
    """Write train and validation, and what to hand in."""
    from benchmark import api

    folder = api.export_split(options.run, options.folder, dataset=options.dataset)
    write(f"Train and validation, without test: {folder}; what to hand in: {folder / 'README.md'}")
    return 0


COMMAND = Command(
    export_split,
    "write train and validation of a run, never test, for whoever wants to compete",
    add_options,
    outlives_reader=True,
)
