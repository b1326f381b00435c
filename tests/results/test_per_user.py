"""Per-user rows of finals: stored bit for bit, read by column, refused where they were changed."""

from __future__ import annotations

import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from leaderboard.test_board import FLOOR, GOOD, RATER
from written_run import USERS, WrittenRun

from benchmark import files
from benchmark.errors import RunError
from benchmark.ledger import select
from benchmark.metrics.evaluation import Evaluation
from benchmark.records import FinalRecord, TestCounts
from benchmark.results import PerUserPart, RunDirectory, gather, latest, write_per_user
from benchmark.results.per_user import has_few_values

MANY = 300


def evaluation(users: int, length: int = 3, **columns: Any) -> Evaluation:
    """Return an evaluation with these per-user values."""
    rng = np.random.default_rng(0)
    return Evaluation(
        users=np.arange(users, dtype=np.int32) * 2,
        per_user=columns,
        lists=rng.integers(-1, 50, (users, length)).astype(np.int32),
        squared_error=rng.random(users),
        absolute_error=rng.random(users),
        ratings=rng.integers(1, 9, users),
        values={},
        counts=TestCounts(users=users, without_relevant=0),
    )


def values(rng: np.random.Generator) -> dict[str, Any]:
    """Return columns of all kinds: with few values, with many, with nan, with signed zeros, of nan alone."""
    few, many = rng.integers(0, 4, MANY) / 3, rng.random(MANY)
    signed = np.where(few > 0.5, -0.0, 0.0)
    gaps = np.where(few > 0.5, np.nan, many)
    return {"few": few, "many": many, "signed": signed, "gaps": gaps, "nothing": np.full(MANY, np.nan)}


def parts_of(run: RunDirectory) -> list[PerUserPart]:
    return [PerUserPart(run, final) for final in latest(select(run.records(), FinalRecord), ())]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return WrittenRun([FLOOR, GOOD, RATER], GOOD.name).write(tmp_path / "run")


def stored(run: RunDirectory, found: Evaluation) -> PerUserPart:
    """Return the part of a final that has found this."""
    final = latest(select(run.records(), FinalRecord), ())[0]
    path = "per_user/other.parquet"
    sha256 = write_per_user(run / path, found)
    return PerUserPart(run, replace(final, test=replace(final.scores, path=path, sha256=sha256)))


def test_values_come_back_bit_for_bit_however_they_are_stored(run: RunDirectory) -> None:
    found = evaluation(MANY, **values(np.random.default_rng(1)))
    part = stored(run, found)
    for name, column in found.per_user.items():
        assert part.column(name).dtype == column.dtype
        assert part.column(name).tobytes() == column.tobytes()
    for name in ("squared_error", "absolute_error", "ratings"):
        assert part.column(name).tobytes() == getattr(found, name).tobytes()
    np.testing.assert_array_equal(part.column("user"), found.users)
    assert part.lists().dtype == np.int32
    np.testing.assert_array_equal(part.lists(), found.lists)


def test_column_read_alone_equals_that_column_of_the_whole_table(run: RunDirectory) -> None:
    part = stored(run, evaluation(MANY, **values(np.random.default_rng(2))))
    whole = part.frame()
    assert tuple(whole.columns) == part.columns
    for name in set(part.columns) - {"items"}:
        np.testing.assert_array_equal(part.column(name), whole[name].to_numpy())
        np.testing.assert_array_equal(part.frame([name])[name], whole[name])
    np.testing.assert_array_equal(part.lists(), np.stack(whole["items"].to_list()))


def test_column_that_a_final_does_not_have_is_nan(run: RunDirectory) -> None:
    part = parts_of(run)[0]
    assert "recall_head" not in part.columns
    np.testing.assert_array_equal(part.column("recall_head"), np.full(USERS, np.nan))


