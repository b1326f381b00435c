"""``bench score``: lists made elsewhere become a row of a finished run; nothing is refitted."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from benchmark.datasets.log import Part
from benchmark.datasets.store.columns import check_columns
from benchmark.datasets.store.save import load_manifest
from benchmark.errors import RunError, did_you_mean
from benchmark.executors.slots import Slots
from benchmark.files import disk_full_as_run_error
from benchmark.leaderboard.dataset_results import split_folder
from benchmark.names import meant_by
from benchmark.records import ListsRecord
from benchmark.results import RunDirectory, RunManifest, gather
from benchmark.runner.child import RetryPolicy
from benchmark.runner.context import policy_for
from benchmark.runner.fork_servers import ForkServers
from benchmark.runner.lists_rows import ListsScoring, ReadyLists, checked_row, said_of, unmeasurable
from benchmark.runner.resume import reap_orphans
from benchmark.runner.splits import StoredSplit
from benchmark.runner.watcher import Silent, Watcher


def add_lists(
    run_dir: RunDirectory,
    paths: Mapping[Part, Path],
    name: str,
    dataset: str | None = None,
    watcher: Watcher | None = None,
) -> None:
    """Score lists on the test of a finished run and add their row; each call is an opening of test.

    Args:
        run_dir: of the run.
        paths: files with the lists for test, and perhaps for validation.
        name: of the row.
        dataset: which data set they are for, where the run has several.
        watcher: hears what was made of the files, and what was found.

    Raises:
        RunError: the run is not finished, is held by another process, has such a row already, or the lists
            cannot be scored on its data set.
        DataError: a file cannot be used.
    """
    watcher = watcher or Silent()
    record = open_test(run_dir, paths, name, dataset, watcher, kept=True)
    watcher.said(said_of(record))


def open_test(
    run_dir: RunDirectory,
    paths: Mapping[Part, Path],
    name: str,
    dataset: str | None,
    watcher: Watcher,
    *,
    kept: bool,
) -> ListsRecord:
    """Return what lists are worth on the test of a finished run; an opening that its ledger keeps.

    Lists that were scored before under this name are read back, and test stays closed.

    Args:
        run_dir: of the run.
        paths: files with the lists for test, and perhaps for validation.
        name: of the lists.
        dataset: which data set they are for, where the run has several.
        watcher: hears what was made of the files.
        kept: whether they get a row on the board.

    Raises:
        RunError, DataError: as :func:`add_lists`.
    """
    with disk_full_as_run_error(run_dir.path), run_dir.locked():
        manifest, suite = run_dir.manifest(), run_dir.suite()
        if manifest.state != "finished":
            raise RunError(
                f"{run_dir.path}: is not finished ({manifest.state}); run the same suite again first: lists "
                "are added to a finished run"
            )
        data = split_of(run_dir, manifest, dataset)
        if kept:
            refuse_name(manifest, data, name)
        if (why := unmeasurable(suite, data)) is not None:
            raise RunError(f"{run_dir.path}: no lists can be scored on {data.label}: {why}")
        ready = checked_row(suite, data, name, paths)
        if kept:
            refuse_same(manifest, ready)
        assert ready.record.lists is not None
        for note in ready.record.lists.notes:
            watcher.said(note)
        ledger = run_dir.ledger()
        try:
            reap_orphans(ledger)
            servers = ForkServers(
                run_dir.log,
                [run_dir.path.resolve()],
                threading.Event(),
                policy_for(suite).ready_s,
                sampled=False,
            )
            wanted = suite.budget.slot
            with closing(servers), Slots(wanted.cores, wanted.memory, "no", 1).take() as slot:
                scoring = ListsScoring(
                    suite=suite,
                    run_dir=run_dir,
                    ledger=ledger,
                    servers=servers,
                    retries=RetryPolicy(),
                    added=True,
                )
                record = scoring.score(ready, slot)
            if record.outcome != "complete":
                raise RunError(f"{run_dir.path}: {name} was not scored: {record.reason}")
            if kept:
                run_dir.update(scored=(*manifest.scored, ready.record))
                gather(run_dir, ledger)
        finally:
            ledger.shut()
        return record


def split_of(run_dir: RunDirectory, manifest: RunManifest, dataset: str | None) -> StoredSplit:
    """Return the stored split that lists are for; the only one if none is named.

    Raises:
        RunError: there is no such data set, several and none was named, or its split is gone.
        DataError: the split is damaged.
    """
    labels = list(manifest.datasets)
    if dataset is None and len(labels) != 1:
        raise RunError(
            f"{run_dir.path}: has {len(labels)} data sets; name one: --dataset {' | --dataset '.join(labels)}"
        )
    label = labels[0] if dataset is None else dataset
    if label not in manifest.datasets:
        raise RunError(
            f"--dataset {label}: {run_dir.path} has no such data set{did_you_mean(label, labels)}; it has "
            f"{', '.join(labels)}"
        )
    wanted = manifest.datasets[label]
    folder = split_folder(run_dir, label, wanted.hash)
    if folder is None:
        raise RunError(
            f"{run_dir.path}: holds no split of {label} with hash {wanted.hash[:8]}; the splits folder was "
            "changed after the run wrote it"
        )
    check_columns(folder)
    return StoredSplit(label, folder, load_manifest(folder))


def refuse_name(manifest: RunManifest, data: StoredSplit, name: str) -> None:
    """Check that the data set has no row of this name.

    Raises:
        RunError: it has; every scoring keeps a row of its own.
    """
    if not name.strip():
        raise RunError("--name: must not be empty")
    if (row := meant_by(name, (row.model for row in manifest.rows if row.dataset == data.label))) is not None:
        alike = "" if row == name else f" but for capitals ({row})"
        raise RunError(
            f"--name {name}: {data.label} has a row of that name{alike}, and rows are kept: choose another "
            f"name, such as {name}-2"
        )


def refuse_same(manifest: RunManifest, ready: ReadyLists) -> None:
    """Check that the same lists have no row yet: test would be opened for nothing.

    Raises:
        RunError: they have.
    """
    source = ready.record.lists
    assert source is not None
    for row in manifest.rows:
        if row.dataset != ready.data.label or row.lists is None or row.lists.split != source.split:
            continue
        if row.lists.test.sha256 == source.test.sha256:
            raise RunError(f"{source.test.path}: is the file of the row {row.model}; it has been scored")
