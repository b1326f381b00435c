"""What is wrong with a split, in numbers: overlap, rows from the future, popularity drift, cold starts.

Everything is counted with sorts and masks over whole arrays: 25 M rows take seconds.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.audit.graph_audit import graph_flags
from benchmark.datasets.audit.order_signal import order_signal
from benchmark.datasets.log import PARTS
from benchmark.datasets.manifest import (
    ColdCounts,
    FutureRows,
    OrderSignal,
    Overlap,
    PopularityDrift,
    RepeatedPairs,
    SplitAudit,
    SplitManifest,
)
from benchmark.datasets.specs import SplitSpec
from benchmark.datasets.split.rules import Split, looks_at_train_only
from benchmark.inequality import gini
from benchmark.protocol import Interactions, Longs

LEAST_TAU = 0.5
LARGEST_GAP = 0.05

TERMS = {
    "overlap": "pairs of user and item in two parts; must be 0, unless items come again (pairs: repeat)",
    "future": "share of train later than the earliest test row: of the same user, of any user",
    "popularity": "tau: how similarly items rank by popularity in train and test, 1 the same, 0 unrelated; "
    "gini: how skewed it is, 0 even, 1 all in one item; fair: what a random draw of that size gives",
    "cold": "users and items of test without a training row, and test rows with such a user or item",
    "users_without_test": "users who are not evaluated: too few rows, or none in the test window",
    "order": "hit@10 of guessing a test item from the item before it, with each user's rows in their true "
    "order and shuffled; loss: the share of it that rests on the order",
    "repeats": "pairs of user and item in test, and how many of them train or validation has too",
    "tied": "rows with equal times, and users whose cut falls between such rows: the tie rule decides there",
}
"""One line for each field of an audit, and for the ties in a split's notes."""


def audit(split: Split) -> SplitAudit:
    """Return what a careful reader would ask about a split; ``TERMS`` says what each word means."""
    manifest, train, test = split.manifest, split.train, split.test
    overlap = count_overlap([split.parts[part] for part in PARTS])
    future, popularity = future_rows(train, test), popularity_drift(train, test)
    order = order_signal(train, test, manifest.seen) if predicts_the_future(manifest.rule) else None
    repeats = repeated_pairs(split) if manifest.pairs == "repeat" else None
    return SplitAudit(
        overlap=overlap,
        future=future,
        popularity=popularity,
        cold=cold_counts(train, test),
        users_without_test=int((~occurring(test.users, train.n_users)).sum()),
        order=order,
        repeats=repeats,
        flags=(*flags(manifest, overlap, future, popularity), *graph_flags(split)),
        notes=(*repeat_notes(manifest, repeats), *notes(manifest, future, order)),
    )


def predicts_the_future(rule: SplitSpec) -> bool:
    """Return whether the rule's scores are read as success in predicting the future: then leaks are flags.

    >>> predicts_the_future(SplitSpec(by="user_time")), predicts_the_future(SplitSpec(by="k_fold"))
    (True, False)
    """
    by_time = {"leave_last_out", "leave_n_out", "user_time", "global_time", "rolling_time"}
    return rule.by in by_time and rule.order != "random"


def count_overlap(parts: list[Interactions]) -> Overlap:
    """Return how many pairs are in two parts, for each two of train, validation and test.

    Pair and part are packed into one number and sorted together, so a pair of two parts has neighbours.
    """
    with_label = [
        (rows.users.astype(np.int64) * rows.n_items + rows.items) * len(parts) + label
        for label, rows in enumerate(parts)
    ]
    packed = np.concatenate(with_label)
    packed.sort()
    packed = packed[np.append(True, packed[1:] != packed[:-1])]
    pairs, labels = np.divmod(packed, len(parts))
    counts = dict.fromkeys(combinations(range(len(parts)), 2), 0)
    for apart in (1, 2):
        same = pairs[apart:] == pairs[:-apart]
        for two in zip(labels[:-apart][same].tolist(), labels[apart:][same].tolist(), strict=True):
            counts[two] += 1
    return Overlap(train_valid=counts[0, 1], train_test=counts[0, 2], valid_test=counts[1, 2])


def repeated_pairs(split: Split) -> RepeatedPairs:
    """Return how many pairs of user and item test has, and how many of them are known before test."""
    known, test = (
        np.unique(np.concatenate([rows.users.astype(np.int64) * rows.n_items + rows.items for rows in parts]))
        for parts in ((split.train, split.valid), (split.test,))
    )
    repeated = np.isin(test, known, assume_unique=True)
    return RepeatedPairs(test=len(test), repeated=int(repeated.sum()))


def repeat_notes(manifest: SplitManifest, repeats: RepeatedPairs | None) -> list[str]:
    """Return what it means that items come again, or that seen items may be recommended."""
    if repeats is None:
        if manifest.seen != "allow":
            return []
        text = (
            "seen: allow, and no item comes again (pairs: once): seen items take places in lists for nothing"
        )
        return [text]
    share = f"{repeats.repeated / repeats.test:.1%}"
    pairs = f"{repeats.repeated} of {repeats.test} pairs of user and item in test ({share})"
    found = [f"{pairs} come again from train or validation"]
    if manifest.seen == "hide" and repeats.repeated:
        found.append(
            "seen: hide leaves these out: nobody is judged by what comes again; seen: allow keeps them as "
            "candidates"
        )
    return found


def occurring(ids: NDArray[np.int32], n: int) -> NDArray[np.bool_]:
    """Return which of n dense ids occur, (n,)."""
    mask = np.zeros(n, dtype=np.bool_)
    mask[ids] = True
    return mask


