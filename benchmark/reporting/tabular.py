"""The board for other programs: CSV and JSON, all columns, full precision."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import asdict
from typing import Any

from benchmark.leaderboard import Board, Search, columns

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(board: Board) -> str:
    """Return all tables as one CSV; text that a spreadsheet would run as a formula gets a quote first."""
    metrics = list(dict.fromkeys(name for table in board.tables for name in table.metrics))
    names = columns(metrics)
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(names)
    for table in board.tables:
        writer.writerows([safe_cell(row.get(name)) for name in names] for row in table.rows)
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
                "searches": [_search(search) for search in table.searches],
            }
            for table in board.tables
        ],
        "across": None if board.across is None else asdict(board.across),
    }
    return json.dumps(content, indent=2, default=str, allow_nan=False) + "\n"


def _search(search: Search) -> dict[str, Any]:
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
