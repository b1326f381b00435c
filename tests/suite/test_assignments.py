"""Keys of a suite set from outside: which key is meant, how a value is read, and who is to blame for it."""

from __future__ import annotations

from typing import Any

import pytest

from benchmark import api
from benchmark.errors import SuiteError
from benchmark.suite import Suite

CONTENT: dict[str, Any] = {
    "name": "shop",
    "datasets": [{"name": "v1.5", "path": "log.csv"}, "movielens-100k"],
    "models": [
        "baselines/popularity",
        {"use": "native/bpr", "tune": {"dim": {"low": 8, "high": 32}}},
        {"use": "native/bpr", "name": "bpr.2", "set": {"dim": 16}},
        {"lists": {"test": "lists/rival.csv"}, "dataset": "v1.5"},
    ],
}


def bent(*assignments: str) -> Suite:
    return api.check(CONTENT, set=assignments)


def complaint(*assignments: str) -> str:
    with pytest.raises(SuiteError) as caught:
        bent(*assignments)
    return str(caught.value)


def test_the_last_wins_and_a_named_option_wins_over_all() -> None:
    twice = ("budget.per_model=60s", "budget.per_model=90s")
    assert bent(*twice).budget.per_model == 90.0
    assert api.check(CONTENT, budget="5s", set=twice).budget.per_model == 5.0


def test_a_hyperparameter_is_set_by_the_name_of_its_model_in_any_case_and_tuned_no_longer() -> None:
    popularity, bpr, other, _ = bent("models.Native/BPR.dim=64", "models.bpr.2.lr=0.1").models
    assert (bpr.set, bpr.tune) == ({"dim": 64}, {})
    assert other.set == {"dim": 16, "lr": 0.1}
    assert popularity.set == {}


def test_a_range_that_is_set_frees_what_was_fixed_and_a_bare_name_becomes_an_entry() -> None:
    suite = bent("models.bpr.2.tune.dim={low: 4, high: 8}", "models[0].name=floor", "models.rival.name=live")
    assert (suite.models[2].set, suite.models[2].tune["dim"].high) == ({}, 8.0)
    assert [model.label for model in suite.models] == ["floor", "native/bpr", "bpr.2", "live"]


def test_a_data_set_is_found_by_its_name_and_dots_belong_to_it() -> None:
    suite = bent("datasets.v1.5.user=0123", "datasets.movielens-100k.positive=>= 4")
    assert (suite.datasets[0].user, suite.datasets[1].positive) == ("0123", ">= 4")
    assert bent("metrics.also=[rmse, map@5]", "metrics.also[0]=mrr@5").metrics.also == ("mrr@5", "map@5")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (">= 4", ">= 4"),
        ("a #1", "a #1"),
        ("a: b", "a: b"),
        ("'yes'", "yes"),
        ("yes", "yes"),
        ("[a]", "[a]"),
        ("x=y", "x=y"),
    ],
)
def test_a_value_stands_for_itself_unless_it_is_a_list_a_mapping_or_quoted(value: str, read: str) -> None:
    if value == "[a]":
        assert bent(f"datasets.v1.5.missing_values={value}").datasets[0].missing_values == ("a",)
    else:
        assert bent(f"datasets.v1.5.item={value}").datasets[0].item == read


def test_null_and_nothing_put_the_default_back() -> None:
    assert bent("split.seed=7", "split.seed=null").split.seed == 42
    assert bent("finals.seeds=2", "finals.seeds=").finals.seeds == 5
    assert api.check(CONTENT, set={"split.seed": None}).split.seed == 42


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("budget.per_model=soon", "budget.per_model: must be a duration such as 45s"),
        ("budgett.per_model=3s", "budgett: unknown key; did you mean 'budget'?"),
        ("models.native/bpr.dmi=3", "models[1].set.dmi: native/bpr has no dmi; did you mean 'dim'?"),
        ("models.native/bbr.dim=3", "there is no model 'native/bbr'; did you mean 'native/bpr'?"),
        ("datasets.v1.path=x", "there is no data set 'v1'; did you mean 'v1.5'?"),
        ("metrics.also.x=1", "also is a list of 1: name an entry, as in also[0]"),
        ("finals.seeds[0]=1", "the suite does not list seeds: set all of it, as in seeds=[...]"),
        ("models=[native/ease", "is not YAML: expected ',' or ']'"),
        ("split.test=40%", ""),
        ("split.test=110%", "split.test: must be less than 1 (found 1.1)"),
        ("extends=base.yaml", "extends: cannot be set; write it into the suite"),
        ("models.native/bpr=null", "an entry of a list has no default; set the list without it"),
        ("seed=2020-13-45", "is not YAML: month must be in 1..12"),
        ("budget", "must be KEY=VALUE, such as budget.per_model=60s"),
        (".budget=3", "'.budget' is not a key such as budget.per_model"),
    ],
)
def test_what_cannot_be_set_is_refused_and_blamed_on_the_flag(assignment: str, words: str) -> None:
    if not words:
        assert bent(assignment).split.test == 0.4
        return
    content = CONTENT | {"metrics": {"also": ["map@10"]}}
    with pytest.raises(SuiteError) as caught:
        api.check(content, set=[assignment])
    assert str(caught.value).startswith(f"--set {assignment}: ")
    assert words in str(caught.value)


def test_a_suite_that_was_checked_can_be_bent_again() -> None:
    suite = api.check(api.check(CONTENT), set={"models.bpr.2.dim": 8})
    assert suite.models[2].set == {"dim": 8}


def test_names_of_models_are_known_in_any_case_and_two_that_differ_by_it_alone_are_refused() -> None:
    loud = CONTENT | {"models": ["Baselines/POPULARITY", {"use": "NATIVE/bpr", "name": "BPR"}]}
    suite = api.check(loud, models=["bpr", "baselines/Popularity"])
    assert [(model.use, model.label) for model in suite.models] == [
        ("native/bpr", "BPR"),
        ("baselines/popularity", "baselines/popularity"),
    ]
    twice = CONTENT | {"models": [{"use": "native/bpr", "name": name} for name in ("BPR", "bpr")]}
    with pytest.raises(
        SuiteError, match="models: BPR and bpr differ by case alone; give one of them another"
    ):
        api.check(twice)


def test_percentages_are_shares_wherever_one_stands_and_exactly_what_they_say() -> None:
    suite = bent(
        "split.test=35%",
        "split.valid=7 %",
        "verdict.margin=0.7%",
        "verdict.alpha=1%",
        "models=[{use: torch/multvae, set: {dropout: 10%}}, torch/neumf]",
        "models.torch/neumf.tune.dropout.high=50%",
        "datasets=[{name: made, synthetic: {repeats: 60%, interactions: 9000, users: 100}}]",
    )
    assert (suite.split.test, suite.split.valid) == (0.35, 0.07)
    assert (suite.verdict.margin, suite.verdict.alpha) == (0.007, 0.01)
    assert suite.models[0].set == {"dropout": 0.1}
    assert suite.models[1].tune["dropout"].high == 0.5
    assert suite.datasets[0].synthetic.repeats == 0.6


def test_a_percentage_is_no_number_where_no_share_stands() -> None:
    assert "models[1].set.dim: must be int" in complaint("models.native/bpr.dim=10%")
    assert "budget.per_model: must be a duration" in complaint("budget.per_model=10%")
