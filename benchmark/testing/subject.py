"""An adapter class under test, with a configuration, and what it does with the planted log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache, cached_property
from itertools import islice
from typing import Any

import numpy as np

from benchmark.fit import handed_to
from benchmark.protocol import FitContext, Hyperparameter, Ids, Interactions, Scores
from benchmark.testing.planted import planted_parts
from benchmark.testing.soundness import assert_defaults_inside, assert_finite_scores, assert_steps
from benchmark.traits import Traits, traits


@dataclass(frozen=True)
class Subject:
    """An adapter class with a configuration, and what it does with the planted log.

    Attributes:
        cls: the class.
        config: fields that differ from their defaults.
    """

    cls: type
    config: tuple[tuple[str, Hyperparameter], ...]

    @cached_property
    def traits(self) -> Traits:
        """What the class says about itself."""
        return traits(self.cls)

    @cached_property
    def train(self) -> Interactions:
        """What it is handed of the planted log."""
        train, _ = planted_parts()
        return handed_to(self.traits, train)

    def new(self) -> Any:
        """Return a model that has seen nothing, as it is before ``restore``."""
        return self.cls(**dict(self.config))

    def begin(
        self, train: Interactions, seed: int = 0, step_rows: int | None = None
    ) -> tuple[Any, Iterator[int | None]]:
        """Return a new model and its steps, none of them taken."""
        context = FitContext(seed=seed, step_rows=step_rows)
        if hasattr(self.cls, "open_device"):
            self.cls.open_device(context)
        model = self.new()
        walk = model.fit_steps(train, context)
        assert_steps(walk)
        return model, walk

    def fit(self, steps: int, seed: int = 0, train: Interactions | None = None) -> Any:
        """Return a model after ``steps`` steps, or as many as it makes."""
        model, walk = self.begin(self.train if train is None else train, seed)
        taken = sum(1 for _ in islice(walk, steps))
        assert taken, "fit_steps() yielded nothing; it must yield at least once"
        return model

    def in_small_batches(self) -> Subject:
        """Return the same with batches that are few of the planted log's rows, where it has any."""
        if "batch_size" not in {field.name for field in fields(self.cls)}:
            return self
        return Subject(self.cls, tuple(sorted({**dict(self.config), "batch_size": 16}.items())))


@cache
def fitted(subject: Subject, steps: int, seed: int = 0) -> tuple[Any, Scores]:
    """Return a model and its scores of all users; tests that only look share it."""
    model = subject.fit(steps, seed)
    return model, model.score(all_users(subject.train))


@cache
def fault(subject: Subject, steps: int | None) -> str:
    """Return over what every later test would stumble, "" if nothing; without ``steps`` only the space."""
    try:
        assert_defaults_inside(subject.cls(), subject.traits.space)
        if steps is None:
            return ""
        model, _ = fitted(subject, steps)
        assert_finite_scores(model, subject.train.n_users, subject.train.n_items)
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises would fail every test alike
        return f"{type(error).__name__}: {error}"
    return ""


def all_users(log: Interactions) -> Ids:
    """Return every user of a log."""
    return np.arange(log.n_users, dtype=np.int32)
