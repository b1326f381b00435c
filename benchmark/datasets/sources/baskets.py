"""Purchases over time: the distinct pairs of a generated log, bought again and again in baskets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.specs import SyntheticSpec
from benchmark.protocol import Longs, Values


@dataclass(frozen=True)
class Purchases:
    """Rows of a log in which items come again, users ascending and each one's earliest basket first.

    Attributes:
        users: (N,).
        items: (N,).
        when: when the row's basket was bought, (N,), as a share of the whole period: 0 to 1.
    """

    users: Longs
    items: Longs
    when: Values


def purchases(users: Longs, items: Longs, spec: SyntheticSpec, rng: np.random.Generator) -> Purchases:
    """Return ``spec.interactions`` rows, of which all but one for each pair are repeats.

    A user's rows are cut into baskets of ``spec.basket`` items, at moments spread evenly over the period. The
    first basket is all new; later on every place is as likely to be a repeat as any other, and a repeat falls
    on an item in proportion to how often the user has bought it (Simon 1955, "On a class of skew distribution
    functions"). No item is twice in a basket.

    Args:
        users: user of each distinct pair, (D,) ascending, at least a basket's worth of pairs each.
        items: its item.
        spec: the shape.
        rng: the only source of randomness.
    """
    size = spec.basket
    distinct = np.bincount(users, minlength=spec.users)
    counts = distinct + rng.multinomial(spec.interactions - len(users), distinct / distinct.sum())
    owner = np.repeat(np.arange(spec.users), counts)
    position = np.arange(len(owner)) - np.repeat(counts.cumsum() - counts, counts)
    is_new = places_of_new_items(owner, position < size, distinct, rng)
    # Each user's items in the order in which they are first bought, (U, most distinct items).
    shuffled = np.lexsort((rng.random(len(users)), users))
    column = np.arange(len(users)) - np.repeat(distinct.cumsum() - distinct, distinct)
    catalogue = np.full((spec.users, int(distinct.max())), -1)
    catalogue[users, column] = items[shuffled]
    columns = np.zeros(len(owner), dtype=np.int64)
    columns[is_new] = column
    bought = np.zeros(catalogue.shape)
    for basket in range(int(position.max()) // size + 1):
        rows = np.flatnonzero(position // size == basket)
        again = rows[~is_new[rows]]
        columns[again] = drawn_again(owner[again], bought, rng)
        bought[owner[rows], columns[rows]] += 1
    n_baskets = -(-counts // size)
    first = n_baskets.cumsum() - n_baskets
    shopper = np.repeat(np.arange(spec.users), n_baskets)
    moments = rng.random(len(shopper))
    moments = moments[np.lexsort((moments, shopper))]
    return Purchases(owner, catalogue[owner, columns], moments[first[owner] + position // size])


def places_of_new_items(
    owner: Longs, first: NDArray[np.bool_], distinct: Longs, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return which rows (N,) are first purchases: a user's ``first`` ones, and others drawn evenly."""
    keys = np.where(first, -1.0, rng.random(len(owner)))
    order = np.lexsort((keys, owner))
    counts = np.bincount(owner, minlength=len(distinct))
    rank = np.arange(len(owner)) - np.repeat(counts.cumsum() - counts, counts)
    is_new = np.zeros(len(owner), dtype=np.bool_)
    is_new[order] = rank < distinct[owner]
    return is_new


def drawn_again(owner: Longs, bought: Values, rng: np.random.Generator) -> Longs:
    """Return a column for each row (n,), owners ascending: a user's differ, and follow what was ``bought``.

    By the Gumbel top-k trick, as the pairs themselves are drawn.
    """
    buyers, counts = np.unique(owner, return_counts=True)
    if not len(buyers):
        return np.empty(0, dtype=np.int64)
    with np.errstate(divide="ignore"):  # what was never bought is never drawn
        scores = np.log(bought[buyers]) + rng.gumbel(size=(len(buyers), bought.shape[1]))
    most = int(counts.max())
    best = np.argsort(-scores, axis=1, kind="stable")[:, :most]
    chosen: Longs = best[np.arange(most) < counts[:, None]]
    return chosen
