"""What a plan expects of a log is what the log has once it is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from repository import skip_without

from benchmark.datasets.prepare.pipeline import Prepared, prepare
from benchmark.datasets.sources.expected import ExpectedLog, expected_log
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import FilesSpec, LogSpec, SyntheticSpec, TableSpec, TitlesSpec
from benchmark.errors import SourceError

PAIRS = [(user, item) for user in range(8) for item in range(6)]
LOG = "user,item,rating\n" + "".join(f"{u},{i},{(u + i) % 5 + 1}\n" for u, i in PAIRS)
USERS = "id,sex\n" + "".join(f"{u},{'fm'[u % 2]}\n" for u in range(8))
ITEMS = "id,title,genre,price\n" + "".join(f"{i},T{i},{'ab'[i % 2]},{i % 3}\n" for i in range(6))
USER_TABLE = TableSpec(path="users.csv", categories=("sex",))
ITEM_TABLE = TableSpec(path="items.csv", categories=("genre",), numbers=("price",))
TITLES = TitlesSpec(path="items.csv", item="id")
SMALL = SyntheticSpec(users=20, items=15, interactions=150)


def found(done: Prepared) -> ExpectedLog:
    """Return what a log has, by what models would be given."""
    rows = done.interactions
    sides = (("users", rows.user_features), ("items", rows.item_features), ("graph", rows.graph))
    rated = done.provenance.scale is not None and done.has_values
    return ExpectedLog(rated, tuple(side for side, known in sides if known is not None))


@pytest.fixture
def folders(tmp_path: Path) -> DataFolders:
    """A suite's folder with a log of one's own and its tables."""
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "users.csv").write_text(USERS)
    (tmp_path / "items.csv").write_text(ITEMS)
    return DataFolders(suite=tmp_path, cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("keys", "rated", "described"),
    [
        ({}, False, ()),
        ({"value": "rating"}, False, ()),
        ({"value": "rating", "scale": (1, 5)}, True, ()),
        ({"scale": (1, 5)}, False, ()),
        ({"users": USER_TABLE}, False, ("users",)),
        ({"items": ITEM_TABLE}, False, ("items",)),
        ({"users": USER_TABLE, "items": ITEM_TABLE}, False, ("users", "items")),
        ({"users": USER_TABLE, "items": ITEM_TABLE, "features": ("price",)}, False, ("items",)),
        ({"users": USER_TABLE, "items": ITEM_TABLE, "features": False}, False, ()),
        ({"titles": TITLES}, False, ("items",)),
        ({"titles": TITLES, "users": USER_TABLE, "features": ("sex",)}, False, ("users", "items")),
    ],
)
def test_own_log_is_as_its_spec_says(
    folders: DataFolders, keys: dict[str, object], rated: bool, described: tuple[str, ...]
) -> None:
    spec = LogSpec(name="own", path="log.csv", **keys)
    expected = expected_log(spec, folders)
    assert expected == ExpectedLog(rated, described)
    assert found(prepare(open_log(spec, folders))) == expected


@pytest.mark.parametrize("features", [True, False, ("genres",)])
def test_generated_log_has_ratings_and_items_with_genres(folders: DataFolders, features: object) -> None:
    spec = LogSpec(name="planted", synthetic=SMALL, features=features)
    assert found(prepare(open_log(spec, folders))) == expected_log(spec, folders)


def test_own_split_files_are_as_the_spec_says(folders: DataFolders) -> None:
    for part in ("train", "valid", "test"):
        (folders.suite / f"{part}.csv").write_text(LOG)
    parts = FilesSpec(train="train.csv", valid="valid.csv", test="test.csv")
    spec = LogSpec(name="own", value="rating", scale=(1, 5))
    assert expected_log(spec, folders, parts) == ExpectedLog(rated=True, described=())


@pytest.mark.parametrize(
    "name", ["movielens-100k", "movielens-100k-recbole", "movielens-latest-small", "lastfm-hetrec2011"]
)
def test_known_data_set_is_as_its_publisher_says(data_dir: Path, name: str) -> None:
    skip_without(data_dir, name)
    spec, folders = LogSpec(name=name), DataFolders(data=data_dir)
    expected = expected_log(spec, folders)
    assert found(prepare(open_log(spec, folders))) == expected
    assert expected_log(spec, DataFolders(cache=data_dir / "nothing here")) == expected


def test_publishers_folder_under_another_name_has_features_but_no_scale(data_dir: Path) -> None:
    skip_without(data_dir, "movielens-latest-small")
    spec, folders = LogSpec(name="mine", path=str(data_dir / "ml-latest-small")), DataFolders()
    expected = expected_log(spec, folders)
    assert expected == ExpectedLog(rated=False, described=("items",))
    assert found(prepare(open_log(spec, folders))) == expected


def test_file_need_not_be_there_for_a_plan_but_a_name_must_be_known(folders: DataFolders) -> None:
    spec = LogSpec(name="own", path="later.csv", value="stars", scale=(1, 5))
    assert expected_log(spec, folders).rated
    with pytest.raises(SourceError, match="did you mean 'movielens-100k'"):
        expected_log(LogSpec(name="movielens-101k"), folders)
