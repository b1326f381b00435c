"""Corrections, permutation tests, intervals, effects: hand-computed, and beside scipy and statsmodels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from statsmodels.stats.multitest import multipletests

from benchmark.errors import StatisticsError
from benchmark.statistics import effects, intervals
from benchmark.statistics.best_set import separated
from benchmark.statistics.holm import holm
from benchmark.statistics.permutation import joint_permutation, paired_permutation, paired_permutations
from benchmark.statistics.ratios import ratio_values


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.03, 0.04], [0.06, 0.06]),
        ([0.0157200, 0.0191725, 0.6084078], [0.04716, 0.04716, 0.60841]),
    ],
)
def test_holm_published_example_is_reproduced(p, expected):
    assert holm(np.array(p)) == pytest.approx(expected, abs=5e-6)


@settings(deadline=None, max_examples=25)  # theirs collects garbage at every call
@given(p=st.lists(st.floats(1e-6, 1) | st.sampled_from([0.01, 0.05]), min_size=1, max_size=12))
def test_holm_equals_statsmodels(p):
    assert holm(np.array(p)) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)


def test_holm_missing_test_stays_nan_and_is_not_counted():
    got = holm(np.array([0.04, np.nan, 0.03]))
    assert np.isnan(got[1])
    assert got[[0, 2]] == pytest.approx(holm(np.array([0.04, 0.03])))
    assert np.isnan(holm(np.array([np.nan]))).all()


def all_flips(differences: np.ndarray) -> float:
    """Share of all sign flips whose mean is as far from 0, with exact fractions of tenths."""
    tenths = [round(10 * value) for value in differences]
    sums = [
        sum(s * v for s, v in zip(signs, tenths, strict=True))
        for signs in itertools.product((1, -1), repeat=len(tenths))
    ]
    return sum(abs(total) >= abs(sum(tenths)) for total in sums) / len(sums)


@settings(deadline=None)
@given(tenths=st.lists(st.integers(-9, 9), min_size=1, max_size=9))
def test_permutation_with_ties_equals_a_count_in_whole_numbers(tenths):
    differences = np.array(tenths) / 10
    assert paired_permutation(differences, draws=512) == all_flips(differences)


def test_permutation_p_is_never_0_and_follows_the_seed():
    differences = np.random.default_rng(0).normal(1, 0.1, 300)
    assert paired_permutation(differences, draws=999) == 0.001
    noise = np.random.default_rng(1).normal(0.05, 1, 300)
    assert paired_permutation(noise, seed=3) == paired_permutation(noise, seed=3)
    assert paired_permutation(noise, seed=3) != paired_permutation(noise, seed=4)


def test_permutation_is_near_scipy_and_blind_to_the_sign():
    values = np.random.default_rng(2).gamma(1, 1, 200) - 0.85
    expected = stats.permutation_test(
        (values, np.zeros(200)), lambda a, b, axis: np.mean(a - b, axis=axis),
        vectorized=True, permutation_type="samples", n_resamples=20_000, rng=0,
    ).pvalue  # fmt: skip
    assert paired_permutation(values, draws=20_000) == pytest.approx(expected, abs=0.01)
    assert paired_permutation(-values) == paired_permutation(values)


def test_permutations_of_a_family_equal_those_of_each_pair():
    rows = np.random.default_rng(3).normal(0.05, 1, (4, 150))
    one_by_one = [paired_permutation(row, draws=777) for row in rows]
    assert paired_permutations(rows, draws=777) == pytest.approx(one_by_one, abs=1e-12)


@pytest.mark.parametrize("bad", [[], [0.1, np.nan], [np.inf, 0.0]])
def test_permutation_without_numbers_is_refused(bad):
    with pytest.raises(StatisticsError, match="paired permutation"):
        paired_permutation(np.array(bad))


def test_joint_permutation_of_two_models_equals_the_paired_one():
    rng = np.random.default_rng(4)
    for n_users in (9, 200):
        values = rng.random((2, n_users))
        assert joint_permutation(values, seed=5)[0, 1] == paired_permutation(values[0] - values[1], seed=5)


def test_joint_permutation_equals_max_t_by_hand():
    values = np.round(np.random.default_rng(5).random((3, 8)), 2)
    pairs = [(0, 1), (0, 2), (1, 2)]
    differences = np.array([values[i] - values[j] for i, j in pairs])
    scale = np.sqrt((differences**2).sum(1))
    observed = np.abs(differences.sum(1)) / scale
    signs = np.array(list(itertools.product((1, -1), repeat=8)))
    largest = (np.abs(signs @ differences.T) / scale).max(1)
    expected = [(largest >= value - 1e-9).mean() for value in observed]
    got = joint_permutation(values, draws=256)
    assert [got[pair] for pair in pairs] == pytest.approx(expected, abs=1e-12)
    assert np.isnan(np.diag(got)).all()
    np.testing.assert_array_equal(got, got.T)


def test_joint_permutation_with_seed_noise_is_slower_to_separate():
    users = np.random.default_rng(6).random(400)
    rng = np.random.default_rng(7)
    values = np.stack([users, users + 0.014 + rng.normal(0, 0.05, 400), users + rng.normal(0, 0.05, 400)])
    fixed = joint_permutation(values)
    noisy = joint_permutation(values, seed_variances=np.full(3, 0.01**2), seed_df=np.full(3, 4))
    nearly_fixed = joint_permutation(values, seed_variances=np.zeros(3), seed_df=np.zeros(3))
    assert fixed[0, 1] < 0.01
    assert noisy[0, 1] > 0.2
    assert nearly_fixed[0, 1] == fixed[0, 1]


def test_joint_permutation_of_one_model_or_half_the_seed_arguments_is_refused():
    with pytest.raises(StatisticsError, match="at least 2 models"):
        joint_permutation(np.ones((1, 5)))
    with pytest.raises(StatisticsError, match="needed together"):
        joint_permutation(np.ones((2, 5)), seed_variances=np.zeros(2))


def best_set(values: np.ndarray) -> np.ndarray:
    """Which models (M,) cannot be told from the best, as the board finds them."""
    return ~separated(values, joint_permutation(values))


def test_best_set_keeps_twins_and_drops_the_clearly_worse():
    rng = np.random.default_rng(8)
    users = rng.random(500)
    values = np.stack([users + rng.normal(0, 0.1, 500), users + rng.normal(0, 0.1, 500), users - 0.05])
    assert best_set(values).tolist() == [True, True, False]


def test_best_set_of_identical_models_is_all_of_them():
    assert best_set(np.tile(np.random.default_rng(9).random(50), (3, 1))).all()


@pytest.mark.parametrize("n", [12, 200])
def test_bca_interval_equals_scipy_on_the_same_draws(n):
    values = np.random.default_rng(10).gamma(0.7, 1, n)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=3000, method="BCa", rng=1, vectorized=True)
    skew = intervals.influence_skew(values[None])
    drawn = theirs.bootstrap_distribution[:, None]
    ours = intervals.bca_ends(drawn, np.array([values.mean()]), skew, 0.95)[0]
    assert ours == pytest.approx(list(theirs.confidence_interval), abs=1e-12)


def test_bootstrap_interval_is_near_scipy_with_its_own_draws():
    values = np.random.default_rng(11).gamma(0.7, 1, 300)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, method="BCa", rng=0
    ).confidence_interval
    assert list(interval(values)) == pytest.approx(list(expected), abs=0.006)


def interval(values: np.ndarray, draws: int = 10_000) -> np.ndarray:
    """The interval of the mean of one model's values."""
    return intervals.bootstrap_intervals(values, draws=draws)[0]


