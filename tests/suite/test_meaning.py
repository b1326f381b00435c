"""Scalars of a suite: text where text is meant, what YAML understands everywhere else."""

from __future__ import annotations

from typing import Any

import pytest

from benchmark.api.adapters import registry
from benchmark.errors import SuiteError
from benchmark.suite import Suite, parse_suite

ALL = registry()
LOOKS_LIKE_MORE = [
    "0123",
    "2024-05-01",
    "1_000",
    "1e3",
    "12:30",
    "~",
    "null",
    "no",
    "on",
    "0x1F",
    "0000-00-00",
    ".5",
]


def read(more: str = "", datasets: str = "[movielens-100k]", models: str = "[native/ease]") -> Suite:
    return parse_suite(f"name: shop\ndatasets: {datasets}\nmodels: {models}\n{more}\n", "shop.yaml", ALL)


def complaint(more: str = "", **parts: str) -> str:
    with pytest.raises(SuiteError) as caught:
        read(more, **parts)
    return str(caught.value)


@pytest.mark.parametrize("text", LOOKS_LIKE_MORE)
def test_name_column_id_and_path_stay_as_they_are_written(text: str) -> None:
    entry = (
        f"{{name: {text}, path: {text}, user: {text}, item: other, value: event, columns: [{text}, b], "
        f"missing_values: [{text}], positive: [{text}], weight: {{{text}: 2}}, features: [{text}], "
        f"users: {{path: p, id: {text}, categories: [c]}}}}"
    )
    if text in {"~", "null"}:  # a path may be none
        entry = entry.replace(f"path: {text}, user", "path: p, user")
    (log,) = read(datasets=f"[{entry}]").datasets
    assert (log.name, log.user, log.missing_values, log.positive) == (text, text, (text,), (text,))
    assert (log.columns, log.features, log.weight) == ((text, "b"), (text,), {text: 2.0})
    assert log.users is not None
    assert log.users.id == text
    assert log.path == ("p" if text in {"~", "null"} else text)


@pytest.mark.parametrize("text", LOOKS_LIKE_MORE)
def test_bare_name_of_a_data_set_and_a_list_of_candidates_stay_as_they_are_written(text: str) -> None:
    suite = read(f"metrics: {{candidates: {{items: {text}}}}}", datasets=f"[{text}]")
    assert suite.datasets[0].name == text
    assert not isinstance(suite.metrics.candidates, str)
    assert suite.metrics.candidates.items == text


@pytest.mark.parametrize("empty", ["", "~", "null", "Null"])
def test_key_that_may_be_left_out_is_left_out_by_what_means_nothing(empty: str) -> None:
    (log,) = read(datasets=f"[{{name: a, path: a.csv, value: {empty}, time: {empty}}}]").datasets
    assert (log.value, log.time) == (None, None)


@pytest.mark.parametrize(
    ("word", "meaning"), [("no", "no"), ("off", "no"), ("False", "no"), ("yes", "yes"), ("on", "yes")]
)
def test_word_for_yes_or_no_means_it_for_the_gpu_and_for_switches(word: str, meaning: str) -> None:
    suite = read(f"budget: {{slot: {{gpu: {word}}}}}\nstand_in: {word}\nfinals: {{default: {word}}}")
    assert suite.budget.slot.gpu == meaning
    assert suite.stand_in is suite.finals.default is (meaning == "yes")


@pytest.mark.parametrize("quoted", ['"no"', "'off'"])
def test_quoted_word_for_no_means_it_too(quoted: str) -> None:
    assert read(f"budget: {{slot: {{gpu: {quoted}}}}}").budget.slot.gpu == "no"


@pytest.mark.parametrize(
    ("written", "meant"), [("yes", True), ("off", False), ("[yes, off]", ("yes", "off"))]
)
def test_condition_is_a_boolean_alone_and_words_in_a_list(written: str, meant: object) -> None:
    assert read(f"prepare: {{positive: {written}}}").prepare.positive == meant