def future_rows(train: Interactions, test: Interactions) -> FutureRows | None:
    """Return shares of training rows that are later than the earliest test row; None without times.

    ``same_user`` looks at that user's own test rows, ``any_user`` at the whole test part (Ji et al. 2023,
    "A critical study on data leakage in recommender system offline evaluation", section 3).
    """
    if not len(train.times) or not len(test.times):
        return None
    first = np.full(train.n_users, np.iinfo(np.int64).max)
    np.minimum.at(first, test.users, test.times)
    return FutureRows(
        same_user=float((train.times > first[train.users]).mean()),
        any_user=float((train.times > test.times.min()).mean()),
    )


def popularity_drift(train: Interactions, test: Interactions) -> PopularityDrift:
    """Return how similar the popularity of items is in train and test.

    ``tau`` is Kendall's tau-b of item counts over all I items, ``gini_train`` and ``gini_test`` their
    Gini coefficients; ``fair_tau`` and ``fair_gini_test`` are the same for a random draw of as many test
    rows from both parts together, since small parts look skewed by chance alone.
    """
    in_train, in_test = (np.bincount(rows.items, minlength=rows.n_items) for rows in (train, test))
    fair = np.random.default_rng(0).multivariate_hypergeometric(in_train + in_test, len(test))
    return PopularityDrift(
        tau=kendall_tau(in_train, in_test),
        gini_train=gini(in_train),
        gini_test=gini(in_test),
        fair_tau=kendall_tau(in_train + in_test - fair, fair),
        fair_gini_test=gini(fair),
    )


def kendall_tau(a: Longs, b: Longs) -> float:
    """Return Kendall's tau-b; 0 where it is undefined because one side is constant."""
    from scipy.stats import kendalltau  # not at import: it takes a second, and only this number needs it

    tau = float(kendalltau(a, b).statistic)
    return 0.0 if np.isnan(tau) else tau


def cold_counts(train: Interactions, test: Interactions) -> ColdCounts:
    """Return how many users, items and rows of test have no training row to go by."""
    users = ~occurring(train.users, train.n_users)
    items = ~occurring(train.items, train.n_items)
    return ColdCounts(
        users=int((users & occurring(test.users, train.n_users)).sum()),
        items=int((items & occurring(test.items, train.n_items)).sum()),
        rows=int((users[test.users] | items[test.items]).sum()),
    )


def flags(
    manifest: SplitManifest, overlap: Overlap, future: FutureRows | None, drift: PopularityDrift
) -> list[str]:
    """Return one sentence for each thing that makes results doubtful."""
    rule, found = manifest.rule, []
    for parts, count in (
        ("train/valid", overlap.train_valid),
        ("train/test", overlap.train_test),
        ("valid/test", overlap.valid_test),
    ):
        if count and manifest.pairs == "once":
            found.append(f"{count} pairs are in both {parts}")
    if rule.by == "files" and future and future.same_user:
        found.append(later_than(future.same_user, "the same user's earliest test row"))
    if predicts_the_future(rule) and future and future.any_user:
        found.append(
            f"global leakage: {later_than(future.any_user, 'the earliest test row of any user')}; "
            "in production nobody knows that future: split by global_time to support a claim about it"
        )
    if any(step.step == "k-core" for step in manifest.prepare) and not looks_at_train_only(rule):
        found.append(
            "the k-core was counted on the whole log, test included: it drops hard users and items, "
            "so every score is higher than on all of them"
        )
    if rule.by != "cold_item":  # its test items have no popularity in train, by design
        found += drift_flags(drift)
    return found


def drift_flags(drift: PopularityDrift) -> list[str]:
    """Return what makes popularity in train a bad guide to test."""
    found = []
    # The thresholds are fixed; a part too small for them, as the fair draw shows, is not to blame.
    if drift.tau < 0 or drift.tau < min(LEAST_TAU, drift.fair_tau - LARGEST_GAP):
        found.append(
            f"items popular in train are not popular in test: Kendall tau {drift.tau:.2f}, "
            f"a random draw gives {drift.fair_tau:.2f}"
        )
    gap = abs(drift.gini_test - drift.gini_train)
    if gap > LARGEST_GAP and abs(drift.gini_test - drift.fair_gini_test) > LARGEST_GAP:
        found.append(
            f"popularity is not equally skewed: Gini {drift.gini_train:.2f} in train, "
            f"{drift.gini_test:.2f} in test, a random draw gives {drift.fair_gini_test:.2f}"
        )
    return found


def notes(manifest: SplitManifest, future: FutureRows | None, order: OrderSignal | None) -> list[str]:
    """Return what follows from the rule, which is no fault of this split."""
    rule, ties, found = manifest.rule, manifest.notes, []
    if future and rule.by == "files":
        found.append(later_than(future.any_user, "the earliest test row of any user"))
    elif future and future.same_user and not predicts_the_future(rule):
        found.append(later_than(future.same_user, "the same user's earliest test row"))
    for part, share in (("test", ties.tied_users_share), ("validation", ties.tied_users_share_valid)):
        if share:
            found.append(
                f"for {share:.1%} of users the cut before {part} falls between rows with equal times: "
                f"{ties.tie_rule}"
            )
    if order:
        loss = f", a loss of {order.loss:.0%}" if order.hit else ""
        found.append(
            f"a guess from the item before hits {order.hit:.4f} @10 in the true order and "
            f"{order.hit_shuffled:.4f} with each user's rows shuffled{loss}"
        )
    return found


def later_than(share: float, what: str) -> str:
    """Return the sentence about training rows from the future."""
    return f"{share:.1%} of train is later than {what}"
