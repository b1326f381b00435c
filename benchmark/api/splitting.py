"""Splits and lists in memory: split a frame, make lists of your own, have them measured: split, evaluate."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from benchmark.api.data_split import DataSplit, Evaluated, lists_table
from benchmark.api.in_memory import Place, called_frame, suite_and_base
from benchmark.api.running import Run
from benchmark.api.suites import data_folder
from benchmark.datasets.tables.frames import Frame, kind_of
from benchmark.errors import DataError, RunError, did_you_mean

if TYPE_CHECKING:
    from benchmark.api.in_memory import FrameKeys
    from benchmark.api.suites import StrPath, SuiteSource
    from benchmark.datasets.log import Part


def split(
    source: SuiteSource | Frame,
    *,
    user: str | None = None,
    item: str | None = None,
    value: str | None = None,
    time: str | None = None,
    suite: Mapping[str, object] | None = None,
    data: StrPath | None = None,
    dataset: str | None = None,
    **entry: Unpack[FrameKeys],
) -> DataSplit:
    """Return a frame's log, split as a run would split it; or the split of a suite, or that of a stored run.

    Args:
        source: as in :func:`run`; or the directory of a run, whose own split it is then.
        user: of a frame, the column with the user's id; "user" by default. It and the next three, and what
            comes last, are keys of a data set's entry.
        item: the column with the item's id; "item" by default.
        value: the column with the rating or count.
        time: the column with the time.
        suite: beside a frame, the other keys of a suite: what is split how, and what is measured.
        data: folder of data sets; $BENCH_DATA by default.
        dataset: which one, where there are several data sets or folds.
        **entry: further keys of the entry of a frame, as in :func:`run`.

    Raises:
        SuiteError: with every complaint.
        DataError: the log cannot be prepared or split, or a column is missing.
        RunError: there are several data sets and none, or an unknown one, is named.
    """
    from benchmark.runner.splits import store_all

    keys: dict[str, object] = {"user": user, "item": item, "value": value, "time": time, **entry}
    if isinstance(source, str | os.PathLike) and os.path.isfile(Path(source) / "manifest.json"):  # noqa: PTH113 - false for a name too long
        return _split_of_run(source, dataset)
    with ExitStack() as undo:
        scratch = Path(tempfile.mkdtemp(prefix="bench-split-"))
        undo.callback(shutil.rmtree, scratch, ignore_errors=True)
        models = None
        if isinstance(source, Frame) and "models" not in (suite or {}):
            models = ["baselines/popularity"]  # a suite needs one; a split knows none
        ready, base = suite_and_base(source, suite, keys, models, place=lambda _: Place.beside_runs(scratch))
        with called_frame(base):
            made = store_all(ready, scratch / "splits", data_folder(data), base, lambda _: None)
        labels = [one.label for one in made]
        wanted = labels[0] if dataset is None and len(labels) == 1 else dataset
        if wanted not in labels:
            hint = "" if wanted is None else did_you_mean(wanted, labels)
            raise RunError(f"dataset: must be one of {', '.join(labels)} (found {wanted!r}){hint}")
        kind = kind_of(source) if isinstance(source, Frame) else "pandas"
        found = DataSplit(ready, made[labels.index(wanted)], kind)
        weakref.finalize(found, undo.pop_all().close)
    return found


def evaluate(
    lists: Frame | StrPath,
    split: DataSplit | StrPath,
    *,
    part: Literal["valid", "test"] = "valid",
    dataset: str | None = None,
) -> Evaluated:
    """Return what lists are worth on validation, or on test if that is said.

    They are checked like those of ``bench score``: no item that is hidden from its user, none twice. On the
    test of a stored run the call is an opening of test: its ledger keeps it, and the correction for many
    tests on its split counts it. ``score`` puts lists onto the board as well.

    Args:
        lists: a frame or a file with user, item and rank (1 is best) or score (the highest is best); users
            and items may be named as in the log.
        split: what :func:`split` returns, or the directory of a run.
        part: "valid" for lists made with train alone; "test" for lists made with train, or with both.
        dataset: of a run, which one, where it has several.

    Raises:
        DataError: the lists cannot be used: an item is unknown, hidden from its user, or twice in a list;
            lists are too short.
        RunError: there is no such run or part, its test is asked for and it is not finished, or its metrics
            cannot be measured on lists.
    """
    from benchmark.runner.lists_rows import measured, unmeasurable

    if part not in {"valid", "test"}:
        raise RunError(f"part: must be valid or test (found {part!r})")
    given = split if isinstance(split, DataSplit) else _split_of_run(split, dataset)
    if (why := unmeasurable(given.suite, given.stored)) is not None:
        raise RunError(f"{given.manifest.dataset}: no lists can be measured: {why}")
    with _as_file(lists, given) as path:
        if part == "test" and given.run is not None:
            return _opened(path, given)
        return _measured(path, given, part, measured(given.suite))


def _split_of_run(run: StrPath, dataset: str | None) -> DataSplit:
    """Return the stored split of a run."""
    from benchmark.results import RunDirectory
    from benchmark.runner.added_lists import split_of

    directory = RunDirectory.existing(Path(run))
    stored = split_of(directory, directory.manifest(), dataset)
    return DataSplit(directory.suite(), stored, run=directory.path)


def _measured(path: Path, given: DataSplit, part: Part, metrics: tuple[str, ...]) -> Evaluated:
    """Return what lists are worth, measured in this process."""
    import numpy as np

    from benchmark.lists_request import ListsRequest
    from benchmark.made_elsewhere import ListsCheck
    from benchmark.metrics.register import parse_metric
    from benchmark.scorer import evaluator_of_lists, take_lists

    manifest, folder = given.manifest, given.stored.directory
    checked = ListsCheck(folder, manifest, [parse_metric(name) for name in metrics]).read(path, part)
    request = ListsRequest(
        name="lists",
        metrics=metrics,
        train_on=given.suite.finals.train_on,
        directory=str(folder),
        candidates=manifest.candidates.rule,
        seen=manifest.seen,
        per_user_path="",
        test="",
        valid=None,
        valid_sampled=manifest.valid_sample is not None,
        test_sampled=manifest.test_sample is not None,
    )
    evaluator = evaluator_of_lists(request, part)
    lengths = take_lists("lists", evaluator, checked.lists)
    found = evaluator.result()
    return Evaluated(part, found.values, found.counts.users, int(np.count_nonzero(lengths)), checked.notes)


def _opened(path: Path, given: DataSplit) -> Evaluated:
    """Return what lists are worth on the test of a stored run, by its scorer, on its record."""
    from benchmark.reporting import write_all
    from benchmark.results import RunDirectory
    from benchmark.runner import Silent
    from benchmark.runner.added_lists import open_test

    assert given.run is not None
    directory = RunDirectory.existing(given.run)
    notes: list[str] = []

    class Listening(Silent):
        def said(self, text: str) -> None:
            notes.append(text)

    record = open_test(
        directory, {"test": path}, "evaluated", given.manifest.dataset, Listening(), kept=False
    )
    assert record.found is not None  # it is complete
    finished = Run(directory.path)
    write_all(finished.board, finished.path)  # the correction counts one opening more
    scores = record.scores
    return Evaluated("test", scores.values, scores.counts.users, record.found.with_list, tuple(notes))


@contextmanager
def _as_file(lists: Frame | StrPath, given: DataSplit) -> Iterator[Path]:
    """Lend the file of lists; a frame is written to one, its columns under the names that are known."""
    import pyarrow.parquet as pq

    if not isinstance(lists, Frame):
        yield Path(lists)
        return
    table = lists_table(lists, given.names)
    with tempfile.TemporaryDirectory(prefix="bench-lists-") as folder:
        path = Path(folder) / "lists.parquet"
        pq.write_table(table, path, store_schema=False)
        try:
            yield path
        except DataError as error:
            raise DataError(str(error).replace(str(path), "lists")) from error
