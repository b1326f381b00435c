"""Under a planted difference, power grows with users and with seeds."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.statistics.noninferiority import noninferiority
from benchmark.statistics.permutation import paired_permutation
from benchmark.statistics.seeds import seed_aware

RUNS = 120
GAP = 0.02
USER_SD, SEED_SD = 0.2, 0.02


def trained(rng: np.random.Generator, users: int, seeds: int, mean: float) -> np.ndarray:
    """Return values (S, U) of one model: every training is off by its own amount, every user by another."""
    return mean + rng.normal(0, SEED_SD, (seeds, 1)) + rng.normal(0, USER_SD, (1, users))


def power(users: int, seeds: int) -> float:
    """Return how often the seed-aware verdict sees the planted difference."""
    rng = np.random.default_rng([users, seeds])
    found = 0
    for _ in range(RUNS):
        verdict = seed_aware(trained(rng, users, seeds, 0.3 + GAP), trained(rng, users, seeds, 0.3))
        found += verdict.p < 0.05 and verdict.difference > 0
    return found / RUNS


def test_power_of_the_verdict_grows_with_seeds() -> None:
    few, some, many = (power(2_000, seeds) for seeds in (2, 5, 20))
    assert few + 0.1 < some < many - 0.1
    assert many > 0.6


def test_power_of_the_verdict_grows_with_users() -> None:
    few, some, many = (power(users, 20) for users in (100, 1_000, 6_000))
    assert few + 0.1 < some < many - 0.1


def test_power_of_the_permutation_test_grows_with_users() -> None:
    rng = np.random.default_rng(1)
    shares = []
    for users in (50, 400, 1_200):
        draws = [rng.normal(GAP, USER_SD, users) for _ in range(60)]
        shares.append(np.mean([paired_permutation(draw, draws=400) < 0.05 for draw in draws]))
    assert shares[0] + 0.1 < shares[1] < shares[2] - 0.1


@pytest.mark.parametrize("lost", [0.0, 0.005])
def test_power_to_show_a_model_within_the_margin_grows_with_users(lost: float) -> None:
    rng = np.random.default_rng(2)
    shares = []
    for users in (100, 900):
        shown = 0
        for _ in range(40):
            taste = rng.beta(4, 4, users)
            near = taste - lost + rng.normal(0, 0.1, users)
            shown += bool(noninferiority(taste[None], [near[None]], 0.03, draws=400).shown[0])
        shares.append(shown / 40)
    assert shares[0] + 0.2 < shares[1]
    assert shares[1] > 0.7
