"""Which limits a final has, and which of them it exceeded."""

from __future__ import annotations

import pytest

from benchmark.executors.executor import EndedBy, Limits
from benchmark.runner.finals import SCORER_S, limit_in_words, scorer_hold_s, scoring_limit_s

LIMITS = Limits(hold_s=45.0, memory_mb=1000.0, ready_s=60.0, scoring_s=90.0)


def test_scoring_may_take_half_as_long_again_as_validation_foretells() -> None:
    found = scoring_limit_s(users=100_000, user_s=0.002, held_out=0, pair_s=None)
    assert found == pytest.approx(1.5 * 200)


def test_rating_held_out_pairs_and_their_decoys_adds_its_own_time() -> None:
    without = scoring_limit_s(users=100_000, user_s=0.002, held_out=0, pair_s=None)
    found = scoring_limit_s(users=100_000, user_s=0.002, held_out=1_000_000, pair_s=1e-5)
    assert found >= without + 1.5 * 10 * 1_000_000 * 1e-5


def test_scoring_of_a_small_log_may_take_a_minute() -> None:
    assert scoring_limit_s(users=943, user_s=1e-5, held_out=10_000, pair_s=1e-8) == SCORER_S


@pytest.mark.parametrize(
    ("ended_by", "words"),
    [("hold", "the fit took longer than 45 s"), ("scoring", "scoring took longer than 90 s")],
)
def test_words_name_the_limit(ended_by: EndedBy, words: str) -> None:
    assert words in limit_in_words(ended_by, LIMITS)


def test_scorer_outlives_the_limits_of_the_process_that_it_waits_for() -> None:
    assert LIMITS.scoring_s is not None
    assert scorer_hold_s(LIMITS) >= LIMITS.ready_s + LIMITS.hold_s + LIMITS.scoring_s + SCORER_S
