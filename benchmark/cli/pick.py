"""``bench pick``: choose the model for production."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.cli.parser import Command
from benchmark.cli.terminal import write, write_json


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench pick``."""
    parser.add_argument(
        "runs",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="the directory of a finished run; of several on one split the models are compared as one board",
    )
    parser.add_argument("--dataset", metavar="NAME", help="required if the run has several")
    parser.add_argument(
        "--max-latency-ms", type=float, metavar="MS", help="95th percentile of the time to score one user"
    )
    parser.add_argument(
        "--max-memory-mb",
        type=float,
        metavar="MB",
        help="peak memory of the fitting process and its children",
    )
    parser.add_argument("--max-size-mb", type=float, metavar="MB", help="size of the stored model")
    parser.add_argument(
        "--min",
        action="append",
        default=[],
        type=metric_bound,
        metavar="METRIC=VALUE",
        help="least value of a metric, such as coverage@10=0.2; repeatable",
    )
    parser.add_argument(
        "--max",
        action="append",
        default=[],
        type=metric_bound,
        metavar="METRIC=VALUE",
        help="greatest value of a metric, such as rmse=0.95; repeatable",
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), help="only models measured on this device")
    parser.add_argument(
        "--rule",
        choices=("non-inferiority", "not-significantly-worse"),
        default="non-inferiority",
        help="what makes a model good enough (default: non-inferiority)",
    )
    parser.add_argument(
        "--model", metavar="MODEL", help="take this model; the record says what the rule picks"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the record (default: the run; of several runs, the bundle)",
    )
    parser.add_argument("--export", type=Path, metavar="DIR", help="write the winner's bundle to this folder")
    parser.add_argument("--json", action="store_true", help="print the decision record as JSON")


def metric_bound(text: str) -> tuple[str, float]:
    """Return the metric and the number of "METRIC=VALUE", which may be in percent.

    >>> metric_bound("coverage@10=.2"), metric_bound("coverage@10=20%")
    (('coverage@10', 0.2), ('coverage@10', 0.2))
    """
    from benchmark.units import in_percent, share

    name, _, value = text.partition("=")
    try:
        return name, share(value) if in_percent(value) else float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be METRIC=VALUE with a number, such as coverage@10=0.2"
        ) from None


def pick(options: argparse.Namespace) -> int:
    """Pick a model, write its record and, if asked, its bundle."""
    from benchmark import api
    from benchmark.selection import as_json

    picked = api.pick(
        *options.runs,
        max_latency_ms=options.max_latency_ms,
        max_memory_mb=options.max_memory_mb,
        max_size_mb=options.max_size_mb,
        min=dict(options.min),
        max=dict(options.max),
        device=options.device,
        rule=options.rule,
        model=options.model,
        dataset=options.dataset,
        export=options.export,
        out=options.out,
    )
    bundle = None if picked.bundle is None else str(picked.bundle)
    if options.json:
        write_json(as_json(picked.decision) | {"record": str(picked.record), "bundle": bundle})
        return 0
    write(str(picked))
    write(f"Record: {picked.record}")
    if bundle is not None:
        write(f"Bundle: {bundle}")
    return 0


COMMAND = Command(
    pick, "choose the model for production; --export makes its bundle", add_options, outlives_reader=True
)
