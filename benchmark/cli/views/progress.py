"""A run as it goes on: one live line per model in a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from benchmark.records import Exclusion
from benchmark.units import write_seconds

BAR_WIDTH = 24


class Planned(Protocol):
    """What progress needs to know of a study."""

    @property
    def name(self) -> str:
        """The data set and the model."""
        ...

    @property
    def space(self) -> Any:
        """What is tuned; empty means one trial."""
        ...

    @property
    def excluded(self) -> Exclusion | None:
        """Why it does not run."""
        ...


@dataclass
class _Line:
    """What is known of one model."""

    budget_s: float
    state: str = "waiting"
    trials: int = 0
    best: float | None = None
    charged_s: float = 0.0
    now: str = ""


class Progress:
    """Watches a run and shows it; close it, or use it in a ``with``, to leave the last picture."""

    def __init__(self, console: Console, *, higher_is_better: bool = True, quiet: bool = False) -> None:
        """Show on ``console``; ``quiet`` shows nothing but what was said."""
        self._console, self._quiet = console, quiet
        self._better = max if higher_is_better else min
        self._lines: dict[str, _Line] = {}
        self._lock = threading.Lock()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def said(self, text: str) -> None:
        """Show one line."""
        self._console.print(Text(text), highlight=False)

    def planned(self, studies: Sequence[Planned], budget_s: float, slots: int, refits: int) -> None:
        """Show what will run and when it should be over."""
        running = [study for study in studies if study.excluded is None]
        tuned = sum(1 for study in running if study.space)
        seconds = budget_s * -(-tuned // slots)
        until = datetime.now().astimezone() + timedelta(seconds=seconds)
        tuning = (
            f"{tuned} tuned for {write_seconds(budget_s)} each, {slots} at a time, until {until:%a %H:%M:%S}"
        )
        self._note(
            f"{_counted(len(running), 'model')}, {tuning if tuned else 'none of them tuned'}; "
            f"then up to {_counted(refits, 'refit')} of each, each about as long as its best trial."
        )
        with self._lock:
            for study in studies:
                state = "waiting" if study.excluded is None else study.excluded.status
                self._lines[study.name] = _Line(budget_s, state)
        if self._console.is_terminal and not self._quiet:
            self._live = Live(console=self._console, refresh_per_second=4, get_renderable=self._picture)
            self._live.start()

    def trial(self, study: str, number: int) -> None:
        """A trial starts."""
        self._set(study, state="tuning", trials=number + 1, now=f"trial {number}")

    def spent(self, study: str, charged_s: float) -> None:
        """Seconds charged so far."""
        self._set(study, charged_s=charged_s)

    def step(self, study: str, number: int, value: float) -> None:
        """A validated value of the running trial."""
        with self._lock:
            line = self._lines.setdefault(study, _Line(0.0))
            better = line.best is None or self._better(value, line.best) == value
            line.best = value if better else line.best
            line.now = f"trial {number}: {value:.4f}"

    def study_closed(self, study: str, status: str, best: float | None) -> None:
        """A study has ended."""
        self._set(study, state=status, best=best, now="")
        line = self._lines[study]
        shown = "no result" if best is None else f"best on validation {best:.4f}"
        spent = f"{_counted(line.trials, 'trial')}, {line.charged_s:.1f} s charged"
        self._note(f"{study}: {status}, {spent if line.trials else 'no trial now'}, {shown}", plain_only=True)

    def final(self, study: str, done: int, total: int) -> None:
        """Some finals are done."""
        self._set(study, state="done" if done == total else "finals", now=f"{done} of {total} refits scored")
        if done == total:
            self._note(f"{study}: {done} of {total} refits scored on test", plain_only=True)
        elif done == 0:
            self._note(f"{study}: refitting {_counted(total, 'time')} for test", plain_only=True)

    def _set(self, study: str, **values: Any) -> None:
        with self._lock:
            line = self._lines.setdefault(study, _Line(0.0))
            for name, value in values.items():
                setattr(line, name, value)

    def _note(self, text: str, *, plain_only: bool = False) -> None:
        if self._quiet or (plain_only and self._console.is_terminal):
            return
        self._console.print(Text(text), highlight=False)

    def _picture(self) -> Group:
        drawn = Table(box=None, pad_edge=False)
        for title in ("model", "", "budget", "charged", "trials", "best", "now"):
            drawn.add_column(title, justify="right" if title in {"charged", "trials", "best"} else "left")
        with self._lock:
            for name, line in self._lines.items():
                bar = ProgressBar(total=line.budget_s or 1, completed=line.charged_s, width=BAR_WIDTH)
                best = "" if line.best is None else f"{line.best:.4f}"
                charged, trials = f"{line.charged_s:.1f} s", str(line.trials or "")
                drawn.add_row(Text(name), Text(line.state), bar, charged, trials, best, Text(line.now))
        return Group(drawn)


def _counted(number: int, what: str) -> str:
    """Return a number with its noun: 1 model, 2 models."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
