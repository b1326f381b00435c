"""The evaluator: streams of score batches to per-user values, lists and sums."""

from __future__ import annotations

import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import AdapterError, MetricError
from benchmark.metrics.evaluator import Evaluator, summarise
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Interactions
from benchmark.records import TestCounts

ALL = [
    *(
        parse_metric(f"{base}@{k}")
        for base in ("precision", "recall", "hit", "f1", "ndcg", "gndcg", "mrr", "map")
        for k in (3, 5)
    ),
    *(
        parse_metric(name)
        for name in ("auc", "rprecision", "ndcg@3/4neg", "coverage@5", "novelty@5", "gini@5")
    ),
    *(
        parse_metric(name)
        for name in ("popularity@5", "popularitylift@3", "personalisation@5", "rmse", "mae", "mse")
    ),
]
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


def random_case(seed: int) -> tuple[Interactions, Interactions, np.ndarray]:
    """A train log, a target log and scores, all drawn."""
    rng = np.random.default_rng(seed)
    cells = rng.random((N_USERS, N_ITEMS))
    train, target = np.argwhere(cells < 0.3), np.argwhere(cells > 0.7)
    rng.shuffle(target)
    likes = rng.random(len(target)) < 0.7
    scores = rng.integers(0, 6, (N_USERS, N_ITEMS)).astype(np.float32)
    return log(train), log(target, rng.integers(1, 6, len(target)), likes), scores


def evaluate(target, train, scores, metrics=ALL, *, batch=N_USERS, seed=0, order=None):
    evaluator = Evaluator(target, [train], metrics, train, seed)
    users = evaluator.users if order is None else evaluator.users[order]
    for start in range(0, len(users), batch):
        chosen = users[start : start + batch]
        evaluator.add_ratings(chosen, scores[evaluator.held_out(chosen)])
        evaluator.add(chosen, scores[chosen].copy())
    return evaluator.result()


def test_evaluator_hand_computed_case_is_right():
    train = log([(0, 0), (1, 1)], shape=(3, 4))
    target = log([(0, 1), (0, 2), (2, 3)], values=[4, 2, 5], positive=[True, False, True], shape=(3, 4))
    scores = np.array([[9, 2, 3, 1], [0, 0, 0, 0], [1, 2, 3, 4]], np.float32)
    metrics = [parse_metric(name) for name in ("recall@1", "mrr@3", "auc", "coverage@2", "rmse", "mae")]
    got = evaluate(target, train, scores, metrics)
    assert got.users.tolist() == [0, 2]
    assert got.lists.tolist() == [[2, 1, 3], [3, 2, 1]]
    assert got.per_user["recall@1"].tolist() == [0.0, 1.0]
    assert got.per_user["mrr@3"].tolist() == [0.5, 1.0]
    assert got.per_user["auc"].tolist() == [0.5, 1.0]
    assert got.values["coverage@2"] == 0.75
    assert got.squared_error.tolist() == [5.0, 1.0]
    assert got.ratings.tolist() == [2, 1]
    assert got.values["rmse"] == pytest.approx(2**0.5)
    assert got.values["mae"] == pytest.approx(4 / 3)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), batch=st.integers(1, N_USERS))
def test_evaluator_batch_size_and_order_change_nothing(seed, batch):
    train, target, scores = random_case(seed)
    whole = evaluate(target, train, scores)
    order = np.random.default_rng(seed).permutation(len(whole.users))
    parts = evaluate(target, train, scores, batch=batch, order=order)
    np.testing.assert_equal(parts.values, whole.values)
    np.testing.assert_equal(parts.per_user, whole.per_user)
    np.testing.assert_array_equal(parts.lists, whole.lists)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_evaluator_without_ties_is_blind_to_the_numbering_of_items(seed):
    train, target, scores = random_case(seed)
    scores += (
        np.random.default_rng(seed).permutation(scores.size).reshape(scores.shape).astype(np.float32) / 1e3
    )
    new = np.random.default_rng(seed + 1).permutation(N_ITEMS).astype(np.int32)  # old number -> new number
    moved = [
        log(np.stack([part.users, new[part.items]], 1), part.values, part.positive)
        for part in (train, target)
    ]
    before = evaluate(target, train, scores)
    after = evaluate(moved[1], moved[0], scores[:, np.argsort(new)])
    for name, value in before.values.items():
        if "neg" in name:  # which items are drawn does depend on their numbers
            continue
        assert after.values[name] == pytest.approx(value, nan_ok=True, rel=1e-6), name


