"""Every kind of line that a ledger holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from benchmark.records.entries import (
    FinalOpened,
    FinalRecord,
    ProbeOpened,
    ProbeRecord,
    ReferenceNamed,
    Spent,
    StudyClosed,
    StudyOpened,
    TestOpened,
    TrialOpened,
    TrialRecord,
)
from benchmark.records.lists import ListsOpened, ListsRecord

LedgerRecord: TypeAlias = (
    TrialOpened
    | FinalOpened
    | ListsOpened
    | ProbeOpened
    | Spent
    | TrialRecord
    | FinalRecord
    | ListsRecord
    | ProbeRecord
    | TestOpened
    | ReferenceNamed
    | StudyOpened
    | StudyClosed
)

KINDS: Mapping[str, type[LedgerRecord]] = {kind.event: kind for kind in LedgerRecord.__args__}
"""Every kind, by its event."""
