"""What a suite may say of items that come again, and what it gets for it."""

from __future__ import annotations

import numpy as np
import pytest
from builders import own_log

from adapters.baselines import MostFrequent, MostRecent, Popularity
from adapters.native.ease import Ease
from benchmark import api
from benchmark.api.adapters import registry
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.synthetic import synthetic_log
from benchmark.datasets.split import split
from benchmark.errors import SuiteError
from benchmark.metrics.evaluator import Evaluator
from benchmark.metrics.register import parse_metric
from benchmark.protocol import FitContext
from benchmark.suite import parse_suite

TEXT = """\
name: shop
datasets:
  - {name: one, path: one.csv, time: at}
  - {name: two, path: two.csv, time: at, pairs: repeat}
split: {by: leave_last_out}
models: [baselines/popularity]
"""


def complaints(text: str) -> list[str]:
    with pytest.raises(SuiteError) as refused:
        parse_suite(text, "shop.yaml", registry())
    return str(refused.value).splitlines()


def test_rule_that_cannot_cut_a_log_with_repeats_is_refused_before_data_is_read() -> None:
    (complaint,) = complaints(TEXT.replace("leave_last_out", "random"))
    assert complaint.startswith(
        "shop.yaml:5: split.by: two: random cannot cut a log with pairs: repeat: rows drawn"
    )
    assert complaint.endswith(
        "leave_last_out, leave_n_out (order: time), user_time, global_time or rolling_time"
    )


def test_default_rule_is_refused_too_with_the_reason() -> None:
    (complaint,) = complaints(TEXT.replace("split: {by: leave_last_out}\n", ""))
    assert "split.by: two: random cannot cut" in complaint


def test_entry_that_contradicts_prepare_is_one_complaint_and_no_traceback() -> None:
    (complaint,) = complaints(TEXT + "prepare: {duplicates: last}\n")
    assert complaint.startswith("shop.yaml:4: datasets[1].pairs: with prepare: pairs: repeat keeps every row")


def test_entry_that_hides_dislikes_that_nothing_names_is_refused() -> None:
    (complaint,) = complaints(TEXT.replace("pairs: repeat}", "pairs: repeat, seen: hide-negative}"))
    assert "seen: hide-negative needs known dislikes" in complaint


def test_ranking_metrics_of_a_suite_with_repeats_are_split() -> None:
    metrics = parse_suite(
        TEXT + "metrics: {also: [hit@5, coverage@5, rmse]}\n", "shop.yaml", registry()
    ).metrics
    parts = [f"{name}{part}" for name in ("ndcg@10", "hit@5") for part in ("", "/repeated", "/new")]
    assert list(metrics.all) == [*parts, "coverage@5", "rmse"]


def test_suite_is_completed_once_and_reads_its_own_output() -> None:
    suite = parse_suite(TEXT, "shop.yaml", registry())
    assert api.check(suite).metrics == suite.metrics == suite.completed().metrics


def test_part_may_be_what_models_are_tuned_for() -> None:
    text = TEXT + "metrics: {primary: recall@10/new, also: [recall@10]}\n"
    found = parse_suite(text, "shop.yaml", registry()).metrics
    assert found.all == ("recall@10/new", "recall@10", "recall@10/repeated")


def test_suite_without_repeats_has_the_metrics_that_it_names() -> None:
    assert parse_suite(TEXT.replace(", pairs: repeat", ""), "shop.yaml", registry()).metrics.all == (
        *("ndcg@10", "recall@10", "map@10", "coverage@10", "rmse"),
    )


def test_models_of_what_a_user_has_had_do_not_run_where_nothing_comes_again() -> None:
    names = ["baselines/most-frequent", "baselines/most-recent", "baselines/popularity"]
    once, again = (
        api.plan({**api.check(name).model_dump(), "models": names}) for name in ("quickstart", "groceries")
    )
    assert [study.excluded is None for study in again] == [True, True, True]
    assert [study.excluded and study.excluded.status for study in once] == ["n/a", "n/a", None]
    assert "pairs: repeat, seen: allow" in str(once[0].excluded)


def test_most_frequent_is_above_ease_on_a_small_version_of_the_suite_and_its_hits_add_up() -> None:
    """As published for next-basket data: Li et al. 2023, A Next Basket Recommendation Reality Check."""
    suite = api.check("groceries")
    (spec,) = suite.datasets
    shape = spec.synthetic.model_copy(update={"users": 150, "items": 120, "interactions": 9_000})
    parts = split(prepare(synthetic_log(shape), suite.prepare), suite.split)
    names = [name for name in suite.metrics.all if name.startswith("recall@10")]
    values = {}
    for model in (MostFrequent(), MostRecent(), Popularity(), Ease()):
        for _ in model.fit_steps(parts.train, FitContext()):
            pass
        metrics = [parse_metric(name) for name in names]
        known = [parts.train, parts.valid]
        evaluator = Evaluator(parts.test, [], metrics, parts.train, known=known)
        evaluator.add(evaluator.users, np.asarray(model.score(evaluator.users)))
        result = evaluator.result()
        whole, repeated, new = (result.per_user[name] for name in names)
        np.testing.assert_allclose(repeated + new, whole, atol=1e-12)
        values[type(model).__name__] = result.values["recall@10"]
    assert values["MostFrequent"] > values["MostRecent"] > values["Ease"] > values["Popularity"]
    assert values["MostFrequent"] > 1.2 * values["Ease"]


def test_case_of_baskets_runs_with_both_keys_and_most_frequent_finds_everything() -> None:
    users, turns = np.divmod(np.arange(640), 16)
    frame = {"user": users, "item": (3 * users + turns % 4) % 15, "time": 1_700_000_000 + 86_400 * turns}
    suite = parse_suite(TEXT.replace("pairs: repeat", "pairs: repeat, seen: allow"), "shop.yaml", registry())
    parts = split(prepare(own_log(**frame), suite.prepare.for_log(suite.datasets[1])), suite.split)
    model = MostFrequent()
    list(model.fit_steps(parts.train, FitContext()))
    evaluator = Evaluator(parts.test, [], [parse_metric("recall@5")], parts.train, known=[parts.train])
    evaluator.add(evaluator.users, model.score(evaluator.users))
    assert evaluator.result().values["recall@5"] == 1.0
