"""Demšar's worked example (JMLR 7, 2006, tables 2 and 6): AUC of C4.5 and three variants on 14 data sets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmark.errors import StatisticsError
from benchmark.statistics import multi_dataset
from benchmark.statistics.permutation import paired_permutation, wilcoxon, wilcoxon_exact

AUC = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],  # adult
        [0.599, 0.591, 0.590, 0.569],  # breast
        [0.954, 0.971, 0.968, 0.967],  # breast-wis
        [0.628, 0.661, 0.654, 0.657],  # cmc
        [0.882, 0.888, 0.886, 0.898],  # ionosphere
        [0.936, 0.931, 0.916, 0.931],  # iris
        [0.661, 0.668, 0.609, 0.685],  # liver
        [0.583, 0.583, 0.563, 0.625],  # lung
        [0.775, 0.838, 0.866, 0.875],  # lympho
        [1.0, 1.0, 1.0, 1.0],  # mushroom
        [0.940, 0.962, 0.965, 0.962],  # prim-tumor
        [0.619, 0.666, 0.614, 0.669],  # rheum
        [0.972, 0.981, 0.975, 0.975],  # voting
        [0.957, 0.978, 0.946, 0.970],  # wine
    ]
)
DIFFERENCES = AUC[:, 1] - AUC[:, 0]


def test_mean_ranks_of_the_printed_values():
    expected = [3.142857, 2.0, 2.928571, 1.928571]
    assert multi_dataset.mean_ranks(AUC) == pytest.approx(expected, abs=1e-6)
    assert multi_dataset.mean_ranks(-AUC, higher_is_better=False) == pytest.approx(expected, abs=1e-6)


def test_friedman_with_and_without_tie_correction():
    plain, corrected = multi_dataset.friedman(AUC), multi_dataset.friedman(AUC, tie_corrected=True)
    assert (plain.statistic, plain.p) == pytest.approx((9.857143, 0.0198203), abs=1e-6)
    assert (corrected.statistic, corrected.p) == pytest.approx((10.952381, 0.0119862), abs=1e-6)
    assert plain.caution == ""


def test_iman_davenport_of_the_uncorrected_statistic():
    got = multi_dataset.iman_davenport(AUC)
    assert (got.statistic, got.p) == pytest.approx((3.986667, 0.0143524), abs=1e-6)


@pytest.mark.parametrize(("alpha", "expected"), [(0.05, 1.253559), (0.10, 1.118060)])
def test_critical_difference_of_nemenyi(alpha, expected):
    assert multi_dataset.critical_difference(4, 14, alpha=alpha) == pytest.approx(expected, abs=1e-6)


def test_permutation_counts_all_flips_where_they_fit():
    assert paired_permutation(DIFFERENCES, draws=2**14) == 120 / 16384
    assert paired_permutation(DIFFERENCES, draws=2**14 - 1) == pytest.approx(120 / 16384, abs=0.003)


def test_wilcoxon_by_the_normal_approximation():
    got = wilcoxon(DIFFERENCES)
    assert (got.statistic, got.p) == pytest.approx((-2.542448, 0.011008), abs=1e-6)


def test_wilcoxon_odd_zero_is_left_out():
    values = np.array([1.0, 2.0, -3.0, 4.0])
    assert wilcoxon(np.append(values, 0.0)) == wilcoxon(values)


def test_tests_of_nothing_but_zeros_find_nothing():
    assert wilcoxon(np.zeros(4)).p == wilcoxon_exact(np.zeros(4)) == paired_permutation(np.zeros(4)) == 1.0


def test_wilcoxon_exact_equals_scipy_without_ties():
    values = np.random.default_rng(0).normal(0.4, 1, 11)
    assert wilcoxon_exact(values) == pytest.approx(stats.wilcoxon(values, method="exact").pvalue, abs=1e-12)


def test_friedman_equals_scipy_on_random_ties():
    rng = np.random.default_rng(1)
    for _ in range(20):
        scores = rng.integers(0, 4, (9, 5)).astype(float)
        expected = stats.friedmanchisquare(*scores.T)
        got = multi_dataset.friedman(scores, tie_corrected=True)
        assert (got.statistic, got.p) == pytest.approx(tuple(expected), abs=1e-9)
        assert "only 9" in got.caution


def test_rank_tests_refuse_few_families_saying_how_many_are_needed():
    for test in (multi_dataset.friedman, multi_dataset.iman_davenport):
        with pytest.raises(StatisticsError, match="5 independent families and 4 models; at least 6 families"):
            test(AUC[:5])
        with pytest.raises(StatisticsError, match="3 models are needed"):
            test(AUC[:, :2])
    with pytest.raises(StatisticsError, match="at least 6 families"):
        multi_dataset.critical_difference(4, 5)


def test_rank_tests_refuse_missing_scores_and_universal_ties():
    missing = AUC.copy()
    missing[3, 2] = np.nan
    with pytest.raises(StatisticsError, match="1 of 56 values are nan"):
        multi_dataset.friedman(missing)
    with pytest.raises(StatisticsError, match="every family ties all models"):
        multi_dataset.friedman(np.ones((7, 3)), tie_corrected=True)


def test_comparison_over_families_is_refused_where_no_p_could_reach_alpha():
    assert [multi_dataset.families_needed(m) for m in (1, 3, 4, 7)] == [6, 7, 8, 9]
    with pytest.raises(
        StatisticsError, match=r"2 independent families.*smallest p is 0.5; at least 7 are needed"
    ):
        multi_dataset.compare_over_families(AUC[:2], reference=0)
    got = multi_dataset.compare_over_families(AUC[:7], reference=0)
    assert np.isnan(got[0])
    assert (got[1:] > 0).all()


def test_comparison_over_families_is_holm_over_exact_wilcoxon_either_way_up():
    got = multi_dataset.compare_over_families(AUC, reference=0)
    raw = sorted(wilcoxon_exact(AUC[:, m] - AUC[:, 0]) for m in (1, 2, 3))
    assert np.nanmin(got) == pytest.approx(3 * raw[0])
    flipped = multi_dataset.compare_over_families(1 - AUC, reference=0, higher_is_better=False)
    np.testing.assert_allclose(got, flipped)
