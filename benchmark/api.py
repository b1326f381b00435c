"""The verbs as Python calls: the one place that joins adapters to the engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import SuiteError
from benchmark.registry import Registry, install_hint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from benchmark.bundle import Bundle, Recommendation
    from benchmark.bundle.serving import Id
    from benchmark.bundle.verify import Check
    from benchmark.compare_runs import Changes
    from benchmark.leaderboard import Board, Compare
    from benchmark.runner import DryRun, RunOptions, Study, Watcher
    from benchmark.selection import Decision, PickOptions
    from benchmark.suite import Suite


def registry() -> Registry:
    """Return every adapter: ours, and those that installed packages publish."""
    from adapters import ADAPTERS, RENAMED

    return Registry(ADAPTERS, renamed=RENAMED, entry_points=True)


def check(
    suite: str | Path,
    changes: dict[str, Any] | None = None,
    *,
    models: list[str] | None = None,
    changed_by: str = "changes",
) -> Suite:
    """Return a validated suite, by path or bare name, with every default filled in.

    Args:
        suite: a path or the bare name of a suite that ships.
        changes: settings that win over the file, as nested keys.
        models: keep only the models of these board names.
        changed_by: who made the changes: a complaint about one names it in place of the file.

    Raises:
        SuiteError: with every complaint, each at its line.
    """
    from benchmark.suite import find, load

    path = find(str(suite))
    loaded = load(path, registry(), changes, changed_by=changed_by)
    return loaded if models is None else _only(loaded, models, path)


def _only(suite: Suite, names: list[str], path: Path) -> Suite:
    known = {model.label: model for model in suite.models}
    if unknown := [name for name in names if name not in known]:
        hint = registry().hint(unknown[0], known)
        raise SuiteError(
            f"--models {unknown[0]}: {path} has no such model{hint}\n  It has: {', '.join(known)}."
        )
    return suite.model_copy(update={"models": tuple(known[name] for name in dict.fromkeys(names))})


def metrics() -> list[dict[str, str]]:
    """Return name, kind, formula, direction, range and source of every metric."""
    from benchmark.metrics.register import listing

    return listing()


def plan(suite: Suite) -> list[Study]:
    """Return the studies that a suite would run, data set by data set; each fold has its own."""
    from benchmark import runner

    labels = [label for spec in suite.datasets for label in runner.labels_of(suite, spec.name)]
    return [study for label in labels for study in runner.plan(suite, registry(), label)]


def audit(suite: str | Path, data: Path | None = None) -> list[dict[str, Any]]:
    """Return the manifest of each split of a suite, its audit included; nothing is kept.

    Raises:
        DataError: a log cannot be had, prepared or split.
    """
    import tempfile

    from benchmark.records import to_json
    from benchmark.runner.splits import store_all
    from benchmark.suite import find

    with tempfile.TemporaryDirectory(prefix="bench-check-") as folder:
        stored = store_all(check(suite), Path(folder), data, find(str(suite)).parent, lambda _: None)
        return [to_json(data.manifest) for data in stored]


def doctor() -> dict[str, Any]:
    """Return what this machine offers and which libraries are missing."""
    from benchmark.runner.hardware import environment

    adapters = registry()
    lacking = [adapter for adapter in adapters.values() if adapter.missing]
    missing = {adapter.name: adapter.missing for adapter in lacking}
    return environment(adapters.values()) | {"missing": missing, "install": install_hint(lacking)}


def run(
    suite: str | Path | Suite, order: RunOptions | None = None, watcher: Watcher | None = None
) -> Finished:
    """Tune, choose and score every model of a suite; go on where an earlier run of it stopped.

    Raises:
        BenchError: nothing is lost; the same call goes on.
    """
    from benchmark import runner
    from benchmark.reporting import write_all
    from benchmark.suite import Suite as Loaded

    ready = suite if isinstance(suite, Loaded) else check(suite)
    place = runner.run(ready, registry(), order or runner.RunOptions(), watcher)
    result = report(place.path)
    write_all(result, place.path)
    return Finished(place.path, result)


def dry_run(suite: Suite, order: RunOptions) -> list[DryRun]:
    """Fit one step of every model of a suite and keep nothing."""
    from benchmark import runner

    return runner.dry_run(suite, registry(), order)


def report(
    *paths: str | Path,
    compare: Compare = "reference",
    baseline: str | None = None,
    by: Sequence[str] | None = None,
) -> Board:
    """Return the board of one run directory, or of several as one, made from their stored rows.

    Args:
        paths: the run directories.
        compare: "all" adds the comparison of all pairs of models, corrected over all pairs.
        baseline: compare with this model instead of the reference that validation named.
        by: show the same board for parts of the users or items too: "user.activity", "user.<column>",
            "item.popularity".

    Raises:
        RunError: there is no run, it has no results yet, or the runs do not belong on one board.
    """
    from benchmark.leaderboard import board
    from benchmark.results import RunDirectory

    runs = [RunDirectory.existing(Path(path)) for path in paths]
    return board(*runs, compare=compare, baseline=baseline, by=by)


def metrics_of(path: str | Path) -> tuple[str, ...]:
    """Return the metrics of a run, the primary one first.

    Raises:
        RunError: there is no run, or it has no results yet.
    """
    from benchmark.leaderboard.dataset_results import read
    from benchmark.results import RunDirectory

    return read(RunDirectory.existing(Path(path)))[0].suite.metrics.all


def pick(
    path: str | Path,
    wish: PickOptions | None = None,
    *,
    dataset: str | None = None,
    export: str | Path | None = None,
) -> Picked:
    """Return the model for production; its record is written into the run, or with its bundle.

    Args:
        path: a finished run's directory.
        wish: limits and rule.
        dataset: needed where the run has several.
        export: a new folder for the winner's bundle.

    Raises:
        PickError: no model meets the limits; says by how much each misses.
        BundleError: the bundle cannot be made, or does not recommend what the run stored.
        RunError: there is no run, or it has no results yet.
    """
    from dataclasses import replace

    from benchmark import selection
    from benchmark.leaderboard import dataset_names, ranked_results
    from benchmark.results import RunDirectory

    run = RunDirectory.existing(Path(path))
    results = ranked_results(run, dataset)
    wish = replace(
        wish or selection.PickOptions(),
        to_export=export is not None or (wish or selection.PickOptions()).to_export,
    )
    decision = selection.pick(results, wish)
    if export is not None:
        bundle = _exported(decision, Path(export))
        return Picked(decision, bundle / "pick.md", bundle)
    stem = "pick" if len(dataset_names(run)) == 1 else f"pick-{results.split_folder.name}"
    return Picked(decision, selection.write_record(decision, run, stem), None)


def _exported(decision: Decision, place: Path) -> Path:
    from benchmark.bundle.export import export
    from benchmark.errors import BundleError
    from benchmark.selection import record_files

    export(decision.results, decision.winner, place, record_files(decision))
    if broken := [check for check in verify(place) if not check.ok and check.name != "latency"]:
        raise BundleError(f"{place}: the bundle was written, but {broken[0].detail}; do not use it")
    return place


def load(path: str | Path) -> Bundle:
    """Return a bundle, ready to recommend: ``load(path).recommend([196, 22], k=10)``.

    Raises:
        BundleError: a file is damaged or does not fit the others.
        MissingLibrary: the model needs a library that is not installed.
    """
    from benchmark import bundle

    return bundle.load(path, registry())


def verify(path: str | Path) -> list[Check]:
    """Return what was checked of a bundle: files by hash, lists by the run's own, latency by the promise."""
    from benchmark.bundle.verify import verify as verify_bundle

    return verify_bundle(path, registry())


def recommend(
    path: str | Path, users: Iterable[Id], k: int = 10, *, exclude: Collection[Id] = ()
) -> list[Recommendation]:
    """Return the list of each user, from a bundle.

    Raises:
        BundleError: the bundle is damaged, or k is below 1.
    """
    return load(path).recommend(users, k, exclude=exclude)


def diff(before: str | Path, after: str | Path, *, dataset: str | None = None) -> Changes:
    """Return what one run changes against another, model by model.

    Raises:
        RunError: they are not of the same split, or one has no results yet.
    """
    from benchmark.compare_runs import compare_runs
    from benchmark.results import RunDirectory

    runs = [RunDirectory.existing(Path(path)) for path in (before, after)]
    return compare_runs(runs[0], runs[1], dataset)


@dataclass(frozen=True)
class Picked:
    """A pick, where its record lies, and its bundle if one was asked for."""

    decision: Decision
    record: Path
    bundle: Path | None


@dataclass(frozen=True)
class Finished:
    """A finished run: where it lies and its board."""

    path: Path
    board: Board
