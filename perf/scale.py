"""Time and memory of a large log, from Parquet to a stored split, and of ranking it by popularity.

    python perf/scale.py [--rows 25000000] [--json FILE]
    python perf/scale.py --csv [--rows 25000000]     reading alone, from CSV and from Parquet
    python perf/scale.py --planted [--rows 25000000] make the log with tastes to be found, and describe it

The log has the shape of MovieLens-25M and is made once, in a cache folder; a log of 1 M rows of as many
users per row lies beside it, to see how time grows. Each measurement is a process of its own; imports are
not counted, reading, preparing, splitting, the audit and writing are.

The planted log has that shape too, and lies in the same folder. What is printed of it needs no model: how
skewed it is, and the NDCG@10 of popularity and of the planted truth on a random tenth of a sample of users.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats  # noqa: F401 (the audit imports it on first use; imports are not counted)
from large_log import Shape, large
from planted_figures import figures
from planted_log import planted_path
from platformdirs import user_cache_path

from benchmark.datasets.audit.split_audit import audit
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec, SplitSpec
from benchmark.datasets.split import split
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.save import save_split
from benchmark.metrics.evaluator import Evaluator
from benchmark.metrics.register import parse_metric

SMALL = 1_000_000
GOALS = {
    "split_s": 60.0,
    "split_peak_mb": 6144.0,
    "growth": 1.2,
    "evaluate_s": 60.0,
    "evaluate_extra_mb": 2048.0,
}
READ_GOALS = {"csv": (20.0, 3072.0), "parquet": (4.0, 3072.0)}
"""Seconds of a core and peak memory in MB that reading 25 M rows may take."""
BATCH = 256


def path_of(rows: int, cache: Path) -> Path:
    """Return the Parquet file with that many rows; it is made if it is not there."""
    path = cache / f"large-{rows}.parquet"
    if not path.exists():
        full = Shape()
        shape = Shape(max(2, full.users * rows // full.interactions), full.items, rows)
        cache.mkdir(parents=True, exist_ok=True)
        large(shape).frame.to_parquet(path, index=False)
    return path


@contextmanager
def clocked(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Add the seconds of a step."""
    start = time.monotonic()
    yield
    seconds[step] = time.monotonic() - start


def core_seconds() -> float:
    """Return the seconds that this process has held a core: what a quiet machine would take."""
    return time.process_time()


def measure_split(path: Path, folder: Path, by: str) -> dict[str, Any]:
    """Return seconds of each step from Parquet to a stored split, and the process's peak memory."""
    seconds: dict[str, float] = {}
    start = core_seconds()
    with clocked(seconds, "read"):
        log = open_log(LogSpec(name="large", path=str(path), value="value", time="time", scale=(0.5, 5.0)))
    with clocked(seconds, "prepare"):
        prepared = prepare(log)
    del log
    with clocked(seconds, "split"):
        done = split(prepared, SplitSpec(by=by))
    with clocked(seconds, "audit and store"):
        save_split(done, folder, audit(done))
    return {
        "seconds": seconds,
        "total_s": sum(seconds.values()),
        "core_s": core_seconds() - start,
        "peak_mb": peak_mb(),
    }


def csv_of(rows: int, cache: Path) -> Path:
    """Return the CSV file with that many rows; it is made if it is not there."""
    path = cache / f"large-{rows}.csv"
    if not path.exists():
        from pyarrow import csv, parquet

        csv.write_csv(parquet.read_table(path_of(rows, cache)), path)
    return path


def measure_read(path: Path) -> dict[str, Any]:
    """Return seconds on a core to read a log, and the process's peak memory."""
    start = core_seconds()
    log = open_log(LogSpec(name="large", path=str(path), value="value", time="time", scale=(0.5, 5.0)))
    return {"rows": len(log.frame), "core_s": core_seconds() - start, "peak_mb": peak_mb()}


def compare_reading(rows: int, cache: Path) -> dict[str, Any]:
    """Return what reading costs from each format, one process each, from the page cache."""
    found = {}
    for path in (csv_of(rows, cache), path_of(rows, cache)):
        path.read_bytes()
        found[path.suffix.removeprefix(".")] = in_its_own_process("--read", str(path))
    return found


def show_reading(found: dict[str, Any]) -> bool:
    """Print the table of reading; return whether every goal is met."""
    met = True
    for name, numbers in found.items():
        seconds, memory = READ_GOALS[name]
        share = numbers["rows"] / Shape().interactions  # the goals are those of the full size
        fits = numbers["core_s"] <= seconds * share and numbers["peak_mb"] <= memory
        met &= fits
        print(
            f"{name:<10}{numbers['rows']:>12,} rows{numbers['core_s']:>9.2f} s of a core"
            f"{numbers['peak_mb']:>9.0f} MB  goal {seconds * share:g} s, {memory:g} MB: "
            + ("met" if fits else "MISSED")
        )
    return met


