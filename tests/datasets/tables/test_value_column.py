"""What the value column of a file holds: numbers, booleans, event types; and what rows weigh."""

from __future__ import annotations

import pandas as pd
import pytest

from benchmark.datasets.log import Log
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import FilesSpec, LogSpec, PrepareSpec
from benchmark.errors import DataError

ROWS = pd.DataFrame({"user": [1, 1, 2, 2], "item": [1, 2, 1, 2]})
WORDS = ["view", "cart", "view", "buy"]
SHOP = {"value": "event", "positive": ["buy", "cart"], "weight": {"view": 1, "cart": 3, "buy": 5}}


@pytest.fixture
def opened(tmp_path):
    """Write a table as CSV or Parquet and open it with these keys."""

    def call(kind: str = "csv", said=None, columns=None, **keys) -> Log:
        path = tmp_path / f"log.{kind}"
        table = ROWS.assign(**(columns or {}))
        table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
        spec = LogSpec.model_validate({"name": "shop", "path": str(path), **keys})
        return open_log(spec, say=(said.append if said is not None else lambda _: None))

    return call


def refused(opened, **given) -> str:
    with pytest.raises(DataError) as caught:
        opened(**given)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_booleans_are_read_as_booleans_and_an_empty_field_is_missing(opened, kind):
    log = opened(kind, columns={"clicked": [True, None, False, True]}, value="clicked")
    assert log.frame["value"].tolist() == [True, pd.NA, False, True]
    whole = opened(kind, columns={"clicked": [True, False, False, True]}, value="clicked")
    assert whole.frame["value"].dtype == "boolean"
    rows = prepare(whole, PrepareSpec(positive=True)).interactions
    assert rows.positive.tolist() == [True, False, False, True]


@pytest.mark.parametrize("words", [["t", "f", "f", "t"], ["Yes", "no", "no", "Yes"], ["TRUE", "0", "0", "1"]])
def test_words_for_true_and_false_are_booleans_where_a_key_says_so(opened, words):
    keys = {"columns": {"clicked": words}, "value": "clicked"}
    assert opened(**keys, positive=True).frame["value"].tolist() == [True, False, False, True]


def test_words_for_true_and_false_that_no_key_explains_are_refused_with_the_key(opened):
    message = refused(opened, columns={"clicked": ["t", "f", "f", "t"]}, value="clicked")
    assert "log.csv:2: column 'clicked' contains t (2), f (2) instead of numbers" in message
    assert "positive: true" in message


@pytest.mark.parametrize(("kind", "where"), [("csv", "log.csv:2"), ("parquet", "log.parquet: row 1")])
def test_words_that_no_key_explains_are_refused_with_the_proposal(opened, kind, where):
    message = refused(opened, kind=kind, columns={"event": WORDS}, value="event")
    assert f"{where}: column 'event' contains words instead of numbers: view (2)" in message
    assert "if these are event types, say which are likes: positive: [" in message


def test_single_word_among_numbers_is_still_the_word_that_is_wrong(opened):
    message = refused(opened, columns={"stars": ["1", "2", "two", "5"]}, value="stars")
    assert "log.csv:4: column 'stars' has 'two' instead of a number" in message


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_event_types_are_categories_and_their_weights_stand_beside_them(opened, kind):
    log = opened(kind, columns={"event": WORDS}, **SHOP)
    assert list(log.frame["event"].cat.categories) == ["buy", "cart", "view"]
    assert log.frame["event"].tolist() == WORDS
    assert log.frame["weight"].tolist() == [1, 3, 1, 5]
    assert (log.weight, "value" in log.frame) == ("{view: 1, cart: 3, buy: 5}", False)
    rows = prepare(log, PrepareSpec(positive=("buy", "cart"))).interactions
    assert rows.positive.tolist() == [False, True, False, True]
    assert rows.values.tolist() == rows.weights.tolist() == [1, 3, 1, 5]  # noqa: PD011 (an array of ours)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_event_types_may_be_codes(opened, kind):
    log = opened(kind, columns={"code": [1, 2, 1, 3]}, value="code", positive=[2, 3], weight={2: 1, 3: 4})
    assert prepare(log, PrepareSpec(positive=[2, 3])).interactions.positive.tolist() == [
        False,
        True,
        False,
        True,
    ]
    assert log.frame["weight"].tolist() == [1, 1, 1, 4]


