"""``bench export``: write the bundle of any model of a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.cli.parser import Command
from benchmark.cli.terminal import write


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench export``."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the directory of a finished run")
    parser.add_argument("model", metavar="MODEL", help="its name on the board, such as native/ease")
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="DIR",
        help="a new folder, or an empty one (default: the model's name, native-ease)",
    )
    parser.add_argument("--dataset", metavar="NAME", help="required if the run has several")


def export(options: argparse.Namespace) -> int:
    """Write the bundle of a model."""
    from benchmark import api

    bundle = api.export(options.run, options.model, options.folder, dataset=options.dataset)
    write(f"Bundle: {bundle}")
    if (record := bundle / "pick.md").exists():
        write(f"What the rule picks, and how this model compares: {record}")
    return 0


COMMAND = Command(
    export,
    "write the bundle of any model of a run; `bench pick --export` writes that of the winner",
    add_options,
    outlives_reader=True,
)