def test_bootstrap_intervals_of_several_models_equal_single_ones():
    values = np.random.default_rng(12).gamma(1, 1, (3, 80))
    many = intervals.bootstrap_intervals(values, draws=500)
    for i in range(3):
        assert list(many[i]) == pytest.approx(list(interval(values[i], 500)))


@settings(deadline=None, max_examples=40)
@given(values=arrays(float, st.integers(2, 30), elements=st.floats(0, 1).map(lambda x: round(x, 3))))
def test_bootstrap_interval_is_ordered_and_within_the_data(values):
    low, high = interval(values, draws=200)
    slack = 1e-12
    assert values.min() - slack <= low <= high + slack <= values.max() + 2 * slack


def test_bootstrap_interval_of_one_user_is_refused():
    with pytest.raises(StatisticsError, match="1 values are too few"):
        interval(np.array([0.5]))


def test_ratio_interval_equals_scipy_on_the_root_mean_square():
    rng = np.random.default_rng(13)
    ratings = rng.integers(1, 30, 200)
    errors = np.array([(rng.normal(0, 1 + user % 3, n) ** 2).sum() for user, n in enumerate(ratings)])

    def rmse(top, bottom, axis):
        return np.sqrt(top.sum(axis=axis) / bottom.sum(axis=axis))

    expected = stats.bootstrap(
        (errors, ratings), rmse, paired=True, n_resamples=8000, rng=0
    ).confidence_interval
    got = intervals.bootstrap_ratio_interval(errors, ratings, np.sqrt)
    assert list(got) == pytest.approx(list(expected), abs=0.01)
    assert got.low < np.sqrt(errors.sum() / ratings.sum()) < got.high


