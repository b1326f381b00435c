"""Suites: every complaint at once, each with file, line, key and cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import RENAMED
from benchmark.api.adapters import registry
from benchmark.errors import SuiteError
from benchmark.registry import Registry
from benchmark.suite import Suite, find_suite, load_suite, parse_suite, shipped_suites
from benchmark.suite.advice import sample_advice

GOOD = """\
name: shop
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400}}]
models:
  - baselines/popularity
  - {use: surprise/svd, set: {dim: 20}, tune: {lr: {low: 0.001, high: 0.02}}}
"""
ALL = registry()


def complaints(text: str, registry: Registry = ALL, **changes: object) -> list[str]:
    with pytest.raises(SuiteError) as caught:
        parse_suite(text, "shop.yaml", registry, changes)
    return str(caught.value).splitlines()


def test_several_faults_are_shown_together_each_at_its_line() -> None:
    text = GOOD + "budget:\n  per_model: 0s\n  slot: {memry: 2GB}\nverdict: {alpha: 0.9}\n"
    assert complaints(text.replace("surprise/svd", "surprise/svdd")) == [
        "shop.yaml:5: models[1]: no adapter is called 'surprise/svdd'; did you mean 'surprise/svd'?",
        "shop.yaml:7: budget.per_model: must be greater than 0 (found 0.0)",
        "shop.yaml:8: budget.slot.memry: unknown key; did you mean 'memory'?",
        "shop.yaml:9: verdict.alpha: must be less than 0.5 (found 0.9)",
    ]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("budgett: {per_model: 3s}", "budgett: unknown key; did you mean 'budget'?"),
        ("finals: {seed: 3}", "finals.seed: unknown key; did you mean 'seeds'?"),
        ("budget: {slot: {memry: 2GB}}", "budget.slot.memry: unknown key; did you mean 'memory'?"),
        ("split: {files: {tran: a}}", "split.files.tran: unknown key; did you mean 'train'?"),
    ],
)
def test_unknown_key_names_the_nearest_at_every_depth(more: str, complaint: str) -> None:
    assert f"shop.yaml:6: {complaint}" in complaints(GOOD + more + "\n")


def test_unknown_key_inside_a_list_names_its_place_and_the_nearest() -> None:
    text = GOOD.replace("{users: 40", "{usrs: 40").replace("set: {dim", "sett: {dim")
    assert complaints(text) == [
        "shop.yaml:2: datasets[0].synthetic.usrs: unknown key; did you mean 'users'?",
        "shop.yaml:5: models[1].sett: unknown key; did you mean 'set'?",
    ]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (
            "split: {by: randon}",
            (
                "split.by: must be 'random', 'leave_last_out', 'leave_n_out', 'user_time', 'global_time', "
                "'rolling_time', 'k_fold', 'cold_user', 'cold_item', 'files' or 'published'; "
                "did you mean 'random'? (found 'randon')"
            ),
        ),
        (
            "metrics: {primary: ndgc@5}",
            "metrics.primary: no metric is called 'ndgc@5'; did you mean 'ndcg@5'?",
        ),
        ("metrics: {also: [rmse, recal@5]}", "metrics.also[1]: no metric is called 'recal@5'; did you mean"),
        ("metrics: {primary: ndcg@0}", "metrics.primary: metric 'ndcg@0': k is 0; k must be between 1"),
        ("metrics: {primary: ndcg}", "metrics.primary: metric 'ndcg' needs a cut-off; write 'ndcg@10'"),
        ("metrics: {primary: coverage@5}", "metrics: primary: coverage@5 has no per-user value"),
        ("budget: {per_model: -3s}", "budget.per_model: must be greater than 0 (found -3.0)"),
        ("budget: {per_model: .inf}", "budget.per_model: must be a finite number (found inf)"),
        (
            "budget: {per_model: soon}",
            "budget.per_model: must be a duration such as 45s, 2m or 1h (found 'soon')",
        ),
        ("budget: 30s", "budget: must be a mapping with the keys per_model, max_trials, slot (found '30s')"),
        ("budget: {slot: {memory: 4QB}}", "budget.slot.memory: must be a size such as 512MB or 4GB"),
        ("verdict: {margin: 3 percent}", "verdict.margin: must be a share such as 3% or 0.03"),
        ("finals: {seeds: 0}", "finals.seeds: must be greater than or equal to 1 (found 0)"),
        ("split: {test: 0.6, valid: 0.4}", "split: test 0.6 + valid 0.4 leave nothing to train on"),
    ],
)
def test_wrong_value_says_what_must_hold(more: str, complaint: str) -> None:
    assert complaints(GOOD + more + "\n")[0].startswith(f"shop.yaml:6: {complaint}")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "set: {dim: 20}",
            "set: {dmi: 20}",
            "models[1].set.dmi: surprise/svd has no dmi; did you mean 'dim'?",
        ),
        (
            "set: {dim: 20}",
            "set: {dim: 2.5}",
            "models[1].set.dim: must be int, as its default 100 (found 2.5)",
        ),
        ("set: {dim: 20}", "set: {lr: 0.1}", "models[1].tune.lr: is also in set; it can be fixed or tuned"),
        ("tune: {lr", "tune: {lrr", "models[1].tune.lrr: surprise/svd does not tune lrr; did you mean 'lr'?"),
        ("low: 0.001", "low: 0.2", "models[1].tune.lr: low must be below high (found 0.2 and 0.02)"),
        ("low: 0.001", "low: 0", "models[1].tune.lr: is on a log scale, so low must be above 0 (found 0)"),
        (
            "tune: {lr: {low: 0.001, high: 0.02}}",
            "tune: {max_epochs: {low: 8.2, high: 8.9}}",
            "models[1].tune.max_epochs: is a whole number; low and high must be too (found 8.2 and 8.9)",
        ),
        ("low: 0.001, high: 0.02", "options: [1, 2]", "models[1].tune.lr: is a range; give low and high"),
    ],
)
def test_hyperparameter_that_does_not_fit_is_named(old: str, new: str, complaint: str) -> None:
    assert complaints(GOOD.replace(old, new))[0].startswith(f"shop.yaml:5: {complaint}")


def test_range_for_a_choice_is_refused_with_its_options() -> None:
    text = GOOD + "  - {use: surprise/knn-means, tune: {similarity: {low: 1, high: 2}}}\n"
    assert complaints(text)[0].startswith("shop.yaml:6: models[2].tune.similarity: is a choice; give options")


@pytest.mark.parametrize(("former", "present"), RENAMED.items())
def test_former_name_of_a_model_is_refused_with_the_present_one(former: str, present: str) -> None:
    assert complaints(GOOD.replace("surprise/svd", former)) == [
        f"shop.yaml:5: models[1]: no adapter is called {former!r}; did you mean {present!r}?"
    ]


def test_adapters_are_judged_although_another_section_is_wrong() -> None:
    found = complaints(GOOD.replace("baselines/popularity", "baselines/popularty") + "finals: {seeds: 0}\n")
    assert found[0].endswith(
        "no adapter is called 'baselines/popularty'; did you mean 'baselines/popularity'?"
    )
    assert found[1].startswith("shop.yaml:6: finals.seeds:")


def test_key_that_appears_twice_is_refused_at_its_line() -> None:
    assert complaints(GOOD + "name: again\n") == ["shop.yaml:6: is not YAML: key 'name' appears twice"]


def test_model_listed_twice_needs_a_name_of_its_own() -> None:
    text = GOOD + "  - baselines/popularity\n"
    assert "baselines/popularity is listed twice; give one another name" in complaints(text)[0]
    named = text.replace("  - baselines/popularity\n", "  - {use: baselines/popularity, name: other}\n", 1)
    assert next(model.label for model in parse_suite(named, "shop.yaml", ALL).models) == "other"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "shop.yaml:1: a suite is a mapping with at least name, datasets and models"),
        ("- a\n", "shop.yaml:1: a suite is a mapping with at least name, datasets and models"),
        ("name: [t\nfoo: {", "shop.yaml:2: is not YAML: "),
        ("name: t\n\tx: 1\n", "shop.yaml:2: is not YAML: found character '\\t'"),
        ("a: !!python/object:os.system {}\n", "shop.yaml:1: is not YAML: the tag"),
        ("a: !!python/name:os.system\n", "shop.yaml:1: is not YAML: could not determine a constructor"),
        ("a: 2020-13-45\n", "shop.yaml:1: is not YAML: month must be in 1..12"),
        ("a: &a [*a]\n", "shop.yaml: is nested too deeply, or an alias contains itself"),
    ],
)
def test_text_that_is_no_suite_is_refused(text: str, words: str) -> None:
    assert complaints(text)[0].startswith(words)


def test_empty_suite_lists_every_key_that_is_missing() -> None:
    missing = [f"shop.yaml:1: {key}: is missing" for key in ("datasets", "models", "name")]
    assert complaints("seed: 1\n") == missing


def test_complaint_about_a_change_names_who_made_it_and_no_line_of_the_file() -> None:
    text = GOOD + "budget: {per_model: 3s}\n"
    with pytest.raises(SuiteError) as caught:
        parse_suite(text, "shop.yaml", ALL, {"budget": {"per_model": "abc"}}, changed_by="command line")
    assert str(caught.value).startswith("command line: budget.per_model: must be a duration such as 45s")


def test_change_leaves_the_rest_of_its_section_as_the_file_says() -> None:
    text = GOOD + "budget: {per_model: 3s, max_trials: 7}\n"
    changed = parse_suite(text, "shop.yaml", ALL, {"budget": {"per_model": "1m"}}).budget
    assert (changed.per_model, changed.max_trials) == (60.0, 7)


def test_change_of_a_section_that_is_no_mapping_leaves_the_complaint_to_the_file() -> None:
    assert complaints(GOOD + "budget: 30s\n", budget={"per_model": "3s"})[0].startswith(
        "shop.yaml:6: budget:"
    )


def test_bare_names_mean_data_sets_and_models_with_their_defaults() -> None:
    suite = parse_suite("name: n\ndatasets: [movielens-100k]\nmodels: [native/ease]\n", "n.yaml", ALL)
    assert (suite.datasets[0].name, suite.models[0].use) == ("movielens-100k", "native/ease")
    assert suite.metrics.all == ("ndcg@10", "recall@10", "map@10", "coverage@10", "rmse")


@pytest.mark.parametrize(("written", "seconds"), [("45s", 45.0), ("1.5h", 5400.0), (30, 30.0), ("30", 30.0)])
def test_duration_is_read_as_people_write_it(written: object, seconds: float) -> None:
    assert parse_suite(GOOD, "shop.yaml", ALL, {"budget": {"per_model": written}}).budget.per_model == seconds


def test_sizes_and_percent_are_read_as_people_write_them() -> None:
    suite = parse_suite(GOOD + "budget: {slot: {memory: 2GB}}\nverdict: {margin: 5 %}\n", "shop.yaml", ALL)
    assert (suite.budget.slot.memory, suite.verdict.margin) == (2048.0, 0.05)


@pytest.mark.parametrize("name", sorted(shipped_suites()))
def test_shipped_suite_validates_by_its_bare_name_and_is_called_by_it(name: str) -> None:
    suite = load_suite(find_suite(name), ALL)
    assert suite.name == name
    assert suite.models


def test_written_out_suite_reads_back_as_the_same(tmp_path: Path) -> None:
    import yaml

    suite = parse_suite(GOOD, "shop.yaml", ALL)
    path = tmp_path / "resolved.yaml"
    path.write_text(yaml.safe_dump(suite.model_dump(mode="json")))
    assert load_suite(path, ALL).model_dump() == suite.model_dump()


def test_suite_cannot_be_changed_after_validation() -> None:
    suite: Suite = parse_suite(GOOD, "shop.yaml", ALL)
    with pytest.raises(ValueError, match="frozen"):
        suite.budget.per_model = 1.0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("movielenz", "movielenz: there is no such suite; did you mean 'movielens'?"),
        ("nosuch.yaml", "Suites that ship with bench: "),
        ("x" * 300, "there is no such suite"),
        (".", ".: is a folder, a suite is a YAML file"),
    ],
)
def test_suite_that_is_not_there_is_refused_with_those_that_are(name: str, words: str) -> None:
    with pytest.raises(SuiteError) as caught:
        find_suite(name)
    assert words in str(caught.value)


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SuiteError, match=r"binary\.yaml: cannot be read"):
        load_suite(tmp_path / "binary.yaml", ALL)


@pytest.mark.parametrize("value", ["some", "0", "-5", "2.5", ".inf", ".nan", "yes", "[5]", "~", "{all: 5}"])
def test_number_of_users_that_is_none_is_one_complaint_at_its_line(value: str) -> None:
    (valid,) = complaints(GOOD + f"metrics:\n  valid_users: {value}\n")
    assert valid.startswith(
        "shop.yaml:7: metrics.valid_users: must be auto, all or a number of users, 1 or more (found "
    )
    (test,) = complaints(GOOD + f"finals: {{users: {value}}}\n")
    assert test.startswith("shop.yaml:6: finals.users: must be all or a number of users, 1 or more (found ")


def test_finals_have_no_automatic_number_of_users() -> None:
    (complaint,) = complaints(GOOD + "finals: {users: auto}\n")
    assert complaint.endswith("(found 'auto')")


@pytest.mark.parametrize(
    ("written", "meant"), [("auto", "auto"), ("all", "all"), ("6_500", 6500), ("1e4", 10_000)]
)
def test_number_of_users_is_a_word_or_a_number(written: str, meant: object) -> None:
    assert parse_suite(GOOD, "shop.yaml", ALL).metrics.valid_users == "auto"
    assert parse_suite(GOOD, "shop.yaml", ALL).finals.users == "all"
    suite = parse_suite(GOOD + f"metrics: {{valid_users: {written}}}\n", "shop.yaml", ALL)
    assert suite.metrics.valid_users == meant
    assert parse_suite(GOOD + "finals: {users: 20000}\n", "shop.yaml", ALL).finals.users == 20_000


def test_advice_says_what_auto_would_take_of_a_log_of_known_size() -> None:
    large = GOOD.replace(
        "{users: 40, items: 30, interactions: 400}", "{users: 7000, items: 30, interactions: 70000}"
    )
    (note,) = sample_advice(parse_suite(large, "shop.yaml", ALL))
    assert not note.is_warning
    assert note.text.startswith("planted: metrics.valid_users: auto takes 6,500 of at most 7,000 users of")
    assert not list(sample_advice(parse_suite(GOOD, "shop.yaml", ALL)))
    known = GOOD.replace(", synthetic: {users: 40, items: 30, interactions: 400}", "").replace(
        "planted", "movielens-{}"
    )
    (note,) = sample_advice(parse_suite(known.replace("{}", "20m"), "shop.yaml", ALL))
    assert "at most 138,493 users" in note.text
    assert not list(sample_advice(parse_suite(known.replace("{}", "1m"), "shop.yaml", ALL)))


def test_advice_warns_of_few_users_and_of_finals_on_a_sample() -> None:
    few = parse_suite(GOOD + "metrics: {valid_users: 99}\nfinals: {users: 500}\n", "shop.yaml", ALL)
    finals, valid = sample_advice(few)
    assert finals.is_warning
    assert "test values are of a sample of 500" in finals.text
    assert valid.is_warning
    assert "metrics.valid_users: 99: with fewer than 100 users" in valid.text
