"""The processes that fork fits: one a model, kept from its study for its finals, and one scorer a slot.

All are forked from a root that has imported the engine and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.executors.local import ForkServer, Preload
from benchmark.executors.slots import Slot, machine_memory_mb
from benchmark.runner.plan import Study
from benchmark.runner.splits import StoredSplit

KEPT = 1 / 8
"""Share of the machine's memory that idle processes may hold between a model's study and its finals."""
ROOT = Preload(["scipy.sparse", "benchmark.trial"], "benchmark.scorer:load", {})
SCORER = Preload(["pandas", "pyarrow.parquet"], "benchmark.scorer:load", {})


@dataclass
class ForkServers:
    """Starts them, lends them out, and closes what is left.

    The kernel kills such a process when the thread that started it ends (``PR_SET_PDEATHSIG``), so ask
    from threads that live as long as the run.

    Attributes:
        log: takes each line that one prints.
        hidden: paths that no environment variable handed on may contain.
        stop: set by whoever wants everything to end.
        ready_s: seconds that imports may take.
        sampled: whether a metric ranks drawn negatives.
        keep_mb: memory that idle ones may hold together; beyond it a model's finals import anew.
    """

    log: Callable[[str], None]
    hidden: Sequence[Path]
    stop: threading.Event
    ready_s: float
    sampled: bool
    keep_mb: float = field(default_factory=lambda: KEPT * machine_memory_mb())
    _kept: dict[str, tuple[ForkServer, float]] = field(default_factory=dict)
    _scorers: dict[tuple[int, ...], ForkServer] = field(default_factory=dict)
    _roots: list[ForkServer] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _starting: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def lend(self, study: Study, data: StoredSplit, slot: Slot, *, keep: bool) -> Iterator[ForkServer]:
        """Lend the process that has imported a study's framework and read train and validation.

        Args:
            study: whose model it is.
            data: the stored split.
            slot: where its fits run from now on.
            keep: whether it is needed once more; it is kept if memory allows.

        Raises:
            AdapterError: the import or the loading failed, or took too long.
        """
        fork_server = self._taken(study.name, slot) or self._started(study, data, slot)
        try:
            yield fork_server
        except BaseException:
            fork_server.close()
            raise
        if not (keep and self._put(study.name, fork_server)):
            fork_server.close()

    def drop(self, study: Study) -> None:
        """Close the process of a study whose finals will not come."""
        with self._lock:
            fork_server, _ = self._kept.pop(study.name, (None, 0.0))
        if fork_server is not None:
            fork_server.close()

    def scorer(self, slot: Slot) -> ForkServer:
        """Return the process that forks scorers on a slot's cores; whoever holds the slot holds it too."""
        with self._lock:
            known = self._scorers.get(slot.cores)
        if known is not None and known.alive:
            return known
        self.drop_scorer(slot)
        bare = Slot(slot.cores, slot.memory_mb)
        made = ForkServer(bare, SCORER, log=self.log, stop=self.stop, root=self._root(slot))
        with self._lock:
            self._scorers[slot.cores] = made
        return made

    def drop_scorer(self, slot: Slot) -> None:
        """Close the scorer process of a slot after a fault: the next one is new."""
        with self._lock:
            known = self._scorers.pop(slot.cores, None)
        if known is not None:
            known.close()

    def close(self) -> None:
        """End them all."""
        with self._lock:
            left = [fork_server for fork_server, _ in self._kept.values()] + list(self._scorers.values())
            self._kept.clear()
            self._scorers.clear()
        for fork_server in [*left, *self._roots]:
            fork_server.close()

    def _started(self, study: Study, data: StoredSplit, slot: Slot) -> ForkServer:
        return ForkServer(
            slot,
            set_up(study, data, sampled=self.sampled),
            log=lambda line: self.log(f"[{study.name}] {line}"),
            stop=self.stop,
            ready_s=self.ready_s,
            root=self._root(slot),
        )

    def _root(self, slot: Slot) -> ForkServer:
        """Return the process that has imported the engine: all others are forked from it."""
        with self._starting:
            root = self._roots[-1] if self._roots else None
            if root is None or not root.alive:
                bare = Slot(slot.cores, slot.memory_mb)
                root = ForkServer(
                    bare, ROOT, log=self.log, hidden=self.hidden, stop=self.stop, ready_s=self.ready_s
                )
                self._roots.append(root)
        return root

    def _taken(self, name: str, slot: Slot) -> ForkServer | None:
        with self._lock:
            fork_server, _ = self._kept.pop(name, (None, 0.0))
        if fork_server is None:
            return None
        # It sees the GPU that it was started with.
        if fork_server.slot.gpu != slot.gpu or not fork_server.alive:
            fork_server.close()
            return None
        fork_server.slot = slot
        return fork_server

    def _put(self, name: str, fork_server: ForkServer) -> bool:
        memory_mb = fork_server.memory_mb
        with self._lock:
            fits = memory_mb + sum(held for _, held in self._kept.values()) <= self.keep_mb
            if fits:
                self._kept[name] = fork_server, memory_mb
        return fits


def set_up(study: Study, data: StoredSplit, *, sampled: bool) -> Preload:
    """Return what the process that forks a study's fits imports and loads, once and uncharged.

    Args:
        study: whose fits.
        data: the split.
        sampled: whether a metric ranks drawn negatives.
    """
    facts = {"candidates": data.manifest.candidates.rule, "sampled": sampled}
    return Preload(study.adapter.preload, "benchmark.trial:load", {"directory": str(data.directory), **facts})
