"""``bench plan``: what a suite would run."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.cli.parser import Command, add_changed_suite, add_data_folder, listed
from benchmark.cli.terminal import console, warn


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench plan``."""
    add_changed_suite(parser)
    add_data_folder(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="directory of the run that would go on (default: the newest)"
    )


def plan(options: argparse.Namespace) -> int:
    """Print what a suite would run, what it may spend, and whom its splits can judge."""
    from benchmark import api
    from benchmark.cli.views.plan import show_plan

    suite = api.check(
        options.suite,
        budget=options.budget,
        models=listed(options.models),
        seeds=options.seeds,
        set=options.set,
        changed_by="command line",
        say=warn,
    )
    show_plan(suite, api.plan(suite, data=options.data, out=options.out), console())
    return 0


COMMAND = Command(plan, "show what a suite would run, what it may spend and whom it can judge", add_options)
