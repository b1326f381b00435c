"""Runs: make one, read its board, compare two: run, runs, report, diff."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from benchmark.api.adapters import registry
from benchmark.api.in_memory import Place, called_frame, suite_and_base
from benchmark.api.picking import Pick, existing_run, export, pick
from benchmark.api.suites import data_folder
from benchmark.errors import RunError, SuiteError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmark.api.in_memory import FrameKeys, NamedModel
    from benchmark.api.suites import StrPath, SuiteSource
    from benchmark.compare_runs import Changes
    from benchmark.datasets.tables.frames import Frame
    from benchmark.leaderboard import Board, Compare
    from benchmark.runner import Watcher
    from benchmark.selection.assessment import Rule
    from benchmark.suite.assignments import Assignments


@dataclass(frozen=True)
class Run:
    """A run by its directory; wherever the path of a run is asked for, a Run will do."""

    path: Path

    def __fspath__(self) -> str:
        """Return the path."""
        return str(self.path)

    def __repr__(self) -> str:
        """Return the path alone; nothing is read for it."""
        return f"<Run {self.path}>"

    def _repr_html_(self) -> str:
        """Return the board, for a notebook."""
        return self.board._repr_html_()

    @property
    def board(self) -> Board:
        """The leaderboard, made from stored rows; made anew where they changed since it was asked for last.

        Raises:
            RunError: there is no run, or it has no results yet.
        """
        folder = existing_run(self).path
        stamp = [
            (one.stat().st_size, one.stat().st_mtime_ns)
            for one in (folder / "ledger.jsonl", folder / "manifest.json")
            if one.exists()
        ]
        made: tuple[object, Board] | None = vars(self).get("_made")
        if made is None or made[0] != stamp:
            made = stamp, report(self)
            vars(self)["_made"] = made
        return made[1]

    def changes_since(self, earlier: StrPath) -> tuple[str, ...]:
        """Return what this run's suite, data and code changed against an earlier run, a few words each.

        Raises:
            RunError: there is no such run.
        """
        from benchmark.results import run_changes

        return run_changes(existing_run(earlier), existing_run(self))

    def pick(
        self,
        *,
        max_latency_ms: float | None = None,
        max_memory_mb: float | None = None,
        max_size_mb: float | None = None,
        min: Mapping[str, float] | None = None,
        max: Mapping[str, float] | None = None,
        device: str | None = None,
        rule: Rule = "non-inferiority",
        model: str | None = None,
        dataset: str | None = None,
        export: StrPath | None = None,
        out: StrPath | None = None,
    ) -> Pick:
        """Return the model for production; see :func:`benchmark.api.pick`."""
        return pick(
            self,
            max_latency_ms=max_latency_ms,
            max_memory_mb=max_memory_mb,
            max_size_mb=max_size_mb,
            min=min,
            max=max,
            device=device,
            rule=rule,
            model=model,
            dataset=dataset,
            export=export,
            out=out,
        )

    def export(self, model: str, folder: StrPath | None = None, *, dataset: str | None = None) -> Path:
        """Write the bundle of any model, and return its folder; see :func:`benchmark.api.export`."""
        return export(self, model, folder, dataset=dataset)


def run(
    source: SuiteSource | Frame | None = None,
    *,
    user: str | None = None,
    item: str | None = None,
    value: str | None = None,
    time: str | None = None,
    suite: SuiteSource | None = None,
    out: StrPath | None = None,
    data: StrPath | None = None,
    budget: str | float | None = None,
    models: Sequence[NamedModel] | None = None,
    seeds: int | None = None,
    set: Assignments = (),
    jobs: int | None = None,
    fresh: bool = False,
    follow: bool = False,
    skip_missing: bool = False,
    results: StrPath = "results",
    temporary: bool = False,
    watcher: Watcher | None = None,
    **entry: Unpack[FrameKeys],
) -> Run:
    """Tune, choose and score every model on a suite or a frame; resume where an earlier run of it stopped.

    A frame's rows are stored as Parquet in the folder ``frames`` beside its runs, under a name made of their
    content, and named in the suite.yaml of the run: the same call with equal rows goes on, and so does
    ``bench run`` with that file.

    Args:
        source: a suite: its path or bare name, a mapping with the keys of a suite file, or a validated
            suite. Or the log itself: a frame of pandas, Polars or Arrow.
        user: of a frame, the column with the user's id; "user" by default. It and the next three, and what
            comes last, are keys of a data set's entry.
        item: the column with the item's id; "item" by default.
        value: the column with the rating or count.
        time: the column with the time.
        suite: beside a frame, the other keys of a suite, such as ``{"split": {"by": "global_time"}}``.
        out: the run's directory, if not a new one under ``results``.
        data: folder of data sets; $BENCH_DATA by default.
        budget: device-seconds per model, such as "30s" or "5m", in place of the suite's.
        models: only these models, of the suite or any adapter; beside a frame, those to compare.
        seeds: refits of each stochastic model, in place of the suite's.
        set: single keys of the suite, as in :func:`check`.
        jobs: studies side by side; as many as there are slots by default.
        fresh: start a new run even where an unfinished one could be resumed.
        follow: where data, adapters or libraries have changed since a run, make anew what depends on them and
            keep the rest; without, such a run is refused.
        skip_missing: keep a row with the reason for models whose library is not installed.
        results: folder of all runs.
        temporary: keep nothing: the run is deleted with the object that is returned.
        watcher: hears of the progress; in a notebook, a bar shows it by default.
        **entry: further keys of the entry of a frame: ``name`` (also of its runs), ``scale``, ``positive``,
            ``items`` and so on; a frame may be given wherever a table is named.

    Raises:
        BenchError: nothing finished is lost; the same call resumes.
    """
    from benchmark import runner
    from benchmark.api.notebook import notebook_progress
    from benchmark.reporting import write_all
    from benchmark.runner.resume import refuse_foreign
    from benchmark.suite import Suite

    if jobs is not None and jobs < 1:
        raise SuiteError(f"jobs: must be 1 or more (found {jobs})")
    if fresh and follow:
        raise RunError("--fresh starts anew and --follow goes on; give one of them")
    if temporary and out is not None:
        raise RunError(
            f"temporary: is for a run that nobody named a folder for (found out={os.fspath(out)!r})"
        )
    if out is not None:
        refuse_foreign(Path(out))
    with ExitStack() as undo, notebook_progress(watcher) as heard:
        # Whoever hands over a validated suite has heard what is unusual about it.
        say = heard.said if heard is not None and not isinstance(source, Suite) else None
        root = Path(tempfile.mkdtemp(prefix="bench-run-")) if temporary else Path(results)
        if temporary:
            undo.callback(shutil.rmtree, root, ignore_errors=True)
        keys: dict[str, object] = {"user": user, "item": item, "value": value, "time": time, **entry}
        ready, base = suite_and_base(
            source,
            suite,
            keys,
            models,
            place=lambda name: Place.beside_runs(root / name) if out is None else Place.within(Path(out)),
            budget=budget,
            seeds=seeds,
            set=set,
            say=say,
        )
        options = runner.RunOptions(
            results=root,
            out=None if out is None else Path(out),
            data=data_folder(data),
            base=base,
            jobs=jobs,
            fresh=fresh,
            follow=follow,
            skip_missing=skip_missing,
        )
        with called_frame(base):
            finished = Run(runner.run(ready, registry(), options, heard).path)
        write_all(finished.board, finished.path)
        if temporary:
            weakref.finalize(finished, undo.pop_all().close)
    return finished


def runs(results: StrPath = "results") -> list[Run]:
    """Return every run below a folder, newest first."""
    from benchmark.results import runs_under

    return [Run(directory.path) for directory in runs_under(Path(results))]


def report(
    *paths: StrPath,
    compare: Compare = "reference",
    baseline: str | None = None,
    by: Sequence[str] | None = None,
) -> Board:
    """Return the board of one run, or of several as one, made from their stored rows.

    Args:
        paths: the run directories.
        compare: "all" adds the comparison of all pairs of models, corrected over all pairs.
        baseline: compare with this model instead of the reference that validation named.
        by: show the same board for subgroups of the users or items too: "user.activity", "user.<column>",
            "item.popularity".

    Raises:
        RunError: there is no run, it has no results yet, or the runs do not belong on one board.
    """
    from benchmark.leaderboard import board

    return board(*map(existing_run, paths), compare=compare, baseline=baseline, by=by)


def diff(before: StrPath, after: StrPath, *, dataset: str | None = None) -> Changes:
    """Return what one run changes against another, model by model.

    Raises:
        RunError: they are not of the same split, or one has no results yet.
    """
    from benchmark.compare_runs import compare_runs

    return compare_runs(existing_run(before), existing_run(after), dataset)
