"""How good a ranking of the planted log is, and how unlike two rankings are."""

from __future__ import annotations

import numpy as np

from benchmark.metrics.evaluator import Evaluator
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Array, Interactions, Scores, Values
from benchmark.testing.planted import planted_parts


def ndcg(scores: Scores, train: Interactions, test: Interactions) -> Array:
    """Return NDCG@10 of each user with something to find, from scores (U, I) of all users."""
    evaluator = Evaluator(test, seen=[train], metrics=[parse_metric("ndcg@10")], train=train)
    evaluator.add(evaluator.users, scores[evaluator.users])
    values = evaluator.result().per_user["ndcg@10"]
    return values[~np.isnan(values)]


def assert_better_than_chance(scores: Scores, what: str) -> None:
    """Refuse scores (U, I) of the planted log that do not beat a random ranking."""
    train, test = planted_parts()
    noise = np.random.default_rng(0).random(scores.shape, dtype=np.float32)
    won = ndcg(scores, train, test) - ndcg(noise, train, test)
    needed = 3 * won.std() / np.sqrt(len(won))
    assert won.mean() > needed, (
        f"NDCG@10 {what} minus random's is {won.mean():.4f}, expected over {needed:.4f}"
    )


def disorder(first: Scores, second: Scores) -> float:
    """Return the most by which the second rises where the first falls, as a share of the second's span.

    >>> disorder(np.array([3.0, 2.0, 1.0]), np.array([9.0, 5.0, 7.0]))
    0.5
    """
    ranked = second[np.argsort(-first, kind="stable")]
    rises = np.maximum.accumulate(ranked[::-1])[::-1] - ranked
    return float(rises.max() / (np.ptp(second) or 1.0))


def rise_at(before: Scores, after: Scores, pairs: Interactions) -> float:
    """Return by how many standard deviations of a user's scores (U, I) these pairs rise, their mean.

    >>> pair = planted_parts()[0].rows(np.array([0]))
    >>> flat = np.zeros((pair.n_users, pair.n_items), dtype=np.float32)
    >>> lifted = flat.copy()
    >>> lifted[pair.users, pair.items] = 1
    >>> rise_at(flat, lifted, pair) > 1
    True
    """
    standard = []
    for scores in (before.astype(np.float64), after.astype(np.float64)):
        spread = scores.std(axis=1, keepdims=True)
        standard.append((scores - scores.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0))
    rises: Values = standard[1] - standard[0]
    return float(rises[pairs.users, pairs.items].mean())
