"""Constraints, statistics and cost become one pick and the record that defends it."""

from benchmark.selection.decide import Decision, Wish, pick
from benchmark.selection.limits import Limit
from benchmark.selection.record import as_json, as_markdown, as_text, record_files, write_record
from benchmark.selection.regressions import Changes, compare_runs

__all__ = [
    "Changes",
    "Decision",
    "Limit",
    "Wish",
    "as_json",
    "as_markdown",
    "as_text",
    "compare_runs",
    "pick",
    "record_files",
    "write_record",
]
