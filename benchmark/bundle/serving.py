"""Serving a bundle: lists for known users, for new users by their history, for unknown users by popularity.

Light on purpose: numpy, and the framework that the model itself needs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast, overload

import numpy as np

from benchmark.bundle.format import open_bundle
from benchmark.bundle.served import Id, Recommendation, SimilarItems
from benchmark.bundle.stored_model import StoredModel
from benchmark.datasets.log import dense_id
from benchmark.errors import BundleError
from benchmark.registry import Registry

if TYPE_CHECKING:
    from benchmark.bundle.from_history import HistoryLike
    from benchmark.datasets.tables.frames import Frame

FrameLike = TypeVar("FrameLike", bound="Frame")


@dataclass(frozen=True, repr=False)
class Bundle(StoredModel):
    """A loaded bundle: a stored model with what it answers."""

    def __repr__(self) -> str:
        return f"<Bundle {self.name}: {len(self.user_ids)} users, {len(self.item_ids)} items>"

    def _repr_html_(self) -> str:
        """Return what the model is, on what it was trained and what it was worth, for a notebook."""
        manifest = self.files.manifest
        primary, score = manifest.board.primary, manifest.board.score
        rows = {
            "model": manifest.model,
            "data": f"{manifest.data.dataset}: {len(self.user_ids):,} users, {len(self.item_ids):,} items",
            primary: f"{score.value:.4f} on test, mean of {manifest.board.seeds}",
            "ms for a user": f"{manifest.measured.latency_ms_p50:.2f} (median)",
            "hyperparameters": ", ".join(f"{name}={value}" for name, value in manifest.params.items()),
        }
        cells = "".join(
            f"<tr><th>{escape(name)}</th><td><bdi>{escape(text)}</bdi></td></tr>"
            for name, text in rows.items()
        )
        return f"<table>{cells}</table>"

    @overload
    def recommend(
        self,
        users: FrameLike,
        k: int = 10,
        *,
        user: str | None = None,
        exclude: Collection[Id] = (),
        only: Collection[Id] | Frame | None = None,
        history: HistoryLike | None = None,
        why: bool = False,
    ) -> FrameLike: ...

    @overload
    def recommend(
        self,
        users: Iterable[Id],
        k: int = 10,
        *,
        user: None = None,
        exclude: Collection[Id] = (),
        only: Collection[Id] | Frame | None = None,
        history: HistoryLike | None = None,
        why: bool = False,
    ) -> list[Recommendation]: ...

    def recommend(  # noqa: PLR0913 (keywords, each an option of the command)
        self,
        users: Iterable[Id] | Frame,
        k: int = 10,
        *,
        user: str | None = None,
        exclude: Collection[Id] = (),
        only: Collection[Id] | Frame | None = None,
        history: HistoryLike | None = None,
        why: bool = False,
    ) -> list[Recommendation] | Frame:
        """Return the list of each user, in their order; what the run hid of what they have seen is left out.

        For a frame the lists are a frame of the same library, a row for each item: the user's column, rank
        (1 is best), item, score, source ("model", "history" or "popularity"), and title where there are
        titles. Each user gets one list, however many rows the frame has of them. With ``why`` an item has a
        row for each item of the history that carried its score, in history_item and contribution, and one
        without history_item for the rest.

        Args:
            users: raw ids, as numbers or as text; or a frame with a column of them. An unknown user gets the
                most popular items, or with a history what the model makes of that.
            k: length of the lists; shorter where fewer items are left.
            user: of a frame, the column with the ids: "user", or the only one, if it is not named.
            exclude: raw ids of items to leave out for everybody; unknown ones change nothing.
            only: raw ids of the only items that may be recommended, or a frame with them in the column item;
                :meth:`unknown_items` says which of them are not in the catalogue.
            history: items that users have had since training, or that new users have had, the earliest first:
                of the one user asked for, by user, or a frame with columns user and item. A model that folds
                histories in adds them to what it was trained with; of any other the list says that it could
                not.
            why: explain each item, if the model can.

        Raises:
            BundleError: k is below 1, nothing says which column has the users, no item of ``only`` is in the
                catalogue, or the model cannot explain.
            DataError: a frame has no such column.
        """
        from benchmark.bundle.from_history import histories_by_user, lists_of
        from benchmark.datasets.tables.frames import Frame, is_column, values_of_column  # not at import

        wanted = self.wanted(k, exclude, only, why=why)
        if is_column(users):
            users = values_of_column(users)
        if isinstance(users, Frame):
            from benchmark.bundle.list_frame import recommend_frame

            return cast("Frame", recommend_frame(self, users, user, wanted, history))
        asked = list(users)
        return lists_of(self, asked, histories_by_user(history, asked), wanted)

    def recommend_new(
        self,
        history: Collection[Id],
        k: int = 10,
        *,
        user: Id | None = None,
        exclude: Collection[Id] = (),
        only: Collection[Id] | Frame | None = None,
        why: bool = False,
    ) -> Recommendation:
        """Return the list of a user from a history; its items are left out if the run hid seen items.

        A model that cannot fold a history in is replaced by popularity, and the list says so.

        Args:
            history: raw ids of items, the earliest first; those the bundle does not know are left out and
                counted.
            k: length of the list.
            user: a name for the user; of a known one the history is added to that of training.
            exclude: raw ids of items to leave out.
            only: raw ids of the only items that may be recommended.
            why: explain each item, if the model can.

        Raises:
            BundleError: k is below 1, no item of ``only`` is in the catalogue, or the model cannot explain.
            AdapterError: the model misses something that its state does not hold.
        """
        from benchmark.bundle.from_history import list_from_history

        place = None if user is None else dense_id(self.user_places, user)
        return list_from_history(self, user, place, history, self.wanted(k, exclude, only, why=why))

    @overload
    def similar(  # type: ignore[overload-overlap] # text is one id, though it can be iterated
        self,
        items: Id,
        k: int = 10,
        *,
        item: None = None,
        exclude: Collection[Id] = (),
        only: Collection[Id] | Frame | None = None,
    ) -> SimilarItems: ...

    @overload
    def similar(
        self,
        items: FrameLike,
        k: int = 10,
        *,
        item: str | None = None,
        exclude: Collection[Id] = (),
        only: Collection[Id] | Frame | None = None,
    ) -> FrameLike: ...

    @overload
    def similar(
        self,
        items: Iterable[Id],
        k: int = 10,
        *,
        item: None = None,
        exclude: Collection[Id] = (),
        only: Collection[Id] | Frame | None = None,
    ) -> list[SimilarItems]: ...

    def similar(
        self,
        items: Id | Iterable[Id] | Frame,
        k: int = 10,
        *,
        item: str | None = None,
        exclude: Collection[Id] = (),
        only: Collection[Id] | Frame | None = None,
    ) -> SimilarItems | list[SimilarItems] | Frame:
        """Return the items most like one item, or like each of several.

        By the model's own weights between items where it has them, else by the cosine of its items' vectors.

        Args:
            items: a raw id, several, or a frame with a column of them; then the answer is a frame of the same
                library: that column, rank, similar, score, and title where there are titles.
            k: length of a list at most; only items that are like it at all are in it.
            item: of a frame, the column with the ids: "item", or the only one, if it is not named.
            exclude: raw ids of items to leave out.
            only: raw ids of the only items that may be in a list.

        Raises:
            BundleError: an item is not in the catalogue, or the model has no measure of how alike items are.
        """
        from benchmark.bundle.alike import similar_items
        from benchmark.datasets.tables.frames import Frame, is_column, values_of_column

        wanted = self.wanted(k, exclude, only)
        if is_column(items):
            items = values_of_column(items)
        if isinstance(items, Frame):
            from benchmark.bundle.list_frame import similar_frame

            return cast("Frame", similar_frame(self, items, item, wanted))
        if isinstance(items, str | int | float):
            return similar_items(self, [items], wanted)[0]
        return similar_items(self, items, wanted)


def load(path: str | Path, registry: Registry) -> Bundle:
    """Return a bundle, every file checked by its hash and every array by its shape.

    Args:
        path: the bundle's folder.
        registry: adapters by name; nothing that it does not hold is ever run.

    Raises:
        BundleError: a file is damaged or does not fit the others.
        AdapterError: the registry has no such adapter, or its state does not hold all that it needs.
        MissingLibrary: the model, or the package of others that it comes from, is not installed.
    """
    # Not at import: `import` of this module stays light.
    from benchmark.bundle.restoring import installed, restore
    from benchmark.bundle.users_and_items import read_cold, read_counts, read_ids, read_seen, read_titles

    files = open_bundle(Path(path))
    if faults := files.faults():
        listed = "\n  ".join(f"{name}: {fault}" for name, fault in faults.items())
        raise BundleError(f"{files.path}: is damaged; export the bundle again:\n  {listed}")
    data = files.manifest.data
    user_ids, item_ids = (
        read_ids(files, "users.json", data.n_users),
        read_ids(files, "items.json", data.n_items),
    )
    cold, excluded = read_cold(files, data.n_users, data.n_items)
    bundle = Bundle(
        files,
        restore(installed(registry, files), files),
        user_ids,
        item_ids,
        read_titles(files, data.n_items),
        read_seen(files, data.n_users, data.n_items),
        read_counts(files, "popularity.safetensors", data.n_items),
        cold,
        excluded,
    )
    bundle.scores(np.zeros(min(1, data.n_users), dtype=np.int32))
    return bundle
