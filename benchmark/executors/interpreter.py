"""Interpreters for fork servers: thread caps in their environment, and no path to data or runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol

from benchmark.executors.channel import Channel
from benchmark.executors.processes import start_ticks
from benchmark.executors.slots import Slot

SCRATCH_PREFIX = "bench-scratch-"
THREAD_CAPS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
NEEDED = frozenset({"PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "LANG", "LC_ALL"})
"""Variables without which an interpreter or a driver does not start: handed on whatever they name."""


class ServerProcess(Protocol):
    """A process that will be a fork server, however it came about."""

    @property
    def pid(self) -> int:
        """Its number; also that of its group."""
        ...

    @property
    def control(self) -> Channel:
        """Our end of the conversation with it."""
        ...

    @property
    def output(self) -> IO[bytes]:
        """What it and its children print."""
        ...

    def ended(self, within_s: float) -> bool:
        """Return whether it has ended, waiting so long for it."""
        ...

    def tidy(self) -> None:
        """Remove what it leaves behind."""
        ...


class Interpreter:
    """A fresh interpreter in an empty folder."""

    def __init__(self, slot: Slot, hidden: Sequence[Path]) -> None:
        """Start it.

        Args:
            slot: whose cores and GPU its environment speaks of.
            hidden: paths that no environment variable handed on may contain.
        """
        self._folder = tempfile.mkdtemp(prefix=f"{SCRATCH_PREFIX}{os.getpid()}-")
        self.control, theirs = Channel.pair()
        program = [sys.executable, "-P", "-m", "benchmark.executors.fork_server"]
        self._process = subprocess.Popen(
            [*program, str(theirs.fileno()), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env=child_environment(slot, self._folder, hidden),
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """Its number; also that of its group."""
        return self._process.pid

    @property
    def output(self) -> IO[bytes]:
        """What it and its children print."""
        assert self._process.stdout is not None
        return self._process.stdout

    def ended(self, within_s: float) -> bool:
        """Return whether it has ended, waiting so long for it."""
        try:
            self._process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def tidy(self) -> None:
        """Remove its folder."""
        shutil.rmtree(self._folder, ignore_errors=True)


def child_environment(slot: Slot, folder: str, hidden: Sequence[Path]) -> dict[str, str]:
    """Return the environment of a child: thread caps in, data and run paths out."""
    secret = [path.resolve() for path in hidden]
    kept = {
        key: value
        for key, value in os.environ.items()
        if key in NEEDED
        or not (key.startswith("BENCH_") or key in {"PWD", "OLDPWD"} or _tells(value, secret))
    }
    caps = dict.fromkeys(THREAD_CAPS, str(len(slot.cores) or 1))
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "PYTHONUNBUFFERED": "1"}
    return kept | caps | quiet | gpu_environment(slot) | {"HOME": folder, "TMPDIR": folder, "PWD": folder}


def gpu_environment(slot: Slot) -> dict[str, str]:
    """Return the variable that shows a slot's GPU, and no other."""
    return {"CUDA_VISIBLE_DEVICES": "" if slot.gpu is None else str(slot.gpu)}


def _tells(value: str, secret: Sequence[Path]) -> bool:
    """Return whether a variable names one of the hidden folders, or a place in it."""
    places = [Path(entry) for entry in value.split(os.pathsep) if entry.startswith("/")]
    return any(path == place or path in place.parents for path in secret for place in places)


def sweep_scratch() -> None:
    """Remove the scratch folders of supervisors that no longer live."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH_PREFIX}*"):
        owner = folder.name.removeprefix(SCRATCH_PREFIX).partition("-")[0]
        if owner.isdigit() and start_ticks(int(owner)) is None:
            shutil.rmtree(folder, ignore_errors=True)
