"""How long a final may take once its fit has ended, and what to say of a limit that it exceeded."""

from __future__ import annotations

from benchmark.datasets.manifest import SplitManifest
from benchmark.executors.executor import EndedBy, Limits
from benchmark.metrics.decoys import DECOYS, FEW_USERS

SCORER_S = 60.0
"""The least that scoring on test may take, however quickly validation was scored: the scorer reads the split
and makes decoys meanwhile."""
DECOY_S = 1e-5
"""Seconds in which the scorer makes a pair that it asks: three times what was measured."""
SCORE_S = 1e-8
"""Seconds in which a score goes from the model's process to the scorer: some times what was measured."""
SCORING_FACTOR = 1.5
"""How many times as long as on validation a user's list, or the rating of a pair, may take."""


def most_pairs(manifest: SplitManifest) -> int:
    """Return how many pairs a rating model is asked at most; see ``benchmark.metrics.decoys.pools``."""
    train, valid, test = (manifest.parts[part] for part in ("train", "valid", "test"))
    if test.users < FEW_USERS:
        return test.users * manifest.n_items
    known = train.rows + valid.rows if manifest.pairs == "repeat" else 0
    return (1 + DECOYS) * test.rows + known


def scoring_limit_s(users: int, user_s: float, pairs: int, pair_s: float | None) -> float:
    """Return the most seconds for handing over and rating.

    Args:
        users: to rank.
        user_s: seconds a user that validation took.
        pairs: of user and item to rate.
        pair_s: seconds a rated pair that validation took; None where nothing is rated.
    """
    rating_s = 0.0 if pair_s is None else pairs * (pair_s + DECOY_S)
    return max(SCORER_S, SCORING_FACTOR * (users * user_s + rating_s))


def limit_in_words(ended_by: EndedBy, limits: Limits) -> str:
    """Say which limit of the model's process a final exceeded.

    >>> limit_in_words("scoring", Limits(hold_s=20.0, memory_mb=1.0, ready_s=1.0, scoring_s=60.0))
    'scoring took longer than 60 s, after the fit had ended in time'
    """
    if ended_by == "scoring":
        return f"scoring took longer than {limits.scoring_s:.0f} s, after the fit had ended in time"
    return f"the fit took longer than {limits.hold_s:.0f} s"


def scorer_hold_s(limits: Limits) -> float:
    """Return the most seconds for a scorer: it waits for the fit, and writes after all scores."""
    assert limits.scoring_s is not None
    return limits.ready_s + limits.hold_s + 2 * limits.scoring_s
