"""What an adapter sees and what it must offer: the whole contract between engine and models.

Letters in shapes: U users, I items, N interactions, B users in a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import AdapterError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from benchmark.hyperparameters import Limits

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
Use: TypeAlias = Literal["weights", "negatives"]
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
class Interactions:
    """An interaction log with dense ids: what a model is trained on.

    A ranker (``feedback = "implicit"``) is handed the liked rows only, a rating model
    (``"explicit"``) every row; the choice is the engine's, so an adapter just uses what it gets.
    Rows keep the order of the user's log. Where items come again (``pairs: repeat``) a pair has a row for
    each time; :meth:`matrix` has a one for it all the same, and :meth:`counts` how many rows it has. All
    arrays are read-only.
    Only a model whose class says ``uses = ("weights", "negatives")``, or one of them, is handed the
    ``weights`` and ``dislikes`` that a suite names; else they are empty and None.

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
    """

    seed: int = 0
    threads: int = 1
    device: str = "cpu"


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

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train a little and yield, again and again; the engine drives and may stop anywhere.

        A yield means: the device is idle and ``score`` works. One step is one pass over the data,
        or the whole fit where a library cannot stop.
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


@dataclass(frozen=True)
class Traits:
    """What an adapter class says about itself, with the defaults filled in.

    Attributes:
        space: tuned hyperparameters; empty means one trial.
        feedback: "implicit" trains on likes, "explicit" on every rating.
        deterministic: the seed changes nothing, so one final is enough.
        devices: where it can run; "cpu" always, "cuda" if listed.
        requires: import names of the libraries it wraps, in the order to import them.
        rates: predicts ratings, so RMSE and MAE apply.
        keeps_state: can be exported.
        folds_in: can serve a user it was not trained with, from that user's history.
        folds_repeats: such a history may hold an item several times.
        needs_repeats: recommends what a user has had, so it needs a log whose items come again.
        from_features: which of "users" and "items" it scores by features alone; for users and items
            without a training row that it cannot score, the engine puts popularity in its place.
        needs_features: features of "users", of "items", at least one of those listed; empty if it needs none.
        scores_all: scores users and items of which nothing is known, as chance does: nothing is filled in.
        uses: which of "weights" and "negatives" it takes into account; it is handed no others.
        published: hyperparameters of the best configuration that its paper reports, where they differ
            from the defaults: trial 1 of a study. Empty if there is none, or the default is it.
        limits: what its hyperparameters can be at all: those of the words that adapters share, and its own.
    """

    space: Space
    feedback: Feedback
    deterministic: bool
    devices: tuple[str, ...]
    requires: tuple[str, ...]
    rates: bool
    keeps_state: bool
    folds_in: bool = False
    from_features: tuple[str, ...] = ()
    needs_features: tuple[str, ...] = ()
    scores_all: bool = False
    folds_repeats: bool = False
    needs_repeats: bool = False
    uses: tuple[Use, ...] = ()
    published: Mapping[str, Hyperparameter] = field(default_factory=dict)
    limits: Limits = field(default_factory=dict)


def traits(adapter: type) -> Traits:
    """Read the traits of an adapter class.

    Raises:
        AdapterError: ``space`` is missing, ``space`` or ``limits`` names a field that the class does not
            have, ``published`` one that is not tuned, ``feedback`` or ``uses`` something that there is not.
    """
    from benchmark.hyperparameters import LIMITS  # not at import: serving a bundle asks for no traits

    space = getattr(adapter, "space", None)
    fields = getattr(adapter, "__dataclass_fields__", {})
    where = f"{adapter.__module__}:{adapter.__qualname__}"
    if space is None or not hasattr(adapter, "fit_steps") or not hasattr(adapter, "score"):
        raise AdapterError(f"{where}: an adapter must have space, fit_steps and score")
    own_limits = getattr(adapter, "limits", {})
    for what, named in (("space", space), ("limits", own_limits)):
        if unknown := sorted(set(named) - set(fields)):
            is_dataclass = "__dataclass_params__" in vars(adapter)
            hint = "" if is_dataclass else "; is the class decorated with @dataclass?"
            raise AdapterError(f"{where}: {what} names {unknown}, which are no fields of the dataclass{hint}")
    # A shared word whose default lies outside its limits means something else in this adapter.
    shared = {
        word: limit for word, limit in LIMITS.items() if word in fields and fields[word].default in limit
    }
    published = getattr(adapter, "published", {})
    if untuned := sorted(set(published) - set(space)):
        raise AdapterError(f"{where}: published names {untuned}, which space does not tune")
    feedback = getattr(adapter, "feedback", "implicit")
    if feedback not in get_args(Feedback):
        raise AdapterError(f"{where}: feedback is {feedback!r}; it must be implicit or explicit")
    uses = getattr(adapter, "uses", ())
    if not isinstance(uses, tuple) or not set(uses) <= set(get_args(Use)):
        raise AdapterError(f"{where}: uses is {uses!r}; it must be a tuple of 'weights' and 'negatives'")
    return Traits(
        space=space,
        feedback=cast("Feedback", feedback),
        deterministic=getattr(adapter, "deterministic", False),
        devices=tuple(getattr(adapter, "devices", ("cpu",))),
        requires=tuple(getattr(adapter, "requires", ())),
        rates=hasattr(adapter, "rate"),
        keeps_state=hasattr(adapter, "state") and hasattr(adapter, "restore"),
        folds_in=hasattr(adapter, "fold_in"),
        from_features=tuple(getattr(adapter, "from_features", ())),
        needs_features=tuple(getattr(adapter, "needs_features", ())),
        scores_all=getattr(adapter, "scores_all", False),
        folds_repeats=getattr(adapter, "folds_repeats", False),
        needs_repeats=getattr(adapter, "needs_repeats", False),
        uses=uses,
        published=published,
        limits={**shared, **own_limits},
    )
