"""Metrics split into items that a user has had and items new to the user: the parts make the whole."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import MetricError
from benchmark.metrics.evaluator import Evaluator
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Interactions

SPLIT = tuple(
    f"{base}@{k}"
    for base in ("precision", "recall", "hit", "f1", "mrr", "map", "ndcg", "gndcg")
    for k in (1, 4)
)


N_USERS, N_ITEMS = 12, 15


def log(pairs, values=None, positive=None, shape=(N_USERS, N_ITEMS)) -> Interactions:
    """Interactions of (user, item) pairs."""
    users, items = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
    n = len(users)
    return Interactions(
        users.copy(),
        items.copy(),
        np.ones(n, np.float32) if values is None else np.array(values, np.float32),
        np.empty(0, np.int64),
        np.ones(n, bool) if positive is None else np.array(positive, bool),
        *shape,
    )


def evaluate(target, known, scores, names, *, seen=(), negatives=None):
    evaluator = Evaluator(
        target, list(seen), [parse_metric(name) for name in names], known, known=[known], negatives=negatives
    )
    evaluator.add(evaluator.users, scores[evaluator.users])
    return evaluator.result()


def test_hits_of_a_list_are_told_apart_by_what_the_user_has_had():
    # User 0 has had items 0 and 1; of test 1 comes again and 2 is new; the list is 1, 3, 2, 0.
    known, target = log([(0, 0), (0, 1), (0, 1)], shape=(1, 4)), log([(0, 1), (0, 2), (0, 1)], shape=(1, 4))
    scores = np.array([[1, 4, 2, 3]], dtype=np.float32)
    names = [f"{base}{part}" for base in ("recall@3", "mrr@3", "map@3") for part in ("", "/repeated", "/new")]
    values = evaluate(target, known, scores, names).values
    assert [values[name] for name in names[:3]] == [1.0, 0.5, 0.5]
    assert [values[name] for name in names[3:6]] == [1.0, 1.0, 0.0]  # the first hit decides, and comes again
    assert [values[name] for name in names[6:]] == pytest.approx([(1 + 2 / 3) / 2, 1 / 2, 1 / 3])


def repeated_case(seed):
    """Known rows and held-out ones that share pairs, and scores."""
    rng = np.random.default_rng(seed)
    cells = rng.random((N_USERS, N_ITEMS))
    known, target = log(np.argwhere(cells < 0.3)), log(np.argwhere(cells > 0.7))
    scores = rng.integers(0, 6, (N_USERS, N_ITEMS)).astype(np.float32)
    again = known.rows(rng.random(len(known)) < 0.5)
    both = np.concatenate([np.stack([part.users, part.items], axis=1) for part in (target, again, again)])
    likes = rng.random(len(both)) < 0.8
    return known, log(both, rng.integers(1, 6, len(both)), likes), scores


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_parts_of_every_ranking_metric_add_up_to_the_whole_for_every_user(seed):
    known, target, scores = repeated_case(seed)
    names = [f"{name}{part}" for name in SPLIT for part in ("", "/repeated", "/new")]
    per_user = evaluate(target, known, scores, names).per_user
    for name in SPLIT:
        parts = per_user[f"{name}/repeated"] + per_user[f"{name}/new"]
        np.testing.assert_allclose(parts, per_user[name], atol=1e-12)
        assert np.nanmin([per_user[f"{name}/repeated"], per_user[f"{name}/new"]]) >= -1e-12


@pytest.mark.parametrize("seed", range(5))
def test_hits_of_both_parts_are_those_of_the_list(seed):
    known, target, scores = repeated_case(seed)
    result = evaluate(target, known, scores, ["precision@4/repeated", "precision@4/new"])
    had, wanted = (
        set(zip(rows.users.tolist(), rows.items.tolist(), strict=True))
        for rows in (known, target.positives())
    )
    for row, user in enumerate(result.users.tolist()):
        hits = [(user, item) for item in result.lists[row].tolist() if (user, item) in wanted]
        values = [result.per_user[f"precision@4/{part}"][row] for part in ("repeated", "new")]
        if not np.isnan(values[0]):
            assert 4 * np.array(values) == pytest.approx(
                [sum(pair in had for pair in hits), sum(pair not in had for pair in hits)]
            )


def test_parts_exist_among_sampled_negatives_too():
    known, target, scores = repeated_case(3)
    names = ["hit@2/4neg", "hit@2/4neg/repeated", "hit@2/4neg/new"]
    whole, repeated, new = (evaluate(target, known, scores, names).per_user[name] for name in names)
    np.testing.assert_allclose(repeated + new, whole)
    assert np.nansum(repeated) > 0 < np.nansum(new)


def test_seen_items_are_candidates_and_found_where_nothing_is_hidden():
    known, target = log([(0, 0), (1, 1)], shape=(2, 3)), log([(0, 0), (1, 2)], shape=(2, 3))
    scores = np.array([[3, 2, 1], [1, 2, 3]], dtype=np.float32)
    names = ["hit@1", "hit@1/repeated", "hit@1/new"]
    hidden, allowed = (evaluate(target, known, scores, names, seen=seen) for seen in ([known], []))
    assert [allowed.values[name] for name in names] == [1.0, 0.5, 0.5]
    assert [hidden.values[name] for name in names] == [1.0, 0.0, 1.0]
    assert (hidden.counts.hidden_relevant, allowed.counts.hidden_relevant) == (1, 0)


def test_item_that_test_has_several_times_counts_once():
    known, target = log([(0, 0)], shape=(1, 3)), log([(0, 0), (0, 0), (0, 1)], shape=(1, 3))
    values = evaluate(target, known, np.array([[3, 1, 2]], dtype=np.float32), ["recall@1"]).values
    assert values["recall@1"] == 0.5


def test_tensor_is_ranked_with_seen_items_as_the_same_array_is():
    import torch

    known, target, scores = repeated_case(4)
    expected = evaluate(target, known, scores, ["ndcg@5"])
    evaluator = Evaluator(target, [], [parse_metric("ndcg@5")], known, known=[known])
    evaluator.add(evaluator.users, torch.from_numpy(scores[evaluator.users]))
    np.testing.assert_array_equal(evaluator.result().lists, expected.lists)


def test_parts_are_named_behind_everything_else():
    metric = parse_metric("hit@10/99neg/new")
    assert (metric.base, metric.k, metric.sampled, metric.part, metric.name) == (
        "hit",
        10,
        99,
        "new",
        "hit@10/99neg/new",
    )
    assert [part.name for part in parse_metric("recall@20").parts] == ["recall@20/repeated", "recall@20/new"]
    assert metric.parts == parse_metric("coverage@10").parts == parse_metric("auc").parts == ()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("coverage@10/new", "only ranking metrics at a cut-off are split"),
        ("auc/repeated", "write 'auc'"),
        ("rmse/new", "write 'rmse'"),
        ("recall/new", "needs a cut-off; write 'recall@10/new'"),
        ("recall@10/old", "no metric is called 'recall@10/old'"),
    ],
)
def test_part_of_what_has_none_is_refused(name, words):
    with pytest.raises(MetricError, match=re.escape(words)):
        parse_metric(name)
