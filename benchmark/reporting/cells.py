"""A board's rows as short texts: the same columns and the same digits in every human format."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmark.leaderboard import Row, Table
from benchmark.units import write_seconds

NONE = "–"


@dataclass(frozen=True)
class Column:
    """One column of a human-readable board."""

    title: str
    text: Callable[[Row], str]
    numeric: bool = True


def columns_of(table: Table) -> list[Column]:
    """Return the columns that people read; the CSV has more."""
    primary = table.primary
    return [
        Column("#", lambda row: whole(row["rank"])),
        Column(
            "model",
            lambda row: row["model"] + (" (reference)" if row["model"] == table.reference else ""),
            False,
        ),
        Column(primary, lambda row: decimal(row[primary])),
        Column("95 % interval", lambda row: span(row[f"{primary}_low"], row[f"{primary}_high"])),
        Column("best", lambda row: "•" if row["best_set"] else ""),
        Column("difference", lambda row: signed(row["diff_to_reference"])),
        Column("95 % interval", lambda row: span(row["diff_low"], row["diff_high"], signed)),
        Column("p", lambda row: p_value(row["p_vs_reference"])),
        *[Column(name, lambda row, name=name: decimal(row[name])) for name in table.metrics[1:]],  # type: ignore[misc]
        Column("seeds", lambda row: whole(row["seeds"])),
        Column("trials", lambda row: whole(row["trials"])),
        Column("charged / budget", lambda row: f"{row['charged_s']:.1f} / {write_seconds(row['budget_s'])}"),
        Column("device", lambda row: row["device"] or NONE, False),
        Column("fit s", lambda row: decimal(row["fit_s"], 2)),
        Column("ms/user", lambda row: decimal(row["latency_ms_p50"], 2)),
        Column("MB", lambda row: decimal(row["size_mb"], 2)),
        Column("status", lambda row: row["status"], False),
    ]


def title_of(table: Table) -> str:
    """Return the heading of a table: data set, split, what it was trained on."""
    facts = table.facts
    shape = f"{facts['n_users']:,} users × {facts['n_items']:,} items"
    split = f"{facts['rule']['by']} split {facts['hash'][:8]}"
    return f"{table.dataset}: {shape}, {split}, finals on {facts['finals_on']}"


def decimal(value: float | None, digits: int = 4) -> str:
    """Return a number with fixed digits; a dash where there is none.

    >>> decimal(0.31794), decimal(None)
    ('0.3179', '–')
    """
    return NONE if _absent(value) else f"{value:.{digits}f}"


def signed(value: float | None) -> str:
    """Return a difference with its sign.

    >>> signed(-0.0123)
    '-0.0123'
    """
    return NONE if _absent(value) else f"{value:+.4f}"


def span(low: float | None, high: float | None, write: Callable[[float | None], str] = decimal) -> str:
    """Return an interval.

    >>> span(0.1, 0.2)
    '[0.1000, 0.2000]'
    """
    return NONE if _absent(low) or _absent(high) else f"[{write(low)}, {write(high)}]"


def p_value(value: float | None) -> str:
    """Return a p-value with two or three places, never 0.

    >>> p_value(0.0301), p_value(0.00002)
    ('.030', '<.001')
    """
    if value is None or math.isnan(value):
        return NONE
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def whole(value: Any) -> str:
    """Return a whole number; a dash where there is none."""
    return NONE if _absent(value) else f"{int(value)}"


def _absent(value: float | None) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
