"""Adapters that misbehave on purpose, and one that searches for what it must not see."""

from __future__ import annotations

import gc
import os
import signal
import socket
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.modelkit.pace import Pace
from benchmark.protocol import Array, FitContext, Ids, Interactions, Needs, Range, Scores, Space, Values


@dataclass
class Steady:
    """Counts items, takes ``pause_s`` a step, and scores best when ``bend`` is near one half."""

    bend: float = 0.1
    pause_s: float = 0.02
    max_epochs: int = 4
    space: ClassVar[Space] = {"bend": Range(0.0, 1.0)}

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        counts = np.bincount(train.items, minlength=train.n_items).astype(np.float32)
        noise = np.random.default_rng(context.seed).random(train.n_items, dtype=np.float32)
        mix = abs(self.bend - 0.5)
        self._scores = (1 - mix) * counts + mix * noise * counts.max()
        for _ in range(self.max_epochs):
            time.sleep(self.pause_s)
            yield

    def score(self, users: Ids) -> Scores:
        return np.tile(self._scores, (len(users), 1))

    def state(self) -> dict[str, Array]:
        return {"scores": self._scores}

    def restore(self, state: dict[str, Array]) -> None:
        self._scores = state["scores"]


@dataclass
class Fixed(Steady):
    """A deterministic model with nothing to tune."""

    space: ClassVar[Space] = {}
    deterministic: ClassVar[bool] = True


@dataclass
class Rating(Fixed):
    """Rates every pair 3.25, and remembers which pairs it was asked about."""

    feedback: ClassVar[str] = "explicit"
    asked: ClassVar[list[tuple[Ids, Ids]]] = []

    def rate(self, users: Ids, items: Ids) -> Values:
        self.asked.append((users, items))
        return np.full(len(users), 3.25)


@dataclass
class Dear(Fixed):
    """Takes far longer to score than to train, and is nothing before its last step."""

    pause_s: float = 0.001
    max_epochs: int = 9

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        for number, _ in enumerate(super().fit_steps(train, context), 1):
            best, self._scores = self._scores, np.arange(train.n_items, dtype=np.float32)
            if number == self.max_epochs:
                self._scores = best
            yield
            self._scores = best

    def score(self, users: Ids) -> Scores:
        time.sleep(0.1)
        return super().score(users)


@dataclass
class Streaming(Fixed):
    """Trains two passes in steps as small as it is asked for, and is nothing before the last."""

    max_epochs: int = 2
    streams: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        counts = np.bincount(train.items, minlength=train.n_items).astype(np.float32)
        steps = list(Pace.of(train, context).ends(len(train)).values()) * self.max_epochs
        for number, rows in enumerate(steps, 1):
            self._scores = counts if number == len(steps) else -counts
            yield rows


@dataclass
class Endless(Steady):
    """Never finishes its first step, and ignores SIGTERM."""

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(0.05)
        yield


@dataclass
class Vast(Fixed):
    """Says that it needs far more memory than a slot has, and must never be started."""

    def needs(self, train: Interactions) -> Needs:
        return Needs(64 * 2**30, why=f"{len(train):,} rows of gold")

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        raise RuntimeError("it was started all the same")
        yield


@dataclass
class Roomy(Steady):
    """Needs ``gigabytes``: its default fits, and most of its space does not."""

    gigabytes: float = 0.1
    space: ClassVar[Space] = {"gigabytes": Range(0.1, 500.0)}

    def needs(self, train: Interactions) -> Needs:
        return Needs(self.gigabytes * 2**30, why=f"for {train.n_items:,} items")

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        assert self.gigabytes < 2, "it was started all the same"
        yield from super().fit_steps(train, context)


@dataclass
class Oversized(Roomy):
    """Its default does not fit, and little of its space does."""

    gigabytes: float = 400.0


@dataclass
class Sliced(Steady):
    """Yields after as many rows as it may train, within a pass, and prints how many these are."""

    streams: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        print(f"may train {context.step_rows} rows", flush=True)
        for _ in super().fit_steps(train, context):
            yield from Pace.of(train, context).ends(len(train)).values()


@dataclass
class Stuck(Steady):
    """Takes two steps and never comes back from the third."""

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        steps = super().fit_steps(train, context)
        yield next(steps)
        yield next(steps)
        time.sleep(600)


@dataclass
class Lacking(Steady):
    """Wraps a library that nobody has."""

    requires: ClassVar[tuple[str, ...]] = ("no_such_library",)


@dataclass
class Crashing(Steady):
    """Raises in its first step."""

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        raise ZeroDivisionError("the planted crash")
        yield


@dataclass
class Forgetful:
    """Takes nothing of a state back."""

    space: ClassVar[Space] = {}

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        self._scores = np.zeros((train.n_users, train.n_items), dtype=np.float32)
        yield

    def score(self, users: Ids) -> Scores:
        return self._scores[users]

    def fold_in(self, items: Ids) -> Scores:
        return self._scores[items[0]]

    def state(self) -> dict[str, Array]:
        return {}

    def restore(self, state: dict[str, Array]) -> None:
        pass


@dataclass
class Unyielding(Steady):
    """Trains when it is called, and forgets to yield."""

    def fit_steps(self, train: Interactions, context: FitContext) -> None:  # type: ignore[override]
        list(super().fit_steps(train, context))


