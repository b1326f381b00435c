"""The model for production: pick one, export any."""

from __future__ import annotations

import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.api.bundles import verify
from benchmark.errors import BundleError, RunError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmark.api.suites import StrPath
    from benchmark.leaderboard import RankedResults
    from benchmark.results import RunDirectory
    from benchmark.selection import Decision, Limit
    from benchmark.selection.assessment import Rule


@dataclass(frozen=True)
class Pick:
    """The model for production.

    Attributes:
        decision: the winner, and why every other model lost.
        record: the decision record, a Markdown file; the same as JSON is beside it.
        bundle: the winner's bundle; None if none was asked for.
    """

    decision: Decision
    record: Path
    bundle: Path | None

    def __fspath__(self) -> str:
        """Return the path of the bundle, so that ``load`` and ``recommend`` take a pick.

        Raises:
            BundleError: none was asked for.
        """
        if self.bundle is None:
            raise BundleError(f"{self.model} was picked, not exported; pick with export=FOLDER")
        return str(self.bundle)

    @property
    def model(self) -> str:
        """The winner's name on the board."""
        return self.decision.winner

    def __str__(self) -> str:
        """Return the decision, a line for every model."""
        from benchmark.selection import as_text

        return as_text(self.decision)

    def __repr__(self) -> str:
        """Return the winner and where the record is."""
        return f"<Pick {self.model}: {self.record}>"

    def _repr_html_(self) -> str:
        """Return the decision for a notebook; names cannot break out of it."""
        return f"<pre>{escape(str(self))}</pre>"