def measure_evaluate(folder: Path) -> dict[str, Any]:
    """Return seconds to rank and measure popularity for all test users, and memory beside the data."""
    train, test = load_parts(folder, "train"), load_parts(folder, "test")
    seen = load_parts(folder, "train", "valid")
    forget_peak()
    data_mb = peak_mb()
    start, on_core = time.monotonic(), core_seconds()
    metrics = [parse_metric("ndcg@10"), parse_metric("recall@10")]
    evaluator = Evaluator(test, seen=[seen], metrics=metrics, train=train)
    counts = np.bincount(train.items, minlength=train.n_items).astype(np.float32)
    for first in range(0, len(evaluator.users), BATCH):
        users = evaluator.users[first : first + BATCH]
        evaluator.add(users, np.tile(counts, (len(users), 1)))
    values = evaluator.result().values
    seconds = time.monotonic() - start
    return {
        "total_s": seconds,
        "core_s": core_seconds() - on_core,
        "users": len(evaluator.users),
        "extra_mb": peak_mb() - data_mb,
        "values": values,
    }


def peak_mb() -> float:
    """Return the most memory that this process has held since its start or :func:`forget_peak`, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def forget_peak() -> None:
    """Count the peak anew from what is held now (man 5 proc, clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def in_its_own_process(*words: str) -> dict[str, Any]:
    """Return what this script prints when it is started with these words."""
    command = [sys.executable, __file__, *words]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    found: dict[str, Any] = json.loads(answer)
    return found


def measured(rows: int, by: str, cache: Path) -> dict[str, Any]:
    """Return every measurement of both sizes, beside the goals."""
    found: dict[str, Any] = {"rows": rows, "by": by, "goals": GOALS}
    for name, size in (("small", min(SMALL, rows)), ("large", rows)):
        path = path_of(size, cache)
        path.read_bytes()  # both sizes are read from the page cache
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            folder = f"{scratch}/split"
            found[name] = {"rows": size, **in_its_own_process("--split", str(path), folder, by)}
            found[name]["evaluate"] = in_its_own_process("--evaluate", folder)
    ratio = found["large"]["core_s"] / found["small"]["core_s"]  # others on the machine weigh on neither
    found["growth"] = ratio * found["small"]["rows"] / rows
    return found


def show(found: dict[str, Any]) -> bool:
    """Print the table; return whether every goal is met."""
    small, large_ = found["small"], found["large"]
    print(f"{'step':<28}{small['rows']:>14,}{large_['rows']:>14,}  rows, split {found['by']}")
    for step, seconds in large_["seconds"].items():
        print(f"{step:<28}{small['seconds'][step]:>12.2f} s{seconds:>12.2f} s")
    results = {
        "split_s": ("Parquet to split", "s", small["total_s"], large_["total_s"]),
        "split_core_s": ("its seconds on a core", "s", small["core_s"], large_["core_s"]),
        "split_peak_mb": ("its peak memory", "MB", small["peak_mb"], large_["peak_mb"]),
        "growth": ("time a row, 1 = linear", "", 1.0, found["growth"]),
        "evaluate_s": (
            "popularity @10, all users",
            "s",
            small["evaluate"]["total_s"],
            large_["evaluate"]["total_s"],
        ),
        "evaluate_core_s": (
            "its seconds on a core",
            "s",
            small["evaluate"]["core_s"],
            large_["evaluate"]["core_s"],
        ),
        "evaluate_extra_mb": (
            "beside the data",
            "MB",
            small["evaluate"]["extra_mb"],
            large_["evaluate"]["extra_mb"],
        ),
    }
    met = True
    for goal, (what, unit, one, two) in results.items():
        line = f"{what:<28}{one:>12.2f} {unit:<2}{two:>11.2f} {unit:<2}"
        if goal in GOALS:
            met &= two <= GOALS[goal]
            line += f" goal {GOALS[goal]:g} {unit}: {'met' if two <= GOALS[goal] else 'MISSED'}"
        print(line)
    return met


def main() -> int:
    """Measure, print the table, and return 1 if a goal is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=Shape().interactions, help="rows of the large log")
    parser.add_argument("--by", default="random", help="the rule of the split")
    parser.add_argument("--cache", type=Path, default=user_cache_path("recsys-bench") / "scale")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    parser.add_argument("--csv", action="store_true", help="measure reading alone, from CSV and from Parquet")
    parser.add_argument("--planted", action="store_true", help="make the planted log, and describe it")
    parser.add_argument("--read", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--split", nargs=3, metavar=("FILE", "FOLDER", "RULE"), help=argparse.SUPPRESS)
    parser.add_argument("--evaluate", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.split:
        print(json.dumps(measure_split(Path(options.split[0]), Path(options.split[1]), options.split[2])))
        return 0
    if options.evaluate:
        print(json.dumps(measure_evaluate(options.evaluate)))
        return 0
    if options.read:
        print(json.dumps(measure_read(options.read)))
        return 0
    if options.planted:
        path = planted_path(options.rows, options.cache)
        print(path)
        planted = figures(path, options.rows)
        if options.json:
            options.json.write_text(json.dumps(asdict(planted), indent=2) + "\n", encoding="utf-8")
        return 0 if planted.show() else 1
    if options.csv:
        reading = compare_reading(options.rows, options.cache)
        if options.json:
            options.json.write_text(json.dumps(reading, indent=2) + "\n", encoding="utf-8")
        return 0 if show_reading(reading) else 1
    found = measured(options.rows, options.by, options.cache)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if show(found) else 1


if __name__ == "__main__":
    sys.exit(main())
