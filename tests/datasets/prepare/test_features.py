"""What models are shown of users and items beside the log."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from benchmark.datasets.audit.split_audit import audit
from benchmark.datasets.prepare.features import FEWEST_ROWS, MOST_VALUES, features
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.sources.synthetic import synthetic_log
from benchmark.datasets.specs import LogSpec, SplitSpec, TableSpec
from benchmark.datasets.split import split
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.save import load_manifest, save_split
from benchmark.datasets.tables.parse import banded
from benchmark.errors import DataError

ITEMS = """\
sku,name,brand,tags,price,about
1,One,x,a; b,1.5,red
2,Two,x,b;c,4.5,blue
3,Three,y,,,
9,Nine,y,a,3,
"""
USERS = "uid,age,job\nanna,17,cook\nbert,18,cook\ncarl,70,writer\ndora,,\n"
SHOP = LogSpec(
    name="shop",
    path="log.csv",
    items=TableSpec(
        path="items.csv",
        id="sku",
        title="name",
        categories=("brand",),
        lists=("tags",),
        list_separator=";",
        numbers=("price",),
        texts=("about",),
    ),
    users=TableSpec(path="users.csv", id="uid", bands={"age": (18, 65)}, categories=("job",)),
)


@pytest.fixture
def shop(tmp_path):
    """A shop's log with its two tables, prepared."""
    pairs = [(user, item) for user in ("anna", "bert", "carl", "dora") for item in (1, 2, 3)]
    (tmp_path / "log.csv").write_text("user,item\n" + "".join(f"{user},{item}\n" for user, item in pairs))
    (tmp_path / "items.csv").write_text(ITEMS)
    (tmp_path / "users.csv").write_text(USERS)
    return lambda **changes: prepare(
        open_log(SHOP.model_copy(update=changes), DataFolders(suite=tmp_path, data=tmp_path))
    )


def audited(done, directory):
    """The split stored with its audit, as whoever makes splits stores it."""
    return save_split(done, directory, audit(done))


def test_features_of_items_are_categories_list_values_and_standardised_numbers(shop):
    known = shop().interactions.item_features
    assert known.names == ("brand=x", "tags=b", "price")
    assert known.matrix.toarray().tolist() == [[1, 1, -1], [1, 1, 1], [0, 0, 0]]
    assert known.texts == ("One a b red", "Two b c blue", "Three")


def test_features_of_users_are_bands_and_categories(shop):
    done = shop()
    assert done.interactions.user_features.names == ("job=cook",)
    assert done.user_table["age_band"].tolist() == ["under 18", "18-64", "65+", ""]


def test_features_keep_a_list_joined_in_one_way_for_reports(shop):
    assert shop().item_table["tags"].tolist() == ["a| b", "b|c", ""]


def test_features_can_be_narrowed_to_columns(shop):
    rows = shop(features=("brand",)).interactions
    assert (rows.item_features.names, rows.user_features) == (("brand=x",), None)


def test_features_of_a_column_that_is_not_there_are_refused(shop):
    with pytest.raises(DataError, match="features names 'brnd'; did you mean 'brand'"):
        shop(features=("brnd",))


def test_features_of_users_of_another_shop_are_refused(shop, tmp_path):
    def other():
        (tmp_path / "users.csv").write_text("uid,job,age\n1,cook,3\n")
        return shop(features=True)

    shop()
    with pytest.raises(DataError, match=r"no user of the log is in the table of users: .* such as anna.* 1"):
        other()


def test_features_do_not_follow_a_value_that_one_row_alone_has():
    table = pd.DataFrame({"colour": ["red", "red", "blue"]})
    assert FEWEST_ROWS == 2
    assert features(table, {"colour": "category"}).names == ("colour=red",)


def test_features_of_a_column_with_many_values_are_its_most_frequent():
    often = [f"often{number:04}" for number in range(MOST_VALUES)] * 3
    rare = [f"a{number:04}" for number in range(50)] * 2
    names = features(pd.DataFrame({"tag": often + rare}), {"tag": "category"}).names
    assert len(names) == MOST_VALUES
    assert all(name.startswith("tag=often") for name in names)


