"""How much the order of events tells: what a claim to model sequences can rest on."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from benchmark.datasets.sorting import by_user
from benchmark.protocol import Interactions

Whole: TypeAlias = NDArray[np.int64]

MOST_USERS = 5_000
MOST_ROWS = 1_000_000
LIST = 10
BLOCK = 1_000
SEED = 0


def order_signal(train: Interactions, target: Interactions) -> dict[str, float] | None:
    """Return how often the next item is guessed from the one before, and how often once order is lost.

    A first-order Markov chain counts which item follows which in train; the list for a user holds the
    ``LIST`` items that most often followed the user's last training item, without those already seen.
    ``hit`` is the share of users whose first target item is in it, ``hit_shuffled`` the same after each
    user's training rows are put in random order, ``loss`` the share of ``hit`` that goes with the order,
    after the check of Klenitskiy et al. 2024 (arXiv:2408.12008). At most ``MOST_USERS`` users are asked,
    and the chain counts the rows of about ``MOST_ROWS`` rows' worth of users. None without times, and where
    no user has both parts.
    """
    if not len(train.times) or not len(target.times):
        return None
    rng = np.random.default_rng(SEED)
    asked, wanted = _first_targets(train, target, rng)
    if not len(asked):
        return None
    rows = _sampled(train, asked, rng)
    true = by_user(rows.users, rows.n_users, rows.times)
    lost = by_user(rows.users, rows.n_users, rng.permutation(len(rows)))
    hit, shuffled = (_hits(rows, starts, places, asked, wanted) for starts, places in (true, lost))
    return {
        "hit": hit,
        "hit_shuffled": shuffled,
        "loss": 1.0 - shuffled / hit if hit else 0.0,
        "users": float(len(asked)),
    }


def _first_targets(
    train: Interactions, target: Interactions, rng: np.random.Generator
) -> tuple[Whole, NDArray[np.int32]]:
    """Return some users with rows in both parts (A,), ascending, and each one's earliest target item."""
    starts, places = by_user(target.users, target.n_users, target.times)
    has_both = (np.diff(starts) > 0) & (np.bincount(train.users, minlength=train.n_users) > 0)
    users = np.flatnonzero(has_both)
    if len(users) > MOST_USERS:
        users = np.sort(rng.choice(users, MOST_USERS, replace=False))
    return users, target.items[places[starts[users]]]


def _sampled(train: Interactions, asked: Whole, rng: np.random.Generator) -> Interactions:
    """Return the training rows of the users asked, and of others as long as rows are few."""
    if len(train) <= MOST_ROWS:
        return train
    chosen = rng.random(train.n_users) < MOST_ROWS / len(train)
    chosen[asked] = True
    return train.rows(chosen[train.users])


def _hits(rows: Interactions, starts: Whole, places: Whole, asked: Whole, wanted: NDArray[np.int32]) -> float:
    """Return the share of users asked (A,) whose wanted item is among the likeliest to follow."""
    items, users = rows.items[places], rows.users[places]
    within = users[1:] == users[:-1]
    steps = (np.ones(int(within.sum()), np.float32), (items[:-1][within], items[1:][within]))
    follows = csr_matrix(steps, shape=(rows.n_items, rows.n_items))
    seen = csr_matrix(
        (np.ones(len(rows), np.float32), (rows.users, rows.items)), shape=(rows.n_users, rows.n_items)
    )
    last = items[starts[asked + 1] - 1]
    hits = 0
    for first in range(0, len(asked), BLOCK):
        block = slice(first, first + BLOCK)
        scores = follows[last[block]] - follows[last[block]].multiply(seen[asked[block]].sign())
        hits += _in_list(scores.tocsr(), wanted[block])
    return hits / len(asked)


def _in_list(scores: csr_matrix, wanted: NDArray[np.int32]) -> int:
    """Return for how many rows the wanted item has a score above 0 and fewer than LIST items a higher one.

    Equal scores are half ahead, half behind, so that no order of items is favoured.
    """
    own = np.asarray(scores[np.arange(len(wanted)), wanted]).ravel()
    each = np.repeat(own, np.diff(scores.indptr))
    row = np.repeat(np.arange(len(wanted)), np.diff(scores.indptr))
    higher = np.bincount(row[scores.data > each], minlength=len(wanted))
    equal = np.bincount(row[scores.data == each], minlength=len(wanted)) - 1
    return int(((own > 0) & (higher + equal / 2 < LIST)).sum())
