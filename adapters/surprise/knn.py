"""Neighbours: what the most similar users think of an item, or a user of the most similar items.

All four are Surprise's (surprise.readthedocs.io, "k-NN inspired algorithms"; Koren 2010, section 2.2). In the
library's letters x is a user and y an item, or the reverse where ``user_based`` is false; X and Y count them.
Similarities are X² numbers, found in Σ n_y² ≤ N · max n_y steps, n_y being the raters of y.

Explicit feedback. Tuned: all that the library's documentation offers: how many neighbours count, how
two of them are compared, on how many common ratings at least, and whether users or items are. Defaults are
the library's unless a docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from adapters.surprise.base import RatingModel
from benchmark.errors import NotOffered
from benchmark.hyperparameters import COUNT, Limits
from benchmark.modelkit.ratings import rating_scale
from benchmark.modelkit.serving_traits import Contributions
from benchmark.protocol import Array, Choice, FitContext, Ids, Interactions, Range, Scores, Space, Values

TABLES = ("similarity", "starts", "raters", "opinions", "mean", "scale")

BYTES_A_PAIR = {"msd": 20, "cosine": 36, "pearson": 52, "pearson_baseline": 36}
"""Of two x while the library compares them: sums of products and squares, counts, the similarity."""
BYTES_LINKED = 28
"""Of two x while neighbours are sorted: similarity, its negative, their order in 64 and in 32 bits."""


@dataclass
class KnnBasic(RatingModel):
    """Mean rating by the neighbours, weighted by similarity (Surprise's KNNBasic).

    Explicit feedback; too few neighbours, or an unknown user or item, give the mean of all ratings. Tuned:
    all that the library's documentation offers (surprise.readthedocs.io, "k-NN inspired algorithms"; Koren
    2010, section 2.2), as the best comparison of users depends on the log. Fit O(X² + N · max n_y), one full
    scoring O(X · N): x is a user and y an item, or the reverse, X how many, n_y the raters of y.

    Attributes:
        neighbours: raters of y that count, at most.
        min_neighbours: with fewer of them the neighbours do not count.
        similarity: how two columns of x are compared on what both have rated.
        min_support: with fewer common ratings a similarity is 0.
        shrinkage: of ``pearson_baseline`` alone: a pair of few common ratings moves towards 0.
        user_based: whether users are compared, rather than items.
    """

    neighbours: int = 40
    min_neighbours: int = 1
    similarity: str = "msd"
    min_support: int = 1
    shrinkage: int = 100
    user_based: bool = True

    space: ClassVar[Space] = {
        "neighbours": Range(5, 200, log=True),
        "min_neighbours": Range(1, 30),
        "similarity": Choice("msd", "cosine", "pearson", "pearson_baseline"),
        "min_support": Range(1, 30),
        "shrinkage": Range(10, 500, log=True),
        "user_based": Choice(True, False),
    }
    limits: ClassVar[Limits] = {"min_neighbours": COUNT, "min_support": COUNT}
    deterministic: ClassVar[bool] = True
    arrays: ClassVar[tuple[str, ...]] = TABLES
    named: ClassVar[str] = "KNNBasic"

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Compute all similarities in one step."""
        import surprise

        from adapters.surprise import training
        from adapters.surprise.similarity import similarities

        comparison = {
            "name": self.similarity,
            "user_based": self.user_based,
            "min_support": self.min_support,
            "shrinkage": self.shrinkage,
        }
        data = training.trainset(train)
        model = getattr(surprise, self.named)(self.neighbours, sim_options=comparison, verbose=False)
        library = model.compute_similarities
        model.compute_similarities = lambda: similarities(model, library)
        model.fit(data)
        self._mean, self._scale = np.array(data.global_mean), np.array(rating_scale(train))
        x, y = self._sides(train.users, train.items)
        n_x, n_y = self._sides(train.n_users, train.n_items)
        rows = training.present(x)
        self._similarity = model.sim
        if len(rows) < n_x:
            self._similarity = np.zeros((n_x, n_x))
            self._similarity[np.ix_(rows, rows)] = model.sim
        self._learn(model, train)
        by_y = np.argsort(y, kind="stable")  # the library visits the raters of y in the order of the rows
        self._starts = np.append(0, np.bincount(y, minlength=n_y).cumsum())
        self._raters = x[by_y]
        self._opinions = self._relative(self._raters, y[by_y], train.values[by_y].astype(np.float64))
        self._link()
        yield

    def _own_bytes(self, train: Interactions) -> float:
        n_x, _ = self._sides(train.n_users, train.n_items)
        return float(max(BYTES_A_PAIR[self.similarity], BYTES_LINKED)) * n_x**2

    def _own_why(self, train: Interactions) -> str:
        n_x, _ = self._sides(train.n_users, train.n_items)
        return f"similarities of {n_x:,} {'users' if self.user_based else 'items'}"

    def restore(self, state: dict[str, Array]) -> None:
        """Take back the arrays of ``state``; ids out of bounds would read foreign memory."""
        super().restore(state)
        self._link()
        self._table.check_format(full_check=True)
        square = (self._table.shape[1],) * 2
        if self._similarity.shape != square:
            raise ValueError(f"similarity has shape {self._similarity.shape}, expected {square}")

    def _link(self) -> None:
        """Prepare what every prediction needs: the ratings by y and by x, and the nearest of each x."""
        shape = len(self._starts) - 1, len(self._similarity)
        self._table = csr_matrix((self._opinions, self._raters, self._starts), shape=shape)
        self._n_items = shape[0] if self.user_based else shape[1]
        self._order = np.argsort(-self._similarity, axis=1).astype(np.int32)

    def _ratings(self, users: Ids) -> Values:
        from adapters.surprise.training import nearest_opinions

        table = self._table if self.user_based else self._table[users]
        by_x, by_y = ((part.indptr, part.indices, part.data) for part in (table.tocsc(), table))
        chosen = users if self.user_based else slice(None)
        rows = self._similarity[chosen], self._order[chosen]
        opinions = nearest_opinions(*rows, by_x, by_y, (self.neighbours, self.min_neighbours))
        everything = np.arange(self._n_items, dtype=np.int32)
        if self.user_based:
            return self._estimate(users[:, None], everything, opinions)
        return self._estimate(everything[:, None], users, opinions).T

    def explain(self, user: int, items: Ids) -> Contributions:
        """Return what each predicted rating would lose without each of the user's ratings.

        A prediction is a mean over the ratings of similar items, so what one of them carried is how far it
        pulls that mean up or down, the next most similar item in its place where ``neighbours`` are counted
        out. The rest is what stays. Similarities, means and biases are taken as they were learned.

        Raises:
            NotOffered: users are compared, not items.
        """
        if self.user_based:
            raise NotOffered(
                "it compares users, so a rating is made of what similar users said, not of the items of a "
                "history; trained with user_based: false it compares items and can say"
            )
        own = slice(self._starts[user], self._starts[user + 1])
        rated, opinions = self._raters[own], self._opinions[own]
        values, rest = np.zeros((len(rated), len(items))), np.empty(len(items))
        for column, item in enumerate(items.tolist()):
            alike = self._similarity[item, rated]
            limits = self.neighbours, self.min_neighbours
            means = np.array([means_without(alike, opinions, *limits)])
            asked = np.full(means.shape[1], user, dtype=np.int32)
            ratings = self._estimate(np.array([[item]], dtype=np.int32), asked, means)[0]
            values[:, column] = ratings[0] - ratings[1:]
            rest[column] = ratings[0] - values[:, column].sum()
        return Contributions(rated.astype(np.int32), values, rest)

    def similar_items(self, item: int) -> Scores:
        """Return the similarities (I,) of an item.

        Raises:
            NotOffered: users are compared, not items.
        """
        if self.user_based:
            raise NotOffered("it compares users, not items; trained with user_based: false it compares items")
        return self._similarity[item].astype(np.float32)

    def _sides(self, of_users: Any, of_items: Any) -> tuple[Any, Any]:
        return (of_users, of_items) if self.user_based else (of_items, of_users)

    def _learn(self, model: Any, train: Interactions) -> None:
        """Keep what the library learned in addition to similarities."""

    def _relative(self, raters: Ids, rated: Ids, values: Values) -> Values:  # noqa: ARG002 (others need both)
        """Return each rating (N,) as it enters the mean of others: as it is, or relative to its rater."""
        return values

    def _estimate(self, x: Ids, y: Ids, opinions: Values) -> Values:  # noqa: ARG002 (others need both)
        """Return ratings (M, Y) of x (M, 1) and y (Y,); a mean opinion of too few neighbours is nan."""
        return np.where(np.isnan(opinions), self._mean, opinions)


