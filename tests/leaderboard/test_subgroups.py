"""The board for parts of the users and kinds of items: who is in them, what is compared, what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from leaderboard.test_board import FLOOR, GOOD, NEAR
from written_run import USERS, Written, WrittenRun

from benchmark.errors import RunError
from benchmark.leaderboard import Board, board
from benchmark.leaderboard.table import Groups
from benchmark.reporting import as_csv, markdown
from benchmark.results import RunDirectory
from benchmark.statistics.holm import holm
from benchmark.statistics.seeds import seed_aware

SEX = ["F", "M"] * (USERS // 2)
AGE = [*range(20, 20 + USERS - 1), None]
HEAD = [0.5, np.nan] * (USERS // 2)
MODELS = (GOOD, NEAR, FLOOR)


def written(place: Path, **more: Any) -> RunDirectory:
    columns: Mapping[str, Sequence[Any]] = {"sex": SEX, "age": AGE, "name": [f"n{u}" for u in range(USERS)]}
    extra = {"ndcg@2_head": HEAD, "ndcg@2_tail": [0.25] * USERS}
    settings = {"columns": columns, "extra": extra} | more
    return WrittenRun(MODELS, GOOD.name, **settings).write(place / "run")


def groups(place: Path, by: str, **more: Any) -> Groups:
    return board(written(place, **more), by=[by]).tables[0].groups[0]


def value(model: Written, users: Sequence[int]) -> float:
    return float(np.mean([np.asarray(scores)[list(users)].mean() for scores in model.scores]))


def test_groups_by_activity_are_thirds_by_training_rows_and_say_their_cuts(tmp_path: Path) -> None:
    found = groups(tmp_path, "user.activity")
    sizes = {row.group: row.users for row in found.rows}
    assert sizes == {"light (at most 6 rows)": 6, "medium (over 6 to 11)": 5, "heavy (over 11)": 5}
    assert found.rows[0].value == pytest.approx(value(GOOD, range(6)))
    assert "cut at thirds of the evaluated users" in found.notes[0].text


def test_groups_by_a_column_hold_each_model_with_interval_and_difference(tmp_path: Path) -> None:
    rows = {(row.group, row.model): row for row in groups(tmp_path, "user.sex").rows}
    women = [user for user in range(USERS) if SEX[user] == "F"]
    row = rows["F", FLOOR.name]
    assert row.value == pytest.approx(value(FLOOR, women))
    assert row.diff_to_reference == pytest.approx(value(FLOOR, women) - value(GOOD, women))
    assert row.low < row.value < row.high
    assert row.diff_low < row.diff_to_reference < row.diff_high
    assert rows["F", GOOD.name].p_vs_reference is None


def test_groups_p_is_holm_over_models_and_groups_together(tmp_path: Path) -> None:
    found = groups(tmp_path, "user.sex")
    alone = []
    for sex in ("F", "M"):
        users = [user for user in range(USERS) if SEX[user] == sex]
        good, near, floor = (np.asarray(model.scores)[:, users] for model in MODELS)
        alone += [seed_aware(near, good).p, seed_aware(floor, good, deterministic_a=True).p]
    shown = [row.p_vs_reference for row in found.rows if row.model != GOOD.name]
    assert shown == pytest.approx(holm(np.array(alone)))
    assert "Holm over the 4 comparisons" in found.notes[1].text


def test_groups_with_few_users_are_marked_in_rows_notes_and_markdown(tmp_path: Path) -> None:
    made = board(written(tmp_path), by=["user.sex"])
    assert all(row.few_users for row in made.tables[0].groups[0].rows)
    assert "fewer than 20 users" in made.tables[0].groups[0].notes[-1].text
    assert "| F ! |" in markdown(made)


def test_groups_by_a_column_of_numbers_are_thirds_and_the_unknown_are_kept(tmp_path: Path) -> None:
    sizes = {row.group: row.users for row in groups(tmp_path, "user.age").rows}
    assert sizes == {"at most 24": 5, "over 24 to 29": 5, "over 29": 5, "unknown": 1}


def test_group_of_one_user_has_a_value_and_nothing_else(tmp_path: Path) -> None:
    row = next(row for row in groups(tmp_path, "user.age").rows if row.group == "unknown")
    assert row.value is not None
    assert (row.low, row.diff_to_reference, row.p_vs_reference) == (None, None, None)


def test_groups_by_item_popularity_count_users_with_such_an_item(tmp_path: Path) -> None:
    rows = [row for row in groups(tmp_path, "item.popularity").rows if row.model == GOOD.name]
    assert [(row.group, row.users, row.value) for row in rows] == [
        ("head", USERS // 2, 0.5),
        ("tail", USERS, 0.25),
    ]


@pytest.mark.parametrize(
    ("by", "complaint"),
    [
        ("user.sexx", "did you mean 'sex'"),
        ("item.genre", "has no such groups"),
        ("activity", "did you mean 'user.activity'"),
    ],
)
def test_groups_that_are_not_there_are_refused_with_those_there_are(
    tmp_path: Path, by: str, complaint: str
) -> None:
    with pytest.raises(RunError, match=complaint):
        groups(tmp_path, by)


def test_groups_of_a_column_with_too_many_values_are_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("benchmark.leaderboard.subgroups.MOST_GROUPS", USERS - 1)
    with pytest.raises(RunError, match="too many groups"):
        groups(tmp_path, "user.name")


def test_groups_without_a_stored_split_are_refused_when_asked_and_explained_by_default(
    tmp_path: Path,
) -> None:
    run = written(tmp_path, columns=None)
    with pytest.raises(RunError, match="no longer holds its split"):
        board(run, by=["user.activity"])
    assert "no longer holds its split" in board(run).tables[0].groups[0].notes[0].text


def test_groups_by_default_are_activity_and_popularity_in_the_csv_and_not_in_markdown(
    tmp_path: Path,
) -> None:
    made: Board = board(written(tmp_path))
    assert [part.by for part in made.tables[0].groups] == ["user.activity", "item.popularity"]
    assert len(as_csv(made, "groups").splitlines()) == 1 + 3 * len(MODELS) + 2 * len(MODELS)
    assert "user.activity" not in markdown(made)
