"""Which directory a run lives in: a new one, the newest unfinished one, or the finished one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from benchmark.errors import RunError
from benchmark.results import (
    FOLDERS,
    RunDirectory,
    content_hash,
    runs_under,
    write_atomically,
    write_errors_as_run_error,
)
from benchmark.suite import Suite

Outdated: TypeAlias = Callable[[RunDirectory], bool]
FINISHED, STOPPED = "finished", "stopped"


def resolved(suite: Suite) -> dict[str, Any]:
    """Return the suite with every default, as JSON holds it."""
    content: dict[str, Any] = suite.model_dump(mode="json")
    return content


def find_or_create(
    suite: Suite, results: Path, out: Path | None, *, fresh: bool, outdated: Outdated = lambda _: False
) -> RunDirectory:
    """Return the directory in which this suite goes on, or a new one.

    Args:
        suite: resolved, with what the command line changed.
        results: folder under which runs land by default.
        out: the directory the user named.
        fresh: start anew, whatever there is.
        outdated: says of a run whether it could be made better now; then it is not gone on with.

    Raises:
        RunError: ``out`` holds a run of another suite, or cannot be written.
    """
    if out is not None:
        return _named(suite, out, fresh=fresh)
    if not fresh and (known := _newest(suite, results)) is not None and not outdated(known):
        return known
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    path = results / suite.name / stamp
    for number in range(2, 100):
        if not path.exists():
            break
        path = results / suite.name / f"{stamp}-{number}"
    run = _create(suite, path)
    _link_latest(run.path)
    return run


def _newest(suite: Suite, results: Path) -> RunDirectory | None:
    wanted = content_hash(resolved(suite))
    same = [run for run in runs_under(results / suite.name) if run.manifest().get("suite_hash") == wanted]
    return same[0] if same else None


def _named(suite: Suite, out: Path, *, fresh: bool) -> RunDirectory:
    if not os.path.isfile(out / "manifest.json"):  # noqa: PTH113 - false, not an error, for a name too long
        if os.path.isdir(out) and not _is_ours(out):  # noqa: PTH112 - the same
            raise RunError(f"{out}: is not empty and is no run directory; choose another with --out DIR.")
        return _create(suite, out)
    run = RunDirectory.existing(out)
    if not _has_spent(run):
        return _begun_anew(suite, run)
    stored = run.suite()
    if fresh:
        raise RunError(
            f"{out}: holds a run already; --fresh needs a place of its own: choose another --out DIR."
        )
    if content_hash(stored) != content_hash(resolved(suite)):
        changes = "\n  ".join(differences(stored, resolved(suite)))
        raise RunError(
            f"{out}: was started with another suite:\n  {changes}\n"
            "  Go on with the old suite, or choose another --out DIR."
        )
    return run


def _is_ours(folder: Path) -> bool:
    """Return whether a folder is empty, or holds only what a run lays out before anything else."""
    files = {"suite.json", "suite.yaml"}
    return all(
        path.name in files or (path.name in FOLDERS and not any(path.iterdir())) for path in folder.iterdir()
    )


def _has_spent(run: RunDirectory) -> bool:
    """Return whether any trial of a run was started: before that, there is nothing to lose."""
    ledger = run / "ledger.jsonl"
    return (ledger.exists() and ledger.stat().st_size > 0) or any((run / "parts").glob("*"))


def _begun_anew(suite: Suite, run: RunDirectory) -> RunDirectory:
    """Start again in the directory of a run that a complaint ended before its first trial."""
    with run.locked():
        shutil.rmtree(run / "splits", ignore_errors=True)
        return _create(suite, run.path)


def _create(suite: Suite, path: Path) -> RunDirectory:
    run = RunDirectory.create(path)
    content = resolved(suite)
    write_atomically(run / "suite.json", json.dumps(content, indent=2) + "\n")
    write_atomically(run / "suite.yaml", yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    started = datetime.now().astimezone().isoformat(timespec="seconds")
    run.note(suite=suite.name, suite_hash=content_hash(content), started=started, state="running")
    return run


def _link_latest(path: Path) -> None:
    link = path.parent / "latest"
    temporary = path.parent / f".latest-{os.getpid()}"
    with write_errors_as_run_error(path.parent):
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        temporary.symlink_to(path.name)
        temporary.replace(link)


def differences(old: Any, new: Any, place: str = "") -> list[str]:
    """Return where two JSON values differ, a line each.

    >>> differences({"a": {"b": 1}}, {"a": {"b": 2}})
    ['a.b: was 1, is 2']
    """
    if isinstance(old, dict) and isinstance(new, dict):
        keys = dict.fromkeys([*old, *new])
        return [
            line
            for key in keys
            for line in differences(old.get(key), new.get(key), f"{place}.{key}".lstrip("."))
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [line for index, (a, b) in pairs for line in differences(a, b, f"{place}[{index}]")]
    return [] if old == new else [f"{place}: was {json.dumps(old)}, is {json.dumps(new)}"]
