"""The board as the page shows it: the columns that decide, and a choice of all others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from benchmark.leaderboard import BoardRow, Column, Table, TextTable
from benchmark.leaderboard.board_columns import board_columns, board_table, more_columns
from benchmark.leaderboard.column_meanings import meaning
from benchmark.leaderboard.formatting import NONE, percent
from benchmark.leaderboard.margin import Loss

FIRST = ("rank", "model", "{primary}", "{primary}_low", "diff_to_reference", "diff_low", "p_vs_reference")
COSTS = ("fit_s", "latency_ms_p50", "size_mb")
GROUPS = {
    "Other metrics": (),  # whatever belongs to no other group
    "How sure": (
        *("best_set", "margin_bound", "relative_diff", "users_better", "smallest_detectable"),
        *("p_these_models", "first_places", "first_places_if_equal"),
    ),
    "What is recommended": (
        *("popularity_lift", "recall_head", "recall_tail", "filled_users", "filled_items"),
    ),
    "Tuning": (
        *("valid_{primary}", "train_only_{primary}", "seeds", "trials", "test_gain_over_default"),
        *("valid_gain_over_default", "charged_s", "unused_s", "at_edge", "still_improving", "status"),
    ),
    "Cost": (
        *("latency_ms_p50_low", "latency_ms_p95", "latency_ms_p95_low", "latency_is_steady"),
        *("users_per_s", "memory_mb", "params", "core_s", "device"),
    ),
}
"""The columns behind the chooser, by what they answer."""


@dataclass(frozen=True)
class ColumnChoice:
    """A column that the reader may add.

    Attributes:
        number: its place in the table.
        title: its heading.
        meaning: what it says.
    """

    number: int
    title: str
    meaning: str


def page_table(table: Table) -> TextTable:
    """Return the board of one data set: the columns that decide, then all others that say something."""
    primary = table.primary
    columns = {column.key: column for column in (*board_columns(table), *more_columns(primary))}
    columns["verdict"] = verdict_column(table)
    columns["diff_low"] = replace(columns["diff_low"], title="its interval")
    first = [key.format(primary=primary) for key in (*FIRST, "verdict", *COSTS)]
    grouped = [key.format(primary=primary) for keys in GROUPS.values() for key in keys]
    others = [key for key in columns if key not in {*first, *grouped}]
    ordered = [
        replace(columns[key], more=key not in first, meaning=meaning(key, primary))
        for key in (*first, *others, *grouped)
        if key in columns
    ]
    return replace(board_table(table), columns=tuple(ordered)).filled


def choices(board: TextTable, primary: str) -> Iterator[tuple[str, Sequence[ColumnChoice]]]:
    """Yield the columns behind the chooser, group by group; groups without a column are left out."""
    groups = {key.format(primary=primary): name for name, keys in GROUPS.items() for key in keys}
    found: dict[str, list[ColumnChoice]] = {name: [] for name in GROUPS}
    for number, column in enumerate(board.columns):
        if column.more:
            group = groups.get(column.key, "Other metrics")
            found[group].append(ColumnChoice(number, column.title, column.meaning))
    yield from ((name, chosen) for name, chosen in found.items() if chosen)


def verdict_column(table: Table) -> Column[BoardRow]:
    """Return the column that says the difference in words."""
    return Column("verdict", lambda row: verdict(row, table), numeric=False, key="diff_to_reference")


def verdict(row: BoardRow, table: Table) -> str:
    """Return what a row's difference to the reference comes to."""
    if not row.has_result:
        return row.status
    if row.model == table.reference:
        return "reference"
    loss = Loss.from_row(row, table)
    if loss is None or row.p_vs_reference is None:
        return NONE
    within = f"within {percent(table.facts.margin)}"
    if row.p_vs_reference < table.facts.alpha:
        if loss.loss < 0:
            return "better"
        return f"worse, but {within}" if loss.shown else "worse"
    return f"as good, {within}" if loss.shown else "not told apart"
