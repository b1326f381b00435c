"""The verbs on the way into production: pick, verify, recommend, diff."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.cli.terminal import write, write_json
from benchmark.errors import BundleError

if TYPE_CHECKING:
    from benchmark.bundle import Recommendation
    from benchmark.compare_runs import Changes
    from benchmark.selection import PickOptions

REGRESSED = 3
"""Exit code of a significant regression."""


def add_pick(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench pick``."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a finished run's directory")
    parser.add_argument("--dataset", metavar="NAME", help="needed where the run has several")
    parser.add_argument(
        "--max-latency-ms", type=float, metavar="MS", help="95th percentile of one user's scores"
    )
    parser.add_argument(
        "--max-memory-mb", type=float, metavar="MB", help="peak of the fitting process and its children"
    )
    parser.add_argument("--max-size-mb", type=float, metavar="MB", help="the stored model")
    parser.add_argument(
        "--min",
        action="append",
        default=[],
        metavar="METRIC=VALUE",
        help="such as coverage@10=.2; repeatable",
    )
    parser.add_argument(
        "--max", action="append", default=[], metavar="METRIC=VALUE", help="such as rmse=.95; repeatable"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), help="only models measured on it")
    parser.add_argument(
        "--rule", choices=("non-inferiority", "not-significantly-worse"), default="non-inferiority"
    )
    parser.add_argument("--export", type=Path, metavar="DIR", help="write the winner's bundle there")
    parser.add_argument("--json", action="store_true", help="print the decision record as JSON")


def add_verify(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench verify``."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's directory")
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")


def add_recommend(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench recommend``."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's directory")
    parser.add_argument("--user", metavar="ID", help="one user")
    parser.add_argument("-k", type=int, default=10, metavar="K", help="length of the list (default 10)")
    parser.add_argument("--history", metavar="A,B", help="items of a new user")
    parser.add_argument("--exclude", default="", metavar="A,B", help="items to leave out")
    parser.add_argument("--users", type=Path, metavar="FILE", help="many users, from a .csv or .parquet")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where their lists go, a .csv or .parquet")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def add_diff(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench diff``."""
    parser.add_argument("before", type=Path, metavar="RUN_A", help="the run to compare with")
    parser.add_argument("after", type=Path, metavar="RUN_B", help="the run that may be worse")
    parser.add_argument("--dataset", metavar="NAME", help="only this data set")
    parser.add_argument(
        "--fail-on-regression", action="store_true", help=f"exit with {REGRESSED} if anything is worse"
    )
    parser.add_argument("--json", action="store_true", help="print the changes as JSON")


def pick(options: argparse.Namespace) -> int:
    """Pick a model, write its record and, if asked, its bundle."""
    from benchmark import api
    from benchmark.selection import as_json, as_text

    done = api.pick(options.run, _wish(options), dataset=options.dataset, export=options.export)
    if options.json:
        write_json(as_json(done.decision) | {"record": str(done.record), "bundle": _text(done.bundle)})
        return 0
    write(as_text(done.decision))
    write(f"Record: {done.record}")
    if done.bundle is not None:
        write(f"Bundle: {done.bundle}")
    return 0


def _wish(options: argparse.Namespace) -> PickOptions:
    from benchmark import api
    from benchmark.selection import Limit, PickOptions
    from benchmark.selection.limits import on_metric

    columns = {
        "latency_ms_p95": options.max_latency_ms,
        "memory_mb": options.max_memory_mb,
        "size_mb": options.max_size_mb,
    }
    limits = [Limit(column, bound) for column, bound in columns.items() if bound is not None]
    metrics = api.metrics_of(options.run) if options.min or options.max else ()
    limits += [on_metric(text, metrics, at_most=False) for text in options.min]
    limits += [on_metric(text, metrics, at_most=True) for text in options.max]
    return PickOptions(tuple(limits), options.device, options.rule, to_export=options.export is not None)


def verify(options: argparse.Namespace) -> int:
    """Check a bundle; 0 if everything holds, else 2."""
    from benchmark import api

    checks = api.verify(options.bundle)
    if options.json:
        write_json([vars(check) for check in checks])
    else:
        for check in checks:
            write(f"{'ok    ' if check.ok else 'FAILED'}  {check.name}: {check.detail}")
    return 0 if all(check.ok for check in checks) else 2


def recommend(options: argparse.Namespace) -> int:
    """Print one user's list, or write those of many."""
    from benchmark import api

    _one_subject(options)
    bundle, exclude = api.load(options.bundle), _listed(options.exclude)
    if options.users is not None:
        from benchmark.bundle.batch import check_target, read_users, write_lists

        users, target = read_users(options.users), check_target(options.out)
        strangers = write_lists(bundle, users, options.k, exclude, target)
        write(f"{len(users)} lists in {target}; {strangers} users are unknown and got the most popular items")
        return 0
    if options.history is not None:
        history = _listed(options.history)
        found = bundle.recommend_new(history, options.k, user=options.user, exclude=exclude)
    else:
        (found,) = bundle.recommend([options.user], options.k, exclude=exclude)
    write_json(_as_json(found)) if options.json else _print_list(found)
    return 0


def _one_subject(options: argparse.Namespace) -> None:
    if options.users is not None and (options.user is not None or options.history is not None):
        raise BundleError("--users FILE goes without --user and --history")
    if options.users is None and options.user is None and options.history is None:
        raise BundleError("whose list? give --user ID, --history A,B or --users FILE --out FILE")
    if options.users is None and options.out is not None:
        raise BundleError("--out FILE goes with --users FILE")


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _as_json(found: Recommendation) -> dict[str, Any]:
    items = [{"rank": rank, **vars(item)} for rank, item in enumerate(found.items, start=1)]
    return {"user": found.user, "source": found.source, "note": found.note, "items": items}


def _print_list(found: Recommendation) -> None:
    if found.note:
        write(found.note)
    width = max((len(str(item.id)) for item in found.items), default=0)
    for rank, item in enumerate(found.items, start=1):
        write(f"{rank:>3}  {item.id!s:>{width}}  {item.title or ''}".rstrip())


def diff(options: argparse.Namespace) -> int:
    """Print what has changed from one run to another."""
    from benchmark import api

    changes = api.diff(options.before, options.after, dataset=options.dataset)
    if options.json:
        write_json(changes.as_json())
    else:
        _print_changes(changes)
    return REGRESSED if options.fail_on_regression and changes.regressed else 0


def _print_changes(changes: Changes) -> None:
    from benchmark.leaderboard.formatting import decimal, p_value, signed, span

    head = ["data set", "model", "A", "B", "B - A", f"{changes.level:.0%} interval", "p", ""]
    rows = [
        [
            *(row.dataset, row.model, decimal(row.before), decimal(row.after), signed(row.difference)),
            *(span(row.low, row.high, signed), p_value(row.p)),
            "; ".join(filter(None, ["WORSE" if row.regressed else "", row.note])),
        ]
        for row in changes.rows
    ]
    widths = [max(len(line[place]) for line in [head, *rows]) for place in range(len(head))]
    write(f"{changes.primary}; intervals unadjusted; p seed-aware, Holm over the models of a data set")
    for line in [head, *rows]:
        write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    for note in changes.notes:
        write(note)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
