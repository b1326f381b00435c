"""Hiding and ranking: ties are chance, one order per user, whatever the batch."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ranker_oracle import sorted_top_k

from benchmark.metrics.ranking import auc
from benchmark.metrics.topk import nothing, slot_threads, top_k


@settings(deadline=None)
@given(
    seed=st.integers(-3, 2**63),
    levels=st.sampled_from([1, 2, 6, 10_000]),
    n_items=st.one_of(st.integers(1, 40), st.integers(100, 1500)),
    k=st.integers(1, 45),
    hidden=st.sampled_from([0.0, 0.3, 0.95]),
)
def test_top_k_equals_a_full_sort(seed, levels, n_items, k, hidden):
    rng = np.random.default_rng(abs(seed))
    scores = rng.integers(-levels, levels, (9, n_items)).astype(np.float32) * np.float32(-0.25)  # and -0
    scores[rng.random(scores.shape) < hidden] = -np.inf
    users = rng.permutation(100)[:9].astype(np.int32)
    got = top_k(scores, k, users, seed)
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, sorted_top_k(scores, k, users, seed))


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), share=st.sampled_from([0.01, 0.5, 1.0]))
def test_top_k_of_unseen_items_equals_hiding_them_first(seed, share):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 30, (5, 400)).astype(np.float32)
    seen, excluded = rng.random(scores.shape) < share, rng.random(400) < 0.2
    users = np.arange(5, dtype=np.int32)
    starts = np.concatenate([[0], seen.sum(axis=1).cumsum()]).astype(np.int64)
    items = np.nonzero(seen)[1].astype(np.int32)
    hidden = np.where(seen | excluded, -np.inf, scores).astype(np.float32)
    got = top_k(scores, 12, users, 3, seen=(starts, items), excluded=excluded)
    np.testing.assert_array_equal(got, sorted_top_k(hidden, 12, users, 3))


def test_top_k_takes_a_length_for_each_user():
    scores = np.tile(np.arange(5, dtype=np.float32), (2, 1))
    lists = top_k(scores, np.array([1, 3]), np.array([0, 1], np.int32), 0)
    assert lists.tolist() == [[4, -1, -1], [4, 3, 2]]


@pytest.mark.parametrize("levels", [1, 3, 10**6])
def test_two_threads_give_what_one_gives(levels, monkeypatch):
    monkeypatch.setattr("benchmark.metrics.topk._WORTH_A_THREAD", 1)
    scores = np.random.default_rng(0).integers(0, levels, (33, 700)).astype(np.float32)
    users, relevant = np.arange(33, dtype=np.int32), (np.arange(34), np.arange(33, dtype=np.int32))
    lists, areas = [], []
    for threads in ("1", "2"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
        lists.append(top_k(scores, 10, users, 0))
        areas.append(auc(scores, relevant))
    np.testing.assert_array_equal(*lists)
    np.testing.assert_array_equal(*areas)


def test_ranking_after_a_fork_from_a_process_that_ranked_in_threads_works():
    # Trials are forked from a process that has imported all this.
    code = (
        "import os, numpy as np; os.environ['NUMBA_NUM_THREADS'] = '2';"
        "from benchmark.metrics import topk; topk._WORTH_A_THREAD = 1;"
        "s = np.arange(4000, dtype=np.float32).reshape(40, 100); u = np.arange(40, dtype=np.int32);"
        "first = topk.top_k(s, 3, u, 0); child = os.fork();"
        "same = (topk.top_k(s, 3, u, 0) == first).all();"
        "child or os._exit(0 if same else 9);"
        "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0


def test_machine_code_is_found_again_and_not_compiled():
    code = (
        "from benchmark.metrics.auc_kernels import areas; from benchmark.metrics import topk_kernels as k;"
        "kernels = (k.best, k.best_so_far, k.best_among, k.find, areas);"
        "raise SystemExit([sum(f.stats.cache_hits.values()) for f in kernels] != [1, 1, 1, 1, 1])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0


@pytest.mark.parametrize(
    ("said", "threads"),
    [({"NUMBA_NUM_THREADS": "3", "OMP_NUM_THREADS": "1"}, 3), ({"OMP_NUM_THREADS": "2"}, 2)],
)
def test_threads_are_those_of_the_slot(said, threads, monkeypatch):
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert slot_threads() == len(os.sched_getaffinity(0))
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert slot_threads() == threads


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), levels=st.sampled_from([2, 5, 1000]))
def test_auc_equals_scikit_learn_with_ties_and_hidden_items(seed, levels):
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, (3, 30)).astype(np.float32)
    label = rng.random((3, 30)) < 0.3
    label[:, 0], label[:, 1] = True, False
    hidden = rng.random((3, 30)) < 0.2
    hidden[:, :2] = False
    relevant, seen = (
        (np.concatenate([[0], mask.sum(1).cumsum()]), np.nonzero(mask)[1].astype(np.int32))
        for mask in (label & ~hidden, hidden)
    )
    got = auc(scores, relevant, seen=seen)
    for user in range(3):
        shown = ~hidden[user]
        assert got[user] == pytest.approx(roc_auc_score(label[user, shown], scores[user, shown]), abs=1e-12)


def test_auc_user_without_a_pair_is_nan():
    scores = np.array([[1, 2], [1, 2], [1, -np.inf]], dtype=np.float32)
    assert np.isnan(auc(scores, (np.array([0, 0, 2, 3]), np.array([0, 1, 0], np.int32)))).all()
    assert np.isnan(auc(scores[:1], nothing(1))).all()


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 300), max_size=4))
def test_top_k_does_not_depend_on_the_batch(seed, cuts):
    scores = np.random.default_rng(seed).integers(0, 3, (300, 500)).astype(np.float32)
    users = np.arange(300, dtype=np.int32)
    parts = np.split(users, sorted(cuts))
    np.testing.assert_array_equal(
        np.concatenate([top_k(scores[part], 10, part, 1) for part in parts]), top_k(scores, 10, users, 1)
    )


def test_top_k_ties_differ_by_user_and_by_seed():
    scores, users = np.zeros((2, 1000), dtype=np.float32), np.array([4, 5], dtype=np.int32)
    first, other = top_k(scores, 10, users, 0), top_k(scores, 10, users, 1)
    assert len(set(first[0]) & set(first[1])) < 5
    assert len(set(first[0]) & set(other[0])) < 5


def test_top_k_constant_scorer_shows_every_item_equally_often():
    n_users, n_items, k = 8_000, 100, 10
    lists = top_k(np.zeros((n_users, n_items), dtype=np.float32), k, np.arange(n_users, dtype=np.int32), 3)
    expected = n_users * k / n_items
    shown = np.bincount(lists.ravel(), minlength=n_items)
    # Without replacement within a user: chi2 has mean n_items - 1 scaled by 1 - k / n_items.
    statistic = ((shown - expected) ** 2 / expected).sum() * (n_items - 1) / (n_items - k)
    assert 50 < statistic < 160  # 99 degrees of freedom: both tails under 1e-4
    by_place = np.bincount(lists[:, 0], minlength=n_items)
    assert 50 < ((by_place - 80) ** 2 / 80).sum() < 160


@pytest.mark.parametrize("levels", [1, 5])
def test_top_k_ties_are_blind_to_the_labels(levels):
    # Whichever items are relevant, a scorer that knows nothing of them finds what chance finds.
    rng = np.random.default_rng(0)
    n_users, n_items, k = 4_000, 200, 10
    scores = np.tile(rng.integers(0, levels, n_items).astype(np.float32), (n_users, 1))
    lists = top_k(scores, k, np.arange(n_users, dtype=np.int32), 0)
    best = np.flatnonzero(scores[0] == levels - 1)
    assert np.isin(lists, best).all()
    for half in (best[: len(best) // 2], best[len(best) // 2 :]):
        share, chance = np.isin(lists, half).mean(), len(half) / len(best)
        assert share == pytest.approx(chance, abs=4 * (chance * (1 - chance) / (n_users * k)) ** 0.5)


def test_top_k_shows_exactly_the_items_that_are_not_seen():
    seen = (np.array([0, 2, 2]), np.array([0, 3], np.int32))
    lists = top_k(np.ones((2, 4), dtype=np.float32), 4, np.array([2, 1]), 0, seen=seen)
    assert [sorted(row) for row in lists.tolist()] == [[-1, -1, 1, 2], [0, 1, 2, 3]]


def test_top_k_of_no_items_is_empty():
    scores = np.ones((3, 500), dtype=np.float32)
    assert top_k(scores, 0, np.arange(3, dtype=np.int32), 0).shape == (3, 0)


@pytest.mark.parametrize("levels", [1, 40, 10**6])
def test_top_k_is_quick_with_and_without_ties(levels):
    scores = np.random.default_rng(0).integers(0, levels, (943, 1682)).astype(np.float32)
    users = np.arange(943, dtype=np.int32)
    took = []
    for _ in range(5):
        start = time.perf_counter()
        top_k(scores, 10, users, 0)
        took.append(time.perf_counter() - start)
    assert (
        min(took) < 0.25
    )  # 6 ms on one quiet core, 20 ms where all are tied; a sort of tied scores takes 0.4 s
