"""The verbs that a suite file comes in by: run, check, plan, schema."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.cli.parser import add_data_folder, data_folder
from benchmark.cli.terminal import console, write_json
from benchmark.errors import RunError, SuiteError

if TYPE_CHECKING:
    from benchmark.runner import RunOptions
    from benchmark.suite import Suite


def add_suite(parser: argparse.ArgumentParser) -> None:
    """Add the suite alone, as ``bench check`` takes it."""
    parser.add_argument("suite", metavar="SUITE", help="a YAML file, or the bare name of a suite that ships")


def add_changed_suite(parser: argparse.ArgumentParser) -> None:
    """Add the suite and what may be changed in it, as ``bench plan`` takes them."""
    add_suite(parser)
    parser.add_argument("--budget", metavar="TIME", help="device-seconds per model, such as 30s or 5m")
    parser.add_argument("--models", metavar="A,B", help="only these models of the suite")
    parser.add_argument("--seeds", type=int, metavar="N", help="refits of each stochastic model")


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench run``."""
    add_changed_suite(parser)
    add_data_folder(parser)
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="studies side by side (default: as many slots as fit)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="this run's directory (default results/SUITE/TIME)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="start anew even where a run of this suite waits"
    )
    parser.add_argument(
        "--skip-missing", action="store_true", help="keep a row for models whose library is missing"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="one step of every model, to find what is broken"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress, only the board")


def run(options: argparse.Namespace) -> int:
    """Run a suite and show its board; raise if no model has a result."""
    from benchmark import api
    from benchmark.cli.views.progress import Progress
    from benchmark.metrics.register import parse_metric

    suite, order = _suite(options), _order(options)
    if options.dry_run:
        return _dry_run(suite, order)
    terminal = console()
    better = parse_metric(suite.metrics.primary).higher_is_better
    with Progress(terminal, higher_is_better=better, quiet=options.quiet) as progress:
        finished = api.run(suite, order, progress)
    terminal.print(finished.board)
    label = " (synthetic data: says nothing about the real data set)" if finished.board.synthetic else ""
    terminal.print(
        f"Report{label}: {finished.path / 'leaderboard.html'}", highlight=False, soft_wrap=True, markup=False
    )
    if not any(table.ranked for table in finished.board.tables):
        raise RunError(f"{finished.path}: no model has a result; the reasons stand under the board.")
    return 0


def _dry_run(suite: Suite, order: RunOptions) -> int:
    """Take one step of every model; 0 if each could, else 2."""
    from benchmark import api
    from benchmark.cli.views.listings import show_dry_run

    steps = api.dry_run(suite, order)
    show_dry_run(steps, console())
    return 0 if all(step.ok for step in steps) else 2


def check(options: argparse.Namespace) -> int:
    """Print a suite with every default."""
    import yaml

    from benchmark import api

    suite = api.check(options.suite)
    sys.stdout.write(yaml.safe_dump(suite.model_dump(mode="json"), sort_keys=False, allow_unicode=True))
    return 0


def plan(options: argparse.Namespace) -> int:
    """Print what a suite would run and what it may spend."""
    from benchmark import api
    from benchmark.cli.views.listings import show_plan

    suite = _suite(options)
    show_plan(suite, api.plan(suite), console())
    return 0


def schema(_: argparse.Namespace) -> int:
    """Print the JSON schema of suites."""
    from benchmark.suite import Suite

    write_json(Suite.model_json_schema())
    return 0


def _suite(options: argparse.Namespace) -> Suite:
    """Return the suite with what the command line changes in it."""
    from benchmark import api

    only = None
    if options.models is not None:
        only = [name.strip() for name in options.models.split(",") if name.strip()]
        if not only:
            raise SuiteError("--models: must name at least one model of the suite, such as surprise/svd")
    return api.check(options.suite, _changes(options), models=only, changed_by="command line")


def _changes(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the command line changes in a suite."""
    changes: dict[str, Any] = {}
    if options.budget is not None:
        changes["budget"] = {"per_model": options.budget}
    if options.seeds is not None:
        changes["finals"] = {"seeds": options.seeds}
    return changes


def _order(options: argparse.Namespace) -> RunOptions:
    from benchmark.runner import RunOptions
    from benchmark.suite import find

    if options.jobs is not None and options.jobs < 1:
        raise SuiteError(f"--jobs {options.jobs}: must be 1 or more")
    return RunOptions(
        out=options.out,
        data=data_folder(options),
        base=find(options.suite).parent,
        jobs=options.jobs,
        fresh=options.fresh,
        skip_missing=options.skip_missing,
    )
