"""Seeds as a second source of chance; non-inferiority; folds; Bayesian tests."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmark.errors import StatisticsError
from benchmark.statistics.bayesian import correlated_t, signed_rank
from benchmark.statistics.corrected_t import nadeau_bengio
from benchmark.statistics.intervals import bootstrap_intervals
from benchmark.statistics.noninferiority import noninferiority
from benchmark.statistics.permutation import paired_permutation
from benchmark.statistics.seeds import seed_aware, seed_variance, share_of_first_places


def trained(rng, users, n_seeds, *, shift=0.0, seed_sd=0.006):
    """Several trainings of one model: the users' levels, an effect of each seed, noise."""
    effects = rng.normal(shift, seed_sd, (n_seeds, 1))
    return users + effects + rng.normal(0, 0.1, (n_seeds, len(users)))


def test_verdict_equals_the_formula():
    rng = np.random.default_rng(0)
    a, b = rng.random((5, 40)), rng.random((3, 40))
    per_user = a.mean(0) - b.mean(0)
    parts = [per_user.var(ddof=1) / 40, a.mean(1).var(ddof=1) / 5, b.mean(1).var(ddof=1) / 3]
    df = sum(parts) ** 2 / (parts[0] ** 2 / 39 + parts[1] ** 2 / 4 + parts[2] ** 2 / 2)
    got = seed_aware(a, b)
    assert got.se == pytest.approx(sum(parts) ** 0.5)
    assert got.df == pytest.approx(df)
    assert got.p == pytest.approx(2 * stats.t.sf(abs(per_user.mean()) / got.se, df))
    assert got.high - got.difference == pytest.approx(stats.t.ppf(0.975, df) * got.se)


def test_verdict_between_deterministic_models_is_the_paired_t_test():
    a, b = np.random.default_rng(1).random((2, 1, 50))
    got = seed_aware(a, b, deterministic_a=True, deterministic_b=True)
    expected = stats.ttest_rel(a[0], b[0])
    assert got.p == pytest.approx(expected.pvalue)
    assert (got.low, got.high) == pytest.approx(tuple(expected.confidence_interval()))


def test_verdict_between_trainings_of_one_model_sees_no_difference():
    # Fixed trainings of one configuration whose seeds differ: users alone would tell them apart.
    rng = np.random.default_rng(2)
    users = rng.random(943)
    runs = [
        users + effect + rng.normal(0, 0.05, 943) for effect in (-0.01, -0.006, -0.001, 0.004, 0.008, 0.011)
    ]
    calls = [paired_permutation(runs[i] - runs[j], draws=2000) < 0.05 for i in range(6) for j in range(i)]
    assert sum(calls) >= 5
    assert seed_aware(np.stack(runs[::2]), np.stack(runs[1::2])).p > 0.05


def test_verdict_stochastic_model_with_one_seed_is_refused():
    row = np.random.default_rng(3).random((1, 9))
    with pytest.raises(StatisticsError, match="train it with at least 2"):
        seed_aware(row, row, deterministic_a=True)
    with pytest.raises(StatisticsError, match="declare it stochastic"):
        seed_variance(np.stack([row[0], row[0] + 0.1]), deterministic=True)
    with pytest.raises(StatisticsError, match="9 users against 8"):
        seed_aware(row, row[:, 1:], deterministic_a=True, deterministic_b=True)


def test_verdict_without_any_spread_is_certain_but_p_is_not_0():
    row = np.full((1, 5), 0.5)
    same = seed_aware(row, row, deterministic_a=True, deterministic_b=True)
    other = seed_aware(row + 0.25, row, deterministic_a=True, deterministic_b=True)
    assert (same.p, same.difference) == (1.0, 0.0)
    assert 0.0 < other.p < 1e-300
    assert (other.low, other.high) == (0.25, 0.25)


def test_verdict_power_grows_with_users_and_with_seeds():
    rng = np.random.default_rng(4)
    power = {}
    for n_users, n_seeds in ((50, 3), (500, 3), (500, 10)):
        users = rng.random(n_users)
        p = [
            seed_aware(trained(rng, users, n_seeds, shift=0.01), trained(rng, users, n_seeds)).p
            for _ in range(300)
        ]
        power[n_users, n_seeds] = np.mean(np.array(p) < 0.05)
    assert power[50, 3] + 0.1 < power[500, 3]
    assert power[500, 3] + 0.1 < power[500, 10]


def test_first_places_of_equal_models_are_shared_evenly():
    rng = np.random.default_rng(5)
    users = rng.random(300)
    models = [trained(rng, users, 3) for _ in range(4)]
    got = share_of_first_places(models, draws=4000)
    assert got.share.sum() == pytest.approx(1.0)
    assert got.expected == pytest.approx(np.full(4, 0.25), abs=0.12)
    assert share_of_first_places([users[None]] * 2).share.tolist() == [0.5, 0.5]


def test_first_places_draw_seeds_as_well_as_users():
    users = np.random.default_rng(6).random(400)
    steady, erratic = users[None] + 0.01, np.stack([users, users + 0.012])
    got = share_of_first_places([steady, erratic], draws=4000)
    # B is ahead only when both of its drawn seeds are the better one.
    assert got.share[1] == pytest.approx(0.25, abs=0.03)


def test_first_places_of_other_users_are_refused():
    with pytest.raises(StatisticsError, match="same users"):
        share_of_first_places([np.ones((1, 4)), np.ones((1, 5))])


