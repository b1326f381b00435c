"""From a log to dense arrays."""
# ruff: noqa: PD011 (Interactions.values is an array, no attribute of a DataFrame)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from builders import own_log

from benchmark.datasets.manifest import StepCounts
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.specs import PrepareSpec
from benchmark.errors import DataError


def refused(given, **spec):
    with pytest.raises(DataError) as caught:
        prepare(given, PrepareSpec(**spec))
    return str(caught.value)


def test_prepare_codes_ids_in_ascending_order_and_keeps_the_rows_in_place():
    done = prepare(own_log(user=[10, 9, 100], item=["b", "a", "b"]))
    assert done.user_ids.tolist() == [9, 10, 100]
    assert done.interactions.users.tolist() == [1, 0, 2]
    assert done.item_ids[done.interactions.items].tolist() == ["b", "a", "b"]


def test_prepare_without_values_and_times_has_ones_and_no_times():
    rows = prepare(own_log(user=[1, 2], item=[1, 2])).interactions
    assert rows.values.tolist() == [1.0, 1.0]
    assert rows.times.shape == (0,)
    assert (rows.users.dtype, rows.values.dtype, rows.times.dtype) == (np.int32, np.float32, np.int64)


def test_prepare_positive_labels_and_drops_nothing():
    given = own_log(user=[1, 2, 2], item=[1, 1, 2], value=[3.0, 4.0, 5.0])
    done = prepare(given, PrepareSpec(positive=">= 4"))
    assert done.interactions.positive.tolist() == [False, True, True]
    assert done.steps[-1].rows == 2


@pytest.mark.parametrize(("condition", "likes"), [("> 4", 1), ("<= 3", 1), ("== 4", 1), ("< 5", 2)])
def test_prepare_positive_conditions_mean_what_they_say(condition, likes):
    given = own_log(user=[1, 2, 2], item=[1, 1, 2], value=[3.0, 4.0, 5.0])
    assert prepare(given, PrepareSpec(positive=condition)).interactions.positive.sum() == likes


def test_prepare_positive_that_fits_no_row_is_refused_with_the_range():
    given = own_log(user=[1, 2], item=[1, 2], value=[1.0, 3.0])
    assert "values go from 1 to 3" in refused(given, positive=">= 4")


def test_prepare_positive_without_values_is_refused():
    assert "needs values, and the log has none" in refused(own_log(user=[1, 2], item=[1, 2]), positive=">= 4")


TWICE = {
    "user": [1, 2, 1, 2],
    "item": [7, 7, 7, 8],
    "value": [5.0, 1.0, 2.0, 3.0],
    "time": [20.0, 3.0, 10.0, 4.0],
}


def test_prepare_duplicates_are_refused_with_an_example_and_the_four_choices():
    message = refused(own_log(**TWICE))
    assert "1 pairs" in message
    assert "user 1, item 7 (row 1, row 3)" in message
    assert all(choice in message for choice in ("last", "first", "mean", "sum"))


@pytest.mark.parametrize(
    ("choice", "values"),
    [("last", [5, 1, 3]), ("first", [1, 2, 3]), ("mean", [3.5, 1, 3]), ("sum", [7, 1, 3])],
)
def test_prepare_duplicates_follow_the_choice_by_time_and_keep_the_order_of_rows(choice, values):
    done = prepare(own_log(**TWICE), PrepareSpec(duplicates=choice))
    assert done.interactions.values.tolist() == values
    assert done.steps[2] == StepCounts(step="duplicate pairs", rows=3, users=2, items=2, note=choice)


def test_prepare_duplicates_without_times_follow_the_order_of_the_log():
    given = own_log(user=[1, 2, 1], item=[7, 8, 7], value=[5.0, 1.0, 2.0])
    assert prepare(given, PrepareSpec(duplicates="last")).interactions.values.tolist() == [1, 2]
    assert prepare(given, PrepareSpec(duplicates="first")).interactions.values.tolist() == [5, 1]


