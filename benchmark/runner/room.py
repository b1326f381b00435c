"""Whether a configuration fits into a slot, by its adapter's own formula: no process, no charge."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from benchmark.datasets.manifest import SplitManifest
from benchmark.errors import AdapterError
from benchmark.executors.slots import Slot
from benchmark.modelkit.footprints import counts_alone
from benchmark.protocol import Interactions, Needs, Range
from benchmark.records import Params, TrainOn
from benchmark.runner.plan import Study

BESIDE_MB = 512.0
"""What a process takes besides data and model: interpreter, framework (up to 330 MB), a batch of scores."""
CORNERS = 512
"""Corners of a space that are asked at most."""
GIGABYTE = 1024.0


@dataclass(frozen=True)
class Room:
    """What a model may take.

    Attributes:
        memory_mb: of the slot, MiB.
        gpu_mb: of its GPU, MiB; None where it has none, or nothing is known of it.
    """

    memory_mb: float
    gpu_mb: float | None = None

    @classmethod
    def of_slot(cls, slot: Slot) -> Room:
        """Return the room of a slot."""
        return cls(slot.memory_mb, slot.gpu_memory_mb)

    @property
    def host_mb(self) -> float:
        """What is left for the model once its process has started; at least half of a small slot."""
        return max(self.memory_mb - BESIDE_MB, self.memory_mb / 2)


def rows_of(study: Study, manifest: SplitManifest, train_on: TrainOn = "train") -> int:
    """Return how many rows of a stored split a model is trained on."""
    parts = ("train", "valid") if train_on == "train+valid" else ("train",)
    implicit = study.adapter.traits.feedback == "implicit"
    counts = [manifest.parts[part] for part in parts]
    return sum(part.positives if implicit else part.rows for part in counts)


def log_in(study: Study, manifest: SplitManifest, train_on: TrainOn) -> Interactions:
    """Return the counts of what a model is trained on at most: its final's rows, where these are more."""
    return counts_alone(manifest.n_users, manifest.n_items, rows_of(study, manifest, train_on))


def needs_of(study: Study, params: Params, log: Interactions) -> Needs | None:
    """Return what a configuration needs beyond the log; None if its adapter does not say.

    Raises:
        AdapterError: it says no such thing.
    """
    model = study.adapter.cls(**params)
    if not hasattr(model, "needs"):
        return None
    try:
        needs = model.needs(log)
    except Exception as error:
        raise AdapterError(
            f"{study.adapter.name}: needs() failed: {type(error).__name__}: {error}; it may ask for n_users, "
            "n_items and len(train) alone"
        ) from error
    if not isinstance(needs, Needs) or not all(
        math.isfinite(count) and count >= 0 for count in (needs.host_bytes, needs.device_bytes)
    ):
        raise AdapterError(f"{study.adapter.name}: needs() returned {needs!r}, expected Needs, finite bytes")
    return needs


def shortfall(study: Study, params: Params, log: Interactions, room: Room) -> str | None:
    """Return why a configuration does not fit, with the figures; None if it does, or nobody knows.

    Raises:
        AdapterError: the adapter does not say what it needs as it should.
    """
    needs = needs_of(study, params, log)
    if needs is None:
        return None
    on_gpu = room.gpu_mb is not None and "cuda" in study.adapter.traits.devices
    why = f" ({needs.why})" if needs.why else ""
    sizes = f"{log.n_users:,} users and {log.n_items:,} items{why}"
    device_mb, host_mb = needs.device_bytes / 2**20, needs.host_bytes / 2**20
    if on_gpu and room.gpu_mb is not None and device_mb > room.gpu_mb:
        return (
            f"{study.model} needs {in_gb(device_mb)} of the GPU's memory for {sizes}; "
            f"the slot's GPU has {in_gb(room.gpu_mb)}"
        )
    if host_mb > room.host_mb:
        kept = in_gb(room.memory_mb - room.host_mb)
        return (
            f"{study.model} needs {in_gb(host_mb)} for {sizes}; "
            f"the slot has {in_gb(room.memory_mb)}, of which {kept} are for the process itself"
        )
    return None


def never_fits(study: Study, log: Interactions, room: Room) -> str | None:
    """Return why no configuration of a study fits; None if one may.

    Asked are the default and the corners of the space: what a model needs grows or falls with each of its
    hyperparameters.
    """
    first = shortfall(study, study.default, log, room)
    if first is None:
        return None
    ends = [
        (domain.low, domain.high) if isinstance(domain, Range) else domain.options
        for domain in study.space.values()
    ]
    corners = itertools.islice(itertools.product(*ends), CORNERS)
    configs = (study.config(dict(zip(study.space, corner, strict=True))) for corner in corners)
    return first if all(shortfall(study, config, log, room) for config in configs) else None


def foretold(study: Study, log: Interactions, room: Room) -> str | None:
    """Return what to say of a study before anything is spent; None if its default configuration fits.

    Raises:
        AdapterError: the adapter does not say what it needs as it should.
    """
    first = shortfall(study, study.default, log, room)
    if first is None:
        return None
    never = never_fits(study, log, room) is not None
    return f"does not fit: {first}" if never else f"its default does not fit, others are tried: {first}"


def in_gb(megabytes: float) -> str:
    """Return MiB as a suite writes them.

    >>> in_gb(10240.0), in_gb(512.0), in_gb(100000.0)
    ('10 GB', '0.5 GB', '97.7 GB')
    """
    return f"{round(megabytes / GIGABYTE, 1):g} GB"
