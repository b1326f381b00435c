"""Sparse matrices as named arrays: what comes back, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random_array

from benchmark.modelkit.sparse_state import pack, pack_histories, unpack, unpack_histories

MATRIX = csr_matrix(random_array((7, 5), density=0.4, rng=0), dtype=np.float32)


def test_matrix_comes_back_from_its_arrays_whatever_else_is_stored():
    state = pack("left", MATRIX) | pack("right", MATRIX.T.tocsr())
    assert (unpack("left", state) != MATRIX).nnz == 0
    assert (unpack("right", state) != MATRIX.T).nnz == 0


def test_histories_come_back_as_ones():
    back = unpack_histories(pack_histories(MATRIX, "history."), 5, "history.")
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back.toarray(), MATRIX.toarray() != 0)


@pytest.mark.parametrize("damage", [5, -6])
def test_column_out_of_bounds_is_refused(damage):
    state = pack("left", MATRIX)
    state["left.columns"] = state["left.columns"] + damage
    with pytest.raises(ValueError, match="indices must be"):
        unpack("left", state)


def test_histories_of_more_items_than_there_are_is_refused():
    with pytest.raises(ValueError, match="indices must be < 3"):
        unpack_histories(pack_histories(MATRIX), 3)
