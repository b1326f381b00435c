"""``bench diff``: compare two runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.cli.parser import Command
from benchmark.cli.terminal import write, write_json

REGRESSED = 3
"""Exit code of a significant regression."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench diff``."""
    parser.add_argument("before", type=Path, metavar="RUN_A", help="the run to compare with")
    parser.add_argument("after", type=Path, metavar="RUN_B", help="the run that may be worse")
    parser.add_argument("--dataset", metavar="NAME", help="only this data set")
    parser.add_argument(
        "--fail-on-regression", action="store_true", help=f"exit with code {REGRESSED} if any model is worse"
    )
    parser.add_argument("--json", action="store_true", help="print the changes as JSON")


def diff(options: argparse.Namespace) -> int:
    """Print what has changed from one run to another."""
    from benchmark import api
    from benchmark.cli.views.changes import changes_as_text

    changes = api.diff(options.before, options.after, dataset=options.dataset)
    if options.json:
        write_json(changes.as_json())
    else:
        write(changes_as_text(changes))
    return REGRESSED if options.fail_on_regression and changes.regressed else 0


COMMAND = Command(diff, "compare two runs of the same split, model by model", add_options)
