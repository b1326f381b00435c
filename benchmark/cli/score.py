"""``bench score``: add lists made elsewhere to a finished run."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.cli.parser import Command
from benchmark.cli.terminal import console


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench score``."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the directory of a finished run")
    parser.add_argument(
        "lists", type=Path, metavar="LISTS", help="table of user, item and rank or score: the lists for test"
    )
    parser.add_argument("--name", metavar="NAME", help="of the row (default: that of the file)")
    parser.add_argument(
        "--valid", type=Path, metavar="FILE", help="lists for validation; they choose nothing"
    )
    parser.add_argument("--dataset", metavar="NAME", help="required if the run has several")


def score(options: argparse.Namespace) -> int:
    """Score the lists, add their row and show the board."""
    from benchmark import api
    from benchmark.cli.views.progress import Progress

    terminal = console()
    finished = api.score(
        options.run,
        options.lists,
        name=options.name,
        valid=options.valid,
        dataset=options.dataset,
        watcher=Progress(terminal, quiet=True),
    )
    terminal.print(finished.board)
    return 0


COMMAND = Command(
    score,
    "add lists made elsewhere to a finished run; each time opens test",
    add_options,
    outlives_reader=True,
)
