"""The board of one run, or of several together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from benchmark.errors import RunError
from benchmark.leaderboard.across_datasets import Across, across
from benchmark.leaderboard.build import Ranking
from benchmark.leaderboard.dataset_results import together
from benchmark.leaderboard.folds import Folds, over_folds
from benchmark.leaderboard.table import Table
from benchmark.results import RunDirectory

Compare: TypeAlias = Literal["reference", "all"]


@dataclass(frozen=True)
class Board:
    """The leaderboard of a run: one table a data set.

    Attributes:
        suite: name of the suite; of several, joined.
        tables: one a data set.
        synthetic: whether any data set is.
        run: where it was read from; of several, joined.
        across: the models over all data sets; None if there is one.
        origins: what each run's manifest says of itself: hashes, versions, hardware, dates;
            and its resolved suite.
        folds: the models over several splits of one data set; empty where each has one.
        by: what the reader asked to see parts by; None where the parts are the default ones.
    """

    suite: str
    tables: tuple[Table, ...]
    synthetic: bool
    run: str
    across: Across | None = None
    origins: tuple[dict[str, Any], ...] = field(default=())
    folds: tuple[Folds, ...] = ()
    by: tuple[str, ...] | None = None


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
        by: parts to show the same board for: "user.activity", "user.<column>", "item.popularity"; the first
            and the last of these, where they can be had, if None.

    Raises:
        RunError: a run has no results yet, the runs do not belong on one board, or there is no such
            baseline or part.
    """
    if not runs:
        raise RunError("a board needs at least one run directory; `bench runs` lists those there are.")
    tables = tuple(
        Ranking(stored, baseline).table(all_pairs=compare == "all", by=by, grouped=True)
        for stored in together(runs)
    )
    origins = tuple(_origin(run) for run in runs)
    return Board(
        " + ".join(dict.fromkeys(origin["suite"] for origin in origins)),
        tables,
        any(table.facts["synthetic"] for table in tables),
        ", ".join(str(run.path) for run in runs),
        across(tables),
        origins,
        over_folds(tables),
        None if by is None else tuple(by),
    )


def _origin(run: RunDirectory) -> dict[str, Any]:
    keys = ("suite", "suite_hash", "started", "finished", "environment")
    told = {key: value for key, value in run.manifest().items() if key in keys}
    suite = run / "suite.yaml"
    return told | {"run": str(run.path), "suite_yaml": suite.read_text("utf-8") if suite.exists() else ""}