@pytest.mark.parametrize(("users", "length"), [(0, 3), (4, 0), (0, 0), (1, 1)])
def test_final_without_users_or_without_lists_comes_back(run: RunDirectory, users: int, length: int) -> None:
    part = stored(run, evaluation(users, length, ndcg=np.zeros(users)))
    assert len(part.column("user")) == len(part.lists()) == len(part.frame()) == users
    assert part.lists().size == users * length


def test_dictionaries_are_kept_of_columns_that_repeat_their_values_alone(run: RunDirectory) -> None:
    part = stored(run, evaluation(MANY, **values(np.random.default_rng(3))))
    group = pq.read_metadata(part.path).row_group(0)
    chunks = {chunk.path_in_schema: chunk for chunk in map(group.column, range(group.num_columns))}
    assert {name for name, chunk in chunks.items() if chunk.has_dictionary_page} == {
        "few",
        "signed",
        "gaps",
        "nothing",
        "ratings",
    }


def test_column_of_nan_alone_repeats_its_value() -> None:
    assert has_few_values(np.full(10, np.nan))


def test_changed_part_is_refused_and_both_hashes_are_named(run: RunDirectory) -> None:
    part = parts_of(run)[0]
    part.column("user")
    with part.path.open("ab") as file:
        file.write(b"x")
    for read in (lambda: part.column("user"), part.lists, part.frame):
        with pytest.raises(RunError) as refused:
            read()
        assert str(run / part.final.scores.path) in str(refused.value)
        assert f"the ledger has {part.final.scores.sha256[:8]}" in str(refused.value)
        assert "Put the file back, or run the suite again" in str(refused.value)


def test_part_that_is_gone_is_refused_and_its_model_named(run: RunDirectory) -> None:
    part = parts_of(run)[0]
    part.path.unlink()
    with pytest.raises(RunError, match=f"No such file.*of {FLOOR.name}, seed 0"):
        part.lists()


def test_part_is_hashed_once_however_often_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = WrittenRun([FLOOR, GOOD, RATER], GOOD.name, gathered=False).write(tmp_path / "run")
    hashed: list[Path] = []
    sha256 = files.file_sha256

    def counted(path: Path) -> str:
        hashed.append(path)
        return sha256(path)

    monkeypatch.setattr(files, "file_sha256", counted)
    for _ in range(3):
        for part in parts_of(run):  # made anew, as each reader of a command does
            part.column("user")
            part.lists()
    paths = [run / part.final.scores.path for part in parts_of(run)]
    assert sorted(hashed) == sorted(paths)
    paths[0].touch()
    parts_of(run)[0].lists()
    assert hashed.count(paths[0]) == 2


def test_export_holds_the_rows_of_every_part_and_whose_they_are(run: RunDirectory) -> None:
    export = pd.read_parquet(run / "per_user.parquet")
    parts = parts_of(run)
    assert len(export) == len(parts) * USERS
    assert export["model"].dtype == "category"  # no text for each row
    for part in parts:
        final = part.final
        own = export[(export["model"] == final.model) & (export["seed"] == final.seed)]
        assert set(own["config_source"]) == {"tuned"}
        whole = part.frame()
        for name in whole.columns.drop("items"):
            np.testing.assert_array_equal(own[name].to_numpy(np.float64), whole[name].to_numpy(np.float64))
        np.testing.assert_array_equal(np.stack(own["items"].to_list()), part.lists())


def test_export_reads_one_final_at_a_time(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    read, tables, most = pq.read_table, list[weakref.ref[Any]](), 0

    def counted(*args: Any, **more: Any) -> Any:
        nonlocal most
        table = read(*args, **more)
        tables.append(weakref.ref(table))
        most = max(most, sum(one() is not None for one in tables))
        return table

    monkeypatch.setattr(pq, "read_table", counted)
    ledger = run.ledger()
    gather(run, ledger)
    ledger.shut()
    assert (len(tables), most) == (len(parts_of(run)), 1)
