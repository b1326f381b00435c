"""``bench plan``: what a suite would run."""

from __future__ import annotations

import argparse

from benchmark.cli.parser import Command, add_changed_suite, listed
from benchmark.cli.terminal import console, warn


def plan(options: argparse.Namespace) -> int:
    """Print what a suite would run and what it may spend."""
    from benchmark import api
    from benchmark.cli.views.plan import show_plan

    suite = api.check(
        options.suite,
        budget=options.budget,
        models=listed(options.models),
        seeds=options.seeds,
        changed_by="command line",
        say=warn,
    )
    show_plan(suite, api.plan(suite), console())
    return 0


COMMAND = Command(plan, "show what a suite would run and what it may spend", add_changed_suite)
