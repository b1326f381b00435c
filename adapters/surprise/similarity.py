"""Similarities of columns that are all zero on what they share, where the library divides by zero.

``surprise.similarities`` 1.1.5 raises ZeroDivisionError in ``cosine`` for a pair whose common ratings are
all 0, and in ``pearson_baseline`` for one whose common ratings are exactly the baseline, as constant
ratings are. Such a vector has no direction, so it is near nobody: its similarities are 0. Everywhere else the
sums are the library's, in its order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.protocol import Values


def similarities(model: Any, library: Any) -> Values:
    """Return what the library would, (X, X), and 0 where it would divide by 0.

    Args:
        model: a neighbourhood model of Surprise with its training set.
        library: computes the similarities as the library does.
    """
    name = model.sim_options["name"]
    data = model.trainset
    if name not in {"cosine", "pearson_baseline"}:
        return np.asarray(library())
    by_user = model.sim_options["user_based"]
    rated = data.ir if by_user else data.ur
    n_x = data.n_users if by_user else data.n_items
    baselines = np.zeros(n_x), np.zeros(data.n_items if by_user else data.n_users)
    mean = 0.0
    if name == "pearson_baseline":
        users, items = model.compute_baselines()
        baselines, mean = ((users, items) if by_user else (items, users)), data.global_mean
    columns = []
    for y, ratings in rated.items():
        raters = np.array([x for x, _ in ratings], dtype=np.intp)
        values = np.array([value for _, value in ratings], dtype=np.float64)
        columns.append((raters, values - ((mean + baselines[1][y]) + baselines[0][raters])))
    if all(deviations.all() for _, deviations in columns):
        return np.asarray(library())
    shared = np.zeros((n_x, n_x), dtype=np.intp)
    products, squares = np.zeros((n_x, n_x)), np.zeros((n_x, n_x))
    for raters, deviations in columns:
        pairs = np.ix_(raters, raters)
        shared[pairs] += 1
        products[pairs] += np.outer(deviations, deviations)
        squares[pairs] += (deviations**2)[:, None]  # of the row's vector, on what both have
    length = np.sqrt(squares * squares.T)
    found = np.divide(products, length, out=np.zeros((n_x, n_x)), where=length > 0)
    least = model.sim_options["min_support"]
    if name == "pearson_baseline":
        least = max(2, least)
        enough = shared >= least
        others = shared - 1.0
        found *= np.divide(
            others, others + model.sim_options["shrinkage"], out=np.zeros_like(found), where=enough
        )
    found[shared < least] = 0.0
    np.fill_diagonal(found, 1.0)
    return found