def test_evaluator_constant_scorer_gets_what_chance_gets():
    # With every item a candidate, expected precision is the share of relevant items, whatever their order.
    n_users, n_items = 3000, 50
    for first in (0, 45):
        pairs = [(user, first + item) for user in range(n_users) for item in range(5)]
        target, train = log(pairs, shape=(n_users, n_items)), log([], shape=(n_users, n_items))
        scores = np.zeros((n_users, n_items), np.float32)
        got = evaluate(
            target, train, scores, [parse_metric("precision@10"), parse_metric("auc")], batch=n_users
        )
        assert got.values["precision@10"] == pytest.approx(0.1, abs=4 * 0.3 / (n_users * 10) ** 0.5)
        assert got.values["auc"] == 0.5


def test_evaluator_counts_users_hidden_items_and_short_lists():
    train = log([(0, 0), (1, 0), (1, 1)], shape=(2, 3))
    target = log([(0, 0), (0, 1), (1, 2)], positive=[True, True, False], shape=(2, 3))
    got = evaluate(target, train, np.zeros((2, 3), np.float32), [parse_metric("recall@2")])
    assert got.counts == TestCounts(
        users=2,
        without_relevant=1,
        cold_users=0,
        hidden_relevant=1,
        excluded_relevant=0,
        cold_relevant=0,
        short_lists=1,
    )
    # One of the two likes was seen in training: only one can be found.
    assert got.per_user["recall@2"][0] == 1.0
    assert np.isnan(got.per_user["recall@2"][1])
    assert got.values["recall@2"] == 1.0


def test_evaluator_without_ratings_leaves_them_nan():
    train, target, scores = random_case(0)
    evaluator = Evaluator(target, [train], ALL, train)
    evaluator.add(evaluator.users, scores[evaluator.users])
    got = evaluator.result()
    assert got.squared_error is got.absolute_error is got.ratings is None
    assert np.isnan([got.values[name] for name in ("rmse", "mae", "mse")]).all()
    assert not np.isnan(got.values["ndcg@5"])


def test_evaluator_of_rating_metrics_alone_needs_no_scores():
    train, target, scores = random_case(1)
    evaluator = Evaluator(target, [], [parse_metric("rmse")], train)
    evaluator.add_ratings(evaluator.users, scores[evaluator.held_out(evaluator.users)])
    expected = np.sqrt(np.mean((scores[target.users, target.items] - target.values) ** 2))
    assert evaluator.result().values["rmse"] == pytest.approx(expected)


def test_evaluator_after_reset_measures_afresh():
    train, target, scores = random_case(2)
    evaluator = Evaluator(target, [train], ALL, train)
    evaluator.add(evaluator.users, -scores[evaluator.users])
    first = evaluator.result()
    kept = first.lists.copy()
    evaluator.reset()
    evaluator.add(evaluator.users, scores[evaluator.users])
    expected = evaluate(target, train, scores, [metric for metric in ALL if metric.kind != "rating"])
    for name, value in expected.values.items():
        assert evaluator.result().values[name] == value
    np.testing.assert_array_equal(first.lists, kept)


def test_evaluator_only_reads_the_scores():
    train, target, scores = random_case(3)
    evaluator = Evaluator(target, [train], ALL, train)
    batch = scores[evaluator.users]
    batch.setflags(write=False)
    evaluator.add(evaluator.users, batch)
    np.testing.assert_array_equal(batch, scores[evaluator.users])


@pytest.mark.parametrize("batch", [1, 7, 64, 4096])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_evaluator_gives_the_same_bits_for_any_batch_and_threads(batch, threads, monkeypatch):
    monkeypatch.setattr("benchmark.metrics.topk._WORTH_A_THREAD", 1)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    rng = np.random.default_rng(0)
    shape = (70, 300)
    train, target = (log(np.argwhere(rng.random(shape) < share), shape=shape) for share in (0.1, 0.05))
    scores = rng.integers(0, 40, shape).astype(np.float32)
    metrics = [parse_metric(name) for name in ("ndcg@10", "map@10", "auc", "rprecision", "hit@5/9neg")]
    expected = evaluate(target, train, scores, metrics, batch=70)
    monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
    evaluator = Evaluator(target, [train], metrics, train)
    for start in range(0, len(evaluator.users), batch):
        users = evaluator.users[start : start + batch]
        evaluator.add(users, scores[users])
    np.testing.assert_array_equal(evaluator.result().lists, expected.lists)
    np.testing.assert_equal(evaluator.result().per_user, expected.per_user)


def test_evaluator_needs_no_second_copy_of_the_scores():
    shape = (400, 20_000)
    target, train = log([(user, 0) for user in range(400)], shape=shape), log([], shape=shape)
    evaluator = Evaluator(target, [train], [parse_metric("ndcg@10"), parse_metric("auc")], train)
    scores = np.zeros(shape, dtype=np.float32)
    tracemalloc.start()
    evaluator.add(evaluator.users, scores)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.1 * scores.nbytes


