"""A run in progress: one live line per model in a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import shorten
from typing import Self

from rich import progress
from rich.console import Console, JustifyMethod
from rich.table import Column, Table
from rich.text import Text

from benchmark.records import StudyRecord, StudyStatus
from benchmark.units import write_seconds

BAR_WIDTH = 24
REASON_WIDTHS = (200, 60)
"""Characters of the reason why a model has no result, as a line of its own and in the live table."""


@dataclass
class Line:
    """What is known about one model.

    Attributes:
        task: its line in the terminal.
        trials: trials started so far.
        charged_s: device-seconds so far.
        best: best value on validation so far.
    """

    task: progress.TaskID
    trials: int = 0
    charged_s: float = 0.0
    best: float | None = None


class LiveTable(progress.Progress):
    """One line per model, with titles above the columns."""

    def make_tasks_table(self, tasks: Iterable[progress.Task]) -> Table:
        """Return the table of all models."""
        table = super().make_tasks_table(tasks)
        table.show_header, table.padding = True, (0, 2)
        return table


def column(field: str, title: str | None = None, *, right: bool = False) -> progress.TextColumn:
    """Return a column that shows one field of each line, never read as markup."""
    side: JustifyMethod = "right" if right else "left"
    layout = Column(field if title is None else title, justify=side, no_wrap=True)
    return progress.TextColumn(f"{{task.fields[{field}]}}", justify=side, markup=False, table_column=layout)


class Progress:
    """Watches a run and shows it; close it, or use it in a ``with``, to leave the last state on the screen.

    A run tells it from several threads, what concerns one study from one at a time.
    """

    def __init__(self, console: Console, *, higher_is_better: bool = True, quiet: bool = False) -> None:
        """Show on ``console``; ``quiet`` shows nothing but what was said."""
        self._console, self._quiet = console, quiet
        self._better = max if higher_is_better else min
        self._lines: dict[str, Line] = {}
        self.table = LiveTable(
            column("model"),
            column("state", ""),
            progress.BarColumn(BAR_WIDTH, table_column=Column("budget")),
            column("charged", right=True),
            column("trials", right=True),
            column("best", right=True),
            column("now"),
            console=console,
            refresh_per_second=4,
            disable=quiet or not console.is_terminal,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.table.stop()

    def said(self, text: str) -> None:
        """Show one line."""
        self._console.print(Text(text), highlight=False)

    def planned(
        self,
        studies: Sequence[StudyRecord],
        budget_s: float,
        slots: int,
        refits: int,
        kept: Collection[str] = (),
    ) -> None:
        """Show what will run and when it should be over."""
        running = [study for study in studies if study.excluded is None]
        tuned = sum(1 for study in running if study.space and study.name not in kept)
        until = datetime.now().astimezone() + timedelta(seconds=budget_s * -(-tuned // slots))
        tuning = (
            f"{tuned} tuned for {write_seconds(budget_s)} each, {slots} at a time, until {until:%a %H:%M:%S}"
        )
        self._note(
            f"{counted(len(running), 'model')}, {tuning if tuned else 'none of them tuned'}; "
            f"then up to {counted(refits, 'refit')} of each, each about as long as its best trial."
        )
        for study in studies:
            state = "waiting" if study.excluded is None else study.excluded.status
            task = self.table.add_task(
                "",
                total=study.budget_s or budget_s,
                model=study.name,
                state=state,
                charged="0.0 s",
                trials="",
                best="",
                now="",
            )
            self._lines[study.name] = Line(task)
        self.table.start()

    def trial(self, study: str, number: int) -> None:
        """A trial starts."""
        line = self._lines[study]
        line.trials = number + 1
        self.table.update(line.task, state="tuning", trials=str(line.trials), now=f"trial {number}")

    def spent(self, study: str, charged_s: float) -> None:
        """Seconds charged so far."""
        line = self._lines[study]
        line.charged_s = charged_s
        self.table.update(line.task, completed=charged_s, charged=f"{charged_s:.1f} s")

    def step(self, study: str, number: int, value: float) -> None:
        """A validated value of the running trial."""
        line = self._lines[study]
        line.best = value if line.best is None else self._better(value, line.best)
        self.table.update(line.task, best=f"{line.best:.4f}", now=f"trial {number}: {value:.4f}")

    def study_closed(self, study: str, status: StudyStatus, best: float | None, reason: str) -> None:
        """A study has ended; one without a result says why."""
        line = self._lines[study]
        shown = "" if best is None else f"{best:.4f}"
        why, brief = ("" if shown else shorten(reason, width, placeholder=" …") for width in REASON_WIDTHS)
        self.table.update(line.task, state=status, best=shown, now=brief)
        spent = f"{counted(line.trials, 'trial')}, {line.charged_s:.1f} s charged"
        result = f"best on validation {shown}" if shown else f"no result: {why}"
        self._note(
            f"{study}: {status}, {spent if line.trials else 'no trial now'}, {result}", plain_only=True
        )

    def final(self, study: str, done: int, total: int) -> None:
        """Some finals are done."""
        state = "done" if done == total else "finals"
        self.table.update(self._lines[study].task, state=state, now=f"{done} of {total} refits scored")
        if done == total:
            self._note(f"{study}: {done} of {total} refits scored on test", plain_only=True)
        elif done == 0:
            self._note(f"{study}: refitting {counted(total, 'time')} for test", plain_only=True)

    def _note(self, text: str, *, plain_only: bool = False) -> None:
        """Show one line unless quiet; ``plain_only``: unless the terminal has the live table."""
        if not self._quiet and not (plain_only and self._console.is_terminal):
            self._console.print(Text(text), highlight=False, soft_wrap=plain_only)


def counted(number: int, what: str) -> str:
    """Return a number with its noun: 1 model, 2 models."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
