"""Slots: k cores + m MB of memory + 0 or 1 whole GPU, and how many of them fit on this machine."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmark.errors import RunError


@dataclass(frozen=True)
class Slot:
    """What one trial reserves while it runs; a GPU's memory is None where the driver does not say it."""

    cores: tuple[int, ...]
    memory_mb: float
    gpu: int | None = None
    gpu_memory_mb: float | None = None

    @property
    def device(self) -> str:
        """The device that the slot holds: "cuda" or "cpu"."""
        return "cpu" if self.gpu is None else "cuda"


def gpus() -> list[str]:
    """Return the names of the NVIDIA GPUs that the driver shows, without any framework."""
    return asked_of_driver("name")


def asked_of_driver(what: str) -> list[str]:
    """Return what the driver says of each NVIDIA GPU; nothing where there is no driver."""
    if shutil.which("nvidia-smi") is None:
        return []
    query = ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader,nounits"]
    answer = subprocess.run(query, capture_output=True, text=True, check=False, timeout=20)
    return [line for line in answer.stdout.splitlines() if line] if answer.returncode == 0 else []


def gpu_memory_mb() -> dict[int, float]:
    """Return the memory of each GPU whose driver says it, in MiB; a slice of one may not."""
    found = enumerate(asked_of_driver("memory.total"))
    return {number: float(words) for number, words in found if words.strip().isdecimal()}


def visible_gpus() -> dict[int, str]:
    """Return number and name of the GPUs that CUDA_VISIBLE_DEVICES allows; all if it is not set."""
    found = dict(enumerate(gpus()))
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None:
        return found
    chosen = {int(word) for word in allowed.split(",") if word.strip().isdigit()}
    return {number: name for number, name in found.items() if number in chosen}


def usable_cores() -> list[int]:
    """Return the cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def machine_memory_mb() -> float:
    """Return the memory of this machine in MiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20


class Slots:
    """The slots of this machine; ``take`` lends one to a study and gets it back."""

    def __init__(self, cores: int, memory_mb: float, gpu: str, jobs: int | None = None) -> None:
        """Divide the machine into slots; ``jobs`` limits how many are lent at once.

        Raises:
            RunError: not even one slot fits, or a GPU is asked for and none is here.
        """
        own, visible = usable_cores(), visible_gpus() if gpu != "no" else {}
        if gpu == "yes" and not visible:
            raise RunError("budget.slot.gpu is 'yes' but no GPU is visible; write auto or no")
        fits = min(len(own) // cores, int(machine_memory_mb() // memory_mb), len(visible) or len(own))
        if fits < 1:
            raise RunError(
                f"a slot of {cores} cores and {memory_mb:.0f} MB does not fit: "
                f"this machine has {len(own)} cores and {machine_memory_mb():.0f} MB; lower budget.slot"
            )
        self.count = min(fits, jobs or fits)
        self.device = "cuda" if visible else "cpu"
        numbers, gpu_mb = sorted(visible), gpu_memory_mb() if visible else {}
        self.gpu_mb = min(gpu_mb.values(), default=None)
        self._free: queue.SimpleQueue[Slot] = queue.SimpleQueue()
        for index in range(self.count):
            lent = tuple(own[index * cores : (index + 1) * cores])
            number = numbers[index] if visible else None
            self._free.put(Slot(lent, memory_mb, number, None if number is None else gpu_mb.get(number)))

    @property
    def free(self) -> int:
        """How many are not lent at the moment."""
        return self._free.qsize()

    @contextmanager
    def take(self) -> Iterator[Slot]:
        """Lend a slot; wait until one is free."""
        slot = self._free.get()
        try:
            yield slot
        finally:
            self._free.put(slot)
