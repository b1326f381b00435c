"""``bench run``: tune, test and rank the models of a suite."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.cli.parser import Command, add_changed_suite, add_data_folder, listed
from benchmark.cli.terminal import console, warn
from benchmark.errors import RunError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench run``."""
    add_changed_suite(parser)
    add_data_folder(parser)
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="studies side by side (default: as many as there are slots)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="directory of this run (default: results/SUITE/TIME)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="start a new run even where an unfinished one could be resumed"
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="where data, adapters or libraries changed since, make anew what depends on them, keep the rest",
    )
    parser.add_argument(
        "--skip-missing", action="store_true", help="skip models whose library is not installed"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="train one step of every model to find what is broken"
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress, only the board")


def run(options: argparse.Namespace) -> int:
    """Run a suite and show its board; raise if no model has a result."""
    from benchmark import api
    from benchmark.cli.views.plan import show_dry_run
    from benchmark.cli.views.progress import Progress
    from benchmark.metrics.register import parse_metric

    suite = api.check(
        options.suite,
        budget=options.budget,
        models=listed(options.models),
        seeds=options.seeds,
        set=options.set,
        changed_by="command line",
        say=warn,
    )
    terminal = console()
    if options.dry_run:
        steps = api.dry_run(suite, data=options.data)
        show_dry_run(steps, terminal)
        return 0 if all(step.ok for step in steps) else 2
    better = parse_metric(suite.metrics.primary).higher_is_better
    with Progress(terminal, higher_is_better=better, quiet=options.quiet) as progress:
        finished = api.run(
            suite,
            out=options.out,
            data=options.data,
            jobs=options.jobs,
            fresh=options.fresh,
            follow=options.follow,
            skip_missing=options.skip_missing,
            watcher=progress,
        )
    terminal.print(finished.board)
    label = " (synthetic data: says nothing about the real data set)" if finished.board.synthetic else ""
    terminal.print(
        f"Report{label}: {finished.path / 'leaderboard.html'}", highlight=False, soft_wrap=True, markup=False
    )
    if not any(table.ranked for table in finished.board.tables):
        raise RunError(f"{finished.path}: no model has a result; the reasons are below the board.")
    return 0


COMMAND = Command(run, "tune, test and rank the models of a suite", add_options, outlives_reader=True)