def test_evaluator_items_that_are_no_candidates_are_neither_shown_nor_looked_for():
    train, target = log([(0, 0)], shape=(2, 4)), log([(0, 1), (0, 2), (1, 3)], shape=(2, 4))
    candidates = np.array([True, True, True, False])
    metrics = [parse_metric("recall@3"), parse_metric("auc")]
    evaluator = Evaluator(target, [train], metrics, train, candidates=candidates)
    evaluator.add(evaluator.users, np.tile(np.arange(4, dtype=np.float32), (2, 1)))
    got = evaluator.result()
    assert got.lists.tolist() == [[2, 1, -1], [2, 1, 0]]
    assert got.counts.excluded_relevant == got.counts.cold_users == got.counts.without_relevant == 1
    assert got.counts.cold_relevant == 2
    assert got.per_user["recall@3"].tolist() == [1.0, pytest.approx(np.nan, nan_ok=True)]


def test_evaluator_ranks_among_the_negatives_alone():
    target, train = log([(0, 0)], shape=(1, 9)), log([], shape=(1, 9))
    metrics = [parse_metric(name) for name in ("hit@2/3neg", "mrr@4/3neg", "mrr@4")]
    evaluator = Evaluator(target, [], metrics, train, negatives=np.array([[1, 2, 3]], np.int32))
    evaluator.add(evaluator.users, np.array([[5, 4, 6, 3, 9, 9, 9, 9, 9]], np.float32))
    got = {name: values[0] for name, values in evaluator.result().per_user.items()}
    assert got == {"hit@2/3neg": 1.0, "mrr@4/3neg": 0.5, "mrr@4": 0.0}


def test_evaluator_constant_scorer_among_99_negatives_finds_what_chance_finds():
    n_users = 4000
    target = log([(user, user % 300) for user in range(n_users)], shape=(n_users, 300))
    train = log([(user, (user + 7) % 300) for user in range(n_users)], shape=(n_users, 300))
    evaluator = Evaluator(target, [train], [parse_metric("hit@10/99neg")], train)
    evaluator.add(evaluator.users, np.zeros((n_users, 300), np.float32))
    chance = 0.1
    spread = (chance * (1 - chance) / n_users) ** 0.5
    assert evaluator.result().values["hit@10/99neg"] == pytest.approx(chance, abs=4 * spread)


def test_evaluator_negatives_of_another_shape_are_refused():
    with pytest.raises(MetricError, match=re.escape("have shape (1, 2), expected (1, 3)")):
        Evaluator(
            log([(0, 1)]), [], [parse_metric("hit@2/3neg")], log([]), negatives=np.zeros((1, 2), np.int32)
        )


def test_graded_ndcg_of_the_ranx_readme_comes_out_of_the_evaluator():
    # q1 wants d12: 5 and d25: 3, q2 wants d11: 6 and d22: 1; items are numbered in the order of the runs.
    target = log([(0, 0), (0, 2), (1, 1), (1, 4)], values=[5, 3, 6, 1], shape=(2, 6))
    scores = np.array([[0.9, 0.8, 0.7, 0.6, 0.5, 0.4]] * 2, np.float32)
    metrics = [parse_metric(name) for name in ("gndcg@5", "map@5", "mrr@5")]
    got = evaluate(target, log([], shape=(2, 6)), scores, metrics).values
    assert got["gndcg@5"] == pytest.approx(0.7861, abs=5e-5)
    assert got["map@5"] == pytest.approx(0.6416, abs=1e-4)  # printed cut, not rounded
    assert got["mrr@5"] == 0.75


def test_evaluator_constant_scores_are_worth_the_same_in_any_order_of_items():
    # Expected NDCG of a random ranking is the share of relevant items, here 8 of 80.
    n_users, n_items = 1500, 80
    rng = np.random.default_rng(0)
    liked = np.argsort(rng.random((n_users, n_items)), axis=1)[:, :8]
    pairs = np.stack([np.repeat(np.arange(n_users), 8), liked.ravel()], axis=1)
    train, metrics = log([], shape=(n_users, n_items)), [parse_metric("ndcg@10")]
    for order in range(5):
        new = np.random.default_rng(order).permutation(n_items)
        target = log(np.stack([pairs[:, 0], new[pairs[:, 1]]], 1), shape=(n_users, n_items))
        got = evaluate(target, train, np.zeros((n_users, n_items), np.float32), metrics, batch=500)
        values = got.per_user["ndcg@10"]
        ideal, shown = (np.cumsum(1 / np.log2(np.arange(2, k + 2)))[-1] for k in (8, 10))
        assert values.mean() == pytest.approx(0.1 * shown / ideal, abs=4 * values.std() / n_users**0.5)


