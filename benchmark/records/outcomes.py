"""How things end and on what: the words that records are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from benchmark.protocol import Hyperparameter

Params: TypeAlias = Mapping[str, Hyperparameter]
Outcome: TypeAlias = Literal[
    "complete", "pruned", "does-not-fit", "timeout", "oom", "nan", "crash", "broken", "machine", "lost"
]
"""How a trial or final ended; "machine" is a fault of the machine, "lost" the end of its supervisor.

What "does-not-fit" was never started: by its adapter's own formula it needs more than the slot has.
"""
StudyStatus: TypeAlias = Literal["ok", "failed", "no-result", "does-not-fit"]
StoppedBy: TypeAlias = Literal["pruned", "patience", "hold"]
TrainOn: TypeAlias = Literal["train", "train+valid"]
ConfigSource: TypeAlias = Literal["tuned", "default"]
"""Which configuration a final refits: the best of the study, or the adapter's default."""

LOST: Outcome = "lost"
MACHINE: Outcome = "machine"
DOES_NOT_FIT: Outcome = "does-not-fit"
REFUNDED: frozenset[Outcome] = frozenset({LOST, MACHINE})
"""Outcomes whose seconds are recorded but not counted against the budget."""


@dataclass(frozen=True)
class Ending:
    """How a process, or what it was to do, ended: the outcome, and the same in words."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Cost:
    """What an entry cost: seconds, memory and core-seconds as :class:`Closed` has them."""

    lease_s: float = 0.0
    charged_s: float = 0.0
    memory_mb: float | None = None
    core_s: float | None = None
