"""What an adapter sees and what it must offer: the whole contract between engine and models.

Letters in shapes: U users, I items, N interactions, B users in a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import AdapterError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


Ids: TypeAlias = NDArray[np.int32]
"""Dense ids of users or items."""
Longs: TypeAlias = NDArray[np.int64]
"""Counts, offsets, positions."""
Floats32: TypeAlias = NDArray[np.float32]
"""Single precision numbers that are no model's scores."""
Scores: TypeAlias = NDArray[np.float32]
"""What a model says of every item, (B, I), or (I,) for one user."""
Values: TypeAlias = NDArray[np.float64]
Array: TypeAlias = NDArray[Any]
Hyperparameter: TypeAlias = bool | int | float | str
Feedback: TypeAlias = Literal["implicit", "explicit"]
Use: TypeAlias = Literal["weights", "negatives", "graph"]
TimeUnitOfRows: TypeAlias = Literal["s", "ms", "us", "ns", "order"]
"""Unit of times since 1970; "order" where they only say what came first."""

A_DAY = {unit: 86_400 * 1_000**step for step, unit in enumerate(("s", "ms", "us", "ns"))}
"""How many of a unit make a day."""


@dataclass(frozen=True)
class Features:
    """What is known of each user, or of each item, apart from the log; F features.

    Attributes:
        matrix: (U, F) or (I, F) float32, sparse by rows; a row without entries is unknown.
        names: name of each feature, F of them, such as "genre=Comedy".
        texts: words about each row (title, genres, tags), U or I of them; empty where there are none.
    """

    matrix: csr_matrix
    names: tuple[str, ...]
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnowledgeGraph:
    """What is known of the items as triples, such as (film, directed by, person); T triples, E entities.

    Entities 0..I-1 are the items of the log, those without a triple included; the others follow. No triple
    is there twice; they ascend by head, relation, tail. The arrays are read-only.

    Attributes:
        heads: entity that each triple is about, (T,) int32 in 0..E-1.
        relations: relation of each triple, (T,) int32 in 0..R-1.
        tails: the other entity, (T,) int32 in 0..E-1; items may be heads, tails or both.
        n_entities: E.
        relation_names: name of each relation, R of them, ascending.
    """

    heads: Ids
    relations: Ids
    tails: Ids
    n_entities: int
    relation_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for column in (self.heads, self.relations, self.tails):
            column.setflags(write=False)

    def __len__(self) -> int:
        """T, the number of triples."""
        return len(self.heads)

    @property
    def n_relations(self) -> int:
        """R, the number of relations."""
        return len(self.relation_names)