def test_every_value_stays_within_the_stated_range():
    for seed in range(20):
        train, target, scores = random_case(seed)
        for name, value in evaluate(target, train, scores).values.items():
            metric = parse_metric(name)
            assert np.isnan(value) or metric.low - 1e-9 <= value <= metric.high + 1e-9, name


def test_r_precision_of_the_evaluator_equals_a_list_of_that_length():
    train, target, scores = random_case(8)
    got = evaluate(target, train, scores, [parse_metric("rprecision")]).per_user["rprecision"]
    for index, user in enumerate(np.unique(target.users)):
        likes = target.items[(target.users == user) & target.positive]
        metric = parse_metric(f"precision@{max(len(likes), 1)}")
        expected = evaluate(target, train, scores, [metric]).per_user[metric.name][index]
        assert got[index] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("names", [("ndcg@5",), ("ndcg@5", "auc", "hit@2/3neg")])
def test_tensor_is_ranked_as_the_same_array_is(names):
    import torch

    train, target, scores = random_case(4)
    metrics = [parse_metric(name) for name in names]
    expected = evaluate(target, train, scores, metrics)
    evaluator = Evaluator(target, [train], metrics, train)
    evaluator.add(evaluator.users, torch.from_numpy(scores[evaluator.users]))
    np.testing.assert_array_equal(evaluator.result().lists, expected.lists)
    np.testing.assert_equal(evaluator.result().per_user, expected.per_user)


@pytest.mark.parametrize("names", [("ndcg@5",), ("ndcg@5", "auc")])
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda scores: scores[:, 1:], AdapterError, "returned shape (12, 14), expected (12, 15)"),
        (lambda scores: scores.int(), AdapterError, "returned int32, expected float32"),
        (lambda scores: scores.fill_(np.nan), MetricError, "180 values that are not finite as float32"),
        (lambda scores: scores.double() + 1e300, MetricError, "the first for user 0"),
    ],
)
def test_tensor_that_nobody_has_checked_is_checked_once_before_it_is_ranked(names, change, error, message):
    import torch

    pairs, metrics = [(user, 0) for user in range(N_USERS)], [parse_metric(name) for name in names]
    evaluator = Evaluator(log(pairs), [], metrics, log([]), who="torch/ease")
    with pytest.raises(error, match=re.escape(message)) as caught:
        evaluator.add(evaluator.users, change(torch.zeros(N_USERS, N_ITEMS)))
    assert str(caught.value).startswith("torch/ease: score() returned")


def test_evaluator_missing_strange_and_repeated_users_are_refused():
    evaluator = Evaluator(log([(1, 0), (4, 0)]), [], ALL, log([]))
    scores = np.zeros((1, N_ITEMS), np.float32)
    with pytest.raises(MetricError, match="was sent user 2, who has no held-out row"):
        evaluator.add(np.array([2], np.int32), scores)
    evaluator.add(np.array([4], np.int32), scores)
    with pytest.raises(MetricError, match="was sent a user twice"):
        evaluator.add(np.array([4], np.int32), scores)
    with pytest.raises(
        MetricError, match="scores of 1 of 2 evaluated users never arrived, the first is user 1"
    ):
        evaluator.result()


def test_evaluator_ratings_of_some_users_only_are_refused():
    evaluator = Evaluator(log([(1, 0), (4, 0)]), [], [parse_metric("rmse")], log([]))
    evaluator.add_ratings(np.array([4], np.int32), np.zeros(1))
    with pytest.raises(MetricError, match="ratings of 1 of 2 evaluated users never arrived"):
        evaluator.result()


def test_summarise_makes_every_value_again_from_what_is_stored():
    train, target, scores = random_case(5)
    got = evaluate(target, train, scores)
    for metric in ALL:
        again = summarise(
            metric,
            per_user=got.per_user.get(metric.name),
            lists=got.lists,
            error_sums=got.absolute_error if metric.base == "mae" else got.squared_error,
            ratings=got.ratings,
            n_items=N_ITEMS,
            n_users=len(got.users),
        )
        assert again == got.values[metric.name]


def test_summarise_missing_users_or_arrays_are_refused():
    with pytest.raises(MetricError, match=re.escape("ndcg@5: per_user has 2 of 3 users")):
        summarise(parse_metric("ndcg@5"), per_user=np.zeros(2), n_users=3)
    with pytest.raises(MetricError, match="rmse is made from error_sums, which was not given"):
        summarise(parse_metric("rmse"), ratings=np.ones(3))
    with pytest.raises(MetricError, match="lists of 5 items, not of 3"):
        summarise(parse_metric("gini@5"), lists=np.zeros((2, 3), np.int32), n_items=9)


def test_summarise_without_any_value_is_nan_not_zero():
    assert np.isnan(summarise(parse_metric("ndcg@5"), per_user=np.array([np.nan, np.nan])))
