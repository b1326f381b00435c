"""Which rows are likes and known dislikes, and what they weigh: said by the suite, never guessed."""
# ruff: noqa: PD011 (Interactions.values is an array, no attribute of a DataFrame)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from builders import own_log

from benchmark.datasets.prepare.pipeline import Prepared, prepare
from benchmark.datasets.specs import PrepareSpec, SplitSpec
from benchmark.datasets.split import split
from benchmark.errors import DataError

USERS, ITEMS = [1, 1, 2, 2], [1, 2, 1, 2]
EVENTS = pd.Categorical(["view", "cart", "buy", "view"])


def done(*, weight=None, scale=None, spec=None, **columns) -> Prepared:
    log = own_log(scale=scale, user=USERS, item=ITEMS, **columns)
    if weight is not None:
        log = type(log)(log.provenance, log.frame.assign(weight=weight), weight="plays")
    return prepare(log, PrepareSpec(**(spec or {})))


def refused(**given) -> str:
    with pytest.raises(DataError) as caught:
        done(**given)
    return str(caught.value)


def likes(**given) -> list[bool]:
    return done(**given).interactions.positive.tolist()


@pytest.mark.parametrize("values", [[-1, 1, 1, -1], [0, 1, 1, 0], [0, 3, 9, 0]])
def test_values_at_or_below_0_are_refused_until_a_key_says_which_are_likes(values):
    message = refused(value=np.array(values, dtype=float))
    assert (
        f"mine.csv: row 1 has the value {values[0]}; 4 rows, 2 of them at or below 0: say positive" in message
    )
    assert likes(value=np.array(values, dtype=float), spec={"positive": "> 0"}) == [False, True, True, False]


@pytest.mark.parametrize(
    ("values", "scale"), [([0, 1, 1, 0], (0, 1)), ([-1, 1, 1, 1], (-1, 1)), ([0, 5, 5, 0], (0, 5))]
)
def test_scale_over_two_values_from_0_or_below_explains_nothing(values, scale):
    message = refused(value=np.array(values, dtype=float), scale=scale)
    assert f"the scale {scale[0]} to {scale[1]} alone does not say it" in message


@pytest.mark.parametrize(("values", "scale"), [([0, 1, 2, 5], (0, 5)), ([1, 5, 5, 1], (1, 5))])
def test_scale_above_0_or_with_more_values_explains_them(values, scale):
    assert likes(value=np.array(values, dtype=float), scale=scale) == [True] * 4


def test_rescaling_votes_above_0_does_not_make_likes_of_them():
    votes = {"value": np.array([-1.0, 1.0, 1.0, -1.0]), "scale": (-1, 1)}
    assert "2 of them at or below 0" in refused(**votes, spec={"rescale": (1, 5)})
    assert likes(**votes, spec={"rescale": (1, 5), "positive": ">= 3"}) == [False, True, True, False]


def test_missing_values_filled_with_0_are_no_likes():
    assert "say positive" in refused(value=[1.0, np.nan, 1.0, 1.0], spec={"missing": 0})


def test_rows_at_0_outside_the_time_window_refuse_nothing():
    times = [0.0, 5.0, 6.0, 7.0]
    assert done(
        value=[0.0, 1.0, 1.0, 1.0], time=times, spec={"time": {"since": 5}}
    ).interactions.positive.all()


def test_known_dislikes_do_not_say_which_rows_are_likes():
    assert "say positive" in refused(value=[0.0, 1.0, 1.0, -1.0], spec={"negative": "< 0"})


TRUTHS = pd.array([True, False, None, True], dtype="boolean")


def test_booleans_are_refused_until_a_key_says_which_are_likes():
    message = refused(value=[False, True, True, True])
    assert "row 1 has the value False; 4 rows of true and false: say positive" in message
    assert "positive: true" in message


@pytest.mark.parametrize("condition", [True, ">= 1", "== 1"])
def test_booleans_can_be_compared_with_true_or_as_ones_and_zeros(condition):
    rows = done(value=[False, True, True, True], spec={"positive": condition}).interactions
    assert rows.positive.tolist() == [False, True, True, True]
    assert rows.values.tolist() == [0, 1, 1, 1]


def test_ones_and_zeros_may_be_called_booleans_and_nothing_else_may():
    assert likes(value=[0.0, 1.0, 1.0, 0.0], spec={"positive": False}) == [True, False, False, True]
    assert "needs booleans, and values go from 1 to 5" in refused(
        value=[1.0, 5.0, 2.0, 3.0], spec={"positive": True}
    )


def test_booleans_that_are_missing_are_dropped_and_neither_filled_in_nor_false():
    assert "booleans are not filled in with mean" in refused(
        value=TRUTHS, spec={"missing": "mean", "positive": True}
    )
    assert likes(value=TRUTHS, spec={"missing": "drop", "positive": True}) == [True, False, True]


@pytest.mark.parametrize("rule", ["sum", "mean"])
def test_booleans_are_not_calculated_with(rule):
    assert f"duplicates: {rule} calculates with them" in refused(
        value=[True, False, True, True], spec={"duplicates": rule, "positive": True}
    )


