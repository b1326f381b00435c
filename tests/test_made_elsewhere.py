"""Lists made elsewhere, checked before test is opened: every wrong file gets its message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from competitor import Competitor, text_split

from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.raw_ids import raw_ids
from benchmark.errors import DataError
from benchmark.metrics.register import parse_metric
from benchmark.metrics.topk import tie_keys

Lists = pd.DataFrame


@pytest.fixture(scope="module")
def competitor(tmp_path_factory: pytest.TempPathFactory) -> Competitor:
    return text_split(tmp_path_factory.mktemp("split") / "toy")


def read(competitor: Competitor, path: Path) -> list[list[int]]:
    return competitor.check.read(path, "test").lists.tolist()


def as_csv(lists: Lists, folder: Path, **how: object) -> Path:
    path = folder / "lists.csv"
    lists.to_csv(path, index=False, **how)
    return path


def with_seen(lists: Lists, competitor: Competitor) -> Lists:
    known = load_parts(competitor.folder, "train")
    users, items = (raw_ids(competitor.folder, side) for side in ("user", "item"))
    first = lists["user"] == users[known.users[0]]
    return lists.assign(item=lists["item"].mask(first & (lists["rank"] == 1), items[known.items[0]]))


def twice(lists: Lists, _: Competitor) -> Lists:
    return pd.concat([lists, lists.head(1).assign(rank=9)])


def changed(column: str, value: object) -> Callable[[Lists, Competitor], Lists]:
    """Change an entry of the second row."""
    return lambda lists, _: lists.assign(**{column: [*lists[column][:1], value, *lists[column][2:]]})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (with_seen, r"lists.csv:\d+: item 'i\d' in the list of user '.*' is hidden: the user has had it, in"),
        (twice, r"lists.csv:38: item 'i\d' in the list of user '.*' is there twice \(1 of 37 rows\)"),
        (changed("item", "i99"), r"lists.csv:3: item 'i99' is not in mine \(1 items of the file are not\)"),
        (changed("user", "u99"), r"lists.csv:3: user 'u99' is not in mine \(1 users of the file are not\)"),
        (changed("item", ""), r"lists.csv:3: column 'item' is empty or not finite \(1 such rows\)"),
        (changed("rank", "first"), r"lists.csv:3: column 'rank' has 'first' instead of a number"),
        (changed("rank", "inf"), r"lists.csv:3: column 'rank' is empty or not finite"),
        (changed("rank", 1), r"item 'i\d' in the list of user '.*' has the rank of another one"),
        (
            lambda lists, _: lists[lists["rank"] < 3],
            r"12 of 12 lists have fewer than 3 items, .* ndcg@3 needs 3",
        ),
        (
            lambda lists, _: lists.drop(columns="rank"),
            r"has the columns 'user', 'item'; columns user, item and rank",
        ),
        (lambda lists, _: lists.head(0), r"no rows"),
        (lambda lists, _: lists.assign(item=lists["item"].str[1:]), r"none of the file is, .* look like 'i"),
    ],
)
def test_wrong_file_gets_its_message(
    competitor: Competitor,
    tmp_path: Path,
    spoil: Callable[[Lists, Competitor], Lists],
    said: str,
) -> None:
    path = as_csv(spoil(competitor.rows(), competitor), tmp_path)
    with pytest.raises(DataError, match=said):
        competitor.check.read(path, "test")


def test_item_of_validation_is_hidden_from_test_lists_and_not_from_those_for_validation(
    competitor: Competitor, tmp_path: Path
) -> None:
    valid = load_parts(competitor.folder, "valid")
    users, items = (raw_ids(competitor.folder, side) for side in ("user", "item"))
    lists = competitor.rows()
    mine = (lists["user"] == users[valid.users[0]]) & (lists["rank"] == 1)
    path = as_csv(lists.assign(item=lists["item"].mask(mine, items[valid.items[0]])), tmp_path)
    assert competitor.check.read(path, "valid").lists[valid.users[0], 0] == valid.items[0]
    with pytest.raises(DataError, match="has had it, in train or valid"):
        competitor.check.read(path, "test")


def test_lists_of_every_known_layout_are_the_same(competitor: Competitor, tmp_path: Path) -> None:
    ranked = competitor.rows()
    scored = ranked.assign(score=1 / ranked["rank"])
    expected = read(competitor, as_csv(ranked, tmp_path))
    mixed = scored.rename(columns={"user": "user_id", "item": "item_id"}).sample(frac=1, random_state=0)
    for columns, how in (
        (["user_id", "item_id", "score", "rank"], {}),  # RecTools
        (["item_id", "rank", "user_id"], {"sep": ";"}),
        (["user_id", "item_id", "score"], {"sep": "\t", "header": False}),  # Elliot
    ):
        assert read(competitor, as_csv(mixed[columns], tmp_path, **how)) == expected, columns
    warprec = mixed.rename(columns={"score": "rating"})[["user_id", "item_id", "rating"]]
    warprec.to_parquet(tmp_path / "recs.parquet")
    assert read(competitor, tmp_path / "recs.parquet") == expected


def test_rank_without_a_header_is_not_read_as_a_score(competitor: Competitor, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="may be a rank; read as a score it would reverse every list"):
        competitor.check.read(as_csv(competitor.rows(), tmp_path, sep="\t", header=False), "test")


def test_ids_are_compared_as_written(competitor: Competitor, tmp_path: Path) -> None:
    lists = competitor.rows()
    users = raw_ids(competitor.folder, "user").tolist()
    for name in ("07", "7"):
        own = lists[lists["user"] == name]
        found = competitor.check.read(as_csv(own, tmp_path), "test").lists
        assert np.flatnonzero((found >= 0).any(axis=1)).tolist() == [users.index(name)]
    with pytest.raises(DataError, match="user '007' is not in mine"):
        competitor.check.read(as_csv(lists.assign(user=lists["user"].replace("07", "007")), tmp_path), "test")


def test_equal_scores_come_in_the_order_of_all_models_ties(competitor: Competitor, tmp_path: Path) -> None:
    lists = competitor.rows().rename(columns={"rank": "score"}).assign(score=0.5)
    found = competitor.check.read(as_csv(lists, tmp_path), "test").lists
    users = np.arange(len(found), dtype=np.int32)
    assert (np.diff(tie_keys(users, found, seed=0).astype(np.float64), axis=1) > 0).all()


def test_lists_are_cut_and_missing_or_short_ones_stay_short(competitor: Competitor, tmp_path: Path) -> None:
    lists = competitor.rows(length=4)
    users = lists["user"].unique()
    kept = lists[~((lists["user"] == users[0]) | ((lists["user"] == users[1]) & (lists["rank"] > 1)))]
    checked = competitor.check.read(as_csv(kept, tmp_path), "test")
    assert (checked.lists >= 0).sum(axis=1).tolist() == [0, 1, *[3] * (len(users) - 2)]
    assert ["cut after 3 items" in note for note in checked.notes] == [True]


def test_lists_of_all_candidates_are_long_enough_where_these_are_fewer(
    competitor: Competitor, tmp_path: Path
) -> None:
    """Five of ten items are hidden from everybody: lists of five have all that may be recommended."""
    check = replace(competitor.check, metrics=[parse_metric("ndcg@8")])
    known = load_parts(competitor.folder, "train", "valid").counts().toarray() > 0
    most = (~known).sum(axis=1)
    rows = competitor.rows(length=8)
    users = rows["user"].unique()
    complete = rows[rows["rank"] <= rows["user"].map(dict(zip(users, most, strict=True)))]
    assert (most < 8).all()
    assert (check.read(as_csv(complete, tmp_path), "test").lists >= 0).sum(axis=1).tolist() == most.tolist()
    shorter = complete[complete["rank"] < 4]
    with pytest.raises(DataError, match=r"12 of 12 lists have fewer than 8 items"):
        check.read(as_csv(shorter, tmp_path), "test")