@dataclass
class Stepless(Steady):
    """Yields for each of no epochs."""

    max_epochs: int = 0


@dataclass
class Diverging(Steady):
    """Returns scores that are not finite."""

    def score(self, users: Ids) -> Scores:
        return np.full((len(users), len(self._scores)), np.nan, dtype=np.float32)


@dataclass
class Misshapen(Steady):
    """Leaves out one column."""

    def score(self, users: Ids) -> Scores:
        return super().score(users)[:, 1:]


@dataclass
class Hungry(Steady):
    """Takes memory until it is stopped."""

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        kept = []
        while True:
            kept.append(np.ones(20_000_000))
            time.sleep(0.02)
        yield


@dataclass
class Killed(Steady):
    """Is killed from outside in its first step, as the kernel does when memory runs out."""

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        os.kill(os.getpid(), signal.SIGKILL)
        yield


def _arrays(held: dict[object, object] | list[object] | tuple[object, ...]) -> list[Array]:
    values = list(held.values()) if isinstance(held, dict) else list(held)
    return [value for value in values if isinstance(value, np.ndarray) and value.dtype.kind == "f"]


PLANTED_USER, PLANTED_ITEM = 424_242, 535_353
PLANTED_VALUE = 4.125
"""A rating that occurs once in the planted log, in a row that lands in test."""


@dataclass
class Spy(Steady):
    """Searches everything it can reach for the planted test interaction; fails loudly if it finds it."""

    space: ClassVar[Space] = {}
    feedback: ClassVar[str] = "explicit"
    deterministic: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        for found in (self._in_memory(train), self._in_frames(), self._in_files(), self._in_environment()):
            if found:
                raise RuntimeError(f"SPY FOUND: {found}")
        yield from super().fit_steps(train, context)

    def _in_memory(self, train: Interactions) -> str | None:
        gc.unfreeze()  # the engine's fork server froze what it loaded; a spy would look there too
        logs = [train, *(held for held in gc.get_objects() if isinstance(held, Interactions))]
        if any((log.values == np.float32(PLANTED_VALUE)).any() for log in logs):
            return "a log with the test row"
        arrays = (
            inner
            for held in gc.get_objects()
            if isinstance(held, dict | list | tuple)
            for inner in _arrays(held)
        )
        if any((array == PLANTED_VALUE).any() for array in arrays):
            return "an array with the test row's rating"
        return None

    def _in_frames(self) -> str | None:
        frame = sys._getframe()
        while frame := frame.f_back:  # type: ignore[assignment]
            told = [name for name, value in frame.f_locals.items() if "splits" in repr(value)]
            if told:
                return f"the folder of the split in {told} of {frame.f_code.co_name}()"
        return None

    def _in_files(self) -> str | None:
        opened = [Path(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
        regular = [path for path in opened if path.exists() and path.is_file()]
        here = [path for path in Path.cwd().rglob("*") if path.is_file()]
        mapped = Path("/proc/self/maps").read_text("utf-8")
        if "splits" in mapped or any(str(path.resolve()).endswith((".npz", ".npy")) for path in regular):
            return "an open or mapped file of the split"
        names = {Path(line.split(maxsplit=5)[5]) for line in mapped.splitlines() if "/" in line}
        if any((above / "test" / "values.npy").exists() for name in names for above in name.parents):
            return "a mapped file beside test"
        return f"files {here} in the working directory" if here else None

    def _in_environment(self) -> str | None:
        words = " ".join(
            [*os.environ.values(), *sys.argv, Path("/proc/self/cmdline").read_text("utf-8"), os.getcwd()]
        )
        return next((word for word in ("spy-run", "spy-data") if word in words), None)


@dataclass
class Prying(Spy):
    """A rating spy that also reads ahead in its sockets, and looks at the engine's other processes."""

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        self._n_items = train.n_items
        yield from super().fit_steps(train, context)

    def _in_environment(self) -> str | None:
        return super()._in_environment() or self._in_sockets() or self._in_processes()

    def score(self, users: Ids) -> Scores:
        if found := self._in_sockets():
            raise RuntimeError(f"SPY FOUND: {found}")
        return super().score(users)

    def rate(self, users: Ids, items: Ids) -> Values:
        if len(users) < self._n_items:  # validation has more rows; of a small log finals ask whole ones
            raise RuntimeError(f"SPY FOUND: the pairs of test, alone: {users}, {items}")
        return np.full(len(users), 3.25)

    def _in_sockets(self) -> str | None:
        for number in map(int, os.listdir("/proc/self/fd")):
            try:
                if not stat.S_ISSOCK(os.fstat(number).st_mode):
                    continue
                with socket.socket(fileno=os.dup(number)) as opened:
                    if opened.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                        return f"something to read in descriptor {number}"
            except OSError:  # nothing to read
                continue
        return None

    def _in_processes(self) -> str | None:
        for number in filter(str.isdecimal, os.listdir("/proc")):
            try:
                started = Path(f"/proc/{number}/cmdline").read_text("utf-8")
                shown = started + Path(f"/proc/{number}/environ").read_text("utf-8")
            except OSError:  # it ended, or is closed to others
                continue
            if "benchmark.executors" in started and ("spy-run" in shown or "spy-data" in shown):
                return f"the run in the arguments or the environment of process {number}"
        return None
