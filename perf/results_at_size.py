"""Time and memory of storing and reading per-user results of a large run: ``python perf/results_at_size.py``.

20 models × 5 seeds × 162,541 users (MovieLens-25M's) with 7 metrics, lists of 10 and rating sums each, made
up but plausible, go through the project's own writer into a temporary run directory. Then a fresh process
checks and reads every column of every final, one after another, its lists as well: storing and reading have
the goal. Shown beside it: every row of the board with everything but the statistical tests, and the export.
Making the values is not counted. ``--report`` builds the whole board too, tests included; it takes minutes.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # noqa: F401 (imports are not counted)
import pyarrow.parquet  # noqa: F401 (the same)
from large_log import Shape, large
from scale import core_seconds, forget_peak, peak_mb

from benchmark.datasets.audit.split_audit import audit
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.specs import SplitSpec
from benchmark.datasets.split import split
from benchmark.datasets.store.save import load_manifest, save_split
from benchmark.leaderboard import board
from benchmark.leaderboard.build import Ranking
from benchmark.leaderboard.dataset_results import read
from benchmark.metrics.evaluation import Evaluation
from benchmark.protocol import Array
from benchmark.records import (
    FinalRecord,
    Measurements,
    ReferenceNamed,
    StudyClosed,
    StudyRecord,
    TestCounts,
    TestScores,
    TrialOpened,
    TrialRecord,
)
from benchmark.results import RunDirectory, gather, write_per_user
from benchmark.suite import Suite

GOAL_S, GOAL_MB = 10.0, 2048.0
"""Of storing and reading together, in seconds of a core; of the larger of the two peaks."""
K = 10
DATASET = "large"
METRICS = ("ndcg@10", "recall@10", "precision@10", "hit@10", "map@10", "mrr@10", "auc")
OF_ALL_LISTS = ("coverage@10", "gini@10", "rmse")
LOG_ROWS = 1_000_000
"""Rows of the log: what a final stores depends on users alone."""


@dataclass(frozen=True)
class Size:
    """How much is stored."""

    models: int = 20
    seeds: int = 5
    users: int = Shape().users
    items: int = Shape().items

    @property
    def names(self) -> list[str]:
        """The models."""
        return [f"made/up-{number}" for number in range(self.models)]

    def suite(self) -> Suite:
        """Return the suite that such a run would have had."""
        return Suite.model_validate(
            {
                "name": "results-at-size",
                "datasets": [DATASET],
                "metrics": {"primary": METRICS[0], "also": [*METRICS[1:], *OF_ALL_LISTS]},
                "finals": {"seeds": self.seeds, "train_on": "train", "default": False},
                "models": self.names,
            }
        )


class MadeUp:
    """Results of finals: skewed lists, hits that depend on user and model, errors of a few ratings."""

    def __init__(self, size: Size) -> None:
        """Draw what all finals share."""
        self.size, rng = size, np.random.default_rng(0)
        self.relevant = np.minimum(rng.geometric(0.15, size.users), 100)
        self.ease = rng.beta(0.6, 5.0, size.users)
        self.shares = {"head": 0.4, "tail": 0.1}
        self.has = {
            kind: rng.random(size.users) < 1 - (1 - share) ** self.relevant
            for kind, share in self.shares.items()
        }
        popularity = 1 / np.arange(1, size.items + 1) ** 0.9
        self.pool = rng.choice(size.items, 2 * K * size.users, p=popularity / popularity.sum()).astype(
            np.int32
        )

    def final(self, model: int, seed: int) -> tuple[Evaluation, dict[str, Array]]:
        """Return what the scorer would have found, and its values of head and tail."""
        rng, users = np.random.default_rng([model, seed]), self.size.users
        hits = rng.random((users, K)) < (self.ease * (1 - 0.02 * model))[:, None]
        found, ranks = hits.sum(axis=1), np.arange(1, K + 1)
        most = np.minimum(self.relevant, K)
        gains = 1 / np.log2(ranks + 1)
        values = {
            "ndcg@10": (hits * gains).sum(axis=1) / np.cumsum(gains)[np.maximum(most, found) - 1],
            "recall@10": found / np.maximum(self.relevant, found),
            "precision@10": found / K,
            "hit@10": (found > 0).astype(np.float64),
            "map@10": (hits * np.cumsum(hits, axis=1) / ranks).sum(axis=1) / np.maximum(most, found),
            "mrr@10": np.where(found > 0, 1 / (1 + hits.argmax(axis=1)), 0.0),
            "auc": rng.beta(8.0, 1.0, users),
        }
        more: dict[str, Array] = {}
        for kind, share in self.shares.items():
            for name in ("recall", "ndcg@10"):
                column = values["recall@10" if name == "recall" else name] * share
                more[f"{name}_{kind}"] = np.where(self.has[kind], column, np.nan)
        squared = rng.gamma(2.0, 0.4, users) * self.relevant
        start = int(rng.integers(len(self.pool) - K * users))
        evaluation = Evaluation(
            users=np.arange(users, dtype=np.int32),
            per_user=values,
            lists=self.pool[start : start + K * users].reshape(users, K),
            squared_error=squared,
            absolute_error=np.sqrt(squared * self.relevant),
            ratings=self.relevant,
            values={name: float(column.mean()) for name, column in values.items()},
            counts=TestCounts(users=users, without_relevant=0),
        )
        return evaluation, more


@contextmanager
def measured(found: dict[str, float], what: str) -> Iterator[None]:
    """Add seconds of clock and core."""
    start, on_core = time.monotonic(), core_seconds()
    yield
    for name, seconds in (("s", time.monotonic() - start), ("core_s", core_seconds() - on_core)):
        found[f"{what}_{name}"] = found.get(f"{what}_{name}", 0.0) + seconds


def store(size: Size, folder: Path) -> dict[str, float]:
    """Write the run; return what the parts took."""
    run = RunDirectory.create(folder, size.suite(), "2026-01-01T00:00:00+00:00")
    rows = max(size.users * 2, min(LOG_ROWS, size.users * size.items // 4))
    done = split(prepare(large(Shape(size.users, size.items, rows))), SplitSpec())
    save_split(done, run / "splits" / DATASET, audit(done))
    del done
    studies = tuple(study(name) for name in size.names)
    manifest = load_manifest(run / "splits" / DATASET)
    run.update(datasets={DATASET: manifest}, studies=studies, state="finished")
    made, ledger, found = MadeUp(size), run.ledger(), {"bytes": 0.0}
    forget_peak()
    before = peak_mb()
    for number, name in enumerate(size.names):
        who = {"dataset": DATASET, "model": name, "study_key": name}
        trial = {**who, "entry": f"{name}#0", "trial": 0, "config": {}, "device": "cpu"}
        ended = {"outcome": "complete", "reason": "finished", "lease_s": 1.0, "charged_s": 1.0}
        ledger.append(TrialOpened(**trial, hold_s=2.0))
        ledger.append(TrialRecord(**trial, **ended, value=0.5 - 0.01 * number, best_step=1, steps={1: 0.5}))
        ledger.append(StudyClosed(**who, status="ok", reason="finished", unused_s=0.0, space={}))
        if not number:
            ledger.append(ReferenceNamed(**who, value=0.5))
        for seed in range(size.seeds):
            evaluation, more = made.final(number, seed)
            path = f"per_user/{number}-{seed}.parquet"
            with measured(found, "store"):
                sha256 = write_per_user(run / path, evaluation, more)
            found["bytes"] += (run / path).stat().st_size
            test = TestScores(
                values=evaluation.values,
                counts=TestCounts(users=size.users, without_relevant=0),
                popularity_lift=1.0,
                path=path,
                sha256=sha256,
            )
            cost = Measurements(
                steps=1,
                size_mb=1.0,
                params=1,
                latency_ms_p50=1.0,
                latency_ms_p95=1.0,
                users_per_s=1.0,
                filled_users=0,
                filled_items=0,
            )
            final = {**trial, "entry": f"{name}#final-{seed}", "final_key": f"{name}-{seed}", "seed": seed}
            kind = {"config_source": "tuned", "train_on": "train"}
            ledger.append(FinalRecord(**final, **ended, **kind, fit_s=1.0, measured=cost, test=test))
    ledger.shut()
    return {**found, "store_peak_mb": peak_mb(), "store_extra_mb": peak_mb() - before}


def study(name: str) -> StudyRecord:
    """Return a study as it was planned."""
    return StudyRecord(
        dataset=DATASET,
        model=name,
        adapter=name,
        library="made",
        feedback="implicit",
        rates=True,
        deterministic=False,
        devices=("cpu",),
        from_features=(),
        space={},
        default={},
        published=None,
        key=name,
    )


def read_columns(folder: Path) -> dict[str, float]:
    """Return what it takes to read every column of every final: the primary one of all stays in memory."""
    found: dict[str, float] = {}
    with measured(found, "read"):
        (results,) = read(RunDirectory.existing(folder))
        finals = Ranking(results).finals
        primary = {model: finals.seeds_by_users(model) for model in results.studies}
        for part in results.parts:
            for name in set(part.columns) - {"items", METRICS[0]}:
                part.column(name)
            part.lists()
    assert len(primary) == len(results.studies)
    return {**found, "read_peak_mb": peak_mb()}


def board_rows(folder: Path) -> dict[str, float]:
    """Return what every row of the board takes, without tests."""
    found: dict[str, float] = {}
    with measured(found, "rows"):
        (results,) = read(RunDirectory.existing(folder))
        ranking = Ranking(results)
        rows = [ranking.row(one) for one in ranking.studies.values()]
    assert all(row.has_result for row in rows)
    return {**found, "rows_peak_mb": peak_mb()}


def export(folder: Path) -> dict[str, float]:
    """Return what per_user.parquet takes."""
    found: dict[str, float] = {}
    run = RunDirectory.existing(folder)
    ledger = run.ledger()
    before = peak_mb()
    with measured(found, "export"):
        gather(run, ledger)
    ledger.shut()
    size = (run / "per_user.parquet").stat().st_size
    return {**found, "export_extra_mb": peak_mb() - before, "export_bytes": float(size)}


def report(folder: Path) -> dict[str, float]:
    """Return what the whole board takes, tests included."""
    found: dict[str, float] = {}
    with measured(found, "report"):
        board(RunDirectory.existing(folder))
    return {**found, "report_peak_mb": peak_mb()}


def in_its_own_process(size: Size, step: str, folder: Path) -> dict[str, float]:
    """Return what one step of this script prints."""
    sizes = [f"--{name}={value}" for name, value in vars(size).items()]
    command = [sys.executable, __file__, *sizes, "--step", step, str(folder)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    numbers: dict[str, float] = json.loads(answer)
    return numbers


def show(size: Size, found: dict[str, Any]) -> bool:
    """Print the table; return whether both goals are met."""
    print(f"{size.models} models x {size.seeds} seeds x {size.users} users: {found['bytes'] / 1e6:.0f} MB")
    rows = [
        ("storing all parts", "store", found["store_peak_mb"]),
        ("reading all by column", "read", found["read_peak_mb"]),
        ("rows of the board, without tests", "rows", found["rows_peak_mb"]),
        ("per_user.parquet (beside imports)", "export", found["export_extra_mb"]),
    ]
    if "report_s" in found:
        rows.append(("whole board, with tests", "report", found["report_peak_mb"]))
    for what, name, memory in rows:
        core, clock = found[f"{name}_core_s"], found[f"{name}_s"]
        print(f"  {what:<36}{core:8.2f} s of a core{clock:9.2f} s by the clock{memory:8.0f} MB")
    seconds = found["store_core_s"] + found["read_core_s"]
    memory = max(found["store_peak_mb"], found["read_peak_mb"], found["rows_peak_mb"])
    met = seconds <= GOAL_S and memory <= GOAL_MB
    print(f"  {'stored and read':<36}{seconds:8.2f} s of a core{memory:33.0f} MB", end="")
    print(f"  goal {GOAL_S:g} s, {GOAL_MB:g} MB: {'met' if met else 'MISSED'}")
    return met


def main() -> int:
    """Measure, print the table, and return 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, value in vars(Size()).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--report", action="store_true", help="build the whole board too")
    parser.add_argument("--folder", type=Path, help="where the temporary run is made")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    parser.add_argument("--step", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    size = Size(options.models, options.seeds, options.users, options.items)
    if options.step:
        name, folder = options.step[0], Path(options.step[1])
        steps = {"read": read_columns, "rows": board_rows, "export": export, "report": report}
        print(json.dumps(store(size, folder) if name == "store" else steps[name](folder)))
        return 0
    found: dict[str, Any] = dict(vars(size))
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        for step in ("store", "read", "rows", "export", *["report"] * options.report):
            found |= in_its_own_process(size, step, Path(scratch) / "run")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if show(size, found) else 1


if __name__ == "__main__":
    sys.exit(main())
