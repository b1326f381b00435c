"""What is wrong with a split, in numbers: overlap, rows from the future, drift of popularity, cold starts."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.parts import PARTS
from benchmark.datasets.split import Split
from benchmark.protocol import Interactions

LEAST_TAU = 0.5
LARGEST_GAP = 0.05


def audit(split: Split) -> dict[str, Any]:
    """Return what a careful reader would ask of a split.

    ``flags`` are sentences about what makes results doubtful, ``notes`` about what the rule brings with it.
    ``overlap``: pairs in two parts. ``future``: share of training rows later than the earliest test row,
    of the same user and of all. ``popularity``: see :func:`popularity_drift`. ``cold``: users and items of
    the test part without a training row.
    """
    parts = {part: getattr(split, part) for part in PARTS}
    found: dict[str, Any] = {
        "overlap": {f"{a}/{b}": _overlap(parts[a], parts[b]) for a, b in combinations(PARTS, 2)},
        "future": future_rows(split.train, split.test),
        "popularity": popularity_drift(split.train, split.test),
        "cold": _cold(split.train, split.test),
        "users_without_test": split.train.n_users - len(np.unique(split.test.users)),
    }
    rule = split.manifest["rule"]["by"]
    return found | {"flags": _flags(found, rule), "notes": _notes(found, rule)}


def _overlap(a: Interactions, b: Interactions) -> int:
    one, two = (rows.users.astype(np.int64) * rows.n_items + rows.items for rows in (a, b))
    return len(np.intersect1d(one, two))


def future_rows(train: Interactions, test: Interactions) -> dict[str, float] | None:
    """Return shares of training rows that are later than the earliest test row; None without times.

    ``same_user`` looks at that user's own test rows, ``any_user`` at the whole test part (Ji et al. 2023,
    "A critical study on data leakage in recommender system offline evaluation", section 3).
    """
    if not len(train.times) or not len(test.times):
        return None
    first = np.full(train.n_users, np.iinfo(np.int64).max)
    np.minimum.at(first, test.users, test.times)
    return {
        "same_user": float((train.times > first[train.users]).mean()),
        "any_user": float((train.times > test.times.min()).mean()),
    }


def popularity_drift(train: Interactions, test: Interactions) -> dict[str, float]:
    """Return how alike the popularity of items is in train and test.

    ``tau`` is Kendall's tau-b of item counts over all I items, ``gini_train`` and ``gini_test`` their
    Gini coefficients; ``fair_tau`` and ``fair_gini_test`` are the same for a random draw of as many test
    rows from both parts together, since small parts look skewed by chance alone.
    """
    counts = [np.bincount(rows.items, minlength=rows.n_items) for rows in (train, test)]
    fair = np.random.default_rng(0).multivariate_hypergeometric(counts[0] + counts[1], len(test))
    return {
        "tau": _tau(*counts),
        "gini_train": gini(counts[0]),
        "gini_test": gini(counts[1]),
        "fair_tau": _tau(counts[0] + counts[1] - fair, fair),
        "fair_gini_test": gini(fair),
    }


def gini(counts: NDArray[np.int64]) -> float:
    """Return the Gini coefficient of counts (I,), divided by I - 1: 0 all alike, 1 all in one item.

    >>> gini(np.array([3, 3, 3])), gini(np.array([0, 0, 5]))
    (0.0, 1.0)
    """
    n = len(counts)
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float((weights * np.sort(counts)).sum() / (counts.sum() * (n - 1)))


def _tau(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """Return Kendall's tau-b; 0 where it is undefined, because one side is constant."""
    from scipy.stats import kendalltau  # not at import: a second, and only this one number needs it

    tau = float(kendalltau(a, b).statistic)
    return 0.0 if np.isnan(tau) else tau


def _cold(train: Interactions, test: Interactions) -> dict[str, int]:
    return {
        "users": len(np.setdiff1d(test.users, train.users)),
        "items": len(np.setdiff1d(test.items, train.items)),
        "rows": int((~np.isin(test.users, train.users) | ~np.isin(test.items, train.items)).sum()),
    }


def _flags(found: dict[str, Any], rule: str) -> list[str]:
    """Return one sentence for each thing that makes results doubtful."""
    flags = [f"{count} pairs are in both {name}" for name, count in found["overlap"].items() if count]
    if rule == "files" and found["future"] and found["future"]["same_user"]:
        flags.append(_looks_ahead(found["future"]["same_user"], "the same user's earliest test row"))
    drift = found["popularity"]
    # The thresholds are fixed; a part too small for them, as the fair draw shows, is not to blame.
    if drift["tau"] < 0 or drift["tau"] < min(LEAST_TAU, drift["fair_tau"] - LARGEST_GAP):
        flags.append(
            f"items popular in train are not so in test: Kendall tau {drift['tau']:.2f}, "
            f"a random draw gives {drift['fair_tau']:.2f}"
        )
    gap = abs(drift["gini_test"] - drift["gini_train"])
    if gap > LARGEST_GAP and abs(drift["gini_test"] - drift["fair_gini_test"]) > LARGEST_GAP:
        flags.append(
            f"popularity is not equally skewed: Gini {drift['gini_train']:.2f} in train, "
            f"{drift['gini_test']:.2f} in test, a random draw gives {drift['fair_gini_test']:.2f}"
        )
    return flags


def _notes(found: dict[str, Any], rule: str) -> list[str]:
    """Return what the rule brings with it, which is no fault of this split."""
    future = found["future"]
    if future and rule == "random":
        return [_looks_ahead(future["same_user"], "the same user's earliest test row")]
    if future and rule in {"leave_last_out", "files"}:
        return [_looks_ahead(future["any_user"], "the earliest test row of any user")]
    return []


def _looks_ahead(share: float, what: str) -> str:
    return f"{share:.1%} of train is later than {what}"
