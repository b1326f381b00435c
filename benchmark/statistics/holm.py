"""Holm's correction for many tests at once."""

from __future__ import annotations

import numpy as np

from benchmark.protocol import Values


def holm(p: Values) -> Values:
    """Return p-values adjusted to hold the family-wise error, shape (m,); nan, no test made, stays nan.

    Step down: the i-th smallest times m - i + 1, and never below a smaller one. Holm 1979.

    >>> holm(np.array([0.01, 0.04, 0.03, 0.005])).round(4).tolist()
    [0.03, 0.06, 0.06, 0.02]
    """
    adjusted = np.array(p, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(adjusted))
    order = tested[np.argsort(adjusted[tested], kind="stable")]
    stepped = np.maximum.accumulate(adjusted[order] * np.arange(len(order), 0, -1))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
