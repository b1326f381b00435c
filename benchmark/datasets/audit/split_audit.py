"""What is wrong with a split, in numbers: overlap, rows from the future, drift of popularity, cold starts.

Everything is counted with sorts and masks over whole arrays: 25 M rows take seconds.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.audit.order_signal import order_signal
from benchmark.datasets.split import Split
from benchmark.datasets.store.parts import PARTS
from benchmark.protocol import Interactions

LEAST_TAU = 0.5
LARGEST_GAP = 0.05

PREDICTS_THE_NEXT = {"leave_last_out", "leave_n_out", "user_time", "global_time", "rolling_time"}
"""Rules whose score is read as: how well the future is foretold. A leak of the future is a flag there."""

TERMS = {
    "overlap": "pairs of user and item in two parts; must be 0",
    "future": "share of train later than the earliest test row: of the same user, of any user",
    "popularity": "tau: how alike items rank by popularity in train and test, 1 the same, 0 unrelated; "
    "gini: how skewed it is, 0 even, 1 all in one item; fair: what a random draw of that size gives",
    "cold": "users and items of test without a training row, and test rows that have either",
    "users_without_test": "users who are not judged: too few rows, or none in the test window",
    "order": "hit@10 of guessing a test item from the item before it, with each user's rows in their true "
    "order and shuffled; loss: the share of it that rests on the order",
    "tied": "rows with equal times, and users whose cut falls between such rows: the tie rule decides there",
}
"""One line for each word of an audit."""


def audit(split: Split) -> dict[str, Any]:
    """Return what a careful reader would ask of a split; ``TERMS`` says what each word means.

    ``flags`` are sentences about what makes results doubtful, ``notes`` about what the rule brings with it.
    ``overlap``: pairs in two parts. ``future``: share of training rows later than the earliest test row,
    of the same user and of all. ``popularity``: see :func:`popularity_drift`. ``cold``: users and items of
    the test part without a training row. ``order``: see ``sequence.order_signal``; by time only.
    """
    rule = split.manifest["rule"]
    found: dict[str, Any] = {
        "overlap": _overlap([getattr(split, part) for part in PARTS]),
        "future": future_rows(split.train, split.test),
        "popularity": popularity_drift(split.train, split.test),
        "cold": _cold(split.train, split.test),
        "users_without_test": int((~_present(split.test.users, split.train.n_users)).sum()),
    }
    if _foretells(rule):
        found["order"] = order_signal(split.train, split.test)
    return found | {"flags": _flags(found, split), "notes": _notes(found, split)}


def _foretells(rule: dict[str, Any]) -> bool:
    return rule["by"] in PREDICTS_THE_NEXT and rule.get("order") != "random"


def _overlap(parts: list[Interactions]) -> dict[str, int]:
    """Return how many pairs stand in two parts, for each two of them.

    Pair and part are packed into one number and sorted together, so a pair of two parts has neighbours.
    """
    parted = [
        (rows.users.astype(np.int64) * rows.n_items + rows.items) * len(PARTS) + label
        for label, rows in enumerate(parts)
    ]
    packed = np.concatenate(parted)
    packed.sort()
    packed = packed[np.append(True, packed[1:] != packed[:-1])]
    pairs, labels = np.divmod(packed, len(PARTS))
    counts = {f"{PARTS[a]}/{PARTS[b]}": 0 for a, b in combinations(range(len(PARTS)), 2)}
    for apart in (1, 2):
        same = pairs[apart:] == pairs[:-apart]
        for a, b in zip(labels[:-apart][same].tolist(), labels[apart:][same].tolist(), strict=True):
            counts[f"{PARTS[a]}/{PARTS[b]}"] += 1
    return counts


def _present(codes: NDArray[np.int32], n: int) -> NDArray[np.bool_]:
    """Return which of n codes occur, (n,)."""
    mask = np.zeros(n, dtype=np.bool_)
    mask[codes] = True
    return mask


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
    users = ~_present(train.users, train.n_users)
    items = ~_present(train.items, train.n_items)
    return {
        "users": int((users & _present(test.users, train.n_users)).sum()),
        "items": int((items & _present(test.items, train.n_items)).sum()),
        "rows": int((users[test.users] | items[test.items]).sum()),
    }


def _flags(found: dict[str, Any], split: Split) -> list[str]:
    """Return one sentence for each thing that makes results doubtful."""
    rule, future = split.manifest["rule"], found["future"]
    flags = [f"{count} pairs are in both {name}" for name, count in found["overlap"].items() if count]
    if rule["by"] == "files" and future and future["same_user"]:
        flags.append(_looks_ahead(future["same_user"], "the same user's earliest test row"))
    if _foretells(rule) and future and future["any_user"]:
        flags.append(
            f"global leakage: {_looks_ahead(future['any_user'], 'the earliest test row of any user')}; "
            "in production nobody knows that future: split by global_time for a claim about it"
        )
    if any(step["step"] == "k-core" and "test included" in step["note"] for step in _steps(split)):
        flags.append(
            "the k-core was counted on the whole log, test included: it drops hard users and items, "
            "so every score is higher than on all of them"
        )
    if rule["by"] == "cold_item":  # its test items have no popularity in train, by design
        return flags
    return flags + _drift_flags(found["popularity"])


def _drift_flags(drift: dict[str, float]) -> list[str]:
    """Return what makes popularity in train a bad guide to test."""
    flags = []
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


def _steps(split: Split) -> list[dict[str, Any]]:
    """Return how the log was prepared."""
    steps: list[dict[str, Any]] = split.manifest.get("prepare", [])
    return steps


def _notes(found: dict[str, Any], split: Split) -> list[str]:
    """Return what the rule brings with it, which is no fault of this split."""
    future, rule = found["future"], split.manifest["rule"]["by"]
    told = split.manifest.get("notes", {})
    notes = []
    if future and rule == "files":
        notes.append(_looks_ahead(future["any_user"], "the earliest test row of any user"))
    elif future and future["same_user"] and not _foretells(split.manifest["rule"]):
        notes.append(_looks_ahead(future["same_user"], "the same user's earliest test row"))
    if told.get("tied_users_share"):
        notes.append(
            f"{told['tied_users_share']:.1%} of users have the cut before test between rows with equal "
            f"times: {told['tie_rule']}"
        )
    if order := found.get("order"):
        notes.append(_order_note(order))
    return notes


def _order_note(order: dict[str, float]) -> str:
    """Return what shuffling does to a guess from the item before."""
    loss = f", a loss of {order['loss']:.0%}" if order["hit"] else ""
    return (
        f"a guess from the item before hits {order['hit']:.4f} @10 in the true order and "
        f"{order['hit_shuffled']:.4f} with each user's rows shuffled{loss}"
    )


def _looks_ahead(share: float, what: str) -> str:
    return f"{share:.1%} of train is later than {what}"
