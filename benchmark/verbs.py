"""The verbs as Python calls: the one place, beside the command line, that joins adapters to the engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import SuiteError, did_you_mean
from benchmark.registry import Registry

if TYPE_CHECKING:
    from benchmark.leaderboard import Board
    from benchmark.runner import Order, Rehearsal, Study, Watcher
    from benchmark.suite import Suite


def registry() -> Registry:
    """Return every adapter: ours, and those that installed packages publish."""
    from adapters import ADAPTERS

    return Registry(ADAPTERS, entry_points=True)


def check(
    suite: str | Path, changes: dict[str, Any] | None = None, *, models: list[str] | None = None
) -> Suite:
    """Return a validated suite, by path or bare name, with every default filled in.

    Args:
        suite: a path or the bare name of a suite that ships.
        changes: settings that win over the file, as nested keys.
        models: keep only the models of these board names.

    Raises:
        SuiteError: with every complaint, each at its line.
    """
    from benchmark.suite import find, load

    path = find(str(suite))
    loaded = load(path, registry(), changes)
    return loaded if models is None else _only(loaded, models, path)


def _only(suite: Suite, names: list[str], path: Path) -> Suite:
    known = {model.label: model for model in suite.models}
    if unknown := [name for name in names if name not in known]:
        hint = did_you_mean(unknown[0], known)
        raise SuiteError(
            f"--models {unknown[0]}: {path} has no such model{hint}\n  It has: {', '.join(known)}."
        )
    return suite.model_copy(update={"models": tuple(known[name] for name in dict.fromkeys(names))})


def plan(suite: Suite) -> list[Study]:
    """Return the studies that a suite would run, data set by data set."""
    from benchmark import runner

    return [study for spec in suite.datasets for study in runner.plan(suite, registry(), spec.name)]


def audit(suite: str | Path, data: Path | None = None) -> list[dict[str, Any]]:
    """Return the manifest of each split of a suite, its audit included; nothing is kept.

    Raises:
        DataError: a log cannot be had, prepared or split.
    """
    import tempfile

    from benchmark.results import RunDirectory
    from benchmark.runner.data import store_all
    from benchmark.suite import find

    with tempfile.TemporaryDirectory(prefix="bench-check-") as folder:
        place = RunDirectory.create(Path(folder))
        stored = store_all(check(suite), place, data, find(str(suite)).parent, lambda _: None)
        return [data.manifest for data in stored]


def doctor() -> dict[str, Any]:
    """Return what this machine offers and which libraries are missing."""
    from benchmark.runner.machine import environment

    adapters = registry()
    lacking = {name: adapter.missing for name, adapter in adapters.items() if adapter.missing}
    return environment(adapters.values()) | {"missing": lacking}


def run(suite: str | Path | Suite, order: Order | None = None, watcher: Watcher | None = None) -> Finished:
    """Tune, choose and score every model of a suite; go on where an earlier run of it stopped.

    Raises:
        BenchError: nothing is lost; the same call goes on.
    """
    from benchmark import runner
    from benchmark.reporting import write_all
    from benchmark.suite import Suite as Loaded

    ready = suite if isinstance(suite, Loaded) else check(suite)
    place = runner.run(ready, registry(), order or runner.Order(), watcher)
    result = report(place.path)
    write_all(result, place)
    return Finished(place.path, result)


def rehearse(suite: Suite, order: Order) -> list[Rehearsal]:
    """Fit one step of every model of a suite and keep nothing."""
    from benchmark import runner

    return runner.rehearse(suite, registry(), order)


def report(path: str | Path) -> Board:
    """Return the board of a run directory, made from its stored rows.

    Raises:
        RunError: there is no run, or it has no results yet.
    """
    from benchmark.leaderboard import board
    from benchmark.results import RunDirectory

    return board(RunDirectory.existing(Path(path)))


@dataclass(frozen=True)
class Finished:
    """A finished run: where it lies and its board."""

    path: Path
    board: Board
