"""Rows of lists that were made elsewhere: checked before anything is spent, scored like a final."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeAlias

from benchmark.datasets.log import Part
from benchmark.datasets.sources.source_files import source_file
from benchmark.datasets.sources.synthetic import STAND_IN
from benchmark.datasets.store.candidates import save_array
from benchmark.datasets.tables.raw_file import require_file
from benchmark.errors import DataError
from benchmark.executors.slots import Slot
from benchmark.files import content_hash, state_of, write_errors_as_run_error
from benchmark.ledger import Ledger
from benchmark.lists_request import ListsRequest
from benchmark.made_elsewhere import WITHOUT_LISTS, CheckedLists, ListsCheck
from benchmark.messages import ListsScored
from benchmark.metrics.register import METRICS_VERSION, not_from_lists, parse_metric
from benchmark.records import (
    LISTS,
    MACHINE,
    Exclusion,
    ListsFound,
    ListsOpened,
    ListsRecord,
    ListsSource,
    SourceFile,
    StudyRecord,
    from_json,
)
from benchmark.results import RunDirectory
from benchmark.runner.child import RetryPolicy
from benchmark.runner.fork_servers import ForkServers
from benchmark.runner.list_scoring import HOLD_S, ListScoring, stored_scores
from benchmark.runner.plan import ENGINE_VERSION
from benchmark.runner.splits import StoredSplit
from benchmark.runner.written_paths import WrittenPaths
from benchmark.suite import ListsRow, Suite

Resolve: TypeAlias = Callable[[str], Path]
"""Takes a path as the suite writes it, returns the file."""


@dataclass(frozen=True)
class ReadyLists:
    """A row of lists on one data set, checked against its split.

    Attributes:
        record: what the manifest says about it.
        data: the stored split.
        checked: its lists, by part.
    """

    record: StudyRecord
    data: StoredSplit
    checked: Mapping[Part, CheckedLists]


def lists_rows(
    suite: Suite, data: StoredSplit, resolve: Resolve, scored: Collection[StudyRecord] = ()
) -> Iterator[StudyRecord | ReadyLists]:
    """Yield the rows of lists of a suite on one data set: checked, or as excluded with the reason.

    Args:
        suite: what is run.
        data: the stored split.
        resolve: returns the file that a path of the suite means.
        scored: rows that were scored in this run: they stay where their files are gone.

    Raises:
        DataError: a file cannot be used: see :class:`ListsCheck`.
    """
    kept = {
        row.model: row
        for row in scored
        if row.dataset == data.label and row.lists is not None and row.lists.split == data.hash
    }
    for row in suite.lists_rows:
        excluded = exclusion_of(suite, data, row)
        if excluded is not None:
            yield replace(blank_record(data, row.label), excluded=excluded)
            continue
        paths: dict[Part, Path] = {"test": resolve(row.lists.test)}
        if row.lists.valid is not None:
            paths["valid"] = resolve(row.lists.valid)
        if row.label in kept and not all(path.is_file() for path in paths.values()):
            yield kept[row.label]
        else:
            ready = checked_row(suite, data, row.label, paths)
            yield replace(ready, record=WrittenPaths.of(suite, resolve).in_record(ready.record))


def exclusion_of(suite: Suite, data: StoredSplit, row: ListsRow) -> Exclusion | None:
    """Return why a row of lists is not scored on a data set; None if it is."""
    if row.dataset not in {None, data.label, data.label.replace(STAND_IN, "")}:
        return Exclusion("n/a", f"its lists are for {row.dataset}")
    why = unmeasurable(suite, data)
    return None if why is None else Exclusion("n/a", why)


def unmeasurable(suite: Suite, data: StoredSplit) -> str | None:
    """Return why no lists can be scored on a data set; None if they can."""
    if (why := not_from_lists(parse_metric(suite.metrics.primary))) is not None:
        return f"{why}, so they have no {suite.metrics.primary}"
    return WITHOUT_LISTS if data.manifest.candidates.rule == "test-items" else None


def blank_record(data: StoredSplit, label: str) -> StudyRecord:
    """Return what is the same in all rows of lists."""
    return StudyRecord(
        dataset=data.label,
        model=label,
        adapter=LISTS,
        library=LISTS,
        feedback="implicit",
        rates=False,
        deterministic=True,
        devices=(),
        from_features=(),
        space={},
        default={},
        published=None,
    )


def measured(suite: Suite) -> tuple[str, ...]:
    """Return the metrics of a suite that are measured on lists."""
    return tuple(name for name in suite.metrics.all if not_from_lists(parse_metric(name)) is None)


def checked_row(suite: Suite, data: StoredSplit, label: str, paths: Mapping[Part, Path]) -> ReadyLists:
    """Return a row of lists with its key, its files read, hashed and checked.

    Raises:
        DataError: a file cannot be used, or was written while it was read.
    """
    metrics = measured(suite)
    check = ListsCheck(data.directory, data.manifest, [parse_metric(name) for name in metrics])
    checked: dict[Part, CheckedLists] = {}
    files: dict[Part, SourceFile] = {}
    for part, path in paths.items():
        require_file(path, f"lists of {label}")
        before = state_of(path)
        checked[part], files[part] = check.read(path, part), source_file(part, path)
        if state_of(path) != before:
            raise DataError(f"{path}: was written while it was read; run the same command again")
    sample = data.manifest.test_sample
    identity = {
        "lists": {part: file.sha256 for part, file in files.items()},
        "model": label,
        "data": {"split": data.hash, **data.key_inputs},
        "metrics": metrics,
        "train_on": suite.finals.train_on,
        "versions": [ENGINE_VERSION, METRICS_VERSION],
        "test_users_sha256": None if sample is None else sample.sha256,
    }
    source = ListsSource(
        test=files["test"],
        valid=files.get("valid"),
        split=data.hash,
        metrics_version=METRICS_VERSION,
        notes=tuple(dict.fromkeys(note for one in checked.values() for note in one.notes)),
    )
    record = replace(blank_record(data, label), key=content_hash(identity)[:16], lists=source)
    return ReadyLists(record, data, checked)


@dataclass(frozen=True)
class ListsScoring:
    """Scores rows of lists on test, each once.

    Attributes:
        suite: of the run.
        run_dir: where results are stored.
        ledger: of the run.
        servers: lend the scorer.
        retries: what a process that ended early means.
        added: whether the rows come to a finished run, by ``bench score``.
    """

    suite: Suite
    run_dir: RunDirectory
    ledger: Ledger
    servers: ForkServers
    retries: RetryPolicy
    added: bool = False

    def score(self, ready: ReadyLists, slot: Slot) -> ListsRecord:
        """Return the record of a row's lists; they are scored if they have none.

        Raises:
            RunError: the result cannot be stored.
            Interrupted: the run was stopped.
        """
        if (done := self.done(ready)) is not None:
            return done
        for _ in range(self.retries.finals):
            closed = self.attempt(ready, slot)
            if closed.outcome != MACHINE:
                break
        return closed

    def done(self, ready: ReadyLists) -> ListsRecord | None:
        """Return the record of lists that were scored, whose per-user file is the one that was written."""
        for record in self.ledger.records(ListsRecord):
            if record.final_key != ready.record.key or record.outcome != "complete":
                continue
            if self.run_dir.holds(record.scores):
                return record
        return None

    def attempt(self, ready: ReadyLists, slot: Slot) -> ListsRecord:
        """Open test for lists, have them scored, and write down how that ended."""
        record, key = ready.record, ready.record.key
        per_user = f"per_user/{key}.parquet"
        request = self.request(ready, per_user)
        earlier = sum(one.final_key == key for one in self.ledger.records(ListsOpened))
        opened = ListsOpened(
            entry=f"{record.name}@{key}#lists-{earlier}",
            dataset=record.dataset,
            model=record.model,
            study_key=key,
            final_key=key,
            config_source="tuned",
            train_on=self.suite.finals.train_on,
            seed=0,
            trial=0,
            config={},
            hold_s=HOLD_S,
            device="",
            split=ready.data.hash,
            added=self.added,
        )
        scoring = ListScoring(self.run_dir, self.ledger, self.servers, self.retries)
        ended = scoring.open_test(opened, ready.data.hash, request, slot)
        closed = opened.closed(ended.ending, ended.cost)
        if closed.outcome == "complete":
            assert isinstance(ended.scored, ListsScored)
            closed = replace(
                closed,
                test=stored_scores(ended.scored, request.metrics, per_user),
                found=from_json(ListsFound, asdict(ended.scored)),
            )
        scoring.close(closed, ended.error)
        return closed

    def request(self, ready: ReadyLists, per_user: str) -> ListsRequest:
        """Return what the scorer must know, the lists stored with the run."""
        manifest, folder = ready.data.manifest, self.run_dir / "lists"
        paths: dict[Part, Path] = {}
        with write_errors_as_run_error(self.run_dir.path):
            folder.mkdir(exist_ok=True)
            for part, one in ready.checked.items():
                paths[part] = folder / f"{ready.record.key}-{part}.npy"
                save_array(paths[part], one.lists)
        return ListsRequest(
            name=ready.record.model,
            metrics=measured(self.suite),
            train_on=self.suite.finals.train_on,
            directory=str(ready.data.directory),
            candidates=manifest.candidates.rule,
            seen=manifest.seen,
            per_user_path=str(self.run_dir / per_user),
            test=str(paths["test"]),
            valid=str(paths["valid"]) if "valid" in paths else None,
            valid_sampled=manifest.valid_sample is not None,
            test_sampled=manifest.test_sample is not None,
        )


def said_of(record: ListsRecord) -> str:
    """Return what was found of lists, a line for whoever watches."""
    if record.found is None:
        return f"{record.study}: lists not scored: {record.reason}"
    users = record.scores.counts.users
    return f"{record.study}: lists for {record.found.with_list:,} of {users:,} users scored on test"
