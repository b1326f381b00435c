"""The board for other programs: CSV and JSON, all columns, full precision."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import asdict, is_dataclass
from typing import Any, get_args

from benchmark.leaderboard import Board, Table, TableKind, TuningHistory
from benchmark.records import TrialRecord

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(board: Board, kind: TableKind = "board") -> str:
    """Return the tables of a kind as one CSV; its head alone where there is nothing to show.

    Text that a spreadsheet would run as a formula gets a quote first.
    """
    names = board.columns(kind)
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(names)
    for row in board.rows(kind):
        cells = row.as_dict()
        writer.writerow([safe_cell(cells.get(name)) for name in names])
    return target.getvalue()


def side_csvs(board: Board) -> dict[TableKind, str]:
    """Return the tables beside the board that have rows, each as CSV, by kind."""
    kinds: tuple[TableKind, ...] = get_args(TableKind)
    return {kind: as_csv(board, kind) for kind in kinds if kind != "board" and board.rows(kind)}


def as_json(board: Board) -> str:
    """Return the board as JSON; a number that does not exist is null."""
    content = {
        "suite": board.suite,
        "run": board.run,
        "synthetic": board.synthetic,
        "tables": [table_content(table) for table in board.tables],
        "folds": board.folds,
        "across": board.across,
    }
    return json.dumps(plain_content(content), indent=2, default=str, allow_nan=False) + "\n"


def table_content(table: Table) -> dict[str, object]:
    """Return the table of one data set as board.json holds it."""
    return {
        "dataset": table.dataset,
        "primary": table.primary,
        "reference": table.reference,
        "rows": [row.as_dict() for row in table.rows],
        "notes": table.notes,
        "facts": table.facts.as_json(),
        "pairs": table.pairs,
        "groups": table.groups,
        "searches": [search_content(search) for search in table.searches],
    }


def search_content(search: TuningHistory) -> dict[str, object]:
    """Return what was searched, every trial of it, and what ended it."""
    return {
        "model": search.model,
        "space": {name: str(domain) for name, domain in search.space.items()},
        "default": dict(search.default),
        "ended": search.ended,
        "unused_s": search.unused_s,
        "trials": [trial_content(trial) for trial in search.trials],
    }


def trial_content(trial: TrialRecord) -> dict[str, object]:
    """Return a trial without its learning curve."""
    return {
        "trial": trial.trial,
        "outcome": trial.outcome,
        "reason": trial.reason,
        "value": trial.value,
        "best_step": trial.best_step,
        "truncated": trial.truncated,
        "stopped_by": trial.stopped_by,
        "charged_s": trial.charged_s,
        "core_s": trial.core_s,
        "config": dict(trial.config),
    }


def plain_content(value: Any) -> Any:
    """Return nested records as JSON, with None in place of nan and infinity."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain_content(asdict(value))
    if isinstance(value, dict):
        return {name: plain_content(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_content(inner) for inner in value]
    return finite_or_none(value)


def safe_cell(value: Any) -> Any:
    """Return a cell that no spreadsheet runs as a formula; None in place of nan and infinity.

    >>> safe_cell("=cmd()"), safe_cell(float("nan"))
    ("'=cmd()", None)
    """
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return finite_or_none(value)


def finite_or_none(value: Any) -> Any:
    """Return a value; None in place of nan and infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
