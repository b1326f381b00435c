"""The pick, from constraints, statistics and cost, and the record that justifies it."""

from benchmark.selection.assessment import Decision, PickOptions
from benchmark.selection.choose import exportable, pick
from benchmark.selection.decision_record import (
    as_json,
    as_markdown,
    as_text,
    record_files,
    refuse_taken,
    write_record,
)
from benchmark.selection.limits import Limit

__all__ = [
    "Decision",
    "Limit",
    "PickOptions",
    "as_json",
    "as_markdown",
    "as_text",
    "exportable",
    "pick",
    "record_files",
    "refuse_taken",
    "write_record",
]
