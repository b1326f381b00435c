"""Boards made by hand, so that a test of a report needs no run. Some names are hostile on purpose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from written_run import HARDWARE, split_manifest

from benchmark.leaderboard import Board, BoardRow, Facts, RunOrigin, Table, TuningHistory
from benchmark.leaderboard.across_datasets import across
from benchmark.leaderboard.folds import over_folds
from benchmark.protocol import Range
from benchmark.records import TrialRecord, warning
from benchmark.results import RunManifest
from benchmark.suite import Suite

HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd()|'/c calc'!A0",
    "under_score & 50% #1 $x$ {\\evil} ~^",
    "pipe|star*`tick`[link](x)",
    "\u05d0\u05d1\u202egnp.exe",
    '"><img src=x onerror=alert(1)>',
)
METRICS = ("ndcg@10", "recall@10", "coverage@10")
SPLIT = split_manifest("shop", hash="abcdef0123456789")


def row(model: str, value: float | None, rank: int | None = None, **more: Any) -> BoardRow:
    """Return a row; without a value it is a failed one."""
    made = BoardRow(
        dataset="shop",
        model=model,
        library=model.split("/", maxsplit=1)[0],
        status="failed" if value is None else "ok",
        reason="its process crashed" if value is None else "budget used",
        metrics=dict.fromkeys(METRICS, value),
        trials=12,
        budget_s=60.0,
        charged_s=12.5,
        deterministic=False,
        margin=0.03,
        trained_on="train",
        synthetic=False,
        split_hash=SPLIT.hash,
        suite_hash="ff",
        environment_hash="ee",
    )
    if value is not None:
        made = replace(
            made,
            rank=rank,
            low=value - 0.02,
            high=value + 0.02,
            best_set=rank == 1,
            seeds=5,
            valid=value,
            latency_ms_p50=1.0 + value,
            memory_mb=90.0,
            device="cpu",
        )
    if value is not None and rank != 1:
        made = replace(made, diff_to_reference=-0.01, diff_low=-0.02, diff_high=0.0, p_vs_reference=0.03)
    return replace(made, **more)


def trial(number: int, value: float | None, **more: Any) -> TrialRecord:
    """Return a closed trial."""
    settings: dict[str, Any] = {
        "steps": {} if value is None else {1: value},
        "best_step": 1,
        "outcome": "complete",
        "config": {"dim": 8},
        "charged_s": 2.0,
    }
    return TrialRecord(
        dataset="shop",
        model="a/b",
        study_key="key",
        entry=f"a/b#{number}",
        reason="patience",
        lease_s=2.5,
        device="cpu",
        trial=number,
        value=value,
        **settings | more,
    )


def search(model: str, *values: float | None, **more: Any) -> TuningHistory:
    """Return a search with one trial a value."""
    trials = tuple(trial(number, value) for number, value in enumerate(values))
    settings: dict[str, Any] = {"space": {"dim": Range(8, 256, log=True)}, "default": {"dim": 8}}
    settings |= {"maximise": True, "trials": trials, "unused_s": 1.0, "ended": "budget used"}
    return TuningHistory(model, **settings | more)


def suite(**more: Any) -> Suite:
    """Return the suite that the boards come from, with other sections."""
    return Suite.model_validate(
        {
            "name": "shop",
            "datasets": ["shop"],
            "models": ["a/b"],
            "finals": {"train_on": "train"},
            "metrics": {"primary": METRICS[0], "also": METRICS[1:]},
            **more,
        }
    )


def table(*rows: BoardRow, dataset: str = "shop", facts: Facts | None = None, **more: Any) -> Table:
    """Return a table of these rows, the first one the reference."""
    settings: dict[str, Any] = {
        "notes": (warning("something a reviewer would say."),),
        "searches": tuple(search(line.model, 0.1, None, 0.2) for line in rows),
    }
    reference = rows[0].model if rows else None
    facts = facts or Facts(SPLIT, suite(), "baselines/popularity", 10)
    return Table(dataset, rows, METRICS, reference, facts=facts, **settings | more)


def board(*tables: Table, suite_name: str = "shop") -> Board:
    """Return a board of these tables."""
    manifest = RunManifest(
        format=3,
        suite=suite_name,
        suite_hash="ff",
        started="2026-01-02T03:04:00+00:00",
        state="finished",
        hardware=HARDWARE,
    )
    origin = RunOrigin(Path("results/shop/1"), manifest, "name: shop\n")
    return Board(tables, (origin,), across(tables), over_folds(tables))


def hostile() -> Board:
    """Return a board whose data set and models are all called something hostile."""
    rows = [row(name, 0.5 - number / 20, number + 1) for number, name in enumerate(HOSTILE)]
    failed = row("lost/<b>model</b>", None)
    return board(table(*rows, failed, dataset="<i>shop</i>_1"), suite_name="<u>suite</u>")
