"""The board for other programs: CSV and JSON, all columns, full precision."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmark.leaderboard import Board, Row, TuningHistory, columns
from benchmark.reporting.extra_tables import SIDE_COLUMNS, side_json, side_rows

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(board: Board) -> str:
    """Return all tables as one CSV; text that a spreadsheet would run as a formula gets a quote first."""
    metrics = list(dict.fromkeys(name for table in board.tables for name in table.metrics))
    names = columns(metrics)
    return _csv(names, [row for table in board.tables for row in table.rows])


def side_csvs(board: Board) -> dict[str, str]:
    """Return the tables beside the board, each as CSV, by name: folds, groups, pairs, across."""
    return {kind: _csv(SIDE_COLUMNS[kind], rows) for kind, rows in side_rows(board).items()}


def side_csv(board: Board, kind: str) -> str:
    """Return one table beside the board as CSV; its head alone where there is nothing to show."""
    return _csv(SIDE_COLUMNS[kind], side_rows(board).get(kind, []))


def _csv(names: Sequence[str], rows: Sequence[Row]) -> str:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([safe_cell(row.get(name)) for name in names] for row in rows)
    return target.getvalue()


def as_json(board: Board) -> str:
    """Return the board as JSON; a number that does not exist is null."""
    content = {
        "suite": board.suite,
        "run": board.run,
        "synthetic": board.synthetic,
        "tables": [
            {
                "dataset": table.dataset,
                "primary": table.primary,
                "reference": table.reference,
                "rows": [{name: _number(value) for name, value in row.items()} for row in table.rows],
                "notes": table.notes,
                "facts": table.facts,
                "pairs": table.pairs,
                "groups": [asdict(part) for part in table.groups],
                "searches": [_search(search) for search in table.searches],
            }
            for table in board.tables
        ],
        **side_json(board),
    }
    return json.dumps(_finite(content), indent=2, default=str, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """Return nested content with None in place of numbers that do not exist."""
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return _number(value)


def _search(search: TuningHistory) -> dict[str, Any]:
    """Return what was searched, every trial of it, and what ended it."""
    kept = (
        "trial",
        "outcome",
        "reason",
        "value",
        "best_step",
        "truncated",
        "stopped_by",
        "charged_s",
        "config",
    )
    return {
        "model": search.model,
        "space": dict(search.space),
        "default": dict(search.default),
        "ended": search.ended,
        "unused_s": search.unused_s,
        "trials": [{name: _number(line.get(name)) for name in kept} for line in search.trials],
    }


def safe_cell(value: Any) -> Any:
    """Return a cell that no spreadsheet runs as a formula; None where a number does not exist.

    >>> safe_cell("=cmd()"), safe_cell(float("nan"))
    ("'=cmd()", None)
    """
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return _number(value)


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
