"""What a model may offer beside its scores where it is served: why it scored so, items alike, histories.

Each of them is one method, and none is required: a bundle asks a model for what it has, and says of the
others that they do not have it. Letters in shapes: U users, I items, H items of a history, M items that are
asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from benchmark.protocol import Ids, Recommender, Scores, Values

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Contributions:
    """Which items of one user's history carried the user's scores of M items, and how much of each.

    ``values.sum(axis=0) + rest`` are the scores, within 1e-5 of the larger of 1 and the score.

    Attributes:
        history: items of the history, (H,); one that comes again may have several places.
        values: what each of them contributed to each score, (H, M) float64.
        rest: what no item of the history carried: means, biases, what an item's effect depends on, (M,).
    """

    history: Ids
    values: Values
    rest: Values


class Explains(Recommender, Protocol):
    """A recommender that can say which items of a user's history carried a score.

    A contribution has the sign of what leaving that item out of the history would do: a positive one lowers
    the score. The contract tests compare it with that.
    """

    def explain(self, user: int, items: Ids) -> Contributions:
        """Return what carried a user's scores of these items (M,), as :meth:`score` returns them.

        Raises:
            NotOffered: this configuration has no such sum; the message says why.
        """
        ...

    def explain_history(self, history: Ids, items: Ids) -> Contributions:
        """Return the same for what ``fold_in`` returns of a history; needed only beside that method."""
        ...


class KeepsHistories(Recommender, Protocol):
    """A recommender that folds histories in and still has those it was trained with."""

    def history_of(self, user: int) -> Ids:
        """Return the items that a user was trained with, as ``fold_in`` takes them, the earliest first.

        A model that takes no notice of the order may have lost it; one that reads the last items only may
        have kept no others.
        """
        ...


class HasSimilarItems(Recommender, Protocol):
    """A recommender with a number of its own for how alike two items are.

    One that has ``vectors`` needs none: there it is the cosine of the items' vectors.
    """

    def similar_items(self, item: int) -> Scores:
        """Return how much like this item each item is, (I,), higher is more; 0 is not at all.

        Raises:
            NotOffered: this configuration does not compare items; the message says why.
        """
        ...


class HistoryRows:
    """What a model that keeps histories (U, I) as a sparse matrix says of them.

    Attributes:
        _history: (U, I) with an entry at each item of a user's history.
    """

    _history: csr_matrix

    def history_of(self, user: int) -> Ids:
        """Return the items of a user's history, ascending: these models take no notice of the order."""
        items: Ids = self._history[user].indices.astype(np.int32)
        return items
