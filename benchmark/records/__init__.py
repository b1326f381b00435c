"""What a run writes down, typed: studies, trials, finals, every line of the ledger, and a note with a level.

Each record is a frozen dataclass that becomes a JSON object and comes back as itself: :func:`to_json` and
:func:`from_json`.
"""

from benchmark.provenance import EnvironmentRecord, Provenance
from benchmark.records.as_json import Record, StoredSpace, from_json, space_from_json, to_json
from benchmark.records.audited import (
    Busiest,
    Finding,
    JudgedUsers,
    LogAudit,
    NotJudged,
    TableAudit,
    TableName,
)
from benchmark.records.entries import (
    Closed,
    FinalOpened,
    FinalRecord,
    Opened,
    ProbeOpened,
    ProbeRecord,
    ReferenceNamed,
    Spent,
    StudyClosed,
    StudyEvent,
    StudyOpened,
    TestOpened,
    TrialOpened,
    TrialRecord,
)
from benchmark.records.kinds import KINDS, LedgerRecord
from benchmark.records.lists import ListsFound, ListsOpened, ListsRecord, ListsSource
from benchmark.records.measured import Measurements, TestCounts, TestScores
from benchmark.records.note import Level, Note, warning
from benchmark.records.origins import AdapterCode, GraphSummary, SourceFile
from benchmark.records.outcomes import (
    DOES_NOT_FIT,
    LOST,
    MACHINE,
    REFUNDED,
    ConfigSource,
    Cost,
    Ending,
    Outcome,
    Params,
    StoppedBy,
    StudyStatus,
    TrainOn,
)
from benchmark.records.planned import LISTS, Exclusion, Hardware, StudyRecord

__all__ = [
    "DOES_NOT_FIT",
    "KINDS",
    "LISTS",
    "LOST",
    "MACHINE",
    "REFUNDED",
    "AdapterCode",
    "Busiest",
    "Closed",
    "ConfigSource",
    "Cost",
    "Ending",
    "EnvironmentRecord",
    "Exclusion",
    "FinalOpened",
    "FinalRecord",
    "Finding",
    "GraphSummary",
    "Hardware",
    "JudgedUsers",
    "LedgerRecord",
    "Level",
    "ListsFound",
    "ListsOpened",
    "ListsRecord",
    "ListsSource",
    "LogAudit",
    "Measurements",
    "NotJudged",
    "Note",
    "Opened",
    "Outcome",
    "Params",
    "ProbeOpened",
    "ProbeRecord",
    "Provenance",
    "Record",
    "ReferenceNamed",
    "SourceFile",
    "Spent",
    "StoppedBy",
    "StoredSpace",
    "StudyClosed",
    "StudyEvent",
    "StudyOpened",
    "StudyRecord",
    "StudyStatus",
    "TableAudit",
    "TableName",
    "TestCounts",
    "TestOpened",
    "TestScores",
    "TrainOn",
    "TrialOpened",
    "TrialRecord",
    "from_json",
    "space_from_json",
    "to_json",
    "warning",
]
