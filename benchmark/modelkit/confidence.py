"""Confidences of rows, relative to their mean, for models that use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.protocol import Floats32, Interactions

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def relative_weights(train: Interactions) -> Floats32:
    """Return the confidence of each row relative to their mean, (N,); ones where there are none.

    So learning rates and penalties mean the same whatever unit the weights are in, and weights that are all
    alike change nothing.

    >>> train = Interactions(
    ...     users=np.array([0, 0], dtype=np.int32), items=np.array([1, 2], dtype=np.int32),
    ...     values=np.ones(2, dtype=np.float32), times=np.zeros(2, dtype=np.int64),
    ...     positive=np.ones(2, dtype=np.bool_), n_users=1, n_items=3,
    ...     weights=np.array([1, 3], dtype=np.float32))
    >>> relative_weights(train).tolist(), confidences(train).toarray().tolist()
    ([0.5, 1.5], [[0.0, 0.5, 1.5]])
    """
    if not len(train.weights):
        return np.ones(len(train), dtype=np.float32)
    relative: Floats32 = (train.weights / train.weights.mean(dtype=np.float64)).astype(np.float32)
    return relative


def confidences(train: Interactions) -> csr_matrix:
    """Return the (U, I) float32 matrix of relative weights; those of a pair with several rows add up.

    It has its entries where the log's ``matrix()`` has them, in the same order.
    """
    from scipy.sparse import csr_matrix

    shape = (train.n_users, train.n_items)
    weights = csr_matrix((relative_weights(train), (train.users, train.items)), shape=shape)
    weights.sum_duplicates()
    return weights
