"""Metrics that have one value whatever a model does: named with the reason, and no others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import own_log

from benchmark.datasets.audit.judged import judged_users
from benchmark.datasets.audit.log_audit import audit_log
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.synthetic import synthetic_log
from benchmark.datasets.specs import PrepareSpec, SplitSpec
from benchmark.datasets.split import split
from benchmark.metrics.constant import constant_metrics
from benchmark.metrics.evaluator import Evaluator
from benchmark.metrics.register import parse_metric

PLAIN = PrepareSpec()
RANKING = ("precision@3", "recall@3", "hit@3", "ndcg@3", "map@3", "mrr@3", "coverage@3")


def made_of(log, how=PLAIN, **rule):
    """The split of a log, and the audit that is stored with it."""
    prepared = prepare(log, how)
    made = split(prepared, SplitSpec(**rule))
    return made, replace(audit_log(log, prepared), judged=judged_users(made))


def every_pair(users, items, **more):
    pairs = [(user, item) for user in range(users) for item in range(items)]
    return own_log(user=[user for user, _ in pairs], item=[item for _, item in pairs], **more)


def values_of(made, names, models=5):
    """Return the values that random scores get, model by model."""
    found = []
    for seed in range(models):
        metrics = [parse_metric(name) for name in names]
        evaluator = Evaluator(made.test, [made.train, made.valid], metrics, made.train)
        scores = np.random.default_rng(seed).random((len(evaluator.users), made.test.n_items), np.float32)
        evaluator.add(evaluator.users, scores)
        found.append([evaluator.result().values[name] for name in names])
    return np.array(found)


def test_nothing_is_constant_on_a_healthy_log_or_where_no_audit_was_stored():
    log = synthetic_log(users=60, items=40, interactions=900)
    _, audit = made_of(log, PrepareSpec(positive=">= 4"))
    assert constant_metrics([*RANKING, "rmse", "rocauc", "hit@10/20neg"], audit) == {}
    assert constant_metrics(["ndcg@3"], None) == {}


def test_ranking_metrics_of_users_who_have_every_item_cannot_differ():
    made, audit = made_of(every_pair(12, 8), test=0.3, valid=0.3)
    assert set(constant_metrics(RANKING, audit)) == set(RANKING)
    assert constant_metrics(["recall@3"], audit) == {
        "recall@3": "all that can be listed for a judged user is relevant"
    }
    assert np.ptp(values_of(made, RANKING), axis=0).max() == 0.0


def test_metrics_that_ignore_the_order_cannot_differ_in_lists_that_hold_all_candidates():
    stars = [1.0 + row % 5 for row in range(12 * 8)]
    made, audit = made_of(every_pair(12, 8, value=stars), PrepareSpec(positive=">= 3"), test=0.3, valid=0.3)
    assert audit.judged.most_candidates == 2
    constant = set(constant_metrics(RANKING, audit))
    assert constant == {"precision@3", "recall@3", "hit@3", "coverage@3"}
    differs = np.ptp(values_of(made, RANKING), axis=0) > 0
    assert {name for name, yes in zip(RANKING, differs, strict=True) if not yes} == constant


def test_rating_metrics_of_constant_ratings_cannot_differ():
    _, audit = made_of(every_pair(12, 8, value=[4.0] * 96, scale=(1.0, 5.0)))
    assert constant_metrics(["rmse", "mae", "ndcg@3"], audit)["rmse"] == "every rating is 4"


def test_rating_metrics_of_likes_and_others_need_both():
    stars = [1.0 + row % 5 for row in range(96)]
    _, audit = made_of(every_pair(12, 8, value=stars, scale=(1.0, 5.0)))
    assert constant_metrics(["rmse", "accuracy", "rocauc", "logloss"], audit) == {
        "accuracy": "every rating counts as a like",
        "rocauc": "every test row is a like",
        "logloss": "every test row is a like",
    }


@pytest.mark.parametrize(("name", "is_constant"), [("hit@30/9neg", True), ("hit@5/9neg", False)])
def test_sampled_metrics_cannot_differ_in_lists_longer_than_the_sample(name, is_constant):
    _, audit = made_of(synthetic_log(users=60, items=40, interactions=900))
    assert (name in constant_metrics([name], audit)) is is_constant


def test_without_anything_to_find_no_ranking_metric_has_a_value():
    stars = [5.0] * 90 + [1.0] * 6
    how = PrepareSpec(positive=">= 4")
    log = every_pair(12, 8, value=stars, time=np.arange(96.0))
    _, audit = made_of(log, how, by="global_time", test=0.05)
    assert constant_metrics(["ndcg@3"], audit) == {"ndcg@3": "no user has anything to find in test"}
