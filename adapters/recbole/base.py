"""What all models of RecBole share, and the three ways to serve them. Imports RecBole only when used."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from adapters.recbole.entry import WORDS, Entry
from adapters.recbole.rows import Rows
from benchmark.errors import AdapterError
from benchmark.modelkit.dot_product import DotProduct
from benchmark.modelkit.item_to_item import ItemToItem
from benchmark.protocol import Array, FitContext, Hyperparameter, Ids, Interactions, Needs, Scores

if TYPE_CHECKING:
    from adapters.recbole.training import Session

SEED = "seed"
"""Name of the array that holds the seed a stored model was made with."""
PREFIX = "model."
"""What the names of the arrays of RecBole's own model start with."""


class RecBoleModel(ABC):
    """A model of RecBole's, in its environment: made by its class, trained by its trainer, one epoch a step.

    Attributes:
        entry: what the tables say about it.
        common: fields that all trained models of its kind have besides, with their defaults.
        max_epochs: how many passes; a field of those models that are not ready when they are made.
    """

    entry: ClassVar[Entry]
    common: ClassVar[Mapping[str, Hyperparameter]] = {}
    max_epochs: int
    environment: ClassVar[str] = "recbole"
    requires: ClassVar[tuple[str, ...]] = ("torch", "recbole")

    @staticmethod
    def open_device(context: FitContext) -> None:
        """Make the device ready before the clock starts: threads of the slot, the CUDA context."""
        import torch

        torch.set_num_threads(context.threads)
        if context.device == "cuda":
            torch.ones((2, 2), device="cuda").cholesky_inverse()  # loads the linear algebra libraries too
            torch.cuda.synchronize()

    @abstractmethod
    def keep(self, session: Session) -> None:
        """Keep what scores are made from; called after each step."""

    def rows(self, train: Interactions) -> Rows:
        """Return the rows as this kind of model needs them."""
        return Rows(train.users, train.items, train.n_users, train.n_items)

    def settings(self) -> dict[str, Any]:
        """Return the configuration by RecBole's keys.

        Raises:
            AdapterError: a text in brackets cannot be read as a list.
        """
        given: dict[str, Any] = dict(self.entry.fixed)
        for word in (field.name for field in fields(self)):  # type: ignore[arg-type]
            value = self._value(word)
            if word == "negatives":
                given["train_neg_sample_args"] = {"distribution": "uniform", "sample_num": value}
            else:
                keys = self.entry.keys.get(word) or WORDS.get(word, (word,))
                given |= dict.fromkeys(keys, value)
        return given

    def _value(self, word: str) -> Hyperparameter | list[Any]:
        """Return the value of a field; a list where it is one written out."""
        value: Hyperparameter = getattr(self, word)
        if not isinstance(value, str) or not value.startswith("["):
            return value
        try:
            found: list[Any] = json.loads(value)
        except ValueError as error:
            raise AdapterError(
                f"recbole/{self.entry.name}: {word} is {value!r}; "
                "it must be a list of numbers such as '[64, 64]'"
            ) from error
        return found

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train RecBole's epochs without its validation; one step where a model is ready when it is made."""
        from adapters.recbole.training import Session

        session = Session(self.entry.name, self.settings(), self.rows(train), context.seed, context.device)
        if self.entry.one_step:
            self.keep(session)
            yield
            return
        for _ in session.epochs(self.max_epochs):
            self.keep(session)
            yield

    def needs(self, train: Interactions) -> Needs:
        """Return the matrices over all pairs of items, where there are any."""
        n = train.n_items + 1
        why = (
            f"matrices of {n:,} x {n:,}"
            if self.entry.bytes_a_pair
            else "its rows, at RecBole's 200 bytes each"
        )
        return Needs(float(self.entry.bytes_a_pair) * n**2 + 200.0 * len(train), why=why)


class ByRecBole(RecBoleModel):
    """A model that only RecBole itself can score with."""

    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    _session: Session
    _seed: int

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train, and remember the seed: with it RecBole draws the same neighbours when it is made again."""
        self._seed = context.seed
        return super().fit_steps(train, context)

    def keep(self, session: Session) -> None:
        """Keep RecBole's model with its rows."""
        self._session = session

    def score(self, users: Ids) -> Scores:
        """Return the scores (B, I) of all items, by RecBole's own way to rank all."""
        return self._session.score(users)

    def state(self) -> dict[str, Array]:
        """Return the weights by the names of RecBole's layers, its rows, and the seed."""
        weights = self._session.model.state_dict().items()
        model = {f"{PREFIX}{name}": weight.cpu().numpy().copy() for name, weight in weights}
        return model | self._session.dataset.rows.state() | {SEED: np.array(self._seed)}

    def restore(self, state: dict[str, Array]) -> None:
        """Make RecBole's model again, on the CPU, and give it its weights."""
        import torch

        from adapters.recbole.training import Session

        rows, self._seed = Rows.restored(state), int(state[SEED])
        self._session = Session(self.entry.name, self.settings(), rows, self._seed, "cpu")
        weights = {
            name.removeprefix(PREFIX): torch.from_numpy(np.array(array))
            for name, array in state.items()
            if name.startswith(PREFIX)
        }
        self._session.model.load_state_dict(weights)


class ByVectors(DotProduct, RecBoleModel):
    """A model whose scores are dot products: numpy alone serves it."""

    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")

    def keep(self, session: Session) -> None:
        """Keep the vectors of all users and items."""
        self._users, self._items = session.vectors()


class ByItemWeights(ItemToItem, RecBoleModel):
    """A model whose scores are a history times weights (I, I): numpy and SciPy alone serve it.

    A pair with several rows counts as often, as it does in RecBole.
    """

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Solve for all weights in one step."""
        self._history = train.counts()
        return super().fit_steps(train, context)

    def keep(self, session: Session) -> None:
        """Keep the weights, dense or sparse as RecBole has them."""
        self._weights = session.item_weights()


class NextItem(ByRecBole):
    """A model of sequences: it reads the last ``history`` items of a user, in the order of time."""

    common: ClassVar[Mapping[str, Hyperparameter]] = {"history": 50}
    folds_repeats: ClassVar[bool] = True

    def rows(self, train: Interactions) -> Rows:
        """Return the rows one user after another, the earliest first."""
        _, order = train.histories()
        return Rows(train.users[order], train.items[order], train.n_users, train.n_items)


class NextItemOfAnybody(NextItem):
    """A model of sequences without a vector of each user, which serves users whom it was not trained with."""

    def fold_in(self, items: Ids) -> Scores:
        """Return scores (I,) for a new user whose history is these items, the earliest first."""
        return self._session.score_history(items)


class FromGraph(RecBoleModel):
    """A model that also learns from a knowledge graph."""

    needs_graph: ClassVar[bool] = True

    def rows(self, train: Interactions) -> Rows:
        """Return the rows with the graph."""
        assert train.graph is not None, "needs_graph"
        return Rows(train.users, train.items, train.n_users, train.n_items, train.graph)


class GraphByRecBole(FromGraph, ByRecBole):
    """A model of a knowledge graph that only RecBole itself can score with."""


class GraphByVectors(FromGraph, ByVectors):
    """A model of a knowledge graph whose scores are dot products."""
