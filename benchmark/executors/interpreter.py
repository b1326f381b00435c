"""Interpreters for fork servers: threads capped by their environment, no path to data or runs in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from benchmark.environments.inside import InsidePython
from benchmark.executors.channel import Channel
from benchmark.executors.processes import start_ticks
from benchmark.executors.slots import Slot

SERVER = "benchmark.executors.fork_server"
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
"""Variables without which an interpreter or a driver does not start: passed on, whatever they name."""


class ServerProcess(Protocol):
    """A process that becomes a fork server, however it was made."""

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
        """Return whether it has ended, waiting up to ``within_s`` for it."""
        ...

    def tidy(self) -> None:
        """Remove what it leaves behind."""
        ...


class Interpreter:
    """A fresh interpreter in an empty folder: our own, or that of an environment."""

    def __init__(self, slot: Slot, hidden: Sequence[Path], inside: InsidePython | None = None) -> None:
        """Start it.

        Args:
            slot: whose cores and GPU its environment names.
            hidden: paths that no environment variable passed on may contain.
            inside: the interpreter of an environment; our own if None.
        """
        self._folder = tempfile.mkdtemp(prefix=f"{SCRATCH_PREFIX}{os.getpid()}-")
        self.control, theirs = Channel.pair()
        variables = child_environment(slot, self._folder, hidden)
        arguments = (str(theirs.fileno()), str(os.getpid()))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", SERVER, *arguments]
            if inside is None
            else inside.command(f"from {SERVER} import main; main(*map(int, sys.argv[1:]))", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env=variables if inside is None else inside.variables(variables),
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
        """Return whether it has ended, waiting up to ``within_s`` for it."""
        try:
            self._process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def tidy(self) -> None:
        """Remove its folder."""
        shutil.rmtree(self._folder, ignore_errors=True)


def child_environment(slot: Slot, folder: str, hidden: Sequence[Path]) -> dict[str, str]:
    """Return the environment of a child: thread caps in; paths to data and runs out.

    Args:
        slot: whose cores and GPU it names.
        folder: the child's own.
        hidden: paths that no variable may contain.
    """
    caps = dict.fromkeys(THREAD_CAPS, str(len(slot.cores) or 1))
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "PYTHONUNBUFFERED": "1"}
    own = {"HOME": folder, "TMPDIR": folder, "PWD": folder}
    return without_hidden_paths(os.environ, hidden) | caps | quiet | gpu_environment(slot) | own


def without_hidden_paths(environment: Mapping[str, str], hidden: Sequence[Path]) -> dict[str, str]:
    """Return the variables that name no hidden path, nor one inside it, and are not bench's own."""
    resolved = [path.resolve() for path in hidden]

    def is_shown(name: str, value: str) -> bool:
        if name.startswith("BENCH_") or name in {"PWD", "OLDPWD"}:
            return False
        paths = [Path(entry) for entry in value.split(os.pathsep) if entry.startswith("/")]
        return not any(folder == path or folder in path.parents for folder in resolved for path in paths)

    return {name: value for name, value in environment.items() if name in NEEDED or is_shown(name, value)}


def gpu_environment(slot: Slot) -> dict[str, str]:
    """Return the variable that shows a slot's GPU, and no other."""
    return {"CUDA_VISIBLE_DEVICES": "" if slot.gpu is None else str(slot.gpu)}


def sweep_scratch() -> None:
    """Remove the scratch folders of supervisors that have died."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH_PREFIX}*"):
        owner = folder.name.removeprefix(SCRATCH_PREFIX).partition("-")[0]
        if owner.isdigit() and start_ticks(int(owner)) is None:
            shutil.rmtree(folder, ignore_errors=True)