@dataclass
class KnnMeans(KnnBasic):
    """Neighbours' deviations from their means, added to x's own (Surprise's KNNWithMeans).

    Explicit feedback; too few neighbours give x's mean, an unknown user or item the mean of all. Fields, what
    is tuned and sources (Koren 2010) are those of ``surprise/knn-basic``. Fit O(X² + N · max n_y), one full
    scoring O(X · N).
    """

    arrays: ClassVar[tuple[str, ...]] = (*TABLES, "centre")
    named: ClassVar[str] = "KNNWithMeans"

    def _learn(self, model: Any, train: Interactions) -> None:
        self._centre = self._of_x(model.means, train, unknown=float(self._mean))

    def _of_x(self, values: Values, train: Interactions, unknown: float) -> Values:
        from adapters.surprise.training import present

        x, _ = self._sides(train.users, train.items)
        n_x, _ = self._sides(train.n_users, train.n_items)
        full = np.full(n_x, unknown)
        full[present(x)] = values
        return full

    def _relative(self, raters: Ids, rated: Ids, values: Values) -> Values:  # noqa: ARG002 (others need both)
        return values - self._centre[raters]

    def _estimate(self, x: Ids, y: Ids, opinions: Values) -> Values:
        rated = self._starts[y + 1] > self._starts[y]
        return np.where(rated, self._centre[x] + np.nan_to_num(opinions), self._mean)


