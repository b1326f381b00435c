"""The ledger: the append-only record of device-seconds, one JSON object a line.

An entry is opened when a process gets its hold, spends at every step and every half second, and is closed
with its outcome and result. The closing line is the commit point of a trial or final: what has one is done,
what has none is run again. So the record is true whatever dies at whatever moment.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from benchmark.records import (
    KINDS,
    LOST,
    Closed,
    Cost,
    Ending,
    FinalOpened,
    LedgerRecord,
    ProbeOpened,
    ProbeRecord,
    Spent,
    StudyOpened,
    TrialOpened,
    TrialRecord,
    from_json,
    to_json,
)

Kind = TypeVar("Kind")


class Records:
    """What a ledger holds, to be asked."""

    def __init__(self, records: Sequence[LedgerRecord]) -> None:
        """Take the records, oldest first."""
        self._records, self._lock = list(records), threading.Lock()

    def records(self, kind: type[Kind]) -> list[Kind]:
        """Return the records of one kind, oldest first."""
        with self._lock:
            return select(self._records, kind)

    def lineage(self, study_key: str) -> tuple[str, ...]:
        """Return the key of a study and of those from which it goes on, the latest first."""
        return lineage(self.records(StudyOpened), study_key)

    def trials(self, study_key: str) -> list[TrialRecord]:
        """Return the closed trials of a study and of those from which it goes on, in the order they ended."""
        keys = self.lineage(study_key)
        return [record for record in self.records(TrialRecord) if record.study_key in keys]

    def probes(self, study_key: str) -> list[ProbeRecord]:
        """Return the first looks of a study and of those from which it goes on, in the order they ended."""
        keys = self.lineage(study_key)
        return [record for record in self.records(ProbeRecord) if record.study_key in keys]

    def probe(self, study_key: str) -> ProbeRecord | None:
        """Return the first look of a study; None if none has ended, or its supervisor died with it."""
        found = self.probes(study_key)
        return next((record for record in reversed(found) if record.outcome != LOST), None)


class Ledger(Records):
    """One run's ledger, open for appending; threads may share it."""

    def __init__(self, path: Path) -> None:
        """Open or create the ledger; a line torn by a crash is cut back to the last newline.

        Raises:
            ValueError: a line is no record.
        """
        cut_torn_line(path)
        super().__init__(self.read(path) if path.exists() else [])
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    @staticmethod
    def read(path: Path) -> list[LedgerRecord]:
        """Return the records of a ledger without opening it for writing; a torn last line is not there yet.

        Raises:
            OSError: it cannot be read.
            ValueError: a line is no record.
        """
        text = path.read_text("utf-8")
        return [parse_line(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def append(self, record: LedgerRecord) -> None:
        """Write one line; it is whole on disk or, after a crash, cut off.

        Raises:
            OSError: the disk is full; the ledger is as it was.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        content = {"at": now, "event": record.event, **to_json(record)}
        data = (json.dumps(content, allow_nan=False) + "\n").encode()
        with self._lock:
            size = os.fstat(self._file).st_size
            if os.write(self._file, data) < len(data):  # take back what a full disk let through
                os.ftruncate(self._file, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            self._records.append(record)
        if isinstance(record, Closed):
            os.fsync(self._file)  # not under the lock: other studies go on while the disk takes its time

    def orphans(self) -> list[TrialOpened | FinalOpened | ProbeOpened]:
        """Return the entries that a dead supervisor left open."""
        closed = {record.entry for record in self.records(Closed)}
        kinds = TrialOpened | FinalOpened | ProbeOpened
        opened = [record for record in self._records if isinstance(record, kinds)]
        return [record for record in opened if record.entry not in closed]

    def close_orphans(self) -> None:
        """Close every orphan as lost, at its last recorded moment: not counted against the budget."""
        for opened in self.orphans():
            spends = [record for record in self.records(Spent) if record.entry == opened.entry]
            cost = Cost(
                lease_s=max((record.lease_s or 0.0 for record in spends), default=0.0),
                charged_s=spends[-1].charged_s if spends else 0.0,
            )
            self.append(opened.closed(Ending(LOST, "its supervisor died"), cost))

    def shut(self) -> None:
        """Close the file."""
        os.close(self._file)


def select(records: Sequence[object], kind: type[Kind]) -> list[Kind]:
    """Return the records of one kind, in their order."""
    return [record for record in records if isinstance(record, kind)]


def lineage(opened: Sequence[StudyOpened], study_key: str) -> tuple[str, ...]:
    """Return the key of a study and of those from which it goes on, the latest first."""
    goes_on = {one.study_key: one.goes_on for one in opened}
    found = [study_key]
    while (earlier := goes_on.get(found[-1])) is not None:
        found.append(earlier)
    return tuple(found)


def best_trial(trials: Sequence[TrialRecord], *, maximise: bool) -> TrialRecord | None:
    """Return the trial with the best value, the earliest among equals; None if none has one."""
    valued = [(trial.value, trial) for trial in trials if trial.value is not None]
    choose = max if maximise else min
    return choose(valued, key=lambda pair: pair[0])[1] if valued else None


def parse_line(line: str) -> LedgerRecord:
    """Return the record of one line.

    Raises:
        ValueError: it is no record.
    """
    content = json.loads(line)
    event = str(content.get("event")) if isinstance(content, dict) else "none"
    if event not in KINDS:
        raise ValueError(f"a line of the event {event!r}; it must be one of {', '.join(KINDS)}")
    return from_json(KINDS[event], content)


def cut_torn_line(path: Path) -> None:
    """Cut a file of lines back to its last newline: a crash may have torn the last one."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        data = file.read()
        file.truncate(data.rfind(b"\n") + 1)