@pytest.mark.parametrize(
    ("more", "value"),
    [
        ("finals: {seeds: 1e1}", 10),
        ("finals: {seeds: 1_0}", 10),
        ("finals: {seeds: 010}", 10),
        ("finals: {seeds: 0xA}", 10),
        ("finals: {seeds: '10'}", 10),
    ],
)
def test_number_is_read_as_people_write_it(more: str, value: int) -> None:
    assert read(more).finals.seeds == value


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("finals: {seeds: yes}", "finals.seeds: must be a valid integer"),
        ("finals: {seeds: 12:30}", "finals.seeds: must be a valid integer"),
        ("seed: on", "seed: must be a valid integer"),
        ("budget: {per_model: yes}", "budget.per_model: must be a number"),
        (
            "budget: {per_model: 1:30}",
            "budget.per_model: must be a duration such as 45s, 2m or 1h (found '1:30')",
        ),
        ("split: {test: yes}", "split.test: must be a number (found True)"),
        ("prepare: {rescale: [no, yes]}", "prepare.rescale[0]: must be a valid number"),
    ],
)
def test_yes_and_a_time_of_day_are_no_numbers(more: str, text: str) -> None:
    assert text in complaint(more)


def test_true_from_python_is_no_number_either() -> None:
    from benchmark.suite import suite_from_mapping

    content: dict[str, Any] = {"name": "s", "datasets": ["movielens-100k"], "models": ["native/ease"]}
    with pytest.raises(SuiteError, match=r"finals\.seeds: must be a number \(found True\)"):
        suite_from_mapping({**content, "finals": {"seeds": True}}, ALL)
    assert suite_from_mapping({**content, "budget": {"slot": {"gpu": False}}}, ALL).budget.slot.gpu == "no"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-05-01", "2024-05-01"),
        ("2024-05-01 12:00:00", "2024-05-01T12:00:00"),
        ("1_000", "1000"),
        ("30d", "30d"),
    ],
)
def test_moment_is_read_as_before(written: str, meant: str) -> None:
    assert read(f"split: {{by: global_time, test_from: {written}}}").split.test_from == meant


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [
        ("{use: native/ease, set: {l2: 1e-3}}", "l2", 0.001),
        ("{use: surprise/svd, set: {dim: 0064}}", "dim", 64),
        ("{use: lightfm/hybrid, set: {identity: off}}", "identity", False),
        ("{use: native/item-knn, set: {weighting: none}}", "weighting", "none"),
    ],
)
def test_hyperparameter_is_read_as_its_default_means_it(model: str, key: str, value: object) -> None:
    assert read(models=f"[{model}]").models[0].set[key] == value


def test_text_is_meant_by_a_hyperparameter_whose_default_is_text() -> None:
    found = complaint(models="[{use: native/item-knn, set: {weighting: no}}]")
    assert found.endswith("must be one of none, idf, length; did you mean 'none'? (found 'no')")


def test_option_of_a_choice_is_read_as_the_default_means_it() -> None:
    found = read(models="[{use: lightfm/hybrid, tune: {identity: {options: [on, off]}}}]")
    assert found.models[0].tune["identity"].options == (True, False)


@pytest.mark.parametrize(
    "more",
    [
        "metrics: {primary: ndcg@٣}",
        "metrics: {primary: hit@5/٩neg}",
        "split: {by: rolling_time, window: ٣d}",
        "split: {by: global_time, test_from: ٢٠٢٤-٠١-٠١}",
        "prepare: {positive: '>= ٤'}",
        "budget: {per_model: ٣s}",
    ],
)
def test_digits_of_other_scripts_are_refused_at_once(more: str) -> None:
    assert complaint(more).startswith("shop.yaml:4: ")


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ("split: {repeats: 1000000}", "split.repeats"),
        ("split: {by: k_fold, folds: 1000000000}", "split.folds"),
        ("split: {by: rolling_time, windows: 99999999}", "split.windows"),
        ("seed: 4294967296", "seed"),
    ],
)
def test_number_that_no_run_could_end_with_is_refused(more: str, key: str) -> None:
    assert f"{key}: must be less than or equal to " in complaint(more)


@pytest.mark.parametrize("key", ["skew: 1e308", "users: 1000000000", "items: 1000000000", "signal: 1e308"])
def test_generated_log_that_no_machine_could_hold_is_refused(key: str) -> None:
    assert "must be less than or equal to " in complaint(datasets=f"[{{name: a, synthetic: {{{key}}}}}]")
