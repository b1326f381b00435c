"""Lists that no ranker would make are refused, with the user and what is wrong."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from benchmark.errors import MetricError
from benchmark.metrics.list_check import checked_lists
from benchmark.metrics.ranker import Ranker

SEEN = csr_matrix(np.array([[1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 0, 0]], dtype=np.float32))
EXCLUDED = np.array([False, False, False, False, True, False])
RANKER = Ranker(SEEN, EXCLUDED, length=3)
USERS = np.array([2, 0], dtype=np.int32)
SOUND = np.array([[5, 0, -1], [3, 1, 5]], dtype=np.int32)


def test_lists_that_a_ranker_makes_pass():
    generator = np.random.default_rng(0)
    for users in (USERS, np.array([1], dtype=np.int32)):
        lists = RANKER.lists(users, generator.random((len(users), 6), dtype=np.float32))
        assert checked_lists(lists, users, RANKER, "x") is lists


def test_lists_without_length_pass():
    checked_lists(np.empty((2, 0), dtype=np.int32), USERS, Ranker(SEEN, None, length=0), "x")


@pytest.mark.parametrize(
    ("row", "wrong", "message"),
    [
        (1, [3, 1, 6], "user 0 has item 6; items are numbered from 0 to 5"),
        (1, [3, 1, -2], "user 0 has item -2; items"),
        (1, [3, 1, 0], "user 0 has item 0, which is hidden from this user"),
        (0, [5, 2, -1], "user 2 has item 2, which is hidden from this user"),
        (1, [3, 1, 3], "user 0 has item 3, twice"),
        (1, [3, 1, 4], "user 0 has item 4, which is no candidate"),
        (1, [3, -1, 1], "user 0 has item 1, behind a -1"),
        (1, [3, 1, -1], "the list of user 0 has 2 items; it must have 3, as many as there are candidates"),
        (0, [5, -1, -1], "the list of user 2 has 1 items; it must have 2"),
    ],
)
def test_list_that_is_wrong_is_refused(row, wrong, message):
    lists = SOUND.copy()
    assert checked_lists(lists, USERS, RANKER, "x") is lists
    lists[row] = wrong
    with pytest.raises(MetricError, match=f"100%/model: .*{message}"):
        checked_lists(lists, USERS, RANKER, "100%/model")


@pytest.mark.parametrize("lists", [SOUND[:, :2], SOUND[:1], SOUND.astype(np.int64)])
def test_lists_of_another_shape_or_type_are_refused(lists):
    with pytest.raises(MetricError, match=r"expected \(2, 3\) and int32"):
        checked_lists(lists, USERS, RANKER, "x")
