"""A run's progress in a notebook: one bar for the whole run, a line for what happens now."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.records import StudyRecord, StudyStatus
    from benchmark.runner import Watcher

EVERY_S = 0.3
"""Seconds between two pictures of the bar."""


@contextmanager
def notebook_progress(watcher: Watcher | None) -> Iterator[Watcher | None]:
    """Lend whoever watches a run: the watcher that is given, else a bar where this is a notebook."""
    ipython = sys.modules.get("IPython")  # who has a notebook has imported it
    shell = None if ipython is None else ipython.get_ipython()
    if watcher is not None or ipython is None or not hasattr(shell, "kernel"):
        yield watcher
        return
    from IPython.display import HTML, display

    handle = display(HTML(""), display_id=True)
    bar = Bar(lambda html: handle.update(HTML(html)))
    try:
        yield bar
        bar.finish()
    finally:
        bar.draw(now=True)


class Bar:
    """Watches a run and shows it as HTML; a run tells it from several threads."""

    def __init__(self, show: Any) -> None:
        """Show each picture with ``show``, which takes HTML."""
        self._show, self._lock, self._drawn_s = show, threading.Lock(), float("-inf")
        self._said: list[str] = []
        self._now, self._over = "reading the data", False
        self._budget_s, self._refits = 0.0, 1
        self._charged_s: dict[str, float] = {}
        self._finals: dict[str, float] = {}

    @property
    def html(self) -> str:
        """The bar: tuning is the first four fifths of each model, its finals are the rest."""
        shares = [
            (0.8 * min(1.0, spent / self._budget_s) if self._budget_s else 0.0) + 0.2 * self._finals[study]
            for study, spent in self._charged_s.items()
        ]
        done = 1.0 if self._over else sum(shares) / max(1, len(shares))
        lines = "".join(f"<li>{escape(line)}</li>" for line in self._said)
        said = f"<details><summary>{len(self._said)} messages</summary><ul>{lines}</ul></details>"
        return (
            f'<div><progress max="1" value="{done:.3f}" style="width:20em"></progress> {done:.0%} '
            f"<span>{escape(self._now)}</span>{said if self._said else ''}</div>"
        )

    def draw(self, *, now: bool = False) -> None:
        """Show how far the run is, unless that was shown a moment ago."""
        with self._lock:
            moment = time.monotonic()
            if now or moment - self._drawn_s >= EVERY_S:
                self._drawn_s = moment
                self._show(self.html)

    def finish(self) -> None:
        """The run is over."""
        self._now, self._over = "done", True

    def said(self, text: str) -> None:
        """Keep one line."""
        self._said.append(text)
        self.draw()

    def planned(
        self,
        studies: Sequence[StudyRecord],
        budget_s: float,
        slots: int,  # noqa: ARG002 (protocol)
        refits: int,  # noqa: ARG002 (protocol)
        kept: Collection[str] = (),  # noqa: ARG002 (protocol)
    ) -> None:
        """Begin: every model that runs has its share of the bar."""
        running = [study.name for study in studies if study.excluded is None]
        self._budget_s = budget_s
        self._charged_s, self._finals = dict.fromkeys(running, 0.0), dict.fromkeys(running, 0.0)
        self.draw(now=True)

    def trial(self, study: str, number: int) -> None:
        """A trial starts."""
        self._now = f"{study}: trial {number}"
        self.draw()

    def spent(self, study: str, charged_s: float) -> None:
        """Seconds charged so far."""
        self._charged_s[study] = charged_s
        self.draw()

    def step(self, study: str, number: int, value: float) -> None:
        """A validated value of the running trial."""
        self._now = f"{study}: trial {number}, {value:.4f} on validation"
        self.draw()

    def study_closed(self, study: str, status: StudyStatus, best: float | None, reason: str) -> None:
        """A study has ended; one without a result says why, and has no finals."""
        self._charged_s[study] = self._budget_s
        if best is None:
            self._finals[study] = 1.0
            self._said.append(f"{study}: {status}: {reason}")
        self._now = f"{study}: {status}"
        self.draw()

    def final(self, study: str, done: int, total: int) -> None:
        """Some finals are done."""
        self._finals[study] = done / total if total else 1.0
        self._now = f"{study}: {done} of {total} refits scored on test"
        self.draw()
