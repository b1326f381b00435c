"""Bayesian comparisons with a region of practical equivalence (rope)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from benchmark.errors import StatisticsError
from benchmark.protocol import Values
from benchmark.statistics.corrected_t import corrected_variance
from benchmark.statistics.resample import finite

_BLOCK = 4096  # drawn weights in a block


class Posterior(NamedTuple):
    """Probabilities that A is better, that both are practically equal, that B is better."""

    a: float
    rope: float
    b: float


def correlated_t(differences: Values, test_train_ratio: float, *, rope: float = 0.0) -> Posterior:
    """Return the posterior of the mean of differences a - b (F,) over folds of one data set.

    A Student t with F - 1 degrees of freedom and the variance of Nadeau & Bengio. Corani & Benavoli
    2015, equation 9; Benavoli et al. 2017, section 4.

    Args:
        differences: one per fold or split.
        test_train_ratio: rows of test / rows of train: 1 / (k - 1) for k folds.
        rope: half width of the region; 0 for none.

    >>> correlated_t(np.array([-1.0, 0.0, 1.0]), 0.5).a
    0.5
    """
    values = _checked("correlated t", differences, rope)
    scale = np.sqrt(corrected_variance(values, test_train_ratio))
    mean = float(values.mean())
    if scale == 0.0:
        return Posterior(float(mean > rope), float(abs(mean) <= rope), float(mean < -rope))
    above = float(stats.t.sf(rope, len(values) - 1, loc=mean, scale=scale))
    below = float(stats.t.cdf(-rope, len(values) - 1, loc=mean, scale=scale))
    return Posterior(above, max(1.0 - above - below, 0.0), below)


def signed_rank(
    differences: Values, *, rope: float = 0.0, prior: float = 0.5, draws: int = 50_000, seed: int = 0
) -> Posterior:
    """Return the posterior of the Bayesian signed-rank test of differences a - b (N,) over data sets.

    Data sets get Dirichlet weights, with a pseudo data set of difference 0 and weight ``prior``; a draw
    counts for the region that has most of the weight of the sums of all pairs. Benavoli et al. 2014;
    2017, section 4.2.

    Args:
        differences: one per independent family of data.
        rope: half width of the region; with 0 a draw counts for a or b, or half for each.
        prior: strength of the pseudo data set.
        draws: how many.
        seed: of the draws.

    >>> signed_rank(np.array([2.0, 3.0, 2.0, 4.0, 3.0]), rope=0.1).a > 0.95
    True
    """
    values = np.concatenate([[0.0], _checked("Bayesian signed rank", differences, rope)])
    # The region of the sum of every pair of data sets.
    sums = values[:, None] + values[None, :]
    above, below = (sums > 2 * rope).astype(np.float64), (sums < -2 * rope).astype(np.float64)
    rng = np.random.default_rng(seed)
    won = np.zeros(3)
    for start in range(0, draws, _BLOCK):
        weights = rng.dirichlet([prior, *np.ones(len(values) - 1)], min(_BLOCK, draws - start))
        # The weight of each region, and the one with the most; those that tie share the draw.
        a, b = (((weights @ region) * weights).sum(axis=1) for region in (above, below))
        equal = np.zeros_like(a) if rope == 0.0 else 1.0 - a - b
        mass = np.stack([a, equal, b])
        most = mass >= mass.max(axis=0) - 1e-12
        won += (most / most.sum(axis=0)).sum(axis=1)
    return Posterior(*(won / draws).tolist())


def _checked(what: str, differences: Values, rope: float) -> Values:
    if rope < 0:
        raise StatisticsError(f"{what}: the rope is {rope}; it must be 0 or more.")
    return finite(what, differences)
