"""What Surprise's models share in training, and the compiled search for the nearest raters.

Imported before the clock of a trial starts. Surprise itself is imported by :func:`trainset` alone, so that
a stored model is served without it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from benchmark.jit import compiled, part
from benchmark.modelkit.ratings import rating_scale
from benchmark.protocol import Array, Ids, Interactions, Values

FINEST = 100  # ratings are told apart down to hundredths


def trainset(train: Interactions) -> Any:
    """Return Surprise's ``Trainset`` of the rows in their order; its raw ids are our dense ids.

    Users and items without a row stay unknown to the library, as they do with its own readers: several of
    its models divide by the number of rows. :func:`present` lists the others in the order of its inner ids.
    """
    import surprise

    users, items = (
        dict(zip(ids.tolist(), range(len(ids)), strict=True))
        for ids in (present(train.users), present(train.items))
    )
    by_user: dict[int, list[tuple[int, float]]] = {}
    by_item: dict[int, list[tuple[int, float]]] = {}
    columns = train.users.tolist(), train.items.tolist(), train.values.tolist()
    for raw_user, raw_item, value in zip(*columns, strict=True):
        user, item = users[raw_user], items[raw_item]
        by_user.setdefault(user, []).append((item, value))
        by_item.setdefault(item, []).append((user, value))
    return surprise.Trainset(
        by_user, by_item, len(users), len(items), len(train), rating_scale(train), users, items
    )


def present(ids: Ids) -> Ids:
    """Return the ids that occur, ascending.

    >>> present(np.array([4, 0, 4], dtype=np.int32)).tolist()
    [0, 4]
    """
    return np.unique(ids)


def scatter(values: Array, ids: Ids, n: int) -> Values:
    """Return an array (n, ...) with the rows ``values`` (M, ...) at ``ids`` (M,) and 0 elsewhere.

    >>> scatter(np.array([5.0, 6.0]), np.array([0, 2], dtype=np.int32), 4).tolist()
    [5.0, 0.0, 6.0, 0.0]
    """
    full = np.zeros((n, *np.shape(values)[1:]))
    full[ids] = values
    return full


def whole_numbers(values: Array) -> tuple[Array, int]:
    """Return ratings (N,) as whole multiples of a fraction of one, and how many such fractions make one.

    Two of Surprise's models read a rating as a C ``int``: half a star would be cut off.

    >>> whole_numbers(np.array([0.5, 4.0], dtype=np.float32))
    (array([1., 8.], dtype=float32), 2)
    """
    for parts in (1, 2, 4, 10, FINEST):
        counts = np.rint(values * parts)
        if np.allclose(values * parts, counts, rtol=0, atol=1e-3):
            break
    return counts, parts


# Read-only, as the arrays of a stored model are; numba accepts writable ones too.
_IDS = types.Array(types.int32, 1, "C", readonly=True)
_VALUES = types.Array(types.float64, 1, "C", readonly=True)
_MATRIX = types.Array(types.float64, 2, "C", readonly=True)
_ORDER = types.Array(types.int32, 2, "C", readonly=True)


@part
def accumulate_nearest(weights: Any, order: Any, by_x: Any, most: Any, sums: Any, counts: Any) -> None:
    """Accumulate the ``most`` nearest raters of each y; flag y where a tie at the cut-off was dropped.

    ``sums`` (Y, 3) are the weighted opinions, the weights and the last weight added; ``counts`` (Y, 3) the
    raters added, those of them with the last weight, and whether one with that weight was dropped.
    """
    starts, rated, opinions = by_x
    for rater in order:
        weight = weights[rater]
        if not weight > 0:
            break
        for row in range(starts[rater], starts[rater + 1]):
            y = rated[row]
            if counts[y, 0] < most:
                counts[y, 0] += 1
                counts[y, 1] = counts[y, 1] + 1 if sums[y, 2] == weight else 1
                sums[y, 0] += weight * opinions[row]
                sums[y, 1] += weight
                sums[y, 2] = weight
            elif sums[y, 2] == weight:
                counts[y, 2] = 1


@part
def first_of_equals(weights: Any, by_y: Any, y: Any, last: Any, equals: Any) -> Any:
    """Return the weighted opinions of the raters nearer than ``last`` and of the first at ``last``."""
    starts, raters, opinions = by_y
    total = 0.0
    for row in range(starts[y], starts[y + 1]):
        weight = weights[raters[row]]
        if weight == last:
            equals -= 1
        if weight > last or (weight == last and equals >= 0):
            total += weight * opinions[row]
    return total


_TABLE = types.Tuple((_IDS, _IDS, _VALUES))
_LIMITS = types.UniTuple(types.int64, 2)


@compiled(types.float64[:, ::1](_MATRIX, _ORDER, _TABLE, _TABLE, _LIMITS))
def nearest_opinions(similarity: Any, order: Any, by_x: Any, by_y: Any, limits: Any) -> Any:
    """Return the mean opinion (M, Y) of the raters of each y that are nearest to each of M x's.

    Opinions are weighted by similarity. Neighbours are visited from the nearest on, so an x costs one pass
    over all ratings, whatever the number of neighbours. Of equally near raters those count whose rows come
    first, as with the stable ``heapq.nlargest`` that Surprise calls; raters of similarity 0 or less never do.
    nan for too few of them.

    Args:
        similarity: of each requested x to all, (M, X).
        order: the ids of each row of it, the most similar first, (M, X).
        by_x: the ratings by x: starts (X + 1,), y of each, opinion of each.
        by_y: the same ratings by y, in the order of the log: starts (Y + 1,), x of each, opinion of each.
        limits: raters that count at most, and at least.
    """
    most, least = limits
    n_y = len(by_y[0]) - 1
    found = np.empty((len(similarity), n_y))
    sums, counts = np.empty((n_y, 3)), np.empty((n_y, 3), np.int32)
    for row in range(len(similarity)):
        sums[:], counts[:] = 0.0, 0
        accumulate_nearest(similarity[row], order[row], by_x, most, sums, counts)
        for y in range(n_y):
            if counts[y, 0] < max(least, 1):
                found[row, y] = np.nan
                continue
            if counts[y, 2]:
                sums[y, 0] = first_of_equals(similarity[row], by_y, y, sums[y, 2], counts[y, 1])
            found[row, y] = sums[y, 0] / sums[y, 1]
    return found
