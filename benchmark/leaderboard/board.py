"""The board of one run, or of several together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from benchmark.errors import RunError, did_you_mean
from benchmark.leaderboard.across_datasets import Across, across
from benchmark.leaderboard.board_columns import (
    across_table,
    board_table,
    fold_table,
    group_table,
    pair_table,
)
from benchmark.leaderboard.build import Ranking
from benchmark.leaderboard.dataset_results import read_together
from benchmark.leaderboard.folds import Folds, over_folds
from benchmark.leaderboard.formatting import date_text
from benchmark.leaderboard.rows import ROWS, Row, TableKind, column_names, columns
from benchmark.leaderboard.table import Table
from benchmark.leaderboard.text_tables import TextTable, notes_html
from benchmark.records import Note, warning
from benchmark.results import RunDirectory, RunManifest, StoredPick, stored_picks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from rich.console import Console, ConsoleOptions, RenderableType

    from benchmark.leaderboard.plot import What

Compare: TypeAlias = Literal["reference", "all"]


@dataclass(frozen=True)
class RunOrigin:
    """A run that a board was made from.

    Attributes:
        path: its directory.
        manifest: what it says of itself.
        suite_yaml: its resolved suite as text.
        is_running: whether a process held it when the board was made.
        picks: its last pick of each data set.
    """

    path: Path
    manifest: RunManifest
    suite_yaml: str
    is_running: bool = False
    picks: Mapping[str, StoredPick] = field(default_factory=dict)

    @classmethod
    def from_run(cls, run: RunDirectory) -> RunOrigin:
        """Return what a run says of itself."""
        suite = run / "suite.yaml"
        text = suite.read_text("utf-8") if suite.exists() else ""
        return cls(run.path, run.manifest(), text, run.is_held, stored_picks(run))

    @property
    def unfinished(self) -> Note | None:
        """What a reader must know of a run that has not ended; None of one that has."""
        if self.manifest.state == "finished":
            return None
        since = date_text(self.manifest.started)
        if self.is_running:
            return warning(f"{self.path} is running, since {since}: this is what it has so far.")
        return warning(
            f"{self.path} was stopped before its end (started {since}): `bench run` with its suite "
            "finishes it."
        )


@dataclass(frozen=True, repr=False)
class Board:
    """The leaderboard of one run or of several: one table a data set.

    It shows itself in a notebook, and in a terminal with rich (``rich.print(board)``).

    Attributes:
        tables: one a data set.
        origins: the runs that it was made from.
        across: the models over all data sets; None if there is one.
        folds: the models over several splits of one data set; empty where each has one.
        by: the groups that the reader asked for; None where they are the default ones.
    """

    tables: tuple[Table, ...]
    origins: tuple[RunOrigin, ...]
    across: Across | None = None
    folds: tuple[Folds, ...] = ()
    by: tuple[str, ...] | None = None

    @property
    def suite(self) -> str:
        """Name of the suite; of several, joined."""
        return " + ".join(dict.fromkeys(origin.manifest.suite for origin in self.origins))

    @property
    def run(self) -> str:
        """Where it was read from; of several runs, joined."""
        return ", ".join(str(origin.path) for origin in self.origins)

    @property
    def synthetic(self) -> bool:
        """Whether any data set was generated."""
        return any(table.facts.split.synthetic for table in self.tables)

    def rows(self, kind: TableKind = "board") -> list[Row]:
        """Return the rows of all tables of a kind, in order; none where there is no such table.

        Args:
            kind: "board", "folds" (splits of one data set), "groups" (of users and items), "pairs" (of
                models), "across" (all data sets).
        """
        found: dict[TableKind, list[Row]] = {
            "board": [row for table in self.tables for row in table.rows],
            "folds": [row for over in self.folds for row in over.rows],
            "groups": [row for table in self.tables for groups in table.groups for row in groups.rows],
            "pairs": [row for table in self.tables for row in table.pairs],
            "across": [] if self.across is None else list(self.across.rows),
        }
        return found[kind]

    def columns(self, kind: TableKind = "board") -> list[str]:
        """Return the columns of a kind of table, in order: those of its CSV."""
        if kind == "board":
            return columns(dict.fromkeys(name for table in self.tables for name in table.metrics))
        return list(column_names(ROWS[kind]))

    def to_pandas(self, table: TableKind = "board") -> pd.DataFrame:
        """Return a table with full precision.

        Args:
            table: "board" has the columns of leaderboard.csv; "folds", "groups", "pairs" and "across" those
                of theirs.
        """
        import pandas as pd

        frame = pd.DataFrame([row.as_dict() for row in self.rows(table)], columns=self.columns(table))
        empty = [name for name in frame if frame[name].isna().all()]
        return frame.astype(dict.fromkeys(empty, float))

    def plot(self, what: What = "intervals", *, dataset: str | None = None) -> Figure:
        """Return a figure of matplotlib: a notebook shows it, ``savefig`` writes it.

        Args:
            what: "intervals" (the primary metric of each model), "cost" (quality against latency and
                memory), "budget" (quality against seconds spent), "trials" (every trial).
            dataset: of which data set; of all, one below the other, if None.

        Raises:
            RunError: there is no such figure or data set.
        """
        from benchmark.leaderboard.plot import plotted  # not at import: it imports matplotlib

        tables = [table for table in self.tables if dataset in {None, table.dataset}]
        if not tables:
            labels = [table.dataset for table in self.tables]
            hint = did_you_mean(str(dataset), labels)
            raise RunError(f"plot: there is no data set {dataset!r}{hint}; there are {', '.join(labels)}")
        return plotted(tables, what)

    def text_tables(self) -> Iterator[TextTable]:
        """Yield the tables that people read: groups only where they were asked for."""
        for table in self.tables:
            yield board_table(table)
        for over in self.folds:
            yield fold_table(over)
        if self.by is not None:
            for table in self.tables:
                for groups in table.groups:
                    yield group_table(table, groups)
        for table in self.tables:
            if table.pairs:
                yield pair_table(table)
        if self.across is not None:
            yield across_table(self.across)

    def __repr__(self) -> str:
        tables = [
            f"{table.dataset} ({len(table.ranked)} of {len(table.rows)} models ranked"
            + (f", {table.ranked[0].model} first)" if table.ranked else ")")
            for table in self.tables
        ]
        return f"<Board {self.suite}: {', '.join(tables)}>"

    def __rich_console__(self, _: Console, __: ConsoleOptions) -> Iterator[RenderableType]:
        yield from self.text_tables()

    def _repr_html_(self) -> str:
        """Return the tables as HTML for a notebook: no script, no figures, every name escaped.

        Notes that are no warnings open on request.
        """
        parts = []
        for table in self.text_tables():
            warnings = notes_html([note for note in table.notes if note.is_warning])
            others = [note for note in table.notes if not note.is_warning]
            folded = f"<details><summary>{len(others)} notes</summary>{notes_html(others)}</details>"
            parts += [
                f"<h4><bdi>{escape(table.title)}</bdi></h4>",
                table.filled.to_html(),
                warnings,
                folded if others else "",
            ]
        return "\n".join(filter(None, parts))


def board(
    *runs: RunDirectory,
    compare: Compare = "reference",
    baseline: str | None = None,
    by: Sequence[str] | None = None,
) -> Board:
    """Return the board of one run directory, or of several as one.

    Args:
        runs: their directories.
        compare: "all" adds the comparison of all pairs of models, corrected over all pairs.
        baseline: compare with this model instead of the reference that validation named.
        by: groups to show the same board for: "user.activity", "user.<column>", "item.popularity"; the first
            and the last of these, where they exist, if None.

    Raises:
        RunError: a run has no results yet, the runs do not belong on one board, or there is no such
            baseline or group.
    """
    if not runs:
        raise RunError("a board needs at least one run directory; `bench runs` lists the runs here.")
    origins = tuple(RunOrigin.from_run(run) for run in runs)
    unfinished = tuple(origin.unfinished for origin in origins if origin.unfinished is not None)
    made = (
        Ranking(results, baseline).table(all_pairs=compare == "all", by=by, grouped=True)
        for results in read_together(runs)
    )
    tables = tuple(replace(table, notes=(*unfinished, *table.notes)) for table in made)
    return Board(
        tables,
        origins,
        across(tables),
        over_folds(tables),
        None if by is None else tuple(by),
    )
