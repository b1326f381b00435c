"""How much the order of events tells: the evidence that a claim to model sequences can rest on."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from benchmark.datasets.log import hidden_rows
from benchmark.datasets.manifest import OrderSignal
from benchmark.datasets.sorting import by_user
from benchmark.datasets.specs import Seen
from benchmark.protocol import Ids, Interactions, Longs

MOST_USERS = 5_000
MOST_ROWS = 1_000_000
LIST_LENGTH = 10
BLOCK = 1_000
SEED = 0


def order_signal(train: Interactions, target: Interactions, seen: Seen = "hide") -> OrderSignal | None:
    """Return how often the next item is guessed from the one before it, in true and in shuffled order.

    A first-order Markov chain counts which item follows which in train; the list for a user holds the
    ``LIST_LENGTH`` items that most often followed the user's last training item, without those that
    ``seen`` hides. ``hit`` is the share of users whose first target item is in it, ``hit_shuffled`` the
    same after each user's training rows are shuffled, ``loss`` the share of ``hit`` that this costs, after
    the check of Klenitskiy et al. 2024 (arXiv:2408.12008). At most ``MOST_USERS`` users are asked, and the
    chain counts the rows of about as many users as have ``MOST_ROWS`` rows. None without times, and if no
    user has rows in both parts.
    """
    if not len(train.times) or not len(target.times):
        return None
    rng = np.random.default_rng(SEED)
    asked, wanted = first_targets(train, target, rng)
    if not len(asked):
        return None
    rows = train
    if len(train) > MOST_ROWS:
        chosen = rng.random(train.n_users) < MOST_ROWS / len(train)
        chosen[asked] = True
        rows = train.rows(chosen[train.users])
    hidden = hidden_rows(rows, seen)
    in_order = by_user(rows.users, rows.n_users, rows.times)
    shuffled = by_user(rows.users, rows.n_users, rng.permutation(len(rows)))
    hit, hit_shuffled = (
        hit_rate(rows, hidden, starts, order, asked, wanted) for starts, order in (in_order, shuffled)
    )
    return OrderSignal(
        hit=hit, hit_shuffled=hit_shuffled, loss=1.0 - hit_shuffled / hit if hit else 0.0, users=len(asked)
    )


def first_targets(train: Interactions, target: Interactions, rng: np.random.Generator) -> tuple[Longs, Ids]:
    """Return some users with rows in both parts (A,), ascending, and each one's earliest target item."""
    starts, rows = by_user(target.users, target.n_users, target.times)
    has_both = (np.diff(starts) > 0) & (np.bincount(train.users, minlength=train.n_users) > 0)
    users = np.flatnonzero(has_both)
    if len(users) > MOST_USERS:
        users = np.sort(rng.choice(users, MOST_USERS, replace=False))
    return users, target.items[rows[starts[users]]]


def hit_rate(
    rows: Interactions, hidden: Interactions, starts: Longs, order: Longs, asked: Longs, wanted: Ids
) -> float:
    """Return the share of users asked (A,) whose wanted item is among the likeliest to follow.

    Args:
        rows: the chain is counted from these.
        hidden: what is in no list.
        starts: where each user's rows start in ``order``, (U + 1,).
        order: each user's rows, (N,).
        asked: users.
        wanted: the item of each.
    """
    items, users = rows.items[order], rows.users[order]
    within_user = users[1:] == users[:-1]
    steps = (items[:-1][within_user], items[1:][within_user])
    ones = np.ones(int(within_user.sum()), np.float32)
    follows = csr_matrix((ones, steps), shape=(rows.n_items, rows.n_items))
    seen = hidden.matrix()
    last = items[starts[asked + 1] - 1]
    hits = 0
    for first in range(0, len(asked), BLOCK):
        block = slice(first, first + BLOCK)
        scores = follows[last[block]] - follows[last[block]].multiply(seen[asked[block]])
        hits += hits_in_list(scores.tocsr(), wanted[block])
    return hits / len(asked)


def hits_in_list(scores: csr_matrix, wanted: Ids) -> int:
    """Return in how many rows the wanted item has a score above 0 and fewer than LIST_LENGTH a higher one.

    Equal scores count half ahead, half behind, so that no order of items is favoured.
    """
    own = np.asarray(scores[np.arange(len(wanted)), wanted]).ravel()
    each = np.repeat(own, np.diff(scores.indptr))
    row = np.repeat(np.arange(len(wanted)), np.diff(scores.indptr))
    higher = np.bincount(row[scores.data > each], minlength=len(wanted))
    equal = np.bincount(row[scores.data == each], minlength=len(wanted)) - 1
    return int(((own > 0) & (higher + equal / 2 < LIST_LENGTH)).sum())
