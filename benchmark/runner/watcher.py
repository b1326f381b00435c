"""What a run tells whoever watches it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from benchmark.records import StudyRecord, StudyStatus


class Watcher(Protocol):
    """Hears how a run proceeds, from several threads at once."""

    def said(self, text: str) -> None:
        """One line worth showing: where data came from, what was flagged."""

    def planned(
        self,
        studies: Sequence[StudyRecord],
        budget_s: float,
        slots: int,
        refits: int,
        kept: Collection[str] = (),
    ) -> None:
        """All studies are known, and which of them are tuned already and kept; nothing is spent yet."""

    def trial(self, study: str, number: int) -> None:
        """A trial starts."""

    def spent(self, study: str, charged_s: float) -> None:
        """The study has been charged this much so far."""

    def step(self, study: str, number: int, value: float) -> None:
        """The running trial has a new validated value."""

    def study_closed(self, study: str, status: StudyStatus, best: float | None, reason: str) -> None:
        """A study has ended for ``reason``; ``best`` is its best value on validation."""

    def final(self, study: str, done: int, total: int) -> None:
        """``done`` of a model's finals are done."""


class Silent:
    """Hears a run and shows nothing of it."""

    def said(self, *_: Any, **__: Any) -> None:
        """Show nothing."""

    planned = trial = spent = step = study_closed = final = said
