"""Adapters of the tiny framework, which lives in an environment of its own; one of them is rude."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.modelkit.dot_product import DotProduct
from benchmark.protocol import Array, Choice, FitContext, Floats32, Ids, Interactions, Scores, Space, Vectors

SLEEPER = "import os, time; os.setsid(); time.sleep(600)"
"""A process that leaves its group and its session."""


@dataclass
class Counts(DotProduct):
    """Popularity, as the tiny framework counts it."""

    space: ClassVar[Space] = {}
    deterministic: ClassVar[bool] = True
    environment: ClassVar[str] = "tiny"
    requires: ClassVar[tuple[str, ...]] = ("tinyframework",)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        import tinyframework  # in its environment alone

        counts = np.array(tinyframework.counts(train.items, train.n_items), dtype=np.float32)
        self._users, self._items = np.ones((train.n_users, 1), dtype=np.float32), counts[:, None]
        yield


@dataclass
class Plain:
    """The same without anything that a bundle could hold."""

    space: ClassVar[Space] = {}
    deterministic: ClassVar[bool] = True
    environment: ClassVar[str] = "tiny"
    requires: ClassVar[tuple[str, ...]] = ("tinyframework",)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        import tinyframework

        self._items: Floats32 = np.array(tinyframework.counts(train.items, train.n_items), dtype=np.float32)
        self._n_users = train.n_users
        yield

    def score(self, users: Ids) -> Scores:
        return np.tile(self._items, (len(users), 1))


@dataclass
class Stateless(Plain):
    """The same without a state, but with vectors: the engine stores these."""

    def vectors(self) -> Vectors:
        return Vectors(np.ones((self._n_users, 1), dtype=np.float32), self._items[:, None])


@dataclass
class Opaque(Plain):
    """The same, but only the framework can score what it has stored."""

    def state(self) -> dict[str, Array]:
        return {"items": self._items}

    def restore(self, state: dict[str, Array]) -> None:
        import tinyframework  # noqa: F401 - as a framework's own models need it

        self._items = state["items"]


@dataclass
class Looking(Counts):
    """Says where it runs, and what it can see there."""

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        tops = sorted({name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names)
        print("runs", sys.executable, "with", *tops, flush=True)
        print("looks in", *sys.path, flush=True)
        print("is told", *(f"{name}={value}" for name, value in os.environ.items()), flush=True)
        yield from super().fit_steps(train, context)


@dataclass
class Rude(Counts):
    """Does what frameworks do that nobody has asked."""

    how: str = "crash"
    space: ClassVar[Space] = {}
    limits: ClassVar = {"how": Choice("crash", "print", "threads", "children", "write", "import")}

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        match self.how:
            case "crash":
                os.abort()
            case "print":
                for _ in range(10):
                    print("x" * 1_000_000)
            case "threads":
                for _ in range(8):
                    threading.Thread(target=time.sleep, args=(600,)).start()
            case "children":
                for _ in range(2):
                    started = subprocess.Popen([sys.executable, "-c", SLEEPER])
                    print("started", started.pid, flush=True)
            case "write":
                Path("saved").mkdir()
                Path("saved/model.pth").write_bytes(bytes(1000))
                print("wrote", Path("saved").resolve(), flush=True)
            case "import":
                import pandas as pd  # noqa: F401 - ours, and not there
        yield from super().fit_steps(train, context)


@dataclass
class Shapeless(Counts):
    """Leaves out one column."""

    def score(self, users: Ids) -> Scores:
        return super().score(users)[:, 1:]
