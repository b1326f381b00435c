"""Is the time to score one user measured so that a choice can rest on it?

    python perf/latency.py [--runs 10] [--busy 3] [--budget 20s] [--limit-ms MS] [--json FILE]

One run of EASE, iALS and an MLP on MovieLens-100K ($BENCH_DATA), then its bundles. Each of ten measurements
is a process of its own, which loads the bundles and measures each as a final does, once for each refit of
the suite; three of them have a busy loop beside them on the same core. Each measurement's figures are written
into a copy of the run in place of its own, and `bench pick --max-latency-ms` is asked of that copy. The limit
is halfway between the two quickest models, by their first measurement.

Goals: of the quiet measurements the largest p95 is at most 1.2 times the smallest, model by model; the pick
is the same in all ten, or says that the limit falls inside an interval.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

MODELS = ("native/ease", "native/ials", "keras/mlp")
RATIO = 1.2
REFITS = 5
INSIDE = "inside the interval"


def spin() -> None:
    """Keep a core busy."""
    while True:
        pass


def measured(bundles: list[str]) -> dict[str, list[dict[str, float]]]:
    """Return what each refit of each bundle's model would have been measured to take."""
    from benchmark.api import load
    from benchmark.latency import MOST_S, latency

    found: dict[str, list[dict[str, float]]] = {}
    for path in bundles:
        bundle = load(path)
        users = len(bundle.user_ids)
        each = [latency(bundle.model, users, MOST_S / REFITS).as_record() for _ in range(REFITS)]
        found[bundle.files.manifest.model] = each
    return found


def in_process(bundles: list[Path], core: int, *, busy: bool) -> dict[str, list[dict[str, float]]]:
    """Measure in a process of its own on one core, with a busy loop beside it or without."""
    beside = multiprocessing.get_context("spawn").Process(target=spin, daemon=True)
    if busy:
        beside.start()
        assert beside.pid is not None
        os.sched_setaffinity(beside.pid, {core})
    try:
        command = ["taskset", "-c", str(core), sys.executable, __file__, "--measure", *map(str, bundles)]
        done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
        found: dict[str, list[dict[str, float]]] = json.loads(done.stdout.splitlines()[-1])
        return found
    finally:
        if busy:
            beside.kill()


def with_latency(run: Path, found: dict[str, list[dict[str, float]]], copy: Path) -> Path:
    """Return a copy of a run whose finals have other figures of latency."""
    shutil.copytree(run, copy)
    lines = []
    for line in (run / "ledger.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        if isinstance(record.get("measured"), dict) and record.get("model") in found:
            each = found[record["model"]]
            record["measured"] |= each[record.get("seed", 0) % len(each)]
        lines.append(json.dumps(record))
    (copy / "ledger.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return copy


def summary(found: dict[str, list[dict[str, float]]]) -> dict[str, float]:
    """Return each model's p95 as the board has it."""
    return {model: statistics.median(one["latency_ms_p95"] for one in each) for model, each in found.items()}


def main() -> int:
    """Measure, pick, print; return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--busy", type=int, default=3, help="how many of them beside a busy loop")
    parser.add_argument("--budget", default="20s", help="of each model's tuning")
    parser.add_argument("--limit-ms", type=float, help="of the pick (default: between the two quickest)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.measure)))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-latency-") as folder:
        return compare(options, Path(folder))


def compare(options: argparse.Namespace, scratch: Path) -> int:
    """Make the run and its bundles, measure them again and again, and pick from each."""
    import benchmark
    from benchmark.errors import PickError

    run = scratch / "run"
    words = ["run", "movielens", "--budget", options.budget, "--seeds", str(REFITS), "--quiet"]
    command = [sys.executable, "-m", "benchmark.cli", *words, "--models", ",".join(MODELS), "--out", str(run)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    bundles = [benchmark.export(run, model, scratch / f"bundle-{at}") for at, model in enumerate(MODELS)]
    core = min(os.sched_getaffinity(0))
    step = max(1, options.runs // max(1, options.busy))
    busy = set(list(range(step - 1, options.runs, step))[: options.busy])
    found = [in_process(bundles, core, busy=turn in busy) for turn in range(options.runs)]
    first = sorted(summary(found[0]).values())
    limit = options.limit_ms or (first[0] + first[1]) / 2
    picks: list[tuple[str, bool]] = []
    for turn, one in enumerate(found):
        copy = with_latency(run, one, scratch / f"copy-{turn}")
        try:
            decision = benchmark.pick(copy, max_latency_ms=limit).decision
            picks.append((decision.winner, any(INSIDE in note for note in decision.warnings)))
        except PickError as error:
            picks.append(("none", INSIDE in str(error)))
        shutil.rmtree(copy)
    quiet = [summary(one) for turn, one in enumerate(found) if turn not in busy]
    ratios = {model: max(q[model] for q in quiet) / min(q[model] for q in quiet) for model in MODELS}
    return show(found, busy, picks, ratios, limit, options)


def show(
    found: list[dict[str, list[dict[str, float]]]],
    busy: set[int],
    picks: list[tuple[str, bool]],
    ratios: dict[str, float],
    limit: float,
    options: argparse.Namespace,
) -> int:
    """Print the tables and whether the goals are met."""
    print(f"p95 of one user, ms; limit {limit:.3f} ms")
    for turn, (one, (winner, said)) in enumerate(zip(found, picks, strict=True)):
        figures = []
        for model, each in one.items():
            low = min(refit["latency_ms_p95_low"] for refit in each)
            high = max(refit["latency_ms_p95_high"] for refit in each)
            left_out = sum(int(refit["latency_rounds_left_out"]) for refit in each)
            figures.append(f"{model} {summary(one)[model]:.3f} [{low:.3f}, {high:.3f}] -{left_out}")
        beside = "busy " if turn in busy else "quiet"
        print(f"{beside} {'; '.join(figures)}: {winner}{' (inside an interval)' if said else ''}")
    for model, ratio in ratios.items():
        print(f"{model}: largest / smallest of the quiet {ratio:.3f}, goal {RATIO}")
    settled = {winner for winner, said in picks if not said}
    met = max(ratios.values()) <= RATIO and len(settled) <= 1
    print(f"the pick: {dict.fromkeys(winner for winner, _ in picks)}; {'met' if met else 'MISSED'}")
    if options.json:
        record: dict[str, Any] = {"found": found, "busy": sorted(busy), "picks": picks, "ratios": ratios}
        options.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
