"""YAML that is hostile or hurt: one message with its line, and soon."""

from __future__ import annotations

import pytest

from benchmark.api.adapters import registry
from benchmark.errors import SuiteError
from benchmark.suite import parse_suite

ALL = registry()


def complaint(text: str) -> str:
    with pytest.raises(SuiteError) as caught:
        parse_suite(text, "shop.yaml", ALL)
    return str(caught.value)


@pytest.mark.parametrize("scalar", ["!!bool maybe", '!!int ""', "!!int +", '!!float ""', "!!timestamp abc"])
def test_scalar_that_is_not_what_its_tag_says_is_refused_at_its_line(scalar: str) -> None:
    assert complaint(f"name: a\nx: {scalar}\n").startswith(
        "shop.yaml:2: is not YAML: is not what its tag says"
    )


@pytest.mark.parametrize("tag", ["!!binary aGk=", "!mine 1"])
def test_tag_that_means_nothing_here_is_refused(tag: str) -> None:
    assert complaint(f"name: a\nx: {tag}\n").startswith("shop.yaml:2: is not YAML: ")


def test_number_of_thousands_of_digits_is_refused() -> None:
    found = complaint("name: a\nseed: 0x" + "f" * 6000)
    assert found == "shop.yaml:2: is not YAML: a whole number must be below 2^63 in size"


def test_key_that_is_no_word_is_refused() -> None:
    assert complaint("name: a\n? [b, c]\n: 1\n") == "shop.yaml:2: is not YAML: a key must be a word"


def test_aliases_of_aliases_are_counted_at_each_use() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert "says more than 20,000 values, aliases counted at each use" in complaint("\n".join(lines))


def test_alias_may_be_used_where_it_is_of_use() -> None:
    models = "[{use: native/ease, set: &s {l2: 5}}, {use: native/ease, name: c, set: *s}]"
    text = f"name: a\ndatasets: [b]\nmodels: {models}\n"
    assert [model.set for model in parse_suite(text, "shop.yaml", ALL).models] == [{"l2": 5}] * 2


def test_text_that_is_far_too_long_is_refused_by_its_length() -> None:
    assert (
        complaint("x" * 600_000)
        == "shop.yaml: is not YAML: has 600,000 characters; a suite has 500,000 at most"
    )


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"key{n}: 1" for n in range(5000)),
        f"name: a\ndatasets: [b]\nmodels: [{', '.join(f'no/m{n}' for n in range(5000))}]",
        "name: a\ndatasets: [b]\nmodels: [{use: native/ease, set: {"
        + ", ".join(f"m{n}: 1" for n in range(5000))
        + "}}]",
    ],
)
def test_of_many_complaints_the_first_twenty_are_shown(text: str) -> None:
    lines = complaint(text).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "shop.yaml: and more of the kind"


def test_complaints_that_are_shown_are_the_first_of_the_file() -> None:
    text = "\n".join(f"key{n}: 1" for n in range(100))
    assert complaint(text).splitlines()[1].startswith("shop.yaml:1: ")
    assert "shop.yaml:2: key1: unknown key" in complaint(text)


def test_of_many_equal_names_the_first_are_listed() -> None:
    names = ", ".join(f"{{use: native/ease, name: n{n % 50}}}" for n in range(100))
    found = complaint(f"name: a\ndatasets: [b]\nmodels: [{names}]")
    assert "n0, n1, n10, n11, n12, n13, n14, n15, n16, n17, ... is listed twice" in found
