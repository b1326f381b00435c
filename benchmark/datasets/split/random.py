"""Rules that draw at random: the same seed gives the same split, whatever the order of the log."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from benchmark.datasets.prepare.pipeline import Prepared
from benchmark.datasets.specs import SplitSpec
from benchmark.datasets.split.labels import (
    TEST,
    VALID,
    Labels,
    Notes,
    Whole,
    canonical,
    cut_users,
    share_of,
)


def random(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, Notes]:
    """Return a random share of each user's rows, or of all rows.

    Per user it is the rule of protocol P1, any shares and seed: rows sorted by user, time and item; for
    each user in ascending order one permutation, whose first max(1, floor(n x test)) rows are test and the
    next max(1, floor(n x valid)) validation. A user whom this would leave without a training row stays
    wholly in train. Over all rows, one permutation is cut the same way. Each repeat has the next seed.
    """
    starts, places = canonical(prepared.interactions)
    rng = np.random.default_rng(spec.seed + fold)
    if spec.per == "all":
        return _drawn_from_all(places[rng.permutation(len(places))], spec), {}
    counts = np.diff(starts)
    labels, cut = cut_users(
        starts, _shuffled(starts, places, rng), share_of(counts, spec.test), share_of(counts, spec.valid)
    )
    return labels, {"users_wholly_in_train": int((~cut).sum())}


def _drawn_from_all(shuffled: Whole, spec: SplitSpec) -> Labels:
    test, valid = (int(share_of(np.array(len(shuffled)), share)) for share in (spec.test, spec.valid))
    labels = np.zeros(len(shuffled), dtype=np.int8)
    labels[shuffled[:test]] = TEST
    labels[shuffled[test : test + valid]] = VALID
    return labels


def leave_n_out(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, Notes]:
    """Return n random rows of each user as test and n others as validation.

    Users with fewer than 2 n + 1 rows stay wholly in train.
    """
    assert spec.n, "SplitSpec fills it in"
    starts, places = canonical(prepared.interactions)
    shuffled = _shuffled(starts, places, np.random.default_rng(spec.seed + fold))
    each = np.full(len(starts) - 1, spec.n)
    labels, cut = cut_users(starts, shuffled, each, each)
    return labels, {"users_wholly_in_train": int((~cut).sum())}


def k_fold(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, Notes]:
    """Return one of k parts of the shuffled rows as test and the next part as validation.

    Over the k folds each row is in test once and in validation once. Per user, the rows of a user are
    dealt to the k parts in turn, the first going where the last user's deal stopped.
    """
    assert spec.folds, "SplitSpec fills it in"
    starts, places = canonical(prepared.interactions)
    n, rng = len(places), np.random.default_rng(spec.seed)
    if spec.per == "user":
        shuffled, dealt = _shuffled(starts, places, rng), np.arange(n) % spec.folds
    else:
        shuffled, dealt = places[rng.permutation(n)], np.arange(n) * spec.folds // n
    part = np.empty(n, dtype=np.int64)
    part[shuffled] = dealt
    labels = np.zeros(n, dtype=np.int8)
    labels[part == fold] = TEST
    labels[part == (fold + 1) % spec.folds] = VALID
    return labels, {}


def cold_user(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, Notes]:
    """Return all rows of max(1, floor(U x test)) random users as test; others likewise as validation."""
    log = prepared.interactions
    of_user, notes = _held_out(log.n_users, spec, fold)
    return of_user[log.users], {"users_held_out": notes}


def cold_item(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, Notes]:
    """Return all rows of max(1, floor(I x test)) random items as test; others likewise as validation.

    Only items without a training row are candidates then.
    """
    log = prepared.interactions
    of_item, notes = _held_out(log.n_items, spec, fold)
    return of_item[log.items], {"items_held_out": notes}


def _held_out(n: int, spec: SplitSpec, fold: int) -> tuple[Labels, Notes]:
    labels = _drawn_from_all(np.random.default_rng(spec.seed + fold).permutation(n), spec)
    return labels, {"valid": int((labels == VALID).sum()), "test": int((labels == TEST).sum())}


def _shuffled(starts: Whole, places: Whole, rng: np.random.Generator) -> Whole:
    """Return the places with each user's in random order: one permutation a user, users ascending."""
    order = np.empty(len(places), dtype=np.int64)
    bounds = starts.tolist()
    for first, last in pairwise(bounds):
        order[first:last] = rng.permutation(last - first)
    order += np.repeat(starts[:-1], np.diff(starts))
    return places[order]
