"""Micro averages, such as RMSE, as one value per user: for tests and intervals that need such values."""

from __future__ import annotations

import numpy as np

from benchmark.errors import StatisticsError
from benchmark.protocol import Values
from benchmark.statistics.resample import finite


def ratio_values(numerators: Values, denominators: Values, *, root: bool = False) -> Values:
    """Return one value per user, (U,), whose mean is sum(numerators) / sum(denominators), or its root.

    The ratio plus each user's influence on it, so tests and intervals of the mean hold for the ratio to
    first order (the delta method: Cochran 1977, section 2.11). Differences of two models' values are the
    paired differences of their RMSE. Negate them where higher must be better.

    Args:
        numerators: (U,) such as each user's sum of squared errors.
        denominators: (U,) such as each user's number of ratings.
        root: take the square root of the ratio, as in RMSE.

    Raises:
        StatisticsError: nothing in the denominator, or a nan.

    >>> ratio_values(np.array([4.0, 4.0]), np.array([1, 3]), root=True).round(4).tolist()
    [1.7678, 1.0607]
    """
    top, bottom = finite("ratio", np.stack([numerators, denominators]), 1)
    if bottom.sum() <= 0:
        raise StatisticsError("ratio: the denominators sum to 0; at least one user must have one.")
    ratio = float(top.sum() / bottom.sum())
    influence: Values = (top - ratio * bottom) / bottom.mean()
    if not root:
        return ratio + influence
    level = np.sqrt(ratio)
    slope = 0.5 / level if ratio else 1.0  # of the square root; where nobody errs, influences are 0
    return np.asarray(level + slope * influence)
