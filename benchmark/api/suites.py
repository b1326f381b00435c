"""Suites and their data: init, check, plan, audit, dry_run; data, fetch, melt, metrics, schema."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from benchmark.api.adapters import registry
from benchmark.errors import DataError, SuiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmark.datasets.manifest import SplitManifest
    from benchmark.datasets.sources.folders import LocalDataset
    from benchmark.datasets.tables.melt import Melted
    from benchmark.metrics.register import Metric
    from benchmark.runner import DryRun, Plan
    from benchmark.suite import Suite
    from benchmark.suite.assignments import Assignments

StrPath: TypeAlias = "str | os.PathLike[str]"
SuiteSource: TypeAlias = "StrPath | Mapping[str, Any] | Suite"
"""A suite's path or bare name, a mapping with the keys of a suite file, or a validated suite."""


def check(
    suite: SuiteSource,
    changes: Mapping[str, Any] | None = None,
    *,
    budget: str | float | None = None,
    models: Sequence[str] | None = None,
    seeds: int | None = None,
    set: Assignments = (),
    changed_by: str = "arguments",
    say: Callable[[str], None] | None = None,
) -> Suite:
    """Return a validated suite with every default filled in.

    Args:
        suite: as in :func:`run`.
        changes: settings that win over the suite's, as nested keys.
        budget: device-seconds per model, in place of the suite's.
        models: only these models, of the suite or any adapter, without regard to case.
        seeds: refits of each stochastic model, in place of the suite's.
        set: single keys of the suite, as in ``{"budget.per_model": "60s", "models.native/bpr.dim": 64}`` or
            ``["split.test=20%"]``; the last wins, and None leaves a key to its default. ``budget``, ``seeds``
            and ``changes`` win over it.
        changed_by: who made the changes: a complaint about one names it in place of the file.
        say: told, a line each, of the hyperparameters in ``set`` that lie outside their search range.

    Raises:
        SuiteError: with every complaint, each at its line.
    """
    from benchmark.suite import Suite, find_suite, load_suite, suite_from_mapping

    given: object = suite  # what a notebook hands over need not be what is asked for
    if not isinstance(given, str | os.PathLike | Mapping | Suite):
        taken = "a LazyFrame after its collect()" if hasattr(given, "collect") else "a frame"
        raise SuiteError(
            f"suite: is a {type(given).__name__}; it must be a path, the name of a suite that ships, a "
            f"mapping or a Suite; run and split also take {taken}"
        )
    wanted = dict(changes or {})
    for section, key, value in (("budget", "per_model", budget), ("finals", "seeds", seeds)):
        if value is not None:
            wanted[section] = {**wanted.get(section, {}), key: value}
    if isinstance(suite, Suite):
        said = suite.model_dump(exclude_unset=True)  # what the suite leaves to a data set stays so
        copy = suite_from_mapping(said, registry(), wanted, assignments=set, changed_by=changed_by, say=say)
        ready = copy.read_from(suite.source, suite.bases)
    elif isinstance(suite, Mapping):
        ready = suite_from_mapping(suite, registry(), wanted, assignments=set, changed_by=changed_by, say=say)
    else:
        path = find_suite(os.fspath(suite))
        ready = load_suite(path, registry(), wanted, assignments=set, changed_by=changed_by, say=say)
    return ready if models is None else ready.only(models, registry().hint, [*registry()])


def plan(
    suite: SuiteSource,
    *,
    data: StrPath | None = None,
    budget: str | float | None = None,
    models: Sequence[str] | None = None,
    seeds: int | None = None,
    set: Assignments = (),
    out: StrPath | None = None,
    results: StrPath = "results",
) -> Plan:
    """Return the studies that a suite would run, and whom its splits can judge; nothing is kept.

    Logs on this machine are opened and split. Of a known data set that is not here nothing is fetched:
    whether its values are ratings, and what has features, is taken from what its publisher says. Where a run
    would continue with results that are there, or take them over, the plan says what is kept and what is new.

    Args:
        suite: as in :func:`run`.
        data: folder of data sets; $BENCH_DATA by default.
        budget: device-seconds per model, in place of the suite's.
        models: only these models, of the suite or any adapter.
        seeds: refits of each stochastic model, in place of the suite's.
        set: single keys of the suite, as in :func:`check`.
        out: the directory of the run, as in :func:`run`.
        results: folder of all runs.

    Raises:
        SuiteError: with every complaint, each at its line.
        DataError: a data set has neither a path nor a known name, or cannot be prepared or split.
        RunError: ``out`` holds something else than a run of this suite.
    """
    from benchmark import runner

    ready = check(suite, budget=budget, models=models, seeds=seeds, set=set)
    options = runner.RunOptions(
        results=Path(results),
        out=None if out is None else Path(out),
        data=data_folder(data),
        base=ready.folder,
    )
    return runner.plan_suite(
        ready, registry(), options.folders.data, ready.folder, runner.earlier_run(ready, registry(), options)
    )