def test_event_types_are_likes_where_the_suite_lists_them():
    rows = done(event=EVENTS, spec={"positive": ["buy", "cart"], "negative": ["view"]}).interactions
    assert rows.positive.tolist() == [False, True, True, False]
    assert rows.negative.tolist() == [True, False, False, True]
    assert rows.values.tolist() == [1, 1, 1, 1]


def test_event_types_without_a_list_are_refused():
    message = refused(event=EVENTS)
    assert "4 rows of the event types buy, cart, view, say positive: list those that count" in message
    assert "positive is > 0: list" in refused(event=EVENTS, spec={"positive": "> 0"})


def test_event_type_that_the_log_lacks_is_refused_with_the_nearest():
    message = refused(event=EVENTS, spec={"positive": ["crat"]})
    assert (
        "positive names the event type 'crat'; did you mean 'cart'?; the log has buy, cart, view" in message
    )


def test_event_types_have_no_scale():
    assert "scale is for ratings" in refused(event=EVENTS, scale=(0, 1), spec={"positive": ["buy"]})


def test_list_of_event_types_over_numbers_or_nothing_is_refused():
    for columns in ({}, {"value": [1.0, 2.0, 3.0, 4.0]}):
        assert "positive lists event types, and the log has none" in refused(
            **columns, spec={"positive": ["buy"]}
        )


def test_events_of_one_pair_that_are_added_up_are_a_like_if_one_of_them_is():
    twice = own_log(
        user=[1, 1, 2, 2], item=[1, 1, 1, 1], event=pd.Categorical(["buy", "view", "view", "view"])
    )
    frame = twice.frame.assign(item=[1, 1, 2, 2], weight=[5.0, 1.0, 1.0, 1.0])
    log = type(twice)(twice.provenance, frame, weight="{view: 1, buy: 5}")
    rows = prepare(log, PrepareSpec(positive=("buy",), duplicates="sum")).interactions
    assert (rows.positive.tolist(), rows.weights.tolist()) == ([True, False], [6, 2])
    with pytest.raises(
        DataError, match=r"1 rows are both positive .* set prepare.duplicates to last or first"
    ):
        prepare(log, PrepareSpec(positive=("buy",), negative=("view",), duplicates="sum"))


def test_row_that_is_liked_and_disliked_is_refused():
    given = {"value": [1.0, 2.0, 3.0, 4.0]}
    message = refused(**given, spec={"positive": ">= 3", "negative": "<= 3"})
    assert "1 rows are both positive (>= 3) and negative (<= 3), the first is row 3" in message
    rows = done(**given, spec={"positive": ">= 3", "negative": "< 2"}).interactions
    assert rows.negative.tolist() == [True, False, False, False]


def test_known_dislikes_alone_make_likes_of_all_other_rows():
    assert likes(value=[1.0, 2.0, 3.0, 4.0], spec={"negative": "< 2"}) == [False, True, True, True]


def test_weights_of_likes_must_be_above_0_and_those_of_other_rows_need_not_be():
    spec = {"positive": ">= 3"}
    rows = done(value=[1.0, 2.0, 3.0, 4.0], weight=[0.0, 0.0, 2.0, 7.5], spec=spec).interactions
    assert rows.weights.tolist() == [0, 0, 2, 7.5]
    message = refused(value=[1.0, 2.0, 3.0, 4.0], weight=[1.0, 1.0, 0.0, -2.0], spec=spec)
    assert "row 3 has the weight 0 (2 such rows); the weight of a like must be a number above 0" in message
    assert "inf" in refused(value=[1.0] * 4, weight=[1.0, 1.0, np.inf, 1.0])


def test_weight_that_is_missing_is_a_missing_entry():
    assert "1 rows lack a value (weight 1), the first is row 2" in refused(weight=[1.0, np.nan, 1.0, 1.0])


def test_dislikes_and_weights_enter_the_hashes_only_where_the_suite_names_them():
    rng = np.random.default_rng(0)
    pairs = {"user": np.repeat(np.arange(10), 6), "item": np.tile(np.arange(6), 10)}
    frame = pd.DataFrame(pairs).assign(value=rng.integers(1, 6, 60).astype(float))

    def made(spec=None, **columns):
        given = own_log(**pairs, value=frame["value"])
        log = type(given)(given.provenance, given.frame.assign(**columns), weight="w" if columns else None)
        prepared = prepare(log, PrepareSpec(positive=">= 4", **(spec or {})))
        cut = split(prepared, SplitSpec())
        return prepared.sha256, cut.manifest.hash

    plain = made()
    assert plain == (
        "2d3031fe6ee4182aebde94acde49affd9e64a868bc9f2f4c92a734bf714510b7",
        "1f5290744c61629f3914eddbd9eba8a63bc1e951e27759d86a751704caa3e7f2",
    )
    others = [
        made({"negative": "< 2"}),
        made({"negative": "< 3"}),
        made(weight=frame["value"]),
        made(weight=frame["value"] + 1),
    ]
    assert len({plain, *others}) == 5