def test_ratio_interval_with_equal_counts_is_the_interval_of_the_mean():
    values = np.random.default_rng(14).random(60)
    ratio = intervals.bootstrap_ratio_interval(values, np.ones(60))
    assert list(ratio) == pytest.approx(list(interval(values)))


def test_ratio_interval_with_one_rating_user_is_refused():
    with pytest.raises(StatisticsError, match="one user holds the whole denominator"):
        intervals.bootstrap_ratio_interval(np.array([1.0, 0.0]), np.array([3, 0]))


@pytest.mark.parametrize("root", [False, True])
def test_ratio_values_have_the_ratio_as_mean_and_its_interval(root):
    rng = np.random.default_rng(17)
    ratings = rng.integers(1, 30, 400)
    errors = ratings * rng.gamma(4, 0.25, 400)
    shape = np.sqrt if root else None
    values = ratio_values(errors, ratings, root=root)
    ratio = errors.sum() / ratings.sum()
    assert values.mean() == pytest.approx(ratio**0.5 if root else ratio)
    exact = intervals.bootstrap_ratio_interval(errors, ratings, shape)
    assert list(interval(values)) == pytest.approx(list(exact), abs=0.003)


def test_ratio_values_without_a_denominator_are_refused():
    with pytest.raises(StatisticsError, match="denominators sum to 0"):
        ratio_values(np.zeros(2), np.zeros(2))
    assert ratio_values(np.zeros(2), np.ones(2), root=True).tolist() == [0.0, 0.0]


def test_resampled_interval_of_a_mean_is_the_normal_one():
    values = np.random.default_rng(15).random(400)
    got = intervals.resampled_interval(lambda users: float(values[users].mean()), 400)
    reach = 1.96 * values.std() / 20
    assert list(got) == pytest.approx([values.mean() - reach, values.mean() + reach], abs=0.1 * reach)


def test_effect_by_hand():
    got = effects.effect(np.array([0.6, 0.2, 0.5, 0.1]), np.array([0.4, 0.2, 0.6, 0.0]))
    assert got.difference == pytest.approx(0.05)
    assert (got.better, got.worse) == (0.5, 0.25)


def test_smallest_detectable_difference_is_called_four_times_in_five():
    rng = np.random.default_rng(16)
    size = effects.smallest_detectable(0.3, 400, comparisons=5)
    t, p = stats.ttest_1samp(rng.normal(size, 0.3, (4000, 400)), 0, axis=1)
    assert np.mean((p <= 0.05 / 5) & (t > 0)) == pytest.approx(0.8, abs=0.03)


def test_smallest_detectable_difference_falls_with_users_and_rises_with_seeds():
    one = effects.smallest_detectable(0.3, 100)
    assert effects.smallest_detectable(0.3, 400) == pytest.approx(one / 2)
    assert effects.smallest_detectable(0.3, 100, seed_variance=3 * 0.3**2 / 100) == pytest.approx(2 * one)
    with pytest.raises(StatisticsError, match="0 comparisons"):
        effects.smallest_detectable(0.3, 100, comparisons=0)
