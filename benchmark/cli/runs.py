"""``bench runs``: list runs and how they ended."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.cli.parser import Command
from benchmark.cli.terminal import console


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench runs``."""
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="folder of all runs (default: results)",
    )


def runs(options: argparse.Namespace) -> int:
    """List the runs of a folder."""
    from benchmark import api
    from benchmark.cli.views.runs import show_runs

    show_runs(api.runs(options.results), console())
    return 0


COMMAND = Command(runs, "list runs, newest first, and how they ended", add_options)
