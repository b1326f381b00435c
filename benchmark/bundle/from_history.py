"""Lists from a history: of a new user, or of a known one who has had more since training."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmark.bundle.explaining import explained_history
from benchmark.bundle.format import model_errors
from benchmark.bundle.served import Id, Recommendation
from benchmark.datasets.log import as_compared, dense_id
from benchmark.datasets.tables.frames import Frame, as_arrow, is_column, values_of_column
from benchmark.errors import BundleError, NotOffered
from benchmark.protocol import Ids, Scores

if TYPE_CHECKING:
    from benchmark.bundle.stored_model import StoredModel, Wanted

HistoryLike = Collection[Id] | Mapping[Id, Collection[Id]] | Frame
"""The items of one user, those of several by user, or a frame with a row for each."""


@dataclass(frozen=True)
class Given:
    """A user's history as it was given, the earliest first.

    Attributes:
        items: dense ids of those in the catalogue, (n,).
        asked: how many there were.
    """

    items: Ids
    asked: int

    @property
    def note(self) -> str:
        """What is wrong with it; empty if nothing."""
        unknown = self.asked - len(self.items)
        return f"{unknown} of {self.asked} items of the history are not in the catalogue" if unknown else ""


def histories_by_user(
    history: HistoryLike | None, users: Sequence[Id], column: str | None = None
) -> Mapping[str, list[Id]]:
    """Return the history of each user who has one, by the id as ids are compared.

    Args:
        history: as it was given; rows of a frame are in its order.
        users: who is asked for; one, if the history does not say whose it is.
        column: of a frame, the column with users, where it has one of that name; else "user". The items are
            in "item", or in the only other one.

    Raises:
        BundleError: a history does not say whose it is, or a frame lacks a column.
    """
    if history is None:
        return {}
    if is_column(history):
        history = values_of_column(history)
    if isinstance(history, Frame):
        return _of_frame(history, column or "user")
    if isinstance(history, Mapping):
        return {as_compared(user): list(items) for user, items in history.items()}
    if len(users) != 1:
        raise BundleError(
            f"a history is that of one user (found {len(users)} users); name them: {{user: [items]}}"
        )
    return {as_compared(users[0]): list(history)}


def _of_frame(frame: Frame, user: str) -> dict[str, list[Id]]:
    names = [str(name) for name in as_arrow(frame, None, "history").column_names]
    user = user if user in names else "user"
    others = [name for name in names if name != user]
    item = "item" if "item" in others else others[0] if len(others) == 1 else None
    if user not in names or item is None:
        raise BundleError(
            f"history: has the columns {', '.join(names)}; it must have {user!r} and 'item', a row for "
            "each item of a history"
        )
    table, found = as_arrow(frame, [user, item], "history"), dict[str, list[Id]]()
    for one, had in zip(table.column(user).to_pylist(), table.column(item).to_pylist(), strict=True):
        if one is not None and had is not None:
            found.setdefault(as_compared(one), []).append(had)
    return found


def lists_of(
    bundle: StoredModel, users: Sequence[Id], histories: Mapping[str, list[Id]], wanted: Wanted
) -> list[Recommendation]:
    """Return the list of each user, in their order: of a history where there is one, else as trained.

    Raises:
        BundleError: a list cannot be explained.
    """
    places = [dense_id(bundle.user_places, one) for one in users]
    given = [histories.get(as_compared(one)) for one in users]
    trained = [place for place, own in zip(places, given, strict=True) if place is not None and own is None]
    dense = np.array(list(dict.fromkeys(trained)), dtype=np.int32)
    found = dict(zip(dense.tolist(), bundle.known_lists(dense, wanted), strict=True))
    lists = []
    for user, place, own in zip(users, places, given, strict=True):
        if own is not None:
            lists.append(list_from_history(bundle, user, place, own, wanted))
        else:
            lists.append(bundle.popular(user, wanted) if place is None else found[place])
    return lists


def list_from_history(
    bundle: StoredModel, user: Id | None, dense: int | None, history: Iterable[Id], wanted: Wanted
) -> Recommendation:
    """Return the list of a user with this history, whose items are left out if the run hid seen items.

    Args:
        bundle: the model.
        user: as it was asked for; None for nobody in particular.
        dense: of a user whom the model was trained with: the history is added to what it was trained with.
        history: raw ids, the earliest first.
        wanted: length of the list, and what may be in it.

    Raises:
        BundleError: the list cannot be explained.
        AdapterError: the model misses something that its state does not hold.
    """
    asked = list(history)
    given = Given(bundle.dense_items(asked), len(asked))
    if bundle.files.manifest.seen == "hide":
        wanted = wanted.without(given.items)
    if not hasattr(bundle.model, "fold_in"):
        return _without_fold_in(bundle, user, dense, wanted, given, f"{bundle.name} cannot fold a history in")
    if not len(given.items):
        return _without_fold_in(bundle, user, dense, wanted, given, "no known item in the history")
    whole, note = (given.items, "") if dense is None else _with_training(bundle, dense, given.items)
    repeats = bundle.files.manifest.data.pairs == "repeat" and getattr(bundle.model, "folds_repeats", False)
    folded = whole if repeats else distinct(whole)
    scores = _scores(bundle, folded)
    if dense is not None:
        bundle.hide_seen(scores, np.array([dense], dtype=np.int32))
    (items,) = bundle.ranked(scores, bundle.nobody if dense is None else np.array([dense], np.int32), wanted)
    if wanted.why:
        items = explained_history(bundle, folded, items)
    note = "; ".join(filter(None, [note, given.note, bundle.note_of(items, wanted)]))
    return Recommendation(user if dense is None else bundle.user_ids[dense], "history", items, note)


def _without_fold_in(
    bundle: StoredModel, user: Id | None, dense: int | None, wanted: Wanted, given: Given, why: str
) -> Recommendation:
    """Return what the model, or popularity, recommends to a user whose history cannot be used."""
    if dense is None:
        return bundle.popular(user, wanted, "; ".join(filter(None, [why, given.note])))
    (found,) = bundle.known_lists(np.array([dense], dtype=np.int32), wanted)
    why = f"{why}: the list rests on training alone, without the items of the history"
    return replace(found, note="; ".join(filter(None, [why, given.note, found.note])))


def _with_training(bundle: StoredModel, user: int, newer: Ids) -> tuple[Ids, str]:
    """Return what a user was trained with and what came since, and what a reader must know of it."""
    try:
        with model_errors(bundle.files, "history_of"):
            before: Ids | None = (
                bundle.model.history_of(user) if hasattr(bundle.model, "history_of") else None
            )
    except NotOffered:
        before = None
    if before is None:
        return (
            newer,
            f"{bundle.name} has not kept what it was trained with: the list rests on the given history alone",
        )
    added = len(np.setdiff1d(newer, before))
    said = "1 newer item was" if added == 1 else f"{added} newer items were"
    note = f"{said} added to the {len(before)} that the model read of this user"
    return np.concatenate([before, newer]), note


def _scores(bundle: StoredModel, items: Ids) -> Scores:
    """Return the scores (1, I) of somebody with these items."""
    somebody, first = replace(bundle.cold, users=np.zeros(1, dtype=np.bool_)), np.zeros(1, dtype=np.int32)
    with model_errors(bundle.files, "fold_in"):
        raw = bundle.model.fold_in(items)[None]  # type: ignore[attr-defined]
    return somebody.fill(first, bundle.checked(raw, first, "fold_in()"))


def distinct(items: Ids) -> Ids:
    """Return items without duplicates, in the order given; the last occurrence counts.

    >>> distinct(np.array([4, 7, 4], dtype=np.int32)).tolist()
    [7, 4]
    """
    latest = dict.fromkeys(reversed(items.tolist()))
    return np.array(list(reversed(latest)), dtype=np.int32)
