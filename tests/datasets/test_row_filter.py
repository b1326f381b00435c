"""The small language of ``rows``: what it accepts, and what each complaint says."""

from __future__ import annotations

import pytest

from benchmark.datasets.specs import ColumnComparison, Junction, LogSpec, Negation, parse_rows


def test_a_comparison_has_a_column_an_operator_and_a_constant() -> None:
    assert parse_rows('event == "purchase"') == ColumnComparison("event", "==", ("purchase",))
    assert parse_rows("stars >= -4.5") == ColumnComparison("stars", ">=", (-4.5,))
    assert parse_rows("bought == true") == ColumnComparison("bought", "==", (True,))
    assert parse_rows("`Event Type` != 'x'") == ColumnComparison("Event Type", "!=", ("x",))


def test_and_binds_more_strongly_than_or_and_not_more_than_both() -> None:
    one, two, three = (ColumnComparison(name, "==", (1,)) for name in "abc")
    assert parse_rows("a == 1 or b == 1 and not c == 1") == Junction(
        "or", (one, Junction("and", (two, Negation(three))))
    )
    assert parse_rows("(a == 1 or b == 1) and c == 1") == Junction("and", (Junction("or", (one, two)), three))
    assert parse_rows("a not in [1]") == Negation(ColumnComparison("a", "in", (1,)))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("event == purchase", 'put text in quotes, "purchase"'),
        ('event = "x"', "does not continue at '= \"x\"'"),
        ("event", "says nothing of column 'event'"),
        ("a == 1 b", "does not continue at 'b'"),
        ("(a == 1", "lacks a closing bracket"),
        ('a in ["x", 1]', "text and numbers in one list"),
        ('a == "x', "does not continue"),
        ('__import__("os")', "says nothing of column '__import__'"),
        ('__import__("os").system("x")', "does not continue"),
        ("a == 1 and", "ends too early"),
        ("not " * 100 + "a == 1", "nested too deeply"),
        ("(" * 5000 + "a == 1" + ")" * 5000, "nested too deeply"),
        ("1 < a", "where a column is wanted"),
    ],
)
def test_what_is_no_condition_is_refused_when_the_suite_is_read(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match="rows") as caught:
        LogSpec(name="mine", rows=text)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"encoding": "hex"}, "no encoding of text"),
        ({"encoding": "utf-9"}, "no encoding of text"),
        ({"layout": "lists", "time": "at"}, "layout: lists has users and items alone"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(keys: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match="LogSpec") as caught:
        LogSpec.model_validate({"name": "mine", **keys})
    assert complaint in str(caught.value)