@dataclass(frozen=True)
class Interactions:
    """An interaction log with dense ids: what a model is trained on.

    A ranker (``feedback = "implicit"``) is handed the liked rows only, a rating model
    (``"explicit"``) every row; the choice is the engine's, so an adapter just uses what it gets.
    Rows keep the order of the user's log. Where items come again (``pairs: repeat``) a pair has a row for
    each time; :meth:`matrix` has a one for it all the same, and :meth:`counts` how many rows it has. All
    arrays are read-only.
    Only a model whose class says ``uses = ("weights", "negatives", "graph")``, or some of them, is handed the
    ``weights``, ``dislikes`` and ``graph`` that a suite names; else they are empty and None.

    Attributes:
        users: user of each row, (N,) int32 in 0..U-1.
        items: item of each row, (N,) int32 in 0..I-1.
        values: rating or count of each row, (N,) float32; ones where the log has none.
        times: when each row happened, (N,) int64 in ``time_unit``; empty (0,) where the log has none.
        positive: whether a row counts as a like, (N,) bool.
        n_users: U, users without a row here included.
        n_items: I, items without a row here included.
        scale: lowest and highest rating that the data allow; None where values are no ratings.
        user_features: what is known of users 0..U-1; None where the data set has nothing.
        item_features: what is known of items 0..I-1, those without a row here included; None likewise.
        negative: whether a row is a known dislike, (N,) bool; empty (0,) where the suite names none.
        weights: confidence of each row, (N,) float32, above 0 for likes; only proportions mean something.
        time_unit: unit of ``times`` since 1970; "order" where they only say what came first.
        dislikes: known dislikes, for a ranker that uses them; none of its own rows is among them.
        graph: knowledge graph of items 0..I-1, for a model that uses it; None where the data set has none.
    """

    users: Ids
    items: Ids
    values: Floats32
    times: Longs
    positive: NDArray[np.bool_]
    n_users: int
    n_items: int
    scale: tuple[float, float] | None = None
    user_features: Features | None = None
    item_features: Features | None = None
    negative: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    weights: Floats32 = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    time_unit: TimeUnitOfRows = "s"
    dislikes: Interactions | None = None
    graph: KnowledgeGraph | None = None

    def __post_init__(self) -> None:
        """Freeze the arrays, so that no adapter can change another one's data."""
        marks = (self.positive, self.negative)
        for column in (self.users, self.items, self.values, self.times, self.weights, *marks):
            column.setflags(write=False)

    def __len__(self) -> int:
        """N, the number of rows."""
        return len(self.users)

    def rows(self, chosen: Array) -> Interactions:
        """Return the chosen rows (index array or (N,) mask), in the order given."""
        return replace(
            self,
            users=self.users[chosen],
            items=self.items[chosen],
            values=self.values[chosen],
            times=self.times[chosen] if len(self.times) else self.times,
            positive=self.positive[chosen],
            negative=self.negative[chosen] if len(self.negative) else self.negative,
            weights=self.weights[chosen] if len(self.weights) else self.weights,
        )

    def ages(self) -> Values:
        """Return how many days each row is older than the last, (N,); zeros where times do not say that."""
        if not len(self.times) or self.time_unit == "order":
            return np.zeros(len(self))
        ages: Values = (self.times.max() - self.times) / A_DAY[self.time_unit]
        return ages

    def positives(self) -> Interactions:
        """Return the rows that count as a like: what rankers learn and what metrics look for."""
        return self.rows(self.positive)

    def histories(self) -> tuple[Longs, Longs]:
        """Return each user's rows in the order of time: where they start (U + 1,), and the rows (N,).

        Those of user u are ``rows[starts[u]:starts[u + 1]]``, the earliest first. Rows with the same
        time, and all rows of a log without times, keep the order of the log.
        """
        keys = (self.times, self.users) if len(self.times) else (self.users,)
        rows = np.lexsort(keys)
        counts = np.bincount(self.users, minlength=self.n_users)
        return np.concatenate([[0], counts.cumsum()]), rows

    def matrix(self) -> csr_matrix:
        """Return the (U, I) float32 matrix with a one at each pair that has a row."""
        return self._matrix

    def counts(self) -> csr_matrix:
        """Return the (U, I) float32 matrix with the number of rows of each pair, items ascending.

        The same as :meth:`matrix` where a pair has one row at most.

        >>> log = Interactions(
        ...     users=np.array([0, 1, 0], dtype=np.int32), items=np.array([1, 0, 1], dtype=np.int32),
        ...     values=np.ones(3, dtype=np.float32), times=np.array([], dtype=np.int64),
        ...     positive=np.ones(3, dtype=np.bool_), n_users=2, n_items=2)
        >>> log.counts().toarray().tolist(), log.matrix().toarray().tolist()
        ([[0.0, 2.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]])
        """
        from scipy.sparse import csr_matrix  # not at import: `bench --help` stays light

        ones = np.ones(len(self), dtype=np.float32)
        matrix = csr_matrix((ones, (self.users, self.items)), shape=(self.n_users, self.n_items))
        matrix.sum_duplicates()
        return matrix

    @cached_property
    def _matrix(self) -> csr_matrix:
        matrix = self.counts()
        matrix.data[:] = 1.0
        return matrix


@dataclass(frozen=True)
class FitContext:
    """What the engine decides for one fit.

    Attributes:
        seed: the only source of randomness an adapter may use.
        threads: threads the slot allows.
        device: "cpu" or "cuda"; "cuda" only for adapters that list it in ``devices``.
        step_rows: rows of ``train`` that a step may use, at least 1; None: all of them, one pass.
        of_rows: rows of the log of which ``train`` is a sample, for a first look; None where it is all of it.
    """

    seed: int = 0
    threads: int = 1
    device: str = "cpu"
    step_rows: int | None = None
    of_rows: int | None = None


@dataclass(frozen=True)
class Needs:
    """What a fit takes at its peak beyond the log itself, by the adapter's own formula.

    Attributes:
        host_bytes: of memory.
        device_bytes: of a GPU's memory; 0 where it uses none.
        why: the term that decides, such as "two 59,047 x 59,047 matrices of float64".
    """

    host_bytes: float
    device_bytes: float = 0.0
    why: str = ""


