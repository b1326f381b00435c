"""Lists for the users or items of a frame, as a frame; plain ones are arrays throughout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.bundle.alike import similar_items
from benchmark.bundle.from_history import HistoryLike, histories_by_user, lists_of
from benchmark.bundle.served import Id, Item, Recommendation
from benchmark.datasets.log import dense_id
from benchmark.datasets.tables.frames import Frame, as_arrow, as_kind, kind_of
from benchmark.errors import BundleError
from benchmark.metrics.topk import batch_size
from benchmark.protocol import Ids, Longs, Scores

if TYPE_CHECKING:
    import pyarrow as pa

    from benchmark.bundle.stored_model import StoredModel, Wanted


def recommend_frame(
    bundle: StoredModel, frame: Frame, user: str | None, wanted: Wanted, history: HistoryLike | None
) -> Any:
    """Return a row for each item of each user's list, in a frame of the same library.

    Args:
        bundle: the model.
        frame: with a column of users; each of them gets one list, in the order of their first rows.
        user: the name of that column.
        wanted: length of the lists, what may be in them, and whether they are explained.
        history: what users have had since training, or new users at all.

    Raises:
        BundleError: there is no such column, a row has no user, or the model cannot explain.
    """
    import pyarrow as pa

    column = column_of(frame, user, "user")
    users = entries_of(frame, column)
    ids = users.to_pylist()
    if wanted.why or history is not None:
        lists = lists_of(bundle, ids, histories_by_user(history, ids, column), wanted)
        table, kind = _explained(bundle, column, users, lists, wanted), kind_of(frame)
        return table.to_pandas(integer_object_nulls=True) if kind == "pandas" else as_kind(table, kind)
    known = [dense_id(bundle.user_places, one) for one in ids]
    dense = np.array([-1 if place is None else place for place in known], dtype=np.int32)
    found, scores = _lists(bundle, dense, wanted)
    rows, columns = np.nonzero(found >= 0)
    items = found[rows, columns]
    source = pa.DictionaryArray.from_arrays(
        pa.array((dense[rows] < 0).astype(np.int8)), ["model", "popularity"]
    )
    columns_of_lists: dict[str, pa.Array] = {
        column: users.take(pa.array(rows)),
        "rank": pa.array(columns + 1),
        "item": pa.array(bundle.item_ids).take(pa.array(items)),
        "score": pa.array(scores[rows, columns]),
        "source": source.cast(pa.string()),
    }
    if has_titles(bundle):
        columns_of_lists["title"] = pa.array(bundle.titles, type=pa.string()).take(pa.array(items))
    return as_kind(pa.table(columns_of_lists), kind_of(frame))


def similar_frame(bundle: StoredModel, frame: Frame, item: str | None, wanted: Wanted) -> Any:
    """Return a row for each item that is like each item of a frame, in a frame of the same library.

    Raises:
        BundleError: there is no such column, a row has no item, an item is not in the catalogue, or the model
            does not compare items.
    """
    import pyarrow as pa

    column = column_of(frame, item, "item")
    asked = entries_of(frame, column)
    lists = [one.items for one in similar_items(bundle, asked.to_pylist(), wanted)]
    place, rank = _places([len(items) for items in lists])
    shown = [one for items in lists for one in items]
    table: dict[str, pa.Array] = {column: asked.take(pa.array(place)), "rank": pa.array(rank)}
    table |= _columns(bundle, shown, "similar" if column == "item" else "item")
    return as_kind(pa.table(table), kind_of(frame))


def _explained(
    bundle: StoredModel, column: str, users: pa.Array, lists: Sequence[Recommendation], wanted: Wanted
) -> pa.Table:
    """Return lists as a table; where they are explained, with a row for each contribution and the rest."""
    import pyarrow as pa

    place, rank = _places([len(one.items) for one in lists])
    shown = [item for one in lists for item in one.items]
    sources = [lists[row].source for row in place.tolist()]
    table = pa.table(
        {column: users.take(pa.array(place)), "rank": pa.array(rank), **_columns(bundle, shown, "item")}
        | {"source": pa.array(sources, type=pa.string())}
    )
    if not wanted.why:
        return table
    whys = [item.why for item in shown if item.why is not None]
    row, _ = _places([len(why.contributions) + 1 for why in whys])
    parts: list[tuple[Id | None, str | None, float]] = []
    for why in whys:
        parts += [(one.id, one.title, one.value) for one in why.contributions]
        parts.append((None, None, why.rest))
    table = table.take(pa.array(row)).append_column(
        "history_item", pa.array([part[0] for part in parts], type=pa.array(bundle.item_ids).type)
    )
    if has_titles(bundle):
        table = table.append_column("history_title", pa.array([part[1] for part in parts], type=pa.string()))
    return table.append_column("contribution", pa.array([part[2] for part in parts], type=pa.float64()))


def column_of(frame: Frame, named: str | None, role: str) -> str:
    """Return the column with users, or with items: the one that is named, the role, or the only one.

    Raises:
        BundleError: there is no such column, or nothing says which it is.
    """
    import pyarrow as pa

    polars_or_arrow = getattr(frame, "column_names", None) or getattr(frame, "columns", None)
    names = [
        str(name) for name in (pa.table(frame).column_names if polars_or_arrow is None else polars_or_arrow)
    ]
    if named is None and role not in names and len(names) == 1:
        return names[0]
    if named is None and role not in names:
        call = "recommend" if role == "user" else "similar"
        raise BundleError(
            f"frame: has the columns {', '.join(names)}; say which one has the {role}s, as in "
            f'{call}(frame, {role}="{names[0] if names else role}")'
        )
    return role if named is None else named


def entries_of(frame: Frame, column: str) -> Any:
    """Return the distinct entries of a column, in the order of their first rows, as an array of Arrow.

    Raises:
        BundleError: a row has none.
    """
    entries = as_arrow(frame, [column], "frame").column(column).combine_chunks()
    if entries.null_count:
        first = int(np.asarray(entries.is_null()).argmax())
        raise BundleError(f"frame: row {first + 1} has no {column} ({entries.null_count:,} rows)")
    return entries.unique()


def ids_of_frame(frame: Frame, named: str | None, role: str) -> list[Id]:
    """Return the distinct ids in a frame's column of users or of items.

    Raises:
        BundleError: there is no such column, or a row has no id.
    """
    ids: list[Id] = entries_of(frame, column_of(frame, named, role)).to_pylist()
    return ids


def has_titles(bundle: StoredModel) -> bool:
    """Return whether any item has a title."""
    return any(title is not None for title in bundle.titles)


def _places(lengths: Sequence[int]) -> tuple[Longs, Longs]:
    """Return to which list each row belongs, (N,), and its rank in it, 1 is first."""
    place = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum([0, *lengths])[:-1]
    return place, np.arange(len(place)) - starts[place] + 1


def _columns(bundle: StoredModel, items: Sequence[Item], name: str) -> dict[str, Any]:
    """Return ids, scores, and titles where there are any, of items one after another."""
    import pyarrow as pa

    found = {
        name: pa.array([item.id for item in items], type=pa.array(bundle.item_ids).type),
        "score": pa.array([item.score for item in items], type=pa.float32()),
    }
    if has_titles(bundle):
        found["title"] = pa.array([item.title for item in items], type=pa.string())
    return found


def _lists(bundle: StoredModel, users: Ids, wanted: Wanted) -> tuple[Ids, Scores]:
    """Return lists (U, k) of dense users, -1 past the last item, and their scores; -1 is an unknown user."""
    lists = np.full((len(users), min(wanted.k, len(bundle.item_ids))), -1, dtype=np.int32)
    scores = np.zeros(lists.shape, dtype=np.float32)
    somebody, size = np.flatnonzero(users >= 0), batch_size(len(bundle.item_ids))
    for first in range(0, len(somebody), size):
        rows = somebody[first : first + size]
        lists[rows], scores[rows] = bundle.best(bundle.candidates(users[rows]), users[rows], wanted)
    if len(somebody) < len(users):
        lists[users < 0], scores[users < 0] = bundle.most_popular(wanted)
    return lists, scores
