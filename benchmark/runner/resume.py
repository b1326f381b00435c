"""Which directory a run is in, and what a dead or stopped run left there."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from benchmark.datasets.sources.folders import DataFolders, local_datasets
from benchmark.datasets.sources.synthetic import STAND_IN
from benchmark.errors import RunError
from benchmark.executors.processes import kill_recorded
from benchmark.files import write_errors_as_run_error
from benchmark.ledger import Ledger
from benchmark.records import LOST, FinalRecord, TrialRecord
from benchmark.registry import Registry
from benchmark.results import FOLDERS, RunDirectory, RunManifest, resolved, runs_under
from benchmark.suite import Suite

Outdated: TypeAlias = Callable[[RunDirectory], bool]


def now() -> str:
    """Return the local time, in ISO 8601."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


@dataclass(frozen=True)
class RunLocation:
    """Where a suite runs.

    Attributes:
        path: the directory.
        source: the run that it continues, or takes over from; None where it begins.
        linked: whether ``latest`` and ``current`` beside it are to lead there: nobody named the directory.
    """

    path: Path
    source: RunDirectory | None = None
    linked: bool = False

    @property
    def is_taken_over(self) -> bool:
        """Whether it begins with copies of what an earlier run of that name holds."""
        return self.source is not None and self.source.path != self.path


def locate_run(
    suite: Suite, results: Path, out: Path | None, *, fresh: bool, outdated: Outdated = lambda _: False
) -> RunLocation:
    """Return where this suite runs: in the directory of an earlier run, or in a new one.

    Args:
        suite: resolved, with what the command line changed.
        results: folder under which runs are made by default; runs of other formats there are passed over.
        out: the directory the user named.
        fresh: start anew, whatever there is.
        outdated: predicate; runs for which it is true are not resumed.

    Raises:
        RunError: ``out`` holds a run of a suite with another name, or of another format.
    """
    if out is not None:
        return _named(suite, out, fresh=fresh)
    source = None
    if not fresh:
        found = [(run, read) for run in runs_under(results / suite.name) if (read := readable(run))]
        same = [run for run, stored in found if resolved(stored) == resolved(suite)]
        if same and not outdated(same[0]):
            return RunLocation(same[0].path, same[0], linked=True)
        source = next((run for run, _ in found if has_spent(run) and not run.is_held), None)
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    path = results / suite.name / stamp
    for number in range(2, 100):
        if not path.exists():
            break
        path = results / suite.name / f"{stamp}-{number}"
    return RunLocation(path, source, linked=True)


def readable(run: RunDirectory) -> Suite | None:
    """Return the suite of a run; None where it is damaged, and the run passed over."""
    try:
        return run.suite()
    except RunError:
        return None


def _named(suite: Suite, out: Path, *, fresh: bool) -> RunLocation:
    """Return the location in a directory that the user named."""
    refuse_foreign(out)
    if not os.path.isfile(out / "manifest.json"):  # noqa: PTH113 - false, not an error, for a name too long
        return RunLocation(out)
    run = RunDirectory.existing(out)
    if not has_spent(run):
        return RunLocation(out)
    if fresh:
        raise RunError(f"{out}: has a run in it; --fresh starts a new one: name a new folder with --out DIR.")
    if (name := run.suite().name) != suite.name:
        raise RunError(
            f"{out}: has a run of the suite {name} in it, and this suite is called {suite.name}: name "
            "another folder with --out DIR, or change the name back."
        )
    return RunLocation(out, run)


def refuse_foreign(out: Path) -> None:
    """Check that a directory that the user named holds a run, or nothing.

    Raises:
        RunError: it holds something else.
    """
    is_run = os.path.isfile(out / "manifest.json")  # noqa: PTH113 - false, not an error, for a name too long
    if not is_run and os.path.isdir(out) and not holds_nothing_else(out):  # noqa: PTH112 - the same
        raise RunError(f"{out}: not empty, and not a run directory; choose another with --out DIR.")


def holds_nothing_else(folder: Path) -> bool:
    """Return whether a folder is empty, or holds only what is made before the manifest, frames among it."""
    known = {"suite.json", "suite.yaml", "frames"}
    return all(
        path.name in known or (path.name in FOLDERS and not any(path.iterdir())) for path in folder.iterdir()
    )


def has_spent(run: RunDirectory) -> bool:
    """Return whether any trial of a run was started: before that, there is nothing to lose."""
    ledger = run / "ledger.jsonl"
    return (ledger.exists() and ledger.stat().st_size > 0) or any((run / "per_user").glob("*"))


def new_run(suite: Suite, path: Path) -> RunDirectory:
    """Make the directory of a new run; what an earlier one began there, and spent nothing on, is replaced.

    Raises:
        RunError: another live process holds it, or it cannot be written.
    """
    if os.path.isfile(path / "manifest.json"):  # noqa: PTH113 - false, not an error, for a name too long
        with RunDirectory(path).locked():
            shutil.rmtree(path / "splits", ignore_errors=True)
            return RunDirectory.create(path, suite, now())
    return RunDirectory.create(path, suite, now())


@contextmanager
def shown_as_current(location: RunLocation) -> Iterator[None]:
    """Have ``current`` beside a run lead to it while it goes on, and ``latest`` once it is finished."""
    if not location.linked:
        yield
        return
    link(location.path, "current")
    try:
        yield
        link(location.path, "latest")
    finally:
        (location.path.parent / "current").unlink(missing_ok=True)


def link(path: Path, name: str) -> None:
    """Make a name beside a run lead to it."""
    with write_errors_as_run_error(path.parent):
        temporary = path.parent / f".{name}-{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        temporary.symlink_to(path.name)
        temporary.replace(path.parent / name)


def better_now(manifest: RunManifest, registry: Registry, data: Path | None) -> bool:
    """Return whether what a run had to do without is here now: real data, or a library."""
    replaced = {name.partition(STAND_IN)[0] for name in manifest.datasets if STAND_IN in name}
    here = {entry.known.name for entry in local_datasets(DataFolders(data=data)) if entry.folder is not None}
    skipped = [
        study.adapter for study in manifest.studies if study.excluded and study.excluded.status == "skipped"
    ]
    return bool(replaced & here) or any(name in registry and not registry[name].lack for name in skipped)


def reap_orphans(ledger: Ledger) -> None:
    """Kill what a dead supervisor left running, then close its entries as lost."""
    for opened in ledger.orphans():
        kill_recorded(opened.pid, opened.start_ticks, opened.namespace)
    ledger.close_orphans()


def saved_so_far(run: RunDirectory) -> str:
    """Mark a run as stopped; return what it has saved, and how it is resumed."""
    run.update(state="stopped")
    records = run.records()
    trials = [one for one in records if isinstance(one, TrialRecord) and one.outcome != LOST]
    finals = [
        one
        for one in records
        if isinstance(one, FinalRecord) and one.outcome == "complete" and not one.lists_of
    ]
    return (
        f"stopped: {len(trials)} trials and {len(finals)} finals are saved in {run.path}; "
        "the trial in progress will be repeated.\n  Run the same command again to resume."
    )