@dataclass
class KnnZScore(KnnMeans):
    """Neighbours' deviations in units of their standard deviations (Surprise's KNNWithZScore).

    Explicit feedback; too few neighbours give x's mean, an unknown user or item the mean of all. Fields, what
    is tuned and sources (Koren 2010) are those of ``surprise/knn-basic``. Fit O(X² + N · max n_y), one full
    scoring O(X · N).
    """

    arrays: ClassVar[tuple[str, ...]] = (*TABLES, "centre", "width")
    named: ClassVar[str] = "KNNWithZScore"

    def _learn(self, model: Any, train: Interactions) -> None:
        super()._learn(model, train)
        self._width = self._of_x(model.sigmas, train, unknown=0.0)

    def _relative(self, raters: Ids, rated: Ids, values: Values) -> Values:
        return super()._relative(raters, rated, values) / self._width[raters]

    def _estimate(self, x: Ids, y: Ids, opinions: Values) -> Values:
        return super()._estimate(x, y, opinions * self._width[x])


@dataclass
class KnnBaseline(KnnBasic):
    """Neighbours' deviations from the baseline mean + user + item (Koren 2010, equation 3; KNNBaseline).

    Explicit feedback; too few neighbours give the baseline, to which an unknown user or item adds nothing.
    The default similarity is the one that the library's documentation recommends here, in place of ``msd``;
    its penalties on the baseline's biases stay as they are. Fields, what is tuned and sources are those of
    ``surprise/knn-basic``. Fit O(X² + N · max n_y), one full scoring O(X · N).
    """

    similarity: str = "pearson_baseline"

    arrays: ClassVar[tuple[str, ...]] = (*TABLES, "x_bias", "y_bias")
    named: ClassVar[str] = "KNNBaseline"

    def _learn(self, model: Any, train: Interactions) -> None:
        from adapters.surprise.training import present, scatter

        user_bias = scatter(model.bu, present(train.users), train.n_users)
        item_bias = scatter(model.bi, present(train.items), train.n_items)
        self._x_bias, self._y_bias = self._sides(user_bias, item_bias)

    def _relative(self, raters: Ids, rated: Ids, values: Values) -> Values:
        return values - (self._mean + self._x_bias[raters] + self._y_bias[rated])

    def _estimate(self, x: Ids, y: Ids, opinions: Values) -> Values:
        return self._mean + self._x_bias[x] + self._y_bias[y] + np.nan_to_num(opinions)


def means_without(weights: Values, opinions: Values, most: int, least: int) -> Values:
    """Return the mean of the nearest opinions, then that mean without each of them in turn, (H + 1,).

    Nearest are the ``most`` opinions with the largest weights above 0, of equal ones the first. Without one
    of them the next nearest moves up. Fewer than ``least`` have no mean: nan.

    Args:
        weights: how near each opinion is, (H,).
        opinions: (H,).
        most: opinions that count at most.
        least: opinions that must count.

    >>> means_without(np.array([1.0, 2.0, 1.0]), np.array([5.0, 2.0, 4.0]), most=2, least=1).tolist()
    [3.0, 2.6666666666666665, 4.5, 3.0]
    """
    order = np.argsort(-weights, kind="stable")
    order = order[weights[order] > 0]
    near = order[:most]
    total, sizes = weights[near] @ opinions[near], weights[near].sum()
    if len(near) < max(least, 1):
        return np.full(len(weights) + 1, np.nan)
    found = np.full(len(weights) + 1, total / sizes)
    up = order[most : most + 1]  # the one that moves up, if there is one
    if len(near) + len(up) - 1 < max(least, 1):
        found[1 + near] = np.nan
        return found
    without = total - weights[near] * opinions[near] + (weights[up] * opinions[up]).sum()
    found[1 + near] = without / (sizes - weights[near] + weights[up].sum())
    return found
