"""Corrections for many tests at once. A nan (no test was made) stays nan and is not counted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmark.protocol import Values


def holm(p: Values) -> Values:
    """Return p-values adjusted to hold the family-wise error, shape (m,).

    Step down: the i-th smallest times m - i + 1, and never below a smaller one. Holm 1979.

    >>> holm(np.array([0.01, 0.04, 0.03, 0.005])).round(4).tolist()
    [0.03, 0.06, 0.06, 0.02]
    """
    return _stepped(p, lambda ranked, m: np.maximum.accumulate(ranked * np.arange(m, 0, -1)))


def hochberg(p: Values) -> Values:
    """Return p-values adjusted to hold the family-wise error of independent tests, shape (m,).

    Step up: the i-th smallest times m - i + 1, and never above a larger one. Hochberg 1988.

    >>> hochberg(np.array([0.03, 0.04])).tolist()
    [0.04, 0.04]
    """
    return _stepped(p, lambda ranked, m: _falling(ranked * np.arange(m, 0, -1)))


def benjamini_hochberg(p: Values) -> Values:
    """Return p-values adjusted to hold the false discovery rate, shape (m,).

    Step up: the i-th smallest times m / i, and never above a larger one. Benjamini & Hochberg 1995.

    >>> benjamini_hochberg(np.array([0.03, 0.04])).tolist()
    [0.04, 0.04]
    """
    return _stepped(p, lambda ranked, m: _falling(ranked * m / np.arange(1, m + 1)))


def _falling(values: Values) -> Values:
    return np.minimum.accumulate(values[::-1])[::-1]


def _stepped(p: Values, adjust: Callable[[Values, int], Values]) -> Values:
    adjusted = np.array(p, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(adjusted))
    order = tested[np.argsort(adjusted[tested], kind="stable")]
    adjusted[order] = np.minimum(adjust(adjusted[order], len(order)), 1.0)
    return adjusted
