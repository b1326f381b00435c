"""Hyperparameters of a suite: impossible ones are refused, unusual ones are said, for every adapter."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adapters import ADAPTERS
from benchmark.api.adapters import registry
from benchmark.errors import SuiteError
from benchmark.hyperparameters import Allowed
from benchmark.protocol import Choice
from benchmark.suite import Model, Suite, suite_from_mapping
from benchmark.suite.set_and_tune import hyperparameter_complaints

ALL = registry()


def fields(name: str, *, words: bool) -> list[str]:
    """Return the hyperparameters of a shipped model that are words, or those that are numbers."""
    return [
        field for field, default in ALL[name].defaults.items() if isinstance(default, bool | str) is words
    ]


def complaint(name: str, **hyperparameters: object) -> str | None:
    """Return what is said of the first hyperparameter; None if nothing is."""
    model = Model.model_validate({"use": name, "set": hyperparameters})
    return next((one.text for one in hyperparameter_complaints(model, ALL[name], ())), None)


def checked(*said: str, **model: object) -> tuple[Suite, list[str]]:
    """Return the suite with one model, and what was said of it."""
    heard: list[str] = list(said)
    content = {"name": "shop", "datasets": ["movielens-100k"], "models": [model]}
    return suite_from_mapping(content, ALL, say=heard.append), heard


@pytest.mark.parametrize("name", ADAPTERS)
def test_numbers_of_a_shipped_model_have_limits_and_the_defaults_and_space_lie_within(name: str) -> None:
    for field in fields(name, words=False):
        own, default = ALL[name].traits, ALL[name].defaults[field]
        limit, domain = own.limits[field], own.space.get(field)
        tried = domain.options if isinstance(domain, Choice) else (domain.low, domain.high) if domain else ()
        assert all(value in limit for value in (default, *tried)), field


@pytest.mark.parametrize("name", ADAPTERS)
def test_numbers_outside_the_limits_of_a_shipped_model_are_refused_and_those_within_are_not(
    name: str,
) -> None:
    for field in fields(name, words=False):
        limit, default = ALL[name].traits.limits[field], ALL[name].defaults[field]
        whole = isinstance(default, int)
        lowest = int(limit.low) if whole else limit.low
        outside = [lowest - 1, *([lowest] if limit.without_low else []), True, "1"]
        if math.isfinite(limit.high):
            outside.append(int(limit.high) + 1 if whole else limit.high + 1e-9 * (not limit.without_high))
        if whole:
            outside.append(lowest + 0.5)
        for value in outside:
            assert complaint(name, **{field: value}), f"{field}: {value!r}"
        for value in (default, lowest + (1e-9 if limit.without_low else 0)):
            assert complaint(name, **{field: value}) is None, f"{field}: {value!r}"


@pytest.mark.parametrize("name", [name for name in ADAPTERS if fields(name, words=True)])
def test_words_that_are_no_option_of_a_shipped_model_are_refused_and_its_options_are_not(name: str) -> None:
    own = ALL[name].traits
    for field in fields(name, words=True):
        domain = own.space.get(field)
        if field in own.space:
            assert isinstance(domain, Choice)
            options = domain.options
        else:  # set by a suite alone
            options = (True, False) if field not in own.limits else own.limits[field].words
        for option in options:
            assert complaint(name, **{field: option}) is None, f"{field}: {option!r}"
        for value in ("nosuch", 1):
            assert complaint(name, **{field: value}), f"{field}: {value!r}"


@pytest.mark.parametrize(
    ("name", "hyperparameters", "text"),
    [
        (
            "native/item-knn",
            {"weighting": "nosuch"},
            "must be one of none, idf, length (found 'nosuch')",
        ),
        (
            "native/item-knn",
            {"weighting": "IDF"},
            "must be one of none, idf, length; did you mean 'idf'? (found 'IDF')",
        ),
        (
            "native/user-knn",
            {"similarity": "pearson"},
            "must be one of cosine, jaccard, asymmetric, tversky, dice (found 'pearson')",
        ),
        ("native/item-knn", {"asymmetric_alpha": 2}, "must be at least 0 and at most 1 (found 2)"),
        ("native/item-knn", {"neighbours": -5}, "must be at least 1 and at most 2147483647 (found -5)"),
        ("native/slim", {"l2": -1}, "must be at least 0 (found -1)"),
        ("native/ease", {"l2": 0}, "must be above 0 (found 0)"),
        ("keras/gru", {"dropout": 1.0}, "must be at least 0 and below 1 (found 1.0)"),
        ("torch/multvae", {"warm_up": 0}, "must be at least 1 and at most 2147483647 (found 0)"),
        ("lightfm/hybrid", {"identity": 1}, "must be bool, as its default True (found 1)"),
        ("surprise/svd", {"dim": True}, "must be int, as its default 100 (found True)"),
        ("surprise/svd", {"dim": "20"}, "must be int, as its default 100 (found '20')"),
    ],
)
def test_impossible_value_is_refused_with_what_is_possible(
    name: str, hyperparameters: dict[str, object], text: str
) -> None:
    assert complaint(name, **hyperparameters) == text


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_value_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(SuiteError, match=r"models\[0\]\.set\.l2: must be a finite number"):
        checked(use="native/ease", set={"l2": value})


@pytest.mark.parametrize(
    ("tune", "text"),
    [
        ({"neighbours": {"low": -5, "log": False}}, "must be at least 1 and at most 2147483647 (found -5)"),
        ({"neighbours": {"high": 1e12}}, "must be at least 1 and at most 2147483647 (found 1e+12)"),
        ({"weighting": {"options": ["idf", "nosuch"]}}, "must be one of none, idf, length (found 'nosuch')"),
        ({"weighting": {"options": ["idf", 1]}}, "must be str, as its default 'idf' (found 1)"),
    ],
)
def test_range_over_impossible_values_is_refused(tune: dict[str, object], text: str) -> None:
    with pytest.raises(SuiteError) as caught:
        checked(use="native/item-knn", tune=tune)
    assert str(caught.value).endswith(f": {text}")


def test_value_outside_the_search_range_is_taken_and_said() -> None:
    suite, heard = checked(use="native/ease", set={"l2": 0.5})
    assert suite.models[0].set == {"l2": 0.5}
    assert heard == [
        "suite: models[0].set.l2: 0.5 lies outside 1..10000 log, within which native/ease is tuned"
    ]


def test_option_that_has_limits_may_be_another_one_and_that_is_said() -> None:
    _, heard = checked(use="content/tfidf", set={"ngrams": 3})
    assert heard == ["suite: models[0].set.ngrams: 3 lies outside 1 | 2, within which content/tfidf is tuned"]


def test_value_at_the_end_of_the_range_and_one_that_is_not_tuned_are_not_unusual() -> None:
    _, heard = checked(use="surprise/svd", set={"dim": 200, "lr": 0.0002})
    assert heard == []


def test_whole_number_written_as_a_power_of_ten_is_one() -> None:
    from benchmark.runner.plan import plan

    suite, _ = checked(use="torch/mf", set={"batch_size": 1e3})
    (study,) = plan(suite, ALL, "any")
    assert study.default["batch_size"] == 1000
    assert type(study.default["batch_size"]) is int


def test_shared_word_with_a_default_outside_its_limits_means_something_else() -> None:
    from dataclasses import make_dataclass

    from benchmark.traits import traits

    parts = {"space": {}, "fit_steps": None, "score": None}
    automatic = make_dataclass("Automatic", [("dim", int, -1), ("layers", int, 2)], namespace=parts)
    assert set(traits(automatic).limits) == {"layers"}


def test_interval_says_what_it_holds() -> None:
    assert str(Allowed()) == "a finite number"
    assert np.float64("nan") not in Allowed()
    assert "1" not in Allowed()
