"""Boards made by hand, so that a test of a report needs no run. Some names are hostile on purpose."""

from __future__ import annotations

from typing import Any

from benchmark.leaderboard import Board, Row, Table, TuningHistory, columns
from benchmark.leaderboard.across_datasets import across
from benchmark.leaderboard.folds import over_folds

HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd()|'/c calc'!A0",
    "under_score & 50% #1 $x$ {\\evil} ~^",
    "pipe|star*`tick`[link](x)",
    "\u05d0\u05d1\u202egnp.exe",
    '"><img src=x onerror=alert(1)>',
)
METRICS = ("ndcg@10", "recall@10", "coverage@10")


def row(model: str, value: float | None, rank: int | None = None, **more: Any) -> Row:
    """Return a row with every column; without a value it is a failed one."""
    made: Row = dict.fromkeys(columns(METRICS))
    made |= {"dataset": "shop", "model": model, "library": model.split("/", maxsplit=1)[0], "budget_s": 60.0}
    made |= {"charged_s": 12.5, "trials": 12, "status": "failed", "reason": "its process crashed"}
    if value is not None:
        made |= dict.fromkeys(METRICS, value) | {"rank": rank, "status": "ok", "reason": "budget used"}
        made |= {"ndcg@10_low": value - 0.02, "ndcg@10_high": value + 0.02, "best_set": rank == 1, "seeds": 5}
        made |= {"valid_ndcg@10": value, "latency_ms_p50": 1.0 + value, "memory_mb": 90.0, "device": "cpu"}
    if value is not None and rank != 1:
        made |= {"diff_to_reference": -0.01, "diff_low": -0.02, "diff_high": 0.0, "p_vs_reference": 0.03}
    return made | more


def trial(number: int, value: float | None, **more: Any) -> dict[str, Any]:
    """Return a close line of the ledger."""
    line = {"trial": number, "value": value, "outcome": "complete", "charged_s": 2.0, "config": {"dim": 8}}
    return line | {"steps": {"1": value}, "best_step": 1, "stopped_by": None, "device": "cpu"} | more


def search(model: str, *values: float | None, **more: Any) -> TuningHistory:
    """Return a search with one trial a value."""
    trials = tuple(trial(number, value) for number, value in enumerate(values))
    settings: dict[str, Any] = {"space": {"dim": "8..256 log"}, "default": {"dim": 8}, "maximise": True}
    return TuningHistory(
        model, **settings | {"trials": trials, "unused_s": 1.0, "ended": "budget used"} | more
    )


def table(*rows: Row, dataset: str = "shop", **more: Any) -> Table:
    """Return a table of these rows, the first one the reference."""
    facts = {
        "hash": "abcdef0123456789",
        "rule": {"by": "random", "seed": 42},
        "n_users": 943,
        "n_items": 1682,
        "parts": {"train": {"rows": 100}, "valid": {"rows": 10}, "test": {"rows": 10}},
        "origin": "/data/shop",
        "licence": "ours",
        "synthetic": False,
        "audit": {"overlap": {"train/test": 0}, "flags": [], "notes": []},
        "finals_on": "train",
        "max_trials": 100,
        "alpha": 0.05,
        "margin": 0.03,
        "popularity": "baselines/popularity",
    }
    facts |= more.pop("facts", {})
    notes = more.pop("notes", ["WARNING: something a reviewer would say."])
    searches = more.pop("searches", tuple(search(line["model"], 0.1, None, 0.2) for line in rows))
    reference = rows[0]["model"] if rows else None
    return Table(dataset, list(rows), METRICS, reference, notes, facts, searches, **more)


def board(*tables: Table, suite: str = "shop") -> Board:
    """Return a board of these tables."""
    origin = {"suite": suite, "run": "results/shop/1", "suite_hash": "ff", "suite_yaml": "name: shop\n"}
    return Board(
        suite,
        tables,
        synthetic=False,
        run="results/shop/1",
        across=across(tables),
        origins=(origin,),
        folds=over_folds(tables),
    )


def hostile() -> Board:
    """Return a board whose data set and models are all called something hostile."""
    rows = [row(name, 0.5 - place / 20, place + 1) for place, name in enumerate(HOSTILE)]
    failed = row("lost/<b>model</b>", None)
    return board(table(*rows, failed, dataset="<i>shop</i>_1"), suite="<u>suite</u>")