def dry_run(
    suite: SuiteSource,
    *,
    data: StrPath | None = None,
    models: Sequence[str] | None = None,
    set: Assignments = (),
) -> list[DryRun]:
    """Train and validate one step of every model of a suite, to find what is broken; nothing is kept.

    Args:
        suite: as in :func:`run`.
        data: folder of data sets; $BENCH_DATA by default.
        models: only these models, of the suite or any adapter.
        set: single keys of the suite, as in :func:`check`.

    Raises:
        BenchError: a data set is not available or cannot be split.
    """
    from benchmark import runner

    ready = check(suite, models=models, set=set)
    options = runner.RunOptions(data=data_folder(data), base=ready.folder)
    return runner.dry_run(ready, registry(), options)


def audit(suite: SuiteSource, *, data: StrPath | None = None, set: Assignments = ()) -> list[SplitManifest]:
    """Return the manifest of each split of a suite, its audit included; nothing is kept.

    Args:
        suite: as in :func:`run`.
        data: folder of data sets; $BENCH_DATA by default.
        set: single keys of the suite, as in :func:`check`.

    Raises:
        DataError: a log is not available, or cannot be prepared or split.
    """
    import tempfile

    from benchmark.runner.splits import store_all

    ready, folder = check(suite, set=set), data_folder(data)
    with tempfile.TemporaryDirectory(prefix="bench-check-") as scratch:
        stored = store_all(ready, Path(scratch), folder, ready.folder, lambda _: None)
        return [split.manifest for split in stored]


def init(log: StrPath, out: StrPath | None = None, *, say: Callable[[str], None] = print) -> Path:
    """Write a commented suite for a log of your own from a look at its beginning; return the suite's path.

    Columns, scale and split are guessed, and said to be. Which rows are likes, which items may come again and
    what rows weigh is left as comments.

    Args:
        log: a file with one interaction a line, or a folder of its parts.
        out: the suite to write; by default the log's name with .yaml, in the working directory.
        say: takes one line: what was guessed, and what is open.

    Raises:
        DataError: the log cannot be read, is a matrix, or is a folder in a publisher's layout.
        SuiteError: there is such a file already, or it cannot be written.
    """
    from benchmark.suite.starting_suite import write_starting_suite

    return write_starting_suite(Path(log), None if out is None else Path(out), registry(), say)


def data(folder: StrPath | None = None) -> list[LocalDataset]:
    """Return the data sets that are known by name, and where they are on this machine.

    Args:
        folder: folder of data sets; $BENCH_DATA by default.
    """
    from benchmark.datasets.sources.folders import DataFolders, local_datasets

    return local_datasets(DataFolders(data=data_folder(folder)))


def melt(
    matrix: StrPath,
    out: StrPath,
    *,
    zeros: Literal["keep", "drop"] | None = None,
    numbered: bool = False,
    say: Callable[[str], None] = print,
) -> Melted:
    """Turn a matrix with a row for each user and a column for each item into one row per interaction.

    Args:
        matrix: CSV, Parquet, Feather or ORC; the first column has the users' ids, the header the items'.
        out: the rows, CSV or Parquet by its suffix.
        zeros: whether a cell of 0 is a value; must be given if there are some.
        numbered: the file has no ids: users and items are numbered from 1.
        say: takes one line of progress.

    Raises:
        DataError: it is no matrix of numbers, or it has zeros and ``zeros`` is not given.
        RunError: the rows cannot be written.
    """
    from benchmark.datasets.tables.melt import melt as written

    return written(Path(matrix), Path(out), zeros=zeros, numbered=numbered, say=say)


def fetch(name: str, *, say: Callable[[str], None] = print) -> Path:
    """Download a known data set into the cache; return its folder.

    Args:
        name: such as "movielens-1m".
        say: shows the licence and the progress, a line each.

    Raises:
        SourceError: there is none of that name, or its publisher did not answer.
    """
    from benchmark.datasets.sources import download
    from benchmark.datasets.sources.known import find_known

    return download.fetch(find_known(name), say=say)


def data_folder(folder: StrPath | None) -> Path | None:
    """Return the folder of data sets: the one that is named, else $BENCH_DATA; None without either.

    Raises:
        DataError: there is no such folder; $BENCH_DATA may point to nothing.
    """
    from benchmark.datasets.sources.folders import data_directory

    if folder is None:
        return data_directory()
    if not os.path.isdir(folder):  # noqa: PTH112 - false, not an error, for any text
        raise DataError(
            f"data: there is no folder {os.fspath(folder)}; give the one that holds ml-100k and others"
        )
    return Path(folder)


def metrics() -> list[Metric]:
    """Return every metric: its kind, formula, direction, range and source."""
    from benchmark.metrics.register import registered

    return list(registered().values())


def schema() -> dict[str, Any]:
    """Return the JSON schema of suites, for editors."""
    from benchmark.suite import Suite

    return Suite.model_json_schema()
