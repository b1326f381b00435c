"""Rules that draw at random: the same seed gives the same split, whatever the order of the log."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from benchmark.datasets.manifest import HeldOut, SplitNotes
from benchmark.datasets.prepare.pipeline import Prepared
from benchmark.datasets.specs import SplitSpec
from benchmark.datasets.split.labels import TEST, VALID, Labels, canonical_order, cut_users, share_of
from benchmark.errors import SplitError
from benchmark.protocol import Longs


def random(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, SplitNotes]:
    """Return a random share of each user's rows, or of all rows.

    Per user: rows sorted by user, time and item; for each user in ascending order one permutation, whose
    first max(1, floor(n x test)) rows are test and the next max(1, floor(n x valid)) validation. A user
    whom this would leave without a training row stays wholly in train. Over all rows, one permutation is
    cut the same way. Each repeat has the next seed.
    """
    starts, rows = canonical_order(prepared.interactions)
    rng = np.random.default_rng(spec.seed + fold)
    if spec.per == "all":
        return cut_all(rows[rng.permutation(len(rows))], spec), SplitNotes()
    counts = np.diff(starts)
    labels, cut = cut_users(
        starts, shuffled_by_user(starts, rows, rng), share_of(counts, spec.test), share_of(counts, spec.valid)
    )
    return labels, SplitNotes(users_wholly_in_train=int((~cut).sum()))


def cut_all(shuffled: Longs, spec: SplitSpec) -> Labels:
    """Return labels (N,): the first share of the shuffled rows is test, the next validation."""
    test, valid = (int(share_of(np.array(len(shuffled)), share)) for share in (spec.test, spec.valid))
    labels = np.zeros(len(shuffled), dtype=np.int8)
    labels[shuffled[:test]] = TEST
    labels[shuffled[test : test + valid]] = VALID
    return labels


def leave_n_out(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, SplitNotes]:
    """Return n random rows of each user as test and n others as validation.

    Users with fewer than 2 n + 1 rows stay wholly in train.
    """
    assert spec.n, "SplitSpec fills it in"
    starts, rows = canonical_order(prepared.interactions)
    shuffled = shuffled_by_user(starts, rows, np.random.default_rng(spec.seed + fold))
    each = np.full(len(starts) - 1, spec.n)
    labels, cut = cut_users(starts, shuffled, each, each)
    return labels, SplitNotes(users_wholly_in_train=int((~cut).sum()))


def published(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, SplitNotes]:
    """Return the test rows of the paper that the log comes from.

    Where the paper has no validation rows, a share ``valid`` of each user's other rows is drawn as in
    :func:`random`; a user whom this would leave without a training row has none.
    """
    if prepared.labels is None:
        raise SplitError(
            f"{prepared.name}: by: published needs a split that was published with the log, and this one has "
            "none; bench data list says which have one: choose another rule"
        )
    labels = prepared.labels.copy()
    if (labels == VALID).any():
        return labels, SplitNotes()
    rest = np.flatnonzero(labels != TEST)
    starts, rows = canonical_order(prepared.interactions.rows(rest))
    shuffled = shuffled_by_user(starts, rows, np.random.default_rng(spec.seed + fold))
    counts = np.diff(starts)
    drawn, cut = cut_users(starts, shuffled, np.zeros_like(counts), share_of(counts, spec.valid))
    labels[rest[drawn == VALID]] = VALID
    return labels, SplitNotes(users_wholly_in_train=int((~cut).sum()))


def k_fold(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, SplitNotes]:
    """Return one of k parts of the shuffled rows as test and the next part as validation.

    Over the k folds each row is in test once and in validation once. Per user, the rows of a user are
    dealt to the k parts in turn, the first going where the last user's deal stopped.
    """
    assert spec.folds, "SplitSpec fills it in"
    starts, rows = canonical_order(prepared.interactions)
    n, rng = len(rows), np.random.default_rng(spec.seed)
    if spec.per == "user":
        shuffled, dealt = shuffled_by_user(starts, rows, rng), np.arange(n) % spec.folds
    else:
        shuffled, dealt = rows[rng.permutation(n)], np.arange(n) * spec.folds // n
    fold_of_row = np.empty(n, dtype=np.int64)
    fold_of_row[shuffled] = dealt
    labels = np.zeros(n, dtype=np.int8)
    labels[fold_of_row == fold] = TEST
    labels[fold_of_row == (fold + 1) % spec.folds] = VALID
    return labels, SplitNotes()


def cold_user(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, SplitNotes]:
    """Return all rows of max(1, floor(U x test)) random users as test; others likewise as validation."""
    log = prepared.interactions
    labels, held_out = hold_out(log.n_users, spec, fold)
    return labels[log.users], SplitNotes(users_held_out=held_out)


def cold_item(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, SplitNotes]:
    """Return all rows of max(1, floor(I x test)) random items as test; others likewise as validation.

    Then only items without a training row are candidates.
    """
    log = prepared.interactions
    labels, held_out = hold_out(log.n_items, spec, fold)
    return labels[log.items], SplitNotes(items_held_out=held_out)


def hold_out(n: int, spec: SplitSpec, fold: int) -> tuple[Labels, HeldOut]:
    """Return the part of each of n users or items, (n,), and how many are held out."""
    labels = cut_all(np.random.default_rng(spec.seed + fold).permutation(n), spec)
    return labels, HeldOut(valid=int((labels == VALID).sum()), test=int((labels == TEST).sum()))


def shuffled_by_user(starts: Longs, rows: Longs, rng: np.random.Generator) -> Longs:
    """Return the rows with each user's in random order: one permutation a user, users ascending."""
    order = np.empty(len(rows), dtype=np.int64)
    bounds = starts.tolist()
    for first, last in pairwise(bounds):
        order[first:last] = rng.permutation(last - first)
    order += np.repeat(starts[:-1], np.diff(starts))
    return rows[order]
