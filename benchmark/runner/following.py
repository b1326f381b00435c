"""A run that follows its suite: what was made for another version of it is put away, never thrown away.

Results are found by their keys, so nothing is moved or marked when a suite changes: the ledger, the journal
and the finals' files stay where they are. Put away are the board and the suite that it was made for, into
boards/N; set aside is a stored split that the new suite makes otherwise. A new folder takes over copies.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.log import Say
from benchmark.datasets.manifest import SplitManifest
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.store.save import MANIFEST, load_manifest
from benchmark.files import write_errors_as_run_error, write_text
from benchmark.ledger import parse_line
from benchmark.records import Closed, Opened, Spent
from benchmark.results import RunDirectory, resolved
from benchmark.runner.splits import folder_name, negatives_per_user
from benchmark.suite import Suite

BOARDS = "boards"
"""Folder of a run with the boards of earlier versions of its suite, numbered from 1."""
OF_A_BOARD = ("leaderboard*", "pick*", "trials.parquet", "per_user.parquet")
"""What is made from a run's results for one version of its suite."""
SUITE_FILES = ("suite.yaml", "suite.json", "manifest.json")
TAKEN_OVER = ("per_user", "models", "lists")
"""Folders whose files are named by keys."""


@dataclass(frozen=True)
class SplitChanges:
    """What a changed suite means for the splits that a run has stored.

    Attributes:
        anew: names of data sets that are split anew: another log, another preparation or split.
        beside: names of those whose rows stay, but not what lies beside them: samples, candidates, negatives.
    """

    anew: frozenset[str]
    beside: frozenset[str]

    @classmethod
    def between(cls, old: Suite, new: Suite) -> SplitChanges:
        """Return what differs for the data sets of the new suite; one that the old has not is split anew."""
        before = {spec.name: split_inputs(old, spec) for spec in old.datasets}
        names = frozenset(spec.name for spec in new.datasets)
        anew = {spec.name for spec in new.datasets if before.get(spec.name) != split_inputs(new, spec)}
        same = beside_inputs(old) == beside_inputs(new)
        return cls(frozenset(anew), frozenset() if same else names - anew)


def split_inputs(suite: Suite, spec: LogSpec) -> object:
    """Return everything that a suite says about the rows of a data set's splits."""
    content = resolved(suite)
    return (spec.model_dump(mode="json"), content["prepare"], content["split"], content["stand_in"])


def beside_inputs(suite: Suite) -> object:
    """Return everything that a suite says about what lies beside a split."""
    wanted = resolved(suite)["metrics"]["candidates"]
    return (wanted, suite.metrics.valid_users, suite.finals.users, negatives_per_user(suite))


def follow_suite(run: RunDirectory, suite: Suite, say: Say) -> None:
    """Make a run's directory one of a changed suite; nothing is done where it has not changed.

    Args:
        run: whose directory it is.
        suite: resolved, as it is now.
        say: is told where the former board is.

    Raises:
        RunError: it cannot be written.
    """
    before = run.suite()
    if resolved(before) == resolved(suite):
        return
    changes = SplitChanges.between(before, suite)
    manifest = run.manifest()
    with write_errors_as_run_error(run.path):
        kept = put_away(run)
        set_aside(run, labels_of(suite, changes.anew), keep=False)
        set_aside(run, labels_of(suite, changes.beside), keep=True)
        gone = set(manifest.datasets) - {
            label for spec in suite.datasets for label in suite.split.labels(spec.name)
        }
        anew = {*labels_of(suite, changes.anew), *gone}
        run.renew(
            suite, datasets={label: split for label, split in manifest.datasets.items() if label not in anew}
        )
        clear(run)
    if kept is not None:
        say(f"{run.path}: follows its suite; the board that it had, and its suite, are in {kept}")


def labels_of(suite: Suite, names: Iterable[str]) -> list[str]:
    """Return the labels of the splits of some data sets."""
    return [label for name in sorted(names) for label in suite.split.labels(name)]


