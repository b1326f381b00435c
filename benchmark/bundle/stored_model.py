"""A restored model with its catalogue: scores, what may be recommended, the best of it.

Light on purpose: numpy, and the framework that the model itself needs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.bundle.format import Files, model_errors
from benchmark.bundle.served import Id, Item, Recommendation
from benchmark.cold_start import Cold
from benchmark.datasets.log import dense_id
from benchmark.errors import AdapterError, BundleError, MetricError
from benchmark.metrics.topk import Integers, batch_size, entries, top_k
from benchmark.protocol import Array, Ids, Recommender, Scores
from benchmark.score_check import checked_scores

if TYPE_CHECKING:
    from benchmark.datasets.tables.frames import Frame

SHOWN = 5
"""Unknown ids that a message names."""


@dataclass(frozen=True)
class Wanted:
    """What is asked of every list.

    Attributes:
        k: its length.
        allowed: items that may be in it, (I,).
        why: whether each item is explained.
        only: how many items it was restricted to; None if it was not.
        note: what a reader of any list must know of the request; empty if nothing.
    """

    k: int
    allowed: NDArray[np.bool_]
    why: bool = False
    only: int | None = None
    note: str = ""

    def without(self, items: Ids) -> Wanted:
        """Return the same with some items left out."""
        allowed = self.allowed.copy()
        allowed[items] = False
        return replace(self, allowed=allowed)


@dataclass(frozen=True, repr=False)
class StoredModel:
    """A model as a bundle holds it, ready to score.

    Attributes:
        files: its folder and bundle.json.
        model: the restored adapter.
        user_ids: raw ids in the order of dense ids.
        item_ids: likewise.
        titles: of the items; None where there is none.
        seen: index arrays (U + 1,) and (n,) of what is left out of each user's lists.
        popularity: positives of each item in the training data, (I,).
        cold: users and items without a training row, filled in as the run did.
        excluded: items that are not candidates, (I,).
    """

    files: Files
    model: Recommender
    user_ids: Sequence[Id]
    item_ids: Sequence[Id]
    titles: Sequence[str | None]
    seen: tuple[Integers, Integers]
    popularity: Scores
    cold: Cold
    excluded: NDArray[np.bool_]

    @property
    def name(self) -> str:
        """The model's name on the board it was picked from."""
        return self.files.manifest.model

    @cached_property
    def user_places(self) -> Mapping[str, int]:
        """The dense id of each user, by the raw one as text."""
        return {str(user): dense for dense, user in enumerate(self.user_ids)}

    @cached_property
    def item_places(self) -> Mapping[str, int]:
        """The dense id of each item, likewise."""
        return {str(item): dense for dense, item in enumerate(self.item_ids)}

    def knows(self, user: Id) -> bool:
        """Return whether the model was trained with this user."""
        return dense_id(self.user_places, user) is not None

    def dense_items(self, items: Iterable[Id]) -> Ids:
        """Return the dense ids of those items that are in the catalogue, in the order given."""
        places = (dense_id(self.item_places, item) for item in items)
        return np.array([place for place in places if place is not None], dtype=np.int32)

    def unknown_items(self, items: Iterable[Id]) -> list[Id]:
        """Return those items that are not in the catalogue, in the order given."""
        return [item for item in items if dense_id(self.item_places, item) is None]

    def wanted(
        self,
        k: int,
        exclude: Collection[Id],
        only: Collection[Id] | Frame | None = None,
        *,
        why: bool = False,
    ) -> Wanted:
        """Return a checked request: k, what may be recommended, and whether it is explained.

        Raises:
            BundleError: k is below 1, no item of ``only`` is in the catalogue, or the model cannot explain.
        """
        if k < 1:
            raise BundleError(f"k is {k}; it must be 1 or more")
        if why:
            from benchmark.bundle.explaining import require_explain  # not at import, as what follows

            require_explain(self)
        allowed, note = ~self.excluded, ""
        allowed[self.dense_items(exclude)] = False
        if only is None:
            return Wanted(k, allowed, why)
        from benchmark.datasets.tables.frames import Frame, is_column, values_of_column

        if is_column(only):
            only = values_of_column(only)
        if isinstance(only, Frame):
            from benchmark.bundle.list_frame import ids_of_frame

            listed = ids_of_frame(only, None, "item")
        else:
            listed = list(dict.fromkeys(only))
        if unknown := self.unknown_items(listed):
            named = ", ".join(map(str, unknown[:SHOWN])) + (", ..." if len(unknown) > SHOWN else "")
            note = f"{len(unknown)} of {len(listed)} items to choose from are not in the catalogue: {named}"
        among = np.zeros_like(allowed)
        among[self.dense_items(listed)] = True
        if not among.any():
            found = note or "the list of items to choose from is empty"
            raise BundleError(f"nothing can be recommended: {found}; name items as the log named them")
        return Wanted(k, allowed & among, why, len(listed), note)

    def candidates(self, users: Ids) -> Scores:
        """Return the scores (B, I) of dense users (B,), -inf where an item is hidden or not a candidate.

        Raises:
            BundleError, AdapterError: as :meth:`scores`.
        """
        scores = self.scores(users)
        self.hide_seen(scores, users)
        scores[:, self.excluded] = -np.inf
        return scores

    def hide_seen(self, scores: Scores, users: Ids) -> None:
        """Write -inf to the scores (B, I) of what dense users (B,) have seen, as far as the run hid it."""
        rows, columns = entries(*self.seen, users)
        scores[rows, columns] = -np.inf

    def scores(self, users: Ids) -> Scores:
        """Return the model's scores (B, I) of dense users (B,), checked, the cold ones filled in.

        Raises:
            BundleError: the stored state does not fit the catalogue.
            AdapterError: the model misses something that its state does not hold.
        """
        with model_errors(self.files, "score"):
            raw = self.model.score(users)
        return self.cold.fill(users, self.checked(raw, users))

    def checked(self, raw: Array, users: Ids, call: str = "score()") -> Scores:
        """Return a checked copy of what the model returned: one finite number per user and item.

        Raises:
            BundleError: it is something else.
        """
        try:
            return checked_scores(raw, users, len(self.item_ids), self.name, call).copy()
        except (AdapterError, MetricError) as error:
            raise BundleError(
                f"{self.files.path}: the stored state does not fit: {error} Export the bundle again."
            ) from error

    @property
    def nobody(self) -> Ids:
        """A dense id that no user has, for the order among equals."""
        return np.array([len(self.user_ids)], dtype=np.int32)

    def known_lists(self, users: Ids, wanted: Wanted) -> list[Recommendation]:
        """Return the lists of dense users (B,) as the model was trained, in batches.

        Raises:
            BundleError: a list cannot be explained.
        """
        found, size = [], batch_size(len(self.item_ids))
        for first in range(0, len(users), size):
            batch = users[first : first + size]
            lists = self.ranked(self.candidates(batch), batch, wanted)
            for one, items in zip(batch.tolist(), lists, strict=True):
                if wanted.why:
                    from benchmark.bundle.explaining import explained  # not at import: few ask

                    items = explained(self, one, items)  # noqa: PLW2901
                note = self.note_of(items, wanted)
                found.append(Recommendation(self.user_ids[one], "model", items, note))
        return found

    def popular(self, user: Id | None, wanted: Wanted, why: str = "unknown user") -> Recommendation:
        """Return the list of a user of whom the model knows nothing, with the reason as its note."""
        (items,) = self.shown(*self.most_popular(wanted))
        if wanted.why:
            from benchmark.bundle.explaining import without_history

            items = without_history(items)
        note = "; ".join(filter(None, [f"{why}: the most popular items", self.note_of(items, wanted)]))
        return Recommendation(user, "popularity", items, note)

    def most_popular(self, wanted: Wanted) -> tuple[Ids, Scores]:
        """Return the list of a user whom nobody knows (1, k), as :meth:`best` does."""
        return self.best(self.popularity[None].copy(), self.nobody, wanted)

    def best(self, scores: Scores, users: Ids, wanted: Wanted) -> tuple[Ids, Scores]:
        """Return each user's best candidates, dense, -1 past the last one, and their scores: (B, k) each.

        Args:
            scores: (B, I), written to.
            users: (B,) for the order among equals.
            wanted: length of the lists, and what may be in them.
        """
        scores[:, ~wanted.allowed] = -np.inf
        lists = top_k(scores, min(wanted.k, len(self.item_ids)), users, self.files.manifest.tie_seed)
        return lists, np.take_along_axis(scores, lists, axis=1)

    def ranked(self, scores: Scores, users: Ids, wanted: Wanted) -> list[tuple[Item, ...]]:
        """Return each user's list from scores (B, I), written to."""
        return self.shown(*self.best(scores, users, wanted))

    def shown(self, lists: Ids, scores: Scores) -> list[tuple[Item, ...]]:
        """Return lists (B, k) of dense items with their ids and titles."""
        return [
            tuple(
                Item(self.item_ids[item], self.titles[item], score)
                for item, score in zip(items, values, strict=True)
                if item >= 0
            )
            for items, values in zip(lists.tolist(), scores.tolist(), strict=True)
        ]

    def note_of(self, items: Sequence[Item], wanted: Wanted) -> str:
        """Return what a reader of a list must know of what it was chosen from."""
        if items or wanted.only is None:
            return wanted.note
        nothing = f"none of the {wanted.only} items to choose from is left: seen already, or left out"
        return "; ".join(filter(None, [nothing, wanted.note]))
