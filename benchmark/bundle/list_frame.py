"""Lists for the users of a frame, as a frame: arrays throughout, no object for a row."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.datasets.log import dense_id
from benchmark.datasets.tables.frames import Frame, as_arrow, as_kind, kind_of
from benchmark.errors import BundleError
from benchmark.metrics.topk import batch_size

if TYPE_CHECKING:
    import pyarrow as pa

    from benchmark.bundle.serving import Bundle, Id

USER = "user"
"""The column of users where none is named."""


def recommend_frame(bundle: Bundle, frame: Frame, user: str | None, k: int, exclude: Collection[Id]) -> Any:
    """Return a row for each item of each user's list, in a frame of the same library.

    Args:
        bundle: the model.
        frame: with a column of users; each of them gets one list, in the order of their first rows.
        user: the name of that column.
        k: length of the lists.
        exclude: raw ids of items to leave out for everybody.

    Raises:
        BundleError: there is no such column, or a row has no user.
    """
    import pyarrow as pa

    column = user_column(frame, user)
    users = as_arrow(frame, [column], "frame").column(column).combine_chunks()
    if users.null_count:
        first = int(np.asarray(users.is_null()).argmax())
        raise BundleError(f"frame: row {first + 1} has no {column} ({users.null_count:,} rows)")
    users = users.unique()
    known = [dense_id(bundle.user_places, one) for one in users.to_pylist()]
    dense = np.array([-1 if place is None else place for place in known], dtype=np.int32)
    lists, scores = _lists(bundle, dense, k, exclude)
    rows, columns = np.nonzero(lists >= 0)
    items = lists[rows, columns]
    source = pa.DictionaryArray.from_arrays(
        pa.array((dense[rows] < 0).astype(np.int8)), ["model", "popularity"]
    )
    table: dict[str, pa.Array] = {
        column: users.take(pa.array(rows)),
        "rank": pa.array(columns + 1),
        "item": pa.array(bundle.item_ids).take(pa.array(items)),
        "score": pa.array(scores[rows, columns]),
        "source": source.cast(pa.string()),
    }
    if any(title is not None for title in bundle.titles):
        table["title"] = pa.array(bundle.titles, type=pa.string()).take(pa.array(items))
    return as_kind(pa.table(table), kind_of(frame))


def user_column(frame: Frame, user: str | None) -> str:
    """Return the name of the column of users: the one that is named, "user", or the only one.

    Raises:
        BundleError: there is no such column, or nothing says which it is.
    """
    import pyarrow as pa

    polars_or_arrow = getattr(frame, "column_names", None) or getattr(frame, "columns", None)
    names = [
        str(name) for name in (pa.table(frame).column_names if polars_or_arrow is None else polars_or_arrow)
    ]
    if user is None and USER not in names and len(names) == 1:
        return names[0]
    if user is None and USER not in names:
        raise BundleError(
            f"frame: has the columns {', '.join(names)}; say which one has the users, as in "
            f'recommend(frame, user="{names[0] if names else USER}")'
        )
    return USER if user is None else user


def _lists(bundle: Bundle, users: Any, k: int, exclude: Collection[Id]) -> tuple[Any, Any]:
    """Return lists (U, k) of dense users, -1 past the last item, and their scores; -1 is an unknown user."""
    lists = np.full((len(users), min(k, len(bundle.item_ids))), -1, dtype=np.int32)
    scores = np.zeros(lists.shape, dtype=np.float32)
    somebody, size = np.flatnonzero(users >= 0), batch_size(len(bundle.item_ids))
    for first in range(0, len(somebody), size):
        rows = somebody[first : first + size]
        lists[rows], scores[rows] = bundle.best(bundle.candidates(users[rows]), users[rows], k, exclude)
    if len(somebody) < len(users):
        lists[users < 0], scores[users < 0] = bundle.most_popular(k, exclude)
    return lists, scores
