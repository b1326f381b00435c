"""``bench init``: write a suite to start from."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.cli.parser import Command
from benchmark.cli.terminal import write


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench init``."""
    parser.add_argument("log", type=Path, metavar="FILE", help="a log: CSV, TSV, JSON lines, Parquet, ...")
    parser.add_argument(
        "--out", type=Path, metavar="SUITE", help="the suite to write (default: FILE's name with .yaml, here)"
    )


def init(options: argparse.Namespace) -> int:
    """Write a commented suite, and say what was guessed for it."""
    from benchmark import api

    api.init(options.log, options.out, say=write)
    return 0


COMMAND = Command(
    init, "write a commented suite from a look at a log of your own", add_options, outlives_reader=True
)
