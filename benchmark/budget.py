"""Device-seconds: the rule that grants them, the ledger that records them, the only clock.

A device-second is one slot held for one second. Every model gets the same budget B on a data set;
what it spends is written to an append-only ledger while it is being spent, so that the record is
true whatever dies at whatever moment.
"""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

clock = time.monotonic
"""Seconds from an arbitrary start, never set back. All durations come from here."""

Role: TypeAlias = Literal["trial", "final"]
Line: TypeAlias = dict[str, Any]

SPEND_EVERY_S = 0.5
LOST = "lost"
REFUNDED = frozenset({LOST, "infrastructure"})
"""Outcomes whose seconds are recorded but not counted against the budget."""


@dataclass(frozen=True)
class Policy:
    """How a budget is handed out. Stored with every result: another policy is another experiment.

    Attributes:
        budget_s: B, device-seconds of one study.
        max_trials: trials of one study, so that a model that fits in no time is not tuned for ever.
        first_share: share of B that trial 0, the default configuration, may hold.
        trial_share: share of B that any later trial may hold.
        patience: validated steps without a better value before a trial stops.
        costly_validation: where validating takes more than this many times the training of a step, and more
            than a hundredth of the hold, some steps go by unvalidated: a model that is dear to score on a
            large catalogue would be scored all the time and hardly trained.
        validate_every: of these steps one in so many is validated.
        final_factor: a final may take this many times the charged seconds of its trial.
        final_floor_s: and at least this long, because start-up noise swamps very short trials.
        ready_s: a process that is not ready by then is a fault of the machine, not of the model.
    """

    budget_s: float
    max_trials: int = 100
    first_share: float = 0.5
    trial_share: float = 0.25
    patience: int = 5
    costly_validation: float = 3.0
    validate_every: int = 5
    final_factor: float = 3.0
    final_floor_s: float = 20.0
    ready_s: float = 60.0

    def cap_s(self, *, first: bool, only: bool = False) -> float:
        """Return the most seconds that a trial may hold; the only trial of a study may hold B."""
        if only:
            return self.budget_s
        return self.budget_s * (self.first_share if first else self.trial_share)

    def final_s(self, charged_s: float) -> float:
        """Return the most seconds for a final whose chosen trial was charged ``charged_s``."""
        return max(self.final_floor_s, self.final_factor * charged_s)

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as JSON holds it."""
        return asdict(self)


def grace_s(hold_s: float) -> float:
    """Return how long before the end of a hold the engine stops asking for steps.

    A second, because the kernel may take half of one to take back a process of some gigabytes; less
    where the hold is short.

    >>> grace_s(1.0), grace_s(60.0)
    (0.25, 1.0)
    """
    return min(1.0, hold_s / 4)


@dataclass
class Account:
    """What one study may still spend. Holds keep trials that run side by side inside B."""

    policy: Policy
    charged_s: float = 0.0
    holds: dict[int, float] = field(default_factory=dict)
    one_step_s: float | None = None
    too_short_s: float = 0.0

    @property
    def left_s(self) -> float:
        """Seconds neither charged nor held."""
        return self.policy.budget_s - self.charged_s - sum(self.holds.values())

    def affordable(self, cap_s: float) -> float | None:
        """Return the seconds a trial may hold; None if what is left cannot carry one validated step.

        A model whose first step takes longer than the cap (tracing a graph, say) may hold two such steps.
        """
        needed = 1.1 * (self.too_short_s if self.one_step_s is None else self.one_step_s)
        granted = min(max(cap_s, 2 * needed), self.left_s)
        if granted <= 0 or granted - grace_s(granted) < needed:
            return None
        return granted

    def hold(self, trial: int, granted_s: float) -> None:
        """Reserve what :meth:`affordable` granted."""
        self.holds[trial] = granted_s

    def charge(self, trial: int, charged_s: float, outcome: str) -> None:
        """Release the hold of a trial and take what it really spent, unless it is refunded."""
        self.holds.pop(trial, None)
        if outcome not in REFUNDED:
            self.charged_s += charged_s

    def saw_no_step(self, within_s: float) -> None:
        """Remember a hold in which no step could be validated: until one is, a shorter one is in vain."""
        self.too_short_s = max(self.too_short_s, within_s)

    def saw_first_step(self, after_s: float) -> None:
        """Remember the quickest first validated step: what a trial needs at the least."""
        self.one_step_s = min(after_s, self.one_step_s or after_s)


def spent_s(closed: list[Line]) -> float:
    """Return the seconds that count against a budget, from the close lines of a study's trials."""
    return sum(float(line["charged_s"]) for line in closed if line["outcome"] not in REFUNDED)


class Ledger:
    """The append-only record of device-seconds, one JSON object a line.

    ``open`` when a process gets its hold, ``spend`` at every step and every 0.5 s, ``close`` with
    the outcome and the result. A ``close`` line is the commit point of a trial or final: what has
    one is done, what has none is run again.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the ledger; a line torn by a crash is cut back to the last newline."""
        cut_torn_line(path)
        self.path = path
        self._lock = threading.Lock()
        self._lines = (
            [json.loads(text) for text in path.read_text("utf-8").splitlines()] if path.exists() else []
        )
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def append(self, event: str, **entry: Any) -> Line:
        """Write one line; it is whole on disk or, after a crash, cut off.

        Raises:
            OSError: the disk is full; the ledger is as it was.
        """
        line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **entry}
        data = (json.dumps(line, allow_nan=False) + "\n").encode()
        with self._lock:
            self._write(data)
            self._lines.append(line)
        if event == "close":
            os.fsync(self._file)  # not under the lock: other studies go on while the disk takes its time
        return line

    def _write(self, data: bytes) -> None:
        """Write a line whole, or take back what a full disk let through of it."""
        size = os.fstat(self._file).st_size
        written = os.write(self._file, data)
        if written < len(data):
            os.ftruncate(self._file, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def lines(self, event: str | None = None, **match: Any) -> list[Line]:
        """Return the lines of one kind whose entries equal all of ``match``."""
        with self._lock:
            return [
                line
                for line in self._lines
                if (event is None or line["event"] == event)
                and all(line.get(key) == value for key, value in match.items())
            ]

    def close_orphans(self) -> list[Line]:
        """Close every entry that a dead supervisor left open, at its last spend line, as lost."""
        return [self._close_orphan(line) for line in self._open_lines()]

    def _open_lines(self) -> Iterator[Line]:
        closed = {line["entry"] for line in self.lines("close")}
        return (line for line in self.lines("open") if line["entry"] not in closed)

    def _close_orphan(self, opened: Line) -> Line:
        spends = self.lines("spend", entry=opened["entry"])
        charged_s = spends[-1]["charged_s"] if spends else 0.0
        lease_s = max((line["lease_s"] or 0.0 for line in spends), default=0.0)
        kept = {key: opened[key] for key in ("entry", "study", "role", "trial") if key in opened}
        return self.append("close", **kept, outcome=LOST, lease_s=lease_s, charged_s=charged_s)

    def shut(self) -> None:
        """Close the file."""
        os.close(self._file)


def cut_torn_line(path: Path) -> None:
    """Cut a file of lines back to its last newline: a crash may have torn the last one."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        data = file.read()
        file.truncate(data.rfind(b"\n") + 1)
