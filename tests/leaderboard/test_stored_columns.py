"""What a board reads of stored finals: columns that it names, lists of one final at a time."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from leaderboard.test_board import FLOOR, GOOD, NEAR, RATER
from written_run import USERS, WrittenRun

from benchmark.leaderboard import board, dataset_names
from benchmark.leaderboard.dataset_results import read
from benchmark.leaderboard.stored_columns import StoredColumns
from benchmark.protocol import Ids
from benchmark.results import PerUserPart, RunDirectory

HEAD = [0.5, np.nan] * (USERS // 2)
FINALS = 7
"""Of the four models."""


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return WrittenRun(
        [FLOOR, GOOD, NEAR, RATER],
        GOOD.name,
        also=("coverage@2", "gini@2", "coverage@1", "rmse"),
        columns={"sex": ["F", "M"] * (USERS // 2)},
        extra={"ndcg@2_head": HEAD, "ndcg@2_tail": [0.25] * USERS},
    ).write(tmp_path / "run")


class CountedLists:
    """Stands in for reading lists: counts how often, and how many are in memory at once."""

    def __init__(self) -> None:
        self.read = PerUserPart.lists
        self.alive, self.most, self.calls = weakref.WeakSet[Any](), 0, 0

    def of(self, part: PerUserPart) -> Ids:
        class Owned(np.ndarray[Any, np.dtype[np.int32]]):
            """Memory of its own; a view of it keeps it alive."""

            __hash__ = object.__hash__

        stored = self.read(part)
        lists = Owned(stored.shape, np.int32)
        lists[:] = stored
        self.alive.add(lists)
        self.calls += 1
        self.most = max(self.most, len(self.alive))
        return lists


def test_board_holds_the_lists_of_one_final_and_reads_each_once(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = CountedLists()

    def counted(part: PerUserPart) -> Ids:
        return lists.of(part)

    monkeypatch.setattr(PerUserPart, "lists", counted)
    rows = board(run).tables[0].ranked
    assert all(row.metrics["coverage@2"] and row.metrics["gini@2"] is not None for row in rows)
    assert (lists.calls, lists.most) == (FINALS, 1)


def test_board_names_every_column_it_reads_and_reads_the_primary_one_once(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Sequence[str]]] = []
    read_columns = PerUserPart._read

    def counted(part: PerUserPart, columns: Sequence[str]) -> Any:
        asked.append((part.final.scores.path, columns))
        return read_columns(part, columns)

    def whole(*_: object) -> None:
        raise AssertionError("a whole table was read")

    monkeypatch.setattr(PerUserPart, "_read", counted)
    monkeypatch.setattr(PerUserPart, "frame", whole)
    board(run, compare="all", by=["user.activity", "user.sex", "item.popularity"])
    assert {len(columns) for _, columns in asked} == {1}
    times = Counter((path, columns[0]) for path, columns in asked)
    assert {count for (_, name), count in times.items() if name in {"ndcg@2", "ndcg@2_head", "user"}} == {1}
    assert len([path for path, name in times if name == "ndcg@2"]) == FINALS


def test_names_of_data_sets_are_told_without_opening_a_part(run: RunDirectory) -> None:
    for path in (run / "per_user").iterdir():
        path.unlink()
    assert dataset_names(run) == ["toy"]


def test_finals_that_evaluated_the_same_users_share_one_array_of_them(run: RunDirectory) -> None:
    (results,) = read(run)
    stored = StoredColumns(results.parts)
    first, *others = [stored.users(part) for part in results.parts]
    assert all(users is first for users in others)
    np.testing.assert_array_equal(stored.audience, np.arange(USERS))


def test_finals_of_a_model_come_by_seed_and_without_those_of_its_default(tmp_path: Path) -> None:
    tuned = replace(GOOD, default=[0.0] * USERS)
    (results,) = read(WrittenRun([tuned, FLOOR], GOOD.name).write(tmp_path / "run"))
    stored = StoredColumns(results.parts[::-1])
    assert [part.final.seed for part in stored.of(GOOD.name, "train")] == [0, 1]
    (default,) = stored.of(GOOD.name, None, "default")
    assert default.column("ndcg@2").tolist() == [0.0] * USERS
    assert stored.of(GOOD.name, "train+valid") == []