def put_away(run: RunDirectory) -> Path | None:
    """Keep a run's board with its suite under ``boards/N``; return that folder, None if there is no board.

    The folder appears whole. What has no room for a second time, the tables of all rows, is linked.
    """
    made = [path for pattern in OF_A_BOARD for path in sorted(run.path.glob(pattern)) if path.is_file()]
    if not (run / "leaderboard.csv").exists():
        return None
    boards = run / BOARDS
    boards.mkdir(exist_ok=True)
    number = 1 + max((int(path.name) for path in boards.iterdir() if path.name.isdigit()), default=0)
    folder, unfinished = boards / str(number), boards / f".{number}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for path in [*made, *(run / name for name in SUITE_FILES)]:
        link_or_copy(path, unfinished / path.name)
    unfinished.rename(folder)
    return folder


def clear(run: RunDirectory) -> None:
    """Remove the board that :func:`put_away` has kept."""
    for pattern in OF_A_BOARD:
        for path in run.path.glob(pattern):
            if path.is_file():
                path.unlink()


def set_aside(run: RunDirectory, labels: Iterable[str], *, keep: bool) -> None:
    """Keep stored splits under a name with their hash, for the boards that rest on them.

    Args:
        run: whose they are.
        labels: of the splits.
        keep: whether a copy stays where it was, to be changed.
    """
    for label in labels:
        folder = run / "splits" / folder_name(label)
        if not (folder / MANIFEST).is_file():
            continue
        name = f"{folder.name}@{load_manifest(folder).hash[:8]}"
        target, number = folder.with_name(name), 1
        while target.exists():
            number += 1
            target = folder.with_name(f"{name}-{number}")
        folder.rename(target)
        if keep:
            shutil.copytree(target, folder)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file, which is only ever replaced whole, a second name; a copy where there are no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def take_over(source: RunDirectory, path: Path, suite: Suite, started: str) -> RunDirectory:
    """Make a new run of a suite that begins with copies of what an earlier run of that name holds.

    The manifest comes last: a folder in which that was interrupted is not a run.

    Args:
        source: the earlier run.
        path: of the new one.
        suite: resolved.
        started: the time of now.

    Raises:
        RunError: it cannot be written.
    """
    manifest = source.manifest()
    changes = SplitChanges.between(source.suite(), suite)
    taken: dict[str, SplitManifest] = {}
    with write_errors_as_run_error(path):
        path.mkdir(parents=True)
        for name in TAKEN_OVER:
            if (source / name).is_dir():
                shutil.copytree(source / name, path / name)
        for spec in suite.datasets:
            for label in suite.split.labels(spec.name):
                stored = manifest.datasets.get(label)
                folder = source / "splits" / folder_name(label)
                if spec.name in changes.anew or stored is None or not (folder / MANIFEST).is_file():
                    continue
                shutil.copytree(folder, path / "splits" / folder.name)
                taken[label] = stored
        if (source / "journal.log").exists():
            shutil.copy2(source / "journal.log", path / "journal.log")
        copy_closed(source / "ledger.jsonl", path / "ledger.jsonl")
    run = RunDirectory.create(path, suite, started)
    run.update(datasets=taken, adapters=manifest.adapters, engine=manifest.engine, scored=manifest.scored)
    return run


def copy_closed(source: Path, target: Path) -> None:
    """Copy a ledger without what is not closed: the processes of that are another run's."""
    text = source.read_text("utf-8")
    lines = text[: text.rfind("\n") + 1].splitlines(keepends=True)
    records = [parse_line(line) for line in lines]
    closed = {one.entry for one in records if isinstance(one, Closed)}
    kept = [
        line
        for line, one in zip(lines, records, strict=True)
        if not isinstance(one, Opened | Spent) or one.entry in closed
    ]
    write_text(target, "".join(kept))
