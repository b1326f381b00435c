"""Decoys hide held-out pairs: nothing in counts of users and items tells one from the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from repository import skip_without
from scipy.sparse import csr_matrix

from benchmark.metrics.decoys import DECOYS, FEW_USERS, pools
from benchmark.protocol import Array, Ids

Pairs = tuple[Ids, Ids]


def planted(rows: int, n_users: int, n_items: int, seed: int = 0) -> tuple[Pairs, tuple[int, int]]:
    """Return distinct pairs; active users reach farther into the tail of popularity, as in real logs."""
    generator = np.random.default_rng(seed)
    activity = generator.lognormal(0.0, 0.9, n_users)
    users = generator.choice(n_users, size=rows, p=activity / activity.sum())
    depth = 1.0 / (0.35 + 0.2 * np.minimum(activity[users] / activity.mean(), 4.0))
    items = (n_items * generator.random(rows) ** depth).astype(int)
    codes = np.unique(users * n_items + items)
    return ((codes // n_items).astype(np.int32), (codes % n_items).astype(np.int32)), (n_users, n_items)


def parts_of(pairs: Pairs, seed: int = 1) -> list[Pairs]:
    """Cut pairs at random into train (80 %), validation and test."""
    drawn = np.random.default_rng(seed).random(len(pairs[0]))
    return [
        (pairs[0][chosen], pairs[1][chosen])
        for chosen in (drawn < 0.8, (drawn >= 0.8) & (drawn < 0.9), drawn >= 0.9)
    ]


def matrix(pairs: Pairs, shape: tuple[int, int]) -> csr_matrix:
    made = csr_matrix((np.ones(len(pairs[0]), dtype=np.float32), pairs), shape=shape)
    made.sort_indices()
    return made


def joined(*parts: Pairs) -> Pairs:
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


class Asked:
    """All pairs that are asked about one part, and what an adapter can see of them."""

    def __init__(self, held_out: Pairs, known: csr_matrix, seed: int = 5) -> None:
        self.pools = list(pools(*held_out, known, seed))
        self.users = np.concatenate([pool.users for pool in self.pools])
        self.items = np.concatenate([pool.items for pool in self.pools])
        n_items = known.shape[1]
        self.codes = self.users.astype(np.int64) * n_items + self.items
        self.held_out = np.isin(self.codes, held_out[0].astype(np.int64) * n_items + held_out[1])
        self.known = np.asarray(known[self.users, self.items]).ravel() > 0
        rows_of_user, rows_of_item = np.diff(known.indptr), np.bincount(known.indices, minlength=n_items)
        counts = (
            rows_of_user[self.users],
            rows_of_item[self.items],
            np.bincount(self.users)[self.users],
            np.bincount(self.items)[self.items],
        )
        user, item, user_asked, item_asked = (np.log1p(count) for count in counts)
        self.features = np.stack(
            [user, item, user * item, self.users % 2, self.items % 2, user_asked, item_asked], axis=1
        )


def standard_error(held_out: Array) -> float:
    """Return that of an area under the curve of a classifier that knows nothing."""
    ones, zeros = held_out.sum(), (~held_out).sum()
    return float(np.sqrt((ones + zeros + 1) / (12 * ones * zeros)))


def attack(pairs: Pairs, shape: tuple[int, int], features: int = 7) -> tuple[list[float], float]:
    """Return how well two classifiers tell held-out pairs of test, and by how much chance may vary.

    They learn as an adapter could: it holds out validation, makes decoys of its own, and is then asked.
    The first five features are counts in the log and parity of ids, the others counts of what is asked.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, valid, test = parts_of(pairs)
    own = Asked(valid, matrix(train, shape), seed=1)
    asked = Asked(test, matrix(joined(train, valid), shape), seed=2)
    areas = []
    for model in (
        make_pipeline(StandardScaler(), LogisticRegression()),
        HistGradientBoostingClassifier(max_iter=40),
    ):
        model.fit(own.features[:, :features], own.held_out)
        told = model.predict_proba(asked.features[:, :features])[:, 1]
        areas.append(roc_auc_score(asked.held_out, told))
    return areas, standard_error(asked.held_out)


@pytest.fixture(scope="module")
def sparse() -> tuple[Asked, Pairs]:
    pairs, shape = planted(60_000, 2_000, 3_000)
    train, valid, test = parts_of(pairs)
    return Asked(test, matrix(joined(train, valid), shape)), test


