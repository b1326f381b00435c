"""A decision record made again from leaderboard.csv alone."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written_run import USERS, Written, WrittenRun

from benchmark.leaderboard import board, ranked_results
from benchmark.reporting import as_csv
from benchmark.selection import Limit, PickOptions, as_json, pick

TASTE = np.random.default_rng(0).beta(4, 2, USERS)
BIG = Written("torch/big", [list(TASTE)], valid=0.75)
NEAR = Written("torch/near", [list(TASTE - 0.001)], valid=0.625)
FAR = Written("surprise/far", [list(TASTE * 0.5)], valid=0.5)
LOST = Written("keras/lost", status="failed", reason="planted")


def decided(rows: list[dict[str, str]], most_ms: float | None) -> tuple[str, dict[str, str]]:
    """Return winner and reasons as README and record state the rule, from the CSV's text."""
    done = [row for row in rows if row["status"] == "ok"]
    misses = {row["model"]: f"{row['status']}: {row['reason']}" for row in rows if row["status"] != "ok"}
    for row in done:
        over = 0.0 if most_ms is None else float(row["latency_ms_p95"]) - most_ms
        if over > 0:
            value = float(row["latency_ms_p95"])
            misses[row["model"]] = f"latency_ms_p95 is {value:.4g}, {over:.3g} over the limit of {most_ms:g}"
    reference = next(row for row in done if row["is_reference"] == "True")
    good = [row for row in done if row is reference or float(row["margin_bound"]) < float(row["margin"])]
    within = [row for row in good if row["model"] not in misses]
    winner = min(within, key=cost)
    reasons = dict(misses)
    for row in done:
        if row is not winner and row["model"] not in misses:
            reasons[row["model"]] = costlier(row, winner) if row in good else beyond(row, reference)
    return winner["model"], reasons


def cost(row: dict[str, str]) -> tuple[Any, ...]:
    step = round(float(row["latency_ms_p50"]) / 0.1) * 0.1
    return step, float(row["size_mb"]), float(row["fit_s"]), row["model"]


def beyond(row: dict[str, str], reference: dict[str, str]) -> str:
    value = float(reference["ndcg@2"])
    bound, allowed = float(row["margin_bound"]) * value, float(row["margin"]) * value
    return (
        f"not shown to be non-inferior: its loss could be as high as {bound:.4f}, above the margin of "
        f"{allowed:.4f}"
    )


def costlier(row: dict[str, str], winner: dict[str, str]) -> str:
    (step, size, fit, _), (its_step, its_size, its_fit, _) = cost(row), cost(winner)
    if step != its_step:
        mine, its = (f"{ms:.4g} ms" if ms else "under 0.05 ms" for ms in (step, its_step))
        return f"within the margin, but slower: {mine} median latency (winner: {its})"
    if size != its_size:
        return f"within the margin, but larger: {size:.4g} MB (winner: {its_size:.4g} MB)"
    return f"within the margin, but slower to train: {fit:.4g} s (winner: {its_fit:.4g} s)"


@pytest.mark.parametrize("most_ms", [None, 1.0])
def test_record_every_statement_can_be_made_again_from_the_csv(tmp_path: Path, most_ms: float | None) -> None:
    costs = {BIG.name: {"latency_ms_p50": 0.5, "latency_ms_p95": 3.0}, NEAR.name: {"size_mb": 0.125}}
    written = WrittenRun([BIG, NEAR, FAR, LOST], BIG.name, also=("coverage@2",), costs=costs)
    run = written.write(tmp_path / "run")
    limits = () if most_ms is None else (Limit("latency_ms_p95", most_ms),)
    record = as_json(pick(ranked_results(run), PickOptions(limits)))
    rows = list(csv.DictReader(io.StringIO(as_csv(board(run)))))
    winner, reasons = decided(rows, most_ms)
    assert record["winner"] == winner == NEAR.name
    assert {entry["model"]: entry["reason"] for entry in record["models"][1:]} == reasons
    reference = next(row for row in rows if row["is_reference"] == "True")
    assert record["reference"] == reference["model"]
    assert record["split_hash"] == rows[0]["split_hash"]
    by_name = {row["model"]: row for row in rows}
    for entry in record["models"]:
        if entry["loss"] is not None:
            assert entry["loss"] == -float(by_name[entry["model"]]["diff_to_reference"])
        for name in ("ndcg@2", "latency_ms_p50", "size_mb", "fit_s", "smallest_detectable"):
            text = by_name[entry["model"]][name]
            assert entry[name] == (float(text) if text else None)