def test_features_count_a_value_that_stands_twice_in_a_list_once():
    known = features(pd.DataFrame({"genres": ["x|x|x", "x"]}), {"genres": "list"})
    assert known.matrix.toarray().tolist() == [[1], [1]]


def test_features_of_a_number_without_spread_are_none():
    assert features(pd.DataFrame({"price": [2.0, 2.0, None]}), {"price": "number"}) is None


def test_bands_of_whole_numbers_name_the_last_number_inside():
    assert banded(pd.Series([0, 10, 19, 20]), (10, 20)).tolist() == ["under 10", "10-19", "10-19", "20+"]


def test_stored_features_come_back_as_they_were(shop, tmp_path):
    done = split(shop(), SplitSpec(by="random", test=0.3, valid=0.3))
    audited(done, tmp_path / "split")
    for rows in (load_parts(tmp_path / "split", "test"), load_parts(tmp_path / "split", "train", "valid")):
        for side in ("user_features", "item_features"):
            before, after = getattr(done.train, side), getattr(rows, side)
            assert (before.matrix != after.matrix).nnz == 0
            assert before.matrix.dtype == after.matrix.dtype == np.float32
            assert (before.names, before.texts) == (after.names, after.texts)


def test_stored_ids_stand_beside_the_columns_of_the_tables(shop, tmp_path):
    audited(split(shop(), SplitSpec(test=0.3, valid=0.3)), tmp_path / "split")
    users, items = (pd.read_parquet(tmp_path / "split" / f"{side}.parquet") for side in ("users", "items"))
    assert list(users) == ["id", "job", "age", "age_band"]
    assert users["age"].tolist() == [17, 18, 70, pd.NA]
    assert list(items) == ["id", "title", "brand", "tags", "about", "price"]
    assert users["age_band"].tolist() == ["under 18", "18-64", "65+", ""]


def test_features_have_their_own_hash_and_leave_that_of_the_split_alone(shop, tmp_path):
    with_all, with_brand, without = (
        audited(split(shop(features=shown), SplitSpec(test=0.3, valid=0.3)), tmp_path / str(shown))
        for shown in (True, ("brand",), False)
    )
    assert with_all.hash == with_brand.hash == without.hash
    assert without.features.sha256 is None
    assert len({with_all.features.sha256, with_brand.features.sha256}) == 2
    assert (with_all.features.items.count, with_all.features.items.rows) == (3, 2)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("starts", b"\x93NUMPY nothing"),
        ("texts", b""),
        ("names", None),
    ],
)
def test_damaged_features_are_refused(tmp_path, name, content):
    audited(split(prepare(synthetic_log(users=20, items=30, interactions=250))), tmp_path / "split")
    path = tmp_path / "split" / "item_features" / f"{name}.npy"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(DataError, match=rf"item_features/{name}.npy: damaged or missing"):
        load_parts(tmp_path / "split", "train")


def test_features_of_60_000_items_take_seconds():
    rng = np.random.default_rng(0)
    words = pd.Series([f"tag{value}" for value in range(20_000)])
    drawn = [words.take(column).reset_index(drop=True) for column in rng.zipf(1.3, (10, 60_000)) % 20_000]
    tags = drawn[0].str.cat(drawn[1:], sep="|")
    table = pd.DataFrame({"title": "A title", "tags": tags, "price": rng.random(60_000)})
    started = time.process_time()
    known = features(table, {"tags": "list", "price": "number"})
    assert known.matrix.shape == (60_000, MOST_VALUES + 1)
    assert time.process_time() - started < 10


def test_manifest_tells_when_the_licence_was_shown(tmp_path):
    audited(split(prepare(synthetic_log(users=20, items=30, interactions=250))), tmp_path / "split")
    assert load_manifest(tmp_path / "split").provenance.acknowledged == "shown when the data was read"
