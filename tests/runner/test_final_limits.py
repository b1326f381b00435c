"""Which limits a final has, and which of them it exceeded."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchmark.executors.executor import EndedBy, Limits
from benchmark.runner.final_limits import SCORER_S, limit_in_words, most_pairs, scorer_hold_s, scoring_limit_s

ROWS = {"train": 300_000, "valid": 100_000, "test": 20_000}
LIMITS = Limits(hold_s=45.0, memory_mb=1000.0, ready_s=60.0, scoring_s=90.0)


def test_scoring_may_take_half_as_long_again_as_validation_foretells() -> None:
    found = scoring_limit_s(users=100_000, user_s=0.002, pairs=0, pair_s=None)
    assert found == pytest.approx(1.5 * 200)


def test_rating_held_out_pairs_and_their_decoys_adds_its_own_time() -> None:
    without = scoring_limit_s(users=100_000, user_s=0.002, pairs=0, pair_s=None)
    found = scoring_limit_s(users=100_000, user_s=0.002, pairs=10_000_000, pair_s=1e-5)
    assert found >= without + 1.5 * 10 * 1_000_000 * 1e-5


@pytest.mark.parametrize(
    ("users", "pairs", "asked"),
    [(5_000, "once", 10 * 20_000), (5_000, "repeat", 10 * 20_000 + 400_000), (99, "once", 99 * 50_000)],
)
def test_pairs_that_are_asked_are_counted_whole_rows_of_few_users_and_known_ones_too(
    users: int, pairs: str, asked: int
) -> None:
    parts = {name: SimpleNamespace(rows=rows, users=users) for name, rows in ROWS.items()}
    assert most_pairs(SimpleNamespace(parts=parts, pairs=pairs, n_items=50_000)) == asked  # type: ignore[arg-type]


def test_scoring_of_a_small_log_may_take_a_minute() -> None:
    assert scoring_limit_s(users=943, user_s=1e-5, pairs=100_000, pair_s=1e-8) == SCORER_S


@pytest.mark.parametrize(
    ("ended_by", "words"),
    [("hold", "the fit took longer than 45 s"), ("scoring", "scoring took longer than 90 s")],
)
def test_words_name_the_limit(ended_by: EndedBy, words: str) -> None:
    assert words in limit_in_words(ended_by, LIMITS)


def test_scorer_outlives_the_limits_of_the_process_that_it_waits_for() -> None:
    assert LIMITS.scoring_s is not None
    assert scorer_hold_s(LIMITS) >= LIMITS.ready_s + LIMITS.hold_s + LIMITS.scoring_s + SCORER_S