def test_event_types_are_trimmed_and_it_is_said(opened):
    said: list[str] = []
    log = opened(
        said=said, columns={"event": ["view", " buy", "buy", "view "]}, value="event", positive=["buy"]
    )
    assert log.frame["event"].tolist() == ["view", "buy", "buy", "view"]
    assert said == list(log.notes) == ["column 'event': trimmed blanks of 2 event types"]


def test_event_type_that_is_missing_is_a_missing_entry(opened):
    log = opened(columns={"event": ["view", "", "buy", "view"]}, value="event", positive=["buy"])
    with pytest.raises(DataError, match=r"1 rows lack a value \(event 1\), the first is row 2"):
        prepare(log, PrepareSpec(positive=("buy",)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"positive": ["buy", "crat"]}, "positive names the event type 'crat'; did you mean 'cart'?"),
        (
            {"weight": {"veiw": 1, "cart": 1, "buy": 5}},
            "weight names the event type 'veiw'; did you mean 'view'?",
        ),
        ({"negative": ["skip"]}, "negative names the event type 'skip'; the log has buy, cart, view"),
        ({"weight": {"view": 1, "buy": 5}}, "weight gives no number for 'cart', which positive lists"),
    ],
)
def test_event_types_that_do_not_fit_the_log_are_refused(opened, changes, said):
    assert said in refused(opened, columns={"event": WORDS}, **{**SHOP, **changes})


def test_weight_may_be_the_column_of_the_values_or_another(opened):
    columns = {"plays": [3, 4, 5, 6], "trust": [0.5, 1, 1, 2]}
    same = opened(columns=columns, value="plays", weight="plays")
    assert same.frame["weight"].tolist() == same.frame["value"].tolist() == [3, 4, 5, 6]
    alone = opened(columns=columns, weight="trust")
    assert (alone.frame["weight"].tolist(), "value" in alone.frame) == ([0.5, 1, 1, 2], False)


def test_booleans_and_event_types_weigh_nothing_by_themselves(opened):
    columns = {"event": WORDS, "clicked": [True, False, True, True]}
    assert "which weigh nothing" in refused(
        opened, columns=columns, value="event", positive=["buy"], weight="event"
    )
    assert "which weigh nothing" in refused(opened, columns=columns, value="clicked", weight="clicked")
    assert "contains booleans; a weight must be a number" in refused(
        opened, columns=columns, weight="clicked"
    )


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_booleans_are_no_times(opened, kind):
    message = refused(opened, kind=kind, columns={"at": [True, False, True, True]}, time="at")
    assert "column 'at' contains booleans, which are no times" in message


def test_booleans_of_a_parquet_file_are_no_ids(tmp_path):
    ROWS.assign(user=[True, False, True, False]).to_parquet(tmp_path / "log.parquet")
    with pytest.raises(DataError, match="column 'user' contains bool"):
        open_log(LogSpec(name="shop", path=str(tmp_path / "log.parquet")))


def in_parts(tmp_path, *columns) -> Log:
    names = ("train.csv", "valid.csv", "test.csv")
    for number, (name, column) in enumerate(zip(names, columns, strict=True)):
        table = pd.DataFrame({"user": [1, 2], "item": [1, 2]}).assign(user=[number, number + 1], event=column)
        table.to_csv(tmp_path / name, index=False)
    files = FilesSpec(**{name.removesuffix(".csv"): name for name in names})
    positive = ["buy"] if isinstance(columns[0][0], str) else None
    spec = LogSpec(name="shop", value="event", positive=positive, path=None)
    return open_log(spec, DataFolders(suite=tmp_path), parts=files)


def test_event_types_of_split_files_are_one_set_though_a_part_lacks_some(tmp_path):
    log = in_parts(tmp_path, ["view", "buy"], ["view", "view"], ["cart", "cart"])
    assert log.frame["event"].tolist() == ["view", "buy", "view", "view", "cart", "cart"]


def test_split_files_with_booleans_in_one_and_numbers_in_another_are_refused(tmp_path):
    with pytest.raises(DataError, match="booleans in one part of the split and numbers in another"):
        in_parts(tmp_path, [True, False], [1, 0], [True, True])
