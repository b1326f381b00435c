"""Which directory a run is in, and what a dead or stopped run left there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from benchmark.datasets.sources.folders import DataFolders, local_datasets
from benchmark.datasets.sources.synthetic import STAND_IN
from benchmark.errors import RunError
from benchmark.executors.processes import kill_recorded
from benchmark.files import content_hash, write_errors_as_run_error
from benchmark.ledger import Ledger
from benchmark.records import LOST, FinalRecord, TrialRecord
from benchmark.registry import Registry
from benchmark.results import FOLDERS, RunDirectory, RunManifest, resolved, runs_under
from benchmark.suite import Suite

Outdated: TypeAlias = Callable[[RunDirectory], bool]


def now() -> str:
    """Return the local time, in ISO 8601."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def find_or_create(
    suite: Suite, results: Path, out: Path | None, *, fresh: bool, outdated: Outdated = lambda _: False
) -> RunDirectory:
    """Return the directory in which this suite goes on, or a new one.

    Args:
        suite: resolved, with what the command line changed.
        results: folder under which runs are made by default; runs of other formats there are passed over.
        out: the directory the user named.
        fresh: start anew, whatever there is.
        outdated: predicate; runs for which it is true are not resumed.

    Raises:
        RunError: ``out`` holds a run of another suite or format, or cannot be written.
    """
    if out is not None:
        return _named(suite, out, fresh=fresh)
    if not fresh:
        wanted = content_hash(resolved(suite))
        same = [run for run in runs_under(results / suite.name) if run.manifest().suite_hash == wanted]
        if same and not outdated(same[0]):
            return same[0]
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    path = results / suite.name / stamp
    for number in range(2, 100):
        if not path.exists():
            break
        path = results / suite.name / f"{stamp}-{number}"
    run = RunDirectory.create(path, suite, now())
    link_latest(run.path)
    return run


def _named(suite: Suite, out: Path, *, fresh: bool) -> RunDirectory:
    """Return the run in a directory that the user named."""
    refuse_foreign(out)
    if not os.path.isfile(out / "manifest.json"):  # noqa: PTH113 - false, not an error, for a name too long
        return RunDirectory.create(out, suite, now())
    run = RunDirectory.existing(out)
    if not has_spent(run):
        with run.locked():
            shutil.rmtree(run / "splits", ignore_errors=True)
            return RunDirectory.create(out, suite, now())
    if fresh:
        raise RunError(
            f"{out}: already holds a run; --fresh needs a new directory: choose another --out DIR."
        )
    stored = resolved(run.suite())
    if content_hash(stored) != content_hash(resolved(suite)):
        changes = "\n  ".join(differences(stored, resolved(suite)))
        raise RunError(
            f"{out}: was started with another suite:\n  {changes}\n"
            "  Resume with the old suite, or choose another --out DIR."
        )
    return run


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


def link_latest(path: Path) -> None:
    """Make ``latest`` beside a run lead to it."""
    link = path.parent / "latest"
    with write_errors_as_run_error(path.parent):
        temporary = path.parent / f".latest-{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        temporary.symlink_to(path.name)
        temporary.replace(link)


def differences(old: Any, new: Any, key_path: str = "") -> list[str]:
    """Return where two JSON values differ, a line each.

    >>> differences({"a": {"b": 1}}, {"a": {"b": 2}})
    ['a.b: was 1, is 2']
    """
    if isinstance(old, dict) and isinstance(new, dict):
        keys = dict.fromkeys([*old, *new])
        return [
            line
            for key in keys
            for line in differences(old.get(key), new.get(key), f"{key_path}.{key}".lstrip("."))
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [line for index, (a, b) in pairs for line in differences(a, b, f"{key_path}[{index}]")]
    return [] if old == new else [f"{key_path}: was {json.dumps(old)}, is {json.dumps(new)}"]


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
    finals = [one for one in records if isinstance(one, FinalRecord) and one.outcome == "complete"]
    return (
        f"stopped: {len(trials)} trials and {len(finals)} finals are saved in {run.path}; "
        "the trial in progress will be repeated.\n  Run the same command again to resume."
    )