def test_each_held_out_pair_is_asked_once_among_nine_decoys(sparse: tuple[Asked, Pairs]) -> None:
    asked, test = sparse
    assert len(np.unique(asked.codes)) == len(asked.codes)
    assert asked.held_out.sum() == len(test[0])
    assert (~asked.held_out).sum() == DECOYS * len(test[0])


def test_each_user_and_each_item_is_in_nine_times_as_many_decoys(sparse: tuple[Asked, Pairs]) -> None:
    asked, _ = sparse
    for ids, length in ((asked.users, 2_000), (asked.items, 3_000)):
        mine, decoys = (
            np.bincount(ids[chosen], minlength=length) for chosen in (asked.held_out, ~asked.held_out)
        )
        assert np.count_nonzero(decoys != DECOYS * mine) <= 0.01 * length


def test_decoys_are_hardly_ever_pairs_that_are_known(sparse: tuple[Asked, Pairs]) -> None:
    asked, _ = sparse
    assert asked.known.mean() < 0.02


def test_pairs_come_in_the_order_of_their_ids_which_tells_nothing(sparse: tuple[Asked, Pairs]) -> None:
    asked, _ = sparse
    for pool in asked.pools:
        codes = pool.users.astype(np.int64) * 3_000 + pool.items
        assert (np.diff(codes) > 0).all()
        assert np.array_equal(np.unique(pool.users), pool.asked_for)


def test_classifier_of_counts_is_at_chance_on_a_planted_log() -> None:
    areas, error = attack(*planted(150_000, 4_000, 5_000))
    assert areas == pytest.approx([0.5, 0.5], abs=3 * error)


@pytest.mark.slow
def test_classifier_of_counts_is_near_chance_on_movielens(data_dir: Path) -> None:
    """A seventh of the decoys is known: active users know most of the items that many like."""
    skip_without(data_dir, "movielens-100k")
    table = np.loadtxt(data_dir / "ml-100k" / "u.data", dtype=np.int64)
    pairs = (table[:, 0] - 1).astype(np.int32), (table[:, 1] - 1).astype(np.int32)
    areas, error = attack(pairs, (943, 1682), features=5)
    assert areas == pytest.approx([0.5, 0.5], abs=3 * error)
    areas, _ = attack(pairs, (943, 1682))
    assert areas == pytest.approx([0.5, 0.5], abs=0.02)


def test_attack_can_tell_decoys_that_are_drawn_at_random() -> None:
    """The tests above can fail: uniform decoys are told by their popularity."""
    from sklearn.metrics import roc_auc_score

    pairs, (_, n_items) = planted(60_000, 2_000, 3_000)
    rows_of_item = np.bincount(pairs[1], minlength=n_items)
    drawn = np.random.default_rng(0).integers(n_items, size=len(pairs[1]))
    labels = np.repeat([True, False], len(drawn))
    assert roc_auc_score(labels, rows_of_item[np.concatenate([pairs[1], drawn])]) > 0.55


def test_all_pairs_are_asked_where_there_are_few() -> None:
    held_out = np.array([3, 3, 9], dtype=np.int32), np.array([1, 4, 4], dtype=np.int32)
    asked = Asked(held_out, csr_matrix((40, 30), dtype=np.float32))
    assert np.array_equal(asked.codes, [*range(90, 120), *range(270, 300)])


def test_few_users_are_asked_about_every_item() -> None:
    users = np.arange(FEW_USERS - 1, dtype=np.int32)
    (pool, *more) = pools(users, users, csr_matrix((5_000, 7_000), dtype=np.float32), seed=0)
    assert sum(len(one.users) for one in (pool, *more)) == (FEW_USERS - 1) * 7_000


def test_pairs_that_are_known_hide_among_all_known_pairs_of_their_users_where_items_come_again() -> None:
    pairs, shape = planted(60_000, 2_000, 3_000)
    train, _, test = parts_of(pairs)
    again = train[0][::20], train[1][::20]
    known = matrix(train, shape)
    asked = Asked(joined(test, again), known)
    mine = np.isin(train[0], np.concatenate([test[0], again[0]]))
    codes = train[0][mine].astype(np.int64) * 3_000 + train[1][mine]
    assert np.isin(codes, asked.codes).all()


def test_item_that_half_of_the_users_are_asked_about_leaves_nobody_without_decoys() -> None:
    """Nine other users for each do not exist."""
    n = 600
    users, items = np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int32) + 100
    items[: n // 2] = 7
    asked = Asked((users, items), csr_matrix((n, 2_000), dtype=np.float32))
    assert len(np.unique(asked.codes)) == len(asked.codes) == (1 + DECOYS) * n
    assert (np.bincount(asked.users[~asked.held_out]) == DECOYS).all()