def test_prepare_sum_of_events_without_values_counts_them():
    given = own_log(user=[1, 2, 1, 1], item=[7, 8, 7, 7])
    assert prepare(given, PrepareSpec(duplicates="sum")).interactions.values.tolist() == [1, 3]


def test_prepare_sum_of_ratings_is_refused():
    assert "cannot be added up" in refused(own_log(scale=(1, 5), **TWICE), duplicates="sum")


def test_prepare_missing_values_are_refused_with_counts_and_the_first_row():
    given = own_log(user=[1, 2, None], item=[1, 2, 3], value=[1.0, np.nan, 3.0])
    message = refused(given)
    assert "2 rows lack a value (user 1, value 1), the first is row 2" in message
    assert "prepare.missing: drop" in message


def test_prepare_missing_values_are_dropped_on_request_and_counted():
    given = own_log(user=pd.array([1, 2, None, 3], "Int64"), item=[1, 2, 3, 4])
    done = prepare(given, PrepareSpec(missing="drop"))
    assert done.user_ids.tolist() == [1, 2, 3]
    assert [step.rows for step in done.steps] == [4, 3, 3, 3]


def test_prepare_log_of_missing_values_only_is_refused():
    given = own_log(user=[1, 2], item=[1, 2], value=[np.nan, np.nan])
    assert "no rows left" in refused(given, missing="drop")


@pytest.mark.parametrize(("by", "filled"), [("mean", 2.0), (4.0, 4.0)])
def test_prepare_missing_values_are_filled_on_request_and_no_row_goes(by, filled):
    done = prepare(own_log(user=[1, 2, 3], item=[1, 2, 3], value=[1.0, np.nan, 3.0]), PrepareSpec(missing=by))
    assert done.interactions.values.tolist() == [1.0, filled, 3.0]
    assert done.steps[1].note == f"rows with one: {by}"


def test_prepare_filling_values_leaves_other_gaps_refused():
    given = own_log(user=[1, 2, 3], item=[1, 2, 3], value=[1.0, np.nan, 3.0], time=[1.0, 2.0, np.nan])
    assert "1 rows lack a value (time 1), the first is row 3" in refused(given, missing="mean")


TIMED = {"user": [1, 2, 1, 2], "item": [1, 2, 3, 4], "time": [86_400.0, 0.0, 172_800.0, 259_200.0]}


@pytest.mark.parametrize(
    ("window", "items"),
    [
        ({"since": "1970-01-02"}, [1, 3, 4]),
        ({"until": "1970-01-03"}, [1, 2]),
        ({"since": 86_400, "until": "1970-01-04T00:00:00Z"}, [1, 3]),
    ],
)
def test_prepare_time_window_keeps_since_and_drops_until(window, items):
    done = prepare(own_log(**TIMED | {"user": [1, 2, 3, 4]}), PrepareSpec(time=window))
    assert done.item_ids[done.interactions.items].tolist() == items
    assert (done.steps[2].step, done.steps[2].rows) == ("time window", len(items))


def test_prepare_time_window_without_rows_or_times_is_refused():
    assert "times go from 1970-01-01 to 1970-01-04" in refused(own_log(**TIMED), time={"since": "2001-01-01"})
    assert "the log has none" in refused(own_log(user=[1, 2], item=[1, 2]), time={"until": "2001-01-01"})


OUTSIDE = {"user": [1, 2, 3], "item": [1, 2, 3], "value": [0.0, 3.0, 9.0]}


@pytest.mark.parametrize(("choice", "values"), [("clip", [1, 3, 5]), ("drop", [3])])
def test_prepare_ratings_outside_the_scale_follow_the_choice(choice, values):
    more = {"user": [*OUTSIDE["user"], 4], "item": [*OUTSIDE["item"], 4], "value": [*OUTSIDE["value"], 2.0]}
    done = prepare(own_log(scale=(1.0, 5.0), **more), PrepareSpec(outside_scale=choice))
    assert done.interactions.values.tolist() == [*values, 2.0]
    left = done.steps[2]
    assert (left.step, left.rows, left.note) == ("outside scale", len(values) + 1, choice)