@dataclass(frozen=True)
class Vectors:
    """A model whose scores are dot products: ``users[u] @ items[i] + bias[i] + offset[u]``, D numbers each.

    All of one type, float32 or float64; scores are rounded to float32.

    Attributes:
        users: (U, D).
        items: (I, D).
        bias: (I,); None for none.
        offset: (U,), which changes no order but what rounding makes equal; None for none.
    """

    users: Floats32 | Values
    items: Floats32 | Values
    bias: Floats32 | Values | None = None
    offset: Floats32 | Values | None = None


@dataclass(frozen=True)
class Range:
    """A number between ``low`` and ``high``, both included; whole if both ends are ``int``.

    >>> Range(8, 256, log=True).whole, Range(1e-3, 0.3, log=True).whole
    (True, False)
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        """Refuse an empty range, and a log scale that touches zero."""
        if not self.low < self.high or (self.log and self.low <= 0):
            raise AdapterError(
                f"Range({self.low}, {self.high}, log={self.log}): low must be below high"
                + (" and above 0 on a log scale" if self.log else "")
            )

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __contains__(self, value: object) -> bool:
        """Return whether a value lies between the ends."""
        return isinstance(value, int | float) and self.low <= value <= self.high

    def __str__(self) -> str:
        """Write the range as tables show it.

        >>> str(Range(8, 256, log=True))
        '8..256 log'
        """
        return f"{self.low:g}..{self.high:g}" + (" log" if self.log else "")


@dataclass(frozen=True)
class Choice:
    """One of a few named options."""

    options: tuple[Hyperparameter, ...]

    def __init__(self, *options: Hyperparameter) -> None:
        """Take the options as arguments: ``Choice("cosine", "msd")``."""
        if len(options) < 2:
            raise AdapterError(f"Choice{options}: give at least two options")
        object.__setattr__(self, "options", options)

    def __contains__(self, value: object) -> bool:
        """Return whether a value is one of the options."""
        return value in self.options

    def __str__(self) -> str:
        """Write the options as tables show them."""
        return " | ".join(map(str, self.options))


Space: TypeAlias = Mapping[str, Range | Choice]


class Recommender(Protocol):
    """What every adapter offers. It is a dataclass: its fields are hyperparameters with defaults.

    Class attributes beyond ``space`` are optional; :func:`traits` holds their defaults.
    """

    space: ClassVar[Space]

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int | None]:
        """Train a little and yield, again and again; the engine drives and may stop anywhere.

        A yield means: the device is idle and ``score`` works. One step is one pass over the data,
        or the whole fit where a library cannot stop. A class that says ``streams`` yields within a pass if
        ``context.step_rows`` asks for it, and yields how many rows each step has trained.
        """
        ...

    def score(self, users: Ids) -> Scores:
        """Return scores (B, I) float32 for users (B,); higher is better, any finite scale."""
        ...


class RatesItems(Recommender, Protocol):
    """A recommender that predicts ratings."""

    def rate(self, users: Ids, items: Ids) -> Values:
        """Return ratings (N,) for the pairs (users[n], items[n]), on the scale of the data."""
        ...


class HasVectors(Recommender, Protocol):
    """A recommender whose scores are dot products: the engine ranks by blocks of items, exactly."""

    def vectors(self) -> Vectors:
        """Return the vectors whose products :meth:`score` returns."""
        ...


class StatesNeeds(Recommender, Protocol):
    """A recommender that can say what it takes before it is fitted."""

    def needs(self, train: Interactions) -> Needs:
        """Return what fitting these rows takes, with the hyperparameters that it has; nothing is computed.

        Of ``train`` only n_users, n_items and len(train) mean anything: it is asked before data are read.
        """
        ...


class KeepsState(Recommender, Protocol):
    """A recommender that can be stored as named arrays and come back without its library's pickle."""

    def state(self) -> dict[str, Array]:
        """Return every array that ``score`` needs, by explicit names."""
        ...

    def restore(self, state: dict[str, Array]) -> None:
        """Make a new instance score as the one whose ``state`` is given."""
        ...


class FoldsIn(Recommender, Protocol):
    """A recommender that can serve a user it was not trained with."""

    def fold_in(self, items: Ids) -> Scores:
        """Return scores (I,) for a user whose whole history is these items (n,), n at least 1.

        The earliest comes first; most models take no notice of the order. The items are distinct, unless
        the log's items come again and the class says ``folds_repeats``.
        """
        ...
