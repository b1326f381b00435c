"""The part of a suite that speaks of data."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from benchmark.datasets.specs import LogSpec, PrepareSpec, SplitSpec, SyntheticSpec, TableSpec, TitlesSpec


def test_specs_import_brings_neither_numpy_nor_pandas():
    heavy = "{'numpy', 'pandas', 'scipy'}"
    code = f"import sys, benchmark.datasets.specs; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_log_spec_mistyped_key_is_refused():
    with pytest.raises(ValidationError, match="usr"):
        LogSpec(name="mine", path="a.csv", usr="uid")


def test_log_spec_path_and_synthetic_together_are_refused():
    with pytest.raises(ValidationError, match="exclude each other"):
        LogSpec(name="mine", path="a.csv", synthetic=SyntheticSpec())


def test_log_spec_one_column_in_two_roles_is_refused():
    with pytest.raises(ValidationError, match=r"'id' .* user and item"):
        LogSpec(name="mine", path="a.csv", user="id", item="id")


def test_log_spec_scale_upside_down_is_refused():
    with pytest.raises(ValidationError, match="lowest rating must come first"):
        LogSpec(name="mine", path="a.csv", scale=(5, 1))


@pytest.mark.parametrize("condition", ["4", "=> 4", ">= four", ">= 4 and < 5"])
def test_prepare_spec_unreadable_condition_is_refused(condition):
    with pytest.raises(ValidationError, match=">= 4"):
        PrepareSpec(positive=condition)


@pytest.mark.parametrize("condition", [">= 4", ">3.5", "<= -1", "== 0"])
def test_prepare_spec_condition_is_kept_as_written(condition):
    assert PrepareSpec(positive=condition).positive == condition


@pytest.mark.parametrize("shares", [{"test": 0}, {"test": 1}, {"valid": -0.1}, {"test": 0.5, "valid": 0.5}])
def test_split_spec_shares_that_leave_nothing_are_refused(shares):
    with pytest.raises(ValidationError):
        SplitSpec(**shares)


@pytest.mark.parametrize("given", [{"by": "files"}, {"files": {"train": "a", "valid": "b", "test": "c"}}])
def test_split_spec_files_and_rule_must_come_together(given):
    with pytest.raises(ValidationError, match="needs the key files"):
        SplitSpec(**given)


@pytest.mark.parametrize("rows", [10, 99_999])
def test_planted_spec_impossible_number_of_rows_is_refused(rows):
    with pytest.raises(ValidationError, match=r"must lie between 100 .* and 300"):
        SyntheticSpec(users=20, items=30, interactions=rows)


def test_every_field_of_the_specs_has_a_description():
    for spec in (LogSpec, SyntheticSpec, PrepareSpec, SplitSpec, TableSpec, TitlesSpec):
        assert all(info.description for info in spec.model_fields.values())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "says nothing but the id"),
        ({"categories": ["a"], "lists": ["a"]}, "'a' is named more than once"),
        ({"id": "a", "numbers": ["a"]}, "'a' is named more than once"),
        ({"bands": {"age": [20, 10]}}, "ascending"),
        ({"bands": {"age": [10]}, "categories": ["age_band"]}, "'age_band' is named more than once"),
        ({"id": "sku", "categories": ["id"]}, "can only be the id or the title"),
    ],
)
def test_table_spec_that_cannot_be_meant_is_refused(given, words):
    with pytest.raises(ValidationError, match=words):
        TableSpec(path="a.csv", **given)


def test_log_spec_titles_and_items_together_are_refused():
    table = TableSpec(path="a.csv", title="t")
    with pytest.raises(ValidationError, match="exclude each other"):
        LogSpec(name="mine", path="a.csv", titles=TitlesSpec(path="b.csv"), items=table)


def test_log_spec_titles_are_a_table_of_items():
    titles = TitlesSpec(path="b.csv", item="sku", genres="tags")
    table = LogSpec(name="mine", path="a.csv", titles=titles).item_table
    assert (table.id, table.title, table.lists) == ("sku", "title", ("tags",))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("buy", r"such as \[buy\]"),
        (4, "is 4; it must be one of >="),
        ([], "is an empty list"),
        ([True], "lists True, which is no event type"),
    ],
)
def test_condition_that_is_none_is_refused_with_one_that_is(given, said):
    for key in ("positive", "negative"):
        with pytest.raises(ValidationError, match=said):
            PrepareSpec.model_validate({key: given})


def test_condition_may_list_codes_as_numbers():
    assert PrepareSpec.model_validate({"positive": [2, " buy "]}).positive == ("2", "buy")


@pytest.mark.parametrize("both", [">= 4", True, ["buy"]])
def test_positive_and_negative_that_name_the_same_rows_are_refused(both):
    with pytest.raises(ValidationError, match="a row is one or the other"):
        PrepareSpec.model_validate({"positive": both, "negative": both})


def test_entry_of_a_log_wins_over_prepare_and_false_is_an_answer_too():
    prepare = PrepareSpec.model_validate({"positive": ">= 4", "negative": "<= 2", "duplicates": "last"})
    own = LogSpec(name="shop", path="a.csv", positive=False)
    merged = prepare.for_log(own)
    assert (merged.positive, merged.negative, merged.duplicates) == (False, "<= 2", "last")
    assert prepare.for_log(LogSpec(name="shop", path="a.csv")) is prepare
    told = prepare.told(own)
    assert (told.positive, told.negative) == (False, "<= 2")


def test_entry_that_contradicts_prepare_is_refused():
    with pytest.raises(ValidationError, match="a row is one or the other"):
        PrepareSpec(negative="<= 2").for_log(LogSpec(name="shop", path="a.csv", positive="<= 2"))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"weight": 3}, "must be a column, such as plays"),
        ({"weight": {"buy": 0}, "value": "event"}, "gives buy the weight 0; it must be a number above 0"),
        ({"weight": {"buy": 5}}, "name their column with value"),
        ({"weight": "item"}, "column 'item' cannot be weight besides"),
        ({"positive": ["buy"], "value": "event", "scale": [0, 1]}, "scale is for ratings"),
    ],
)
def test_weights_that_weigh_nothing_are_refused(keys, said):
    with pytest.raises(ValidationError, match=said):
        LogSpec.model_validate({"name": "shop", "path": "a.csv", **keys})