def pick(
    *runs: StrPath,
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
    """Return the model for production; its record is written into the run, or into ``out``.

    A record that the run has already is kept as ``pick-1``, ``pick-2`` and so on; the run's page shows the
    last one. Of several runs the record lies in ``out``, or with the bundle.

    Args:
        runs: the directory of a finished run, or those of several on one split: their models are compared
            as on one board, one that several hold as ``name@run``.
        max_latency_ms: limit on the 95th percentile of one user's scoring time, milliseconds.
        max_memory_mb: limit on the peak memory of the fit, MiB.
        max_size_mb: limit on the stored model, MiB.
        min: least values of metrics, as in ``{"coverage@10": 0.2}``.
        max: greatest values of metrics, as in ``{"rmse": 0.95}``.
        device: only models measured on it, "cpu" or "cuda".
        rule: what it takes to be good enough.
        model: take this one, which must meet the limits; the record says what the rule picks.
        dataset: which one, where the run has several.
        export: a new or empty folder for the winner's bundle.
        out: folder for the record; of several runs it must be given, or ``export``.

    Raises:
        PickError: no model meets the limits; says by how much each misses. Or the model that was asked for
            does not, or there is none of that name. Or latencies are limited, and the runs were made on
            different processors.
        BundleError: there is something in the folder for the bundle. Or it cannot be made, or does not
            recommend what the run stored; none is left then.
        RunError: there is no run, or it has no results yet; the runs do not belong on one board; ``out`` has
            a record already.
    """
    from benchmark import selection
    from benchmark.leaderboard import ranked_results

    directories = [existing_run(run) for run in runs]
    if not directories:
        raise RunError("a pick needs at least one run directory; `bench runs` lists the runs here.")
    if len(directories) > 1 and out is None and export is None:
        raise RunError("a pick from several runs needs a folder for its record: --out DIR, or --export DIR")
    if out is not None:
        selection.refuse_taken(Path(out))
    if export is not None:
        refuse_filled(Path(export))
    costs = {"latency_ms_p95": max_latency_ms, "memory_mb": max_memory_mb, "size_mb": max_size_mb}
    limits = limits_of(directories[0], costs, min or {}, max or {})
    options = selection.PickOptions(limits, device, rule, to_export=export is not None, model=model)
    results = ranked_results(*directories, dataset=dataset)
    decision = selection.pick(results, options)
    bundle = None
    if export is not None:
        bundle = exported(results, decision.winner, Path(export), selection.record_files(decision))
    return Pick(decision, recorded(decision, directories, out, bundle), bundle)


def export(run: StrPath, model: str, folder: StrPath | None = None, *, dataset: str | None = None) -> Path:
    """Write the bundle of any model of a run, and return its folder; nothing is written into the run.

    Its ``pick.md`` says that the model was named by hand, and what the rule picks; there is none where the
    reference of the board has no result, so that nothing can be compared.

    Args:
        run: the directory of a finished run.
        model: its name on the board.
        folder: a new or empty folder; the model's name with a hyphen for the slash if None.
        dataset: which one, where the run has several.

    Raises:
        PickError: the board has no such model, or it has no result or no stored state.
        BundleError: there is something in the folder. Or the bundle cannot be made, or does not recommend
            what the run stored; none is left then.
        RunError: there is no run, or it has no results yet.
    """
    from benchmark import selection
    from benchmark.leaderboard import ranked_results

    directory, target = existing_run(run), Path(folder if folder is not None else model.replace("/", "-"))
    refuse_filled(target)
    results = ranked_results(directory, dataset=dataset)
    name, record = selection.exportable(results, model), {}
    if results.table.reference_row is not None:
        options = selection.PickOptions(to_export=True, model=name)
        record = selection.record_files(selection.pick(results, options))
    return exported(results, name, target, record)


def limits_of(
    run: RunDirectory,
    costs: Mapping[str, float | None],
    least: Mapping[str, float],
    most: Mapping[str, float],
) -> tuple[Limit, ...]:
    """Return the limits that were asked for.

    Raises:
        PickError: the run did not measure a metric, or a bound is no finite number or on its wrong side.
    """
    from benchmark.selection.limits import Limit, on_metric

    measured = run.suite().metrics.all
    limits = [Limit(column, bound) for column, bound in costs.items() if bound is not None]
    for bounds, at_most in ((least, False), (most, True)):
        limits += [on_metric(name, bound, measured, at_most=at_most) for name, bound in bounds.items()]
    return tuple(limits)


def refuse_filled(folder: Path) -> None:
    """Check that a bundle can be written to a folder, before anything is decided.

    Raises:
        BundleError: there is something in it, it is a file or a link that leads nowhere, or it can be neither
            made nor written.
    """
    cure = "name a new or empty folder for the bundle"
    if folder.is_dir():
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise BundleError(f"{folder}: cannot be written; {cure}")
        if any(folder.iterdir()):
            raise BundleError(f"{folder}: has files in it; {cure}")
    elif os.path.lexists(folder):
        found = "is a link that leads nowhere" if folder.is_symlink() else "is a file"
        raise BundleError(f"{folder}: {found}; {cure}")
    else:
        above = next(one for one in folder.absolute().parents if os.path.lexists(one))
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            why = "cannot be written" if above.is_dir() else "is not a folder"
            raise BundleError(f"{folder}: cannot be made, {above} {why}; {cure}")


def exported(results: RankedResults, model: str, folder: Path, record: Mapping[str, str]) -> Path:
    """Write a model's bundle, verify it, and return its folder; one that fails is removed.

    Raises:
        BundleError: it cannot be made, or fails its check.
    """
    from benchmark.bundle.export import export as export_bundle

    was_there = folder.is_dir()
    export_bundle(results, model, folder, record)
    verified = False
    try:
        broken = [one for one in verify(folder) if not one.ok and one.name != "latency"]
        verified = not broken
    finally:
        if not verified:
            for file in folder.iterdir():
                file.unlink()
            if not was_there:
                folder.rmdir()
    if broken:
        raise BundleError(f"{folder}: failed its check and was removed: {broken[0].detail}")
    return folder


def recorded(
    decision: Decision, runs: Sequence[RunDirectory], out: StrPath | None, bundle: Path | None
) -> Path:
    """Write the record of a pick where it belongs; return the Markdown file.

    Raises:
        RunError: it cannot be written.
    """
    from benchmark import selection
    from benchmark.files import write_errors_as_run_error

    if bundle is not None and (len(runs) > 1 if out is None else Path(out).resolve() == bundle.resolve()):
        return bundle / "pick.md"  # it is there already, as part of what SHA256SUMS lists
    if out is not None:
        with write_errors_as_run_error(Path(out), "choose another with --out DIR"):
            Path(out).mkdir(parents=True, exist_ok=True)
        return selection.write_record(decision, Path(out))
    (run,) = runs
    record = selection.write_record(decision, run.path, record_stem(run, decision.results))
    show_on_page(run)
    return record


def record_stem(run: RunDirectory, results: RankedResults) -> str:
    """Return the name of a record in a run: with the data set's, where there are several."""
    from benchmark.leaderboard import dataset_names

    return "pick" if len(dataset_names(run)) == 1 else f"pick-{results.split_folder.name}"


def show_on_page(run: RunDirectory) -> None:
    """Make the page of a run anew, if it has one, so that it shows its last pick.

    Raises:
        RunError: it cannot be written.
    """
    from benchmark.files import write_text
    from benchmark.leaderboard import board
    from benchmark.reporting import html

    page = run.path / "leaderboard.html"
    if page.is_file():
        write_text(page, html(board(run)))


def existing_run(run: StrPath) -> RunDirectory:
    """Return the directory of a run that there is.

    Raises:
        RunError: there is none.
    """
    from benchmark.results import RunDirectory

    return RunDirectory.existing(Path(run))
