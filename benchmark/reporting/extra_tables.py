"""The tables beside the board: folds, subgroups, all pairs, all data sets; the same in every format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmark.leaderboard import Board, Row, Table
from benchmark.leaderboard.folds import FOLD_COLUMNS
from benchmark.leaderboard.table import GROUP_COLUMNS
from benchmark.reporting.columns import NONE, Cell, decimal, p_value, percent, signed, span, whole

PAIR_COLUMNS = ("dataset", "a", "b", "difference", "p")
ACROSS_COLUMNS = ("model", "mean_rank", "wins", "completed", "imputed", "family_rank", "p_vs_reference")
SIDE_COLUMNS: Mapping[str, Sequence[str]] = {
    "folds": FOLD_COLUMNS,
    "groups": GROUP_COLUMNS,
    "pairs": PAIR_COLUMNS,
    "across": ACROSS_COLUMNS,
}
"""Columns of the CSV of each kind."""


@dataclass(frozen=True)
class TextTable:
    """One table beside the board.

    Attributes:
        kind: a key of ``SIDE_COLUMNS``.
        title: its heading.
        cells: heading and text of each column; the first are names.
        rows: what it shows.
        notes: what a reader must know of it.
        words: headings whose cells are words, not numbers.
    """

    kind: str
    title: str
    cells: Sequence[Cell]
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    words: frozenset[str] = frozenset()

    @property
    def titles(self) -> list[str]:
        """The headings."""
        return [title for title, _ in self.cells]

    def texts(self, row: Row) -> list[str]:
        """Return what a row shows."""
        return [text(row) for _, text in self.cells]


def sides(board: Board) -> Iterator[TextTable]:
    """Yield the tables that people read: subgroups only where they were asked for."""
    yield from _folds(board)
    if board.by is not None:
        yield from groups(board)
    for table in board.tables:
        if table.pairs:
            yield pairs_of(table)
    if board.across is not None:
        words = frozenset({"model", "imputed"})
        yield TextTable("across", "All data sets", OVER, board.across.rows, board.across.notes, words)


def pairs_of(table: Table) -> TextTable:
    """Return the comparison of all pairs of models of one data set."""
    title = f"{table.dataset}: all pairs, p corrected over all of them"
    return TextTable("pairs", title, _PAIRS, table.pairs, words=frozenset({"pair"}))


def groups(board: Board) -> Iterator[TextTable]:
    """Yield the subgroups of every data set, those of the default ones that cannot be had included."""
    for table in board.tables:
        for part in table.groups:
            metric = part.rows[0]["metric"] if part.rows else ""
            level = f"{1 - float(table.facts['alpha']):.0%} interval"
            title = f"{table.dataset} by {part.by}"
            yield TextTable("groups", title, _groups(metric, level), part.rows, part.notes, _WORDS)


def side_rows(board: Board) -> dict[str, list[Row]]:
    """Return the rows of each kind for the CSV, all of them; kinds without rows are left out."""
    found: dict[str, list[Row]] = {
        "folds": [row for over in board.folds for row in over.rows],
        "groups": [row for table in board.tables for part in table.groups for row in part.rows],
        "pairs": [row for table in board.tables for row in table.pairs],
        "across": [] if board.across is None else list(board.across.rows),
    }
    return {kind: rows for kind, rows in found.items() if rows}


def side_json(board: Board) -> dict[str, Any]:
    """Return folds and the view over data sets as JSON holds them."""
    over = None if board.across is None else asdict(board.across)
    return {"folds": [asdict(one) for one in board.folds], "across": over}


def _folds(board: Board) -> Iterator[TextTable]:
    for over in board.folds:
        title = f"{over.dataset}: {over.primary} over its splits"
        yield TextTable("folds", title, _FOLDS, over.rows, over.notes, _WORDS)


_WORDS = frozenset({"model", "group"})

OVER: Sequence[Cell] = (
    ("model", lambda row: row["model"]),
    ("mean rank", lambda row: decimal(row["mean_rank"], 2)),
    ("wins", lambda row: whole(row["wins"])),
    ("completed", lambda row: percent(row["completed"])),
    ("imputed", lambda row: row["imputed"] or NONE),
    ("p", lambda row: p_value(row["p_vs_reference"])),
)

_PAIRS: Sequence[Cell] = (
    ("pair", lambda row: f"{row['a']} − {row['b']}"),
    ("difference", lambda row: signed(row["difference"])),
    ("p", lambda row: p_value(row["p"])),
)

_AGAINST: Sequence[Cell] = (
    ("difference", lambda row: signed(row["diff_to_reference"])),
    ("its interval", lambda row: span(row["diff_low"], row["diff_high"], signed)),
    ("p", lambda row: p_value(row["p_vs_reference"])),
)

_FOLDS: Sequence[Cell] = (
    ("model", lambda row: row["model"]),
    ("splits", lambda row: f"{row['folds']} of {row['of']}"),
    ("mean", lambda row: decimal(row["mean"])),
    ("sd", lambda row: decimal(row["sd"])),
    ("validation", lambda row: decimal(row["valid_mean"])),
    *_AGAINST,
    ("better", lambda row: percent(row["p_better"])),
    ("alike", lambda row: percent(row["p_equivalent"])),
    ("worse", lambda row: percent(row["p_worse"])),
)


def _groups(metric: str, level: str) -> Sequence[Cell]:
    named: Callable[[Row], str] = lambda row: f"{row['group']}{' !' if row['few_users'] else ''}"  # noqa: E731 - one cell of many
    return (
        ("model", lambda row: row["model"]),
        ("group", named),
        ("users", lambda row: whole(row["users"])),
        (metric or "value", lambda row: decimal(row["value"])),
        (level, lambda row: span(row["low"], row["high"])),
        *_AGAINST,
    )