def test_prepare_rescale_is_linear_and_moves_the_scale_before_likes_are_told():
    given = own_log(scale=(1.0, 5.0), user=[1, 2, 2], item=[1, 1, 2], value=[1.0, 3.0, 5.0])
    done = prepare(given, PrepareSpec(rescale=(0, 10), positive=">= 5"))
    assert done.interactions.values.tolist() == [0.0, 5.0, 10.0]
    assert done.provenance.scale == (0.0, 10.0)
    assert done.interactions.positive.tolist() == [False, True, True]


def test_prepare_rescale_without_a_scale_is_refused():
    assert "needs ratings on a known scale" in refused(own_log(**OUTSIDE), rescale=(0, 1))


def test_prepare_likes_can_be_told_from_how_often_a_pair_occurred():
    given = own_log(user=[1, 2, 1, 1], item=[7, 8, 7, 7])
    done = prepare(given, PrepareSpec(duplicates="sum", positive=">= 3"))
    assert done.interactions.values.tolist() == [1.0, 3.0]
    assert done.interactions.positive.tolist() == [False, True]


@pytest.mark.parametrize("value", [0.5, 5.5])
def test_prepare_rating_outside_the_scale_is_refused_with_row_and_value(value):
    message = refused(own_log(scale=(1.0, 5.0), user=[1, 2], item=[1, 2], value=[1.0, value]))
    assert f"row 2 has the value {value:g}" in message
    assert "scale 1 to 5" in message


def test_prepare_infinite_value_is_refused():
    assert "finite" in refused(own_log(user=[1, 2], item=[1, 2], value=[1.0, np.inf]))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"user": [1, 1], "item": [1, 2]}, "there is only one user (1)"),
        ({"user": [1, 2], "item": ["a", "a"]}, "there is only one item (a)"),
        ({"user": [], "item": []}, "the log is empty"),
    ],
)
def test_prepare_log_without_variety_is_refused(columns, words):
    assert words in refused(own_log(**columns))


def test_prepare_titles_follow_the_dense_ids_and_fall_back_to_the_id():
    items = pd.DataFrame({"item": [2, 1], "title": ["Two", "One"], "genres": ["x", "y|z"]})
    done = prepare(own_log(user=[1, 2, 2], item=[3, 2, 1], items=items))
    assert done.titles == ["One", "Two", "3"]
    assert done.item_table["genres"].tolist() == ["y|z", "x", ""]


def test_prepare_titles_match_whether_ids_are_numbers_or_text():
    items = pd.DataFrame({"item": ["1", "x"], "title": ["One", "X"]})
    assert prepare(own_log(user=[1, 2], item=[1, 2], items=items)).titles == ["One", "2"]


def test_prepare_titles_of_other_items_are_refused():
    items = pd.DataFrame({"item": ["a"], "title": ["A"]})
    assert "no item of the log is in the table of titles" in refused(
        own_log(user=[1, 2], item=[1, 2], items=items)
    )


def test_prepare_hash_changes_with_any_content_and_with_nothing_else():
    columns = {"user": [1, 2], "item": [1, 2], "value": [1.0, 2.0]}
    base = prepare(own_log(**columns)).sha256
    assert prepare(own_log(**columns)).sha256 == base
    changed = [
        prepare(own_log(**columns | {"user": [1, 3]})),
        prepare(own_log(**columns | {"value": [1.0, 1.0]})),
        prepare(own_log(**columns, scale=(1.0, 5.0))),
        prepare(own_log(**columns), PrepareSpec(positive="> 1")),
    ]
    assert len({base, *(one.sha256 for one in changed)}) == 5
