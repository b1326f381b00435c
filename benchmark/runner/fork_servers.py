"""One fork server per model, reused from tuning to final refits, and one scorer process per slot.

All are forked from a root that has imported the engine and nothing else: our own, or that of an environment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.environments.inside import FIRST_IMPORT_S, IMPORTED, InsidePython
from benchmark.errors import AdapterError, EnvError
from benchmark.executors.executor import Executor
from benchmark.executors.local import ForkServer, Preload
from benchmark.executors.slots import Slot, machine_memory_mb
from benchmark.runner.plan import Study
from benchmark.runner.splits import StoredSplit

KEPT = 1 / 8
"""Share of the machine's memory that idle processes may hold between a model's study and its finals."""
ROOT = Preload(["scipy.sparse", "benchmark.final_fit"], "benchmark.scorer:load", {})
ROOT_INSIDE = Preload(["scipy.sparse", *IMPORTED], "benchmark.executors.fork_server:nothing", {})
"""In an environment nothing is scored: what only the scorer imports is not there."""
SCORER = Preload(["pandas", "pyarrow.parquet"], "benchmark.scorer:load", {})


@dataclass
class ForkServers:
    """Starts fork servers, lends them out, and closes what is left.

    The kernel kills a fork server when the thread that started it ends (``PR_SET_PDEATHSIG``), so call
    from threads that live as long as the run.

    Attributes:
        log: takes each line that one prints, and a line as each gets ready.
        hidden: paths that no environment variable passed on may contain.
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
    _roots: dict[Path | None, ForkServer] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _starting: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def lend(self, study: Study, data: StoredSplit, slot: Slot, *, keep: bool) -> Iterator[Executor]:
        """Lend the process that has imported a study's framework and read train and validation.

        Args:
            study: whose model it is.
            data: the stored split.
            slot: where its fits run from now on.
            keep: whether it is needed once more; it is kept if memory allows.

        Raises:
            AdapterError: the import or the loading failed, or took too long.
            ExecutorLost: the root died.
        """
        fork_server = self._kept_for(study, slot)
        if fork_server is None:
            arguments = {
                "directory": str(data.directory),
                "candidates": data.manifest.candidates.rule,
                "sampled": self.sampled,
                "seen": data.manifest.seen,
                "valid_sampled": data.manifest.valid_sample is not None,
            }
            preload = Preload(study.adapter.preload, "benchmark.trial:load", arguments)
            try:
                inside = study.adapter.inside
            except EnvError as error:  # gone, or changed, since the run began
                raise AdapterError(f"{study.adapter.name}: {error}") from error
            fork_server = self._start(study.name, preload, slot, self._root(slot, inside))
        try:
            yield fork_server
        except BaseException:
            fork_server.close()
            raise
        memory_mb = fork_server.memory_mb
        with self._lock:
            held_mb = sum(held for _, held in self._kept.values())
            if keep and memory_mb + held_mb <= self.keep_mb:
                self._kept[study.name] = fork_server, memory_mb
                return
        fork_server.close()

    def drop(self, study: Study) -> None:
        """Close the process of a study whose finals will not come."""
        with self._lock:
            fork_server, _ = self._kept.pop(study.name, (None, 0.0))
        if fork_server is not None:
            fork_server.close()

    def scorer(self, slot: Slot) -> Executor:
        """Return the process that forks scorers on a slot's cores; whoever holds the slot holds it too.

        Raises:
            AdapterError: it did not get ready.
            ExecutorLost: the root died.
        """
        with self._lock:
            scorer = self._scorers.get(slot.cores)
        if scorer is not None and scorer.alive:
            return scorer
        self.drop_scorer(slot)
        scorer = self._start("scorer", SCORER, without_gpu(slot), self._root(slot))
        with self._lock:
            self._scorers[slot.cores] = scorer
        return scorer

    def drop_scorer(self, slot: Slot) -> None:
        """Close the scorer process of a slot after a fault: the next one is new."""
        with self._lock:
            scorer = self._scorers.pop(slot.cores, None)
        if scorer is not None:
            scorer.close()

    def close(self) -> None:
        """End them all."""
        with self._lock:
            left = [fork_server for fork_server, _ in self._kept.values()] + list(self._scorers.values())
            self._kept.clear()
            self._scorers.clear()
        for fork_server in [*left, *self._roots.values()]:
            fork_server.close()

    def _kept_for(self, study: Study, slot: Slot) -> ForkServer | None:
        """Return the fork server that tuning left, moved to this slot; None if it cannot be used here."""
        with self._lock:
            fork_server, _ = self._kept.pop(study.name, (None, 0.0))
        if fork_server is None:
            return None
        if fork_server.slot.gpu != slot.gpu or not fork_server.alive:  # it sees the GPU it was started with
            fork_server.close()
            return None
        fork_server.slot = slot
        return fork_server

    def _root(self, slot: Slot, inside: InsidePython | None = None) -> ForkServer:
        """Return the process that has imported the engine: all others of its Python are forked from it."""
        key = None if inside is None else inside.links
        with self._starting:
            root = self._roots.get(key)
            if root is None or not root.alive:
                if root is not None:
                    root.close()
                name, preload = ("root", ROOT) if inside is None else ("root inside", ROOT_INSIDE)
                root = self._roots[key] = self._start(name, preload, without_gpu(slot), inside=inside)
        return root

    def _start(
        self,
        name: str,
        preload: Preload,
        slot: Slot,
        root: ForkServer | None = None,
        inside: InsidePython | None = None,
    ) -> ForkServer:
        """Start a fork server and log that it is ready; what it prints is logged under its name."""
        fork_server = ForkServer(
            slot,
            preload,
            log=lambda line: self.log(f"[{name}] {line}"),
            hidden=self.hidden,
            stop=self.stop,
            ready_s=self.ready_s if inside is None else max(self.ready_s, FIRST_IMPORT_S),
            root=root,
            inside=inside,
        )
        self.log(f"[{name}] fork server {fork_server.pid} is ready")
        return fork_server


def without_gpu(slot: Slot) -> Slot:
    """Return the slot without its GPU."""
    return Slot(slot.cores, slot.memory_mb)