def test_noninferiority_shows_the_near_and_not_the_far():
    rng = np.random.default_rng(7)
    reference = rng.random((1, 2000))
    models = [reference - 0.001 + rng.normal(0, 0.05, (1, 2000)), reference - 0.1]
    got = noninferiority(reference, models, 0.03)
    assert got.shown.tolist() == [True, False]
    assert got.margin == pytest.approx(0.03 * reference.mean())
    np.testing.assert_array_equal(got.shown, got.bound < got.margin)
    assert (got.bound > got.loss).all()


def test_noninferiority_bound_of_one_model_is_near_the_t_bound():
    rng = np.random.default_rng(8)
    reference = rng.random((1, 1000))
    model = reference - rng.normal(0.01, 0.1, (1, 1000))
    losses = 0.97 * reference[0] - model[0]
    expected = (
        losses.mean() + stats.t.ppf(0.95, 999) * losses.std(ddof=1) / 1000**0.5 + 0.03 * reference.mean()
    )
    assert noninferiority(reference, [model]).bound[0] == pytest.approx(expected, abs=5e-4)


def test_noninferiority_bounds_of_several_models_are_near_bonferronis_bca():
    rng = np.random.default_rng(11)
    reference = rng.random((1, 1500))
    models = [reference - rng.normal(0.005, 0.1, (1, 1500)) for _ in range(3)]
    losses = np.stack([0.97 * reference[0] - model[0] for model in models])
    expected = bootstrap_intervals(losses, level=1 - 2 * 0.05 / 3)[:, 1] + 0.03 * reference.mean()
    assert noninferiority(reference, models).bound == pytest.approx(expected, abs=7e-4)


def test_noninferiority_bound_widens_with_more_models_and_with_seeds():
    rng = np.random.default_rng(9)
    users = rng.random(500)
    reference, models = trained(rng, users, 5), [trained(rng, users, 5) for _ in range(6)]
    alone = noninferiority(reference, models[:1]).bound[0]
    assert noninferiority(reference, models).bound[0] > alone
    assert noninferiority(reference, models[:1], deterministic=(False, False)).bound[0] > alone


def test_noninferiority_bad_arguments_are_refused():
    row = np.random.default_rng(10).random((1, 20))
    with pytest.raises(StatisticsError, match="at least one model"):
        noninferiority(row, [])
    with pytest.raises(StatisticsError, match="the margin is 3"):
        noninferiority(row, [row], 3)
    with pytest.raises(StatisticsError, match="1 values of deterministic for 2 models"):
        noninferiority(row, [row], deterministic=(True,))


# Accuracies of naive Bayes and C4.5 on "sonar" over ten folds, from the baycomp package.
NBC = [94.203, 92.754, 95.652, 91.176, 92.647, 91.176, 92.647, 92.647, 86.765, 91.176]
J48 = [92.754, 92.754, 89.855, 89.706, 95.588, 89.706, 95.588, 94.118, 91.176, 92.647]
FOLDS = np.array(NBC) - np.array(J48)


def test_nadeau_bengio_equals_the_published_values():
    got, naive = nadeau_bengio(-FOLDS, 1 / 9), stats.ttest_1samp(-FOLDS, 0)
    assert (got.statistic, got.p) == pytest.approx((0.2223252, 0.829024), abs=1e-6)
    assert (naive.statistic, naive.pvalue) == pytest.approx((0.3230310, 0.7540506), abs=1e-6)


def test_correlated_t_equals_baycomp():
    plain, rope = correlated_t(FOLDS, 1 / 9), correlated_t(FOLDS, 1 / 9, rope=0.5)
    assert list(plain) == pytest.approx([0.4145119975, 0.0, 0.5854880025], abs=1e-9)
    assert list(rope) == pytest.approx([0.2858446417, 0.2691518717, 0.4450034866], abs=1e-9)


def test_fold_tests_without_spread_or_ratio():
    same = nadeau_bengio(np.zeros(4), 0.5)
    assert (same.statistic, same.p) == (0.0, 1.0)
    assert 0 < nadeau_bengio(np.ones(4), 0.5).p < 1e-300
    assert correlated_t(np.ones(4), 0.5, rope=2.0) == (0.0, 1.0, 0.0)
    with pytest.raises(StatisticsError, match="must be above 0"):
        nadeau_bengio(FOLDS, 0)


def plain_signed_rank(differences, rope, draws, seed):
    """The definition, one draw at a time."""
    rng = np.random.default_rng(seed)
    z = [0.0, *differences]
    won = np.zeros(3)
    for _ in range(draws):
        w = rng.dirichlet([0.5] + [1] * len(differences))
        mass = np.zeros(3)
        for i, zi in enumerate(z):
            for j, zj in enumerate(z):
                mass[0 if zi + zj > 2 * rope else 2 if zi + zj < -2 * rope else 1] += w[i] * w[j]
        won[mass.argmax()] += 1
    return won / draws


def test_signed_rank_equals_its_definition():
    differences = np.array([0.5, -0.2, 0.9, 0.1, 0.05, -0.4, 0.7])
    got = signed_rank(differences, rope=0.1)
    assert sum(got) == pytest.approx(1.0)
    assert list(got) == pytest.approx(plain_signed_rank(differences, 0.1, 4000, 1), abs=0.03)


def test_signed_rank_is_symmetric_and_finds_the_rope():
    differences = np.array([0.5, -0.2, 0.9, 0.1, 0.05])
    there, back = signed_rank(differences), signed_rank(-differences)
    assert (there.a, there.b) == pytest.approx((back.b, back.a))
    assert signed_rank(np.array([0.01, -0.02, 0.015, 0.0]), rope=0.1).rope > 0.95
    with pytest.raises(StatisticsError, match="the rope is -1"):
        signed_rank(differences, rope=-1)
