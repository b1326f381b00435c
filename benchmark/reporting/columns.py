"""A board's rows as short texts: the same columns and the same digits in every human format."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from benchmark.leaderboard import Row, Table
from benchmark.units import write_seconds

NONE = "–"
Cell: TypeAlias = tuple[str, Callable[[Row], str]]
"""Heading of a column, and what it says of a row."""


@dataclass(frozen=True)
class Column:
    """One column of a human-readable board.

    Attributes:
        title: its heading.
        text: what a cell says.
        numeric: set to the right.
        key: the row's entry that it is sorted by.
    """

    title: str
    text: Callable[[Row], str]
    numeric: bool = True
    key: str = ""


def columns_of(table: Table) -> list[Column]:
    """Return the columns that people read; the CSV has more."""
    primary, level = table.primary, f"{1 - table.facts['alpha']:.0%} interval"
    return [
        Column("#", lambda row: whole(row["rank"]), key="rank"),
        Column("model", lambda row: _named(row, table.reference), numeric=False, key="model"),
        _decimals(primary),
        Column(level, lambda row: span(row[f"{primary}_low"], row[f"{primary}_high"]), key=f"{primary}_low"),
        Column("best", lambda row: "•" if row["best_set"] else "", key="best_set"),
        Column("difference", lambda row: signed(row["diff_to_reference"]), key="diff_to_reference"),
        Column(level, lambda row: span(row["diff_low"], row["diff_high"], signed), key="diff_low"),
        Column("p", lambda row: p_value(row["p_vs_reference"]), key="p_vs_reference"),
        *[_decimals(name) for name in table.metrics[1:]],
        _decimals("popularity_lift", "lift", 2),
        _decimals("recall_head", "head"),
        _decimals("recall_tail", "tail"),
        Column("seeds", lambda row: whole(row["seeds"]), key="seeds"),
        Column("trials", lambda row: whole(row["trials"]), key="trials"),
        Column(
            "tuning gain", lambda row: signed(row["test_gain_over_default"]), key="test_gain_over_default"
        ),
        Column(
            "charged / budget",
            lambda row: f"{row['charged_s']:.1f} / {write_seconds(row['budget_s'])}",
            key="charged_s",
        ),
        Column("device", lambda row: row["device"] or NONE, numeric=False, key="device"),
        _decimals("fit_s", "fit s", 2),
        _decimals("latency_ms_p50", "ms/user", 2),
        _decimals("size_mb", "MB", 2),
        Column("status", lambda row: row["status"], numeric=False, key="status"),
    ]


def more_columns(table: Table) -> list[Column]:
    """Return the columns for a second look: effect sizes, stability, fairness of the tuning, cost."""
    primary = table.primary
    return [
        Column("relative", lambda row: percent(row["relative_diff"]), key="relative_diff"),
        Column("users better", lambda row: percent(row["users_better"]), key="users_better"),
        _decimals("smallest_detectable", "detectable"),
        Column("p, these fits", lambda row: p_value(row["p_these_models"]), key="p_these_models"),
        Column("first", lambda row: percent(row["first_places"]), key="first_places"),
        Column(
            "first if equal", lambda row: percent(row["first_places_if_equal"]), key="first_places_if_equal"
        ),
        _decimals(f"valid_{primary}", "validation"),
        _decimals(f"train_only_{primary}", "train only"),
        Column(
            "gain on validation",
            lambda row: signed(row["valid_gain_over_default"]),
            key="valid_gain_over_default",
        ),
        Column("at most worse", lambda row: percent(row["margin_bound"]), key="margin_bound"),
        Column("at edge", lambda row: row["at_edge"] or "", numeric=False, key="at_edge"),
        Column(
            "improving",
            lambda row: "yes" if row["still_improving"] else "",
            numeric=False,
            key="still_improving",
        ),
        _decimals("unused_s", "unused s", 1),
        _decimals("latency_ms_p95", "ms/user p95", 2),
        _decimals("users_per_s", "users/s", 0),
        _decimals("memory_mb", "memory MB", 0),
        Column("parameters", lambda row: whole(row["params"]), key="params"),
        Column("filled users", lambda row: whole(row["filled_users"]), key="filled_users"),
        Column("filled items", lambda row: whole(row["filled_items"]), key="filled_items"),
    ]


def _decimals(key: str, title: str = "", digits: int = 4) -> Column:
    return Column(title or key, lambda row: decimal(row[key], digits), key=key)


def _named(row: Row, reference: str | None) -> str:
    return str(row["model"]) + (" (reference)" if row["model"] == reference else "")


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


def percent(value: float | None) -> str:
    """Return a share in per cent.

    >>> percent(0.387)
    '39%'
    """
    return NONE if _absent(value) else f"{value:.0%}"


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


def plain(text: str) -> str:
    r"""Return text without what would break a line, turn its direction or command a terminal.

    >>> plain("a\nb\x1b[31m")
    'a b [31m'
    """
    return "".join(letter if letter.isprintable() else " " for letter in text)


def whole(value: Any) -> str:
    """Return a whole number; a dash where there is none."""
    return NONE if _absent(value) else f"{int(value)}"


def _absent(value: float | None) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
