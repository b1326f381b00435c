"""What a layout promises of its tables is what its readers return, and no two layouts look alike."""

from __future__ import annotations

from itertools import combinations

import pandas as pd
import pytest
from repository import skip_without

from benchmark.datasets.sources.known import KNOWN
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.specs import LogSpec
from benchmark.errors import DataError

LOG = LogSpec(name="films", user="viewer", item="film")


@pytest.fixture
def read(tmp_path):
    """Read a folder whose table of items is given; files named ``side_files`` are not there."""
    (tmp_path / "film_views.csv").write_text("viewer,film\n1,7\n2,8\n")

    def call(items, roles, side_files=()):
        table = pd.DataFrame(items)
        layout = Layout("film_views.csv", LOG, items=lambda _: table, side_files=side_files, item_roles=roles)
        return layout.read(tmp_path).items

    return call


@pytest.mark.parametrize(
    ("items", "roles", "message"),
    [
        (
            {"film": [7]},
            {},
            "table of items has no column 'item'; it has film: return the ids in that column",
        ),
        (
            {"item": [7]},
            {"studio": "category"},
            "has no column 'studio', which item_roles names; it has item",
        ),
        (
            {"item": [7, 8], "genres": [None, ["Drama"]]},
            {"genres": "list"},
            r"'genres' has the role list and holds \['Drama'\], which is no text; .* joined by \|",
        ),
        (
            {"item": [7], "year": [1990]},
            {"year": "list"},
            "'year' has the role list and holds .*1990.*, which is no",
        ),
        ({"item": [7], "cast": [("A", "B")]}, {"cast": "category"}, "holds .*, which is no single value"),
    ],
)
def test_table_that_is_not_what_its_layout_promises_is_refused(read, items, roles, message):
    with pytest.raises(DataError, match=message):
        read(items, roles)


def test_column_of_a_side_file_that_is_not_there_may_be_missing(read):
    assert read({"item": [7]}, {"tags": "list"}, side_files=("tags.csv",))["item"].tolist() == [7]


def test_category_of_texts_and_numbers_is_read(read):
    assert len(read({"item": [7, 8], "year": ["1990", 1991.5]}, {"year": "category"})) == 2


@pytest.mark.parametrize("values", [["A|B", None], [None, None]])
def test_list_that_is_one_text_or_empty_is_read(read, values):
    genres = read({"item": [7, 8], "genres": values}, {"genres": "list"})["genres"]
    assert genres.fillna("").tolist() == [value or "" for value in values]


def test_role_that_does_not_exist_is_refused_where_the_layout_is_written():
    rule = "gives 'studio' the role 'categorical'; roles are category, list, number, text"
    with pytest.raises(DataError, match=f"layout of film_views.csv: item_roles {rule}"):
        Layout("film_views.csv", LOG, item_roles={"studio": "categorical"})
    with pytest.raises(DataError, match=f"user_roles {rule}"):
        Layout("film_views.csv", LOG, user_roles={"studio": "categorical"})


def mistaken(layouts):
    """Return main files that two layouts share though they do not read the same tables."""
    reads = {one: (one.log.user, one.log.item, one.items, one.users) for one in layouts}
    return [
        one.main
        for one, other in combinations(reads, 2)
        if one.main == other.main and reads[one] != reads[other]
    ]


def test_no_two_layouts_are_recognised_by_the_same_file():
    layouts = {known.layout for known in KNOWN.values()}
    assert not (mains := mistaken(layouts)), f"find_layout takes the first of two layouts that share {mains}"
    other = Layout("ratings.csv", LogSpec(name="other", user="u", item="i"))
    assert mistaken({*layouts, other}) == ["ratings.csv"]


def test_real_data_that_is_not_here_skips_the_test_that_needs_it(tmp_path):
    with pytest.raises(pytest.skip.Exception, match="movielens-1m: not in"):
        skip_without(tmp_path, "movielens-1m")
    (tmp_path / "ml-1m").mkdir()
    skip_without(tmp_path, "movielens-1m")
