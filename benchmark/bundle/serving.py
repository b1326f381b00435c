"""Serving a bundle: lists for known users, for new users by their history, for unknown users by popularity.

Light on purpose: numpy, and the framework that the model itself needs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, cast, overload

import numpy as np
from numpy.typing import NDArray

from benchmark.bundle.format import Files, model_errors, open_bundle
from benchmark.cold_start import Cold
from benchmark.datasets.log import dense_id
from benchmark.errors import AdapterError, BundleError, MetricError
from benchmark.metrics.topk import Integers, batch_size, entries, top_k
from benchmark.protocol import Array, Ids, Recommender, Scores
from benchmark.registry import Registry
from benchmark.score_check import checked_scores

if TYPE_CHECKING:
    from benchmark.datasets.tables.frames import Frame

Id: TypeAlias = int | float | str
FrameLike = TypeVar("FrameLike", bound="Frame")
Source: TypeAlias = Literal["model", "history", "popularity"]


@dataclass(frozen=True)
class Item:
    """One item of a list, with its score."""

    id: Id
    title: str | None
    score: float


@dataclass(frozen=True)
class Recommendation:
    """One user's list.

    Attributes:
        user: the id that was asked for; None for a history without a name.
        source: "model"; "history" where the model folded a new user in; "popularity" where it could not.
        items: best first, at most k.
        note: what a reader of the list must know; empty if nothing.
    """

    user: Id | None
    source: Source
    items: tuple[Item, ...]
    note: str = ""


@dataclass(frozen=True, repr=False)
class Bundle:
    """A loaded bundle.

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

    @property
    def name(self) -> str:
        """The model's name on the board it was picked from."""
        return self.files.manifest.model

    @cached_property
    def user_places(self) -> Mapping[str, int]:
        """The dense id of each user, by the raw one as text."""
        return {str(user): dense for dense, user in enumerate(self.user_ids)}

    @cached_property
    def _items(self) -> Mapping[str, int]:
        return {str(item): dense for dense, item in enumerate(self.item_ids)}

    def knows(self, user: Id) -> bool:
        """Return whether the model was trained with this user."""
        return dense_id(self.user_places, user) is not None

    @overload
    def recommend(
        self, users: FrameLike, k: int = 10, *, user: str | None = None, exclude: Collection[Id] = ()
    ) -> FrameLike: ...

    @overload
    def recommend(
        self, users: Iterable[Id], k: int = 10, *, user: None = None, exclude: Collection[Id] = ()
    ) -> list[Recommendation]: ...

    def recommend(
        self,
        users: Iterable[Id] | Frame,
        k: int = 10,
        *,
        user: str | None = None,
        exclude: Collection[Id] = (),
    ) -> list[Recommendation] | Frame:
        """Return the list of each user, in their order; what the run hid of what they have seen is left out.

        For a frame the lists are a frame of the same library, a row for each item: the user's column, rank
        (1 is best), item, score, source ("model" or "popularity"), and title where there are titles. Each
        user gets one list, however many rows the frame has of them.

        Args:
            users: raw ids, as numbers or as text; or a frame with a column of them. An unknown user gets the
                most popular items.
            k: length of the lists; shorter where fewer items are left.
            user: of a frame, the column with the ids: "user", or the only one, if it is not named.
            exclude: raw ids of items to leave out for everybody; unknown ones change nothing.

        Raises:
            BundleError: k is below 1, or nothing says which column has the users.
            DataError: a frame has no such column.
        """
        from benchmark.datasets.tables.frames import Frame  # not at import, as what follows

        _check_length(k)
        if isinstance(users, Frame):
            from benchmark.bundle.list_frame import recommend_frame

            return cast("Frame", recommend_frame(self, users, user, k, exclude))
        wanted = list(users)
        known = {
            str(user): place for user in wanted if (place := dense_id(self.user_places, user)) is not None
        }
        dense = np.array(list(dict.fromkeys(known.values())), dtype=np.int32)
        size = batch_size(len(self.item_ids))
        found: dict[int, Recommendation] = {}
        for first in range(0, len(dense), size):
            batch = dense[first : first + size]
            scores = self.candidates(batch)
            lists = self._ranked(scores, batch, k, exclude)
            found |= {
                user: Recommendation(self.user_ids[user], "model", items)
                for user, items in zip(batch.tolist(), lists, strict=True)
            }
        return [
            found[known[str(user)]] if str(user) in known else self._popular(user, k, exclude)
            for user in wanted
        ]

    def recommend_new(
        self, history: Collection[Id], k: int = 10, *, user: Id | None = None, exclude: Collection[Id] = ()
    ) -> Recommendation:
        """Return the list of a new user from a history; its items are left out if the run hid seen items.

        A model that cannot fold a history in is replaced by popularity, and the list says so.

        Args:
            history: raw ids of items; those the bundle does not know are left out and counted.
            k: length of the list.
            user: a name for the user.
            exclude: raw ids of items to leave out.

        Raises:
            BundleError: k is below 1, or the user is known, with a history of its own.
            AdapterError: the model misses something that its state does not hold.
        """
        _check_length(k)
        if user is not None and self.knows(user):
            raise BundleError(
                f"user {user} is known and has a history already; leave out the history, it is for new users"
            )
        repeats = self.files.manifest.data.pairs == "repeat" and getattr(self.model, "folds_repeats", False)
        dense = self._dense(history) if repeats else self._distinct(history)
        unknown = sum(dense_id(self._items, item) is None for item in history)
        note = f"{unknown} of {len(history)} items of the history are not in the catalogue" if unknown else ""
        left_out = [*exclude, *history] if self.files.manifest.seen == "hide" else [*exclude]
        fold_in = getattr(self.model, "fold_in", None)
        if fold_in is None or not len(dense):
            why = (
                f"{self.name} cannot fold a history in" if fold_in is None else "no known item in the history"
            )
            return self._popular(user, k, left_out, "; ".join(filter(None, [why, note])))
        somebody, first = replace(self.cold, users=np.zeros(1, dtype=np.bool_)), np.zeros(1, dtype=np.int32)
        with model_errors(self.files, "fold_in"):
            raw = fold_in(dense)[None]
        scores = somebody.fill(first, self._checked(raw, first, "fold_in()"))
        (items,) = self._ranked(scores, self._nobody, k, left_out)
        return Recommendation(user, "history", items, note)

    def candidates(self, users: Ids) -> Scores:
        """Return the scores (B, I) of dense users (B,), -inf where an item is hidden or not a candidate.

        Raises:
            BundleError, AdapterError: as :meth:`scores`.
        """
        scores = self.scores(users)
        rows, columns = entries(*self.seen, users)
        scores[rows, columns] = -np.inf
        scores[:, self.excluded] = -np.inf
        return scores

    def scores(self, users: Ids) -> Scores:
        """Return the model's scores (B, I) of dense users (B,), checked, the cold ones filled in.

        Raises:
            BundleError: the stored state does not fit the catalogue.
            AdapterError: the model misses something that its state does not hold.
        """
        with model_errors(self.files, "score"):
            raw = self.model.score(users)
        return self.cold.fill(users, self._checked(raw, users))

    def _checked(self, raw: Array, users: Ids, call: str = "score()") -> Scores:
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
    def _nobody(self) -> Ids:
        """A dense id that no user has, for the order among equals."""
        return np.array([len(self.user_ids)], dtype=np.int32)

    def _popular(
        self, user: Id | None, k: int, exclude: Collection[Id], why: str = "unknown user"
    ) -> Recommendation:
        lists, scores = self.most_popular(k, exclude)
        (items,) = self._shown(lists, scores)
        return Recommendation(user, "popularity", items, f"{why}: the most popular items")

    def most_popular(self, k: int, exclude: Collection[Id]) -> tuple[Ids, Scores]:
        """Return the list of a user whom nobody knows (1, k), as :meth:`best` does."""
        return self.best(self.popularity[None].copy(), self._nobody, k, exclude)

    def best(self, scores: Scores, users: Ids, k: int, exclude: Collection[Id]) -> tuple[Ids, Scores]:
        """Return each user's best candidates, dense, -1 past the last one, and their scores: (B, k) each.

        Args:
            scores: (B, I), written to.
            users: (B,) for the order among equals.
            k: length of the lists, at most I.
            exclude: raw ids of items to leave out.
        """
        scores[:, self._dense(exclude)] = -np.inf
        scores[:, self.excluded] = -np.inf
        lists = top_k(scores, min(k, len(self.item_ids)), users, self.files.manifest.tie_seed)
        return lists, np.take_along_axis(scores, lists, axis=1)

    def _ranked(self, scores: Scores, users: Ids, k: int, exclude: Collection[Id]) -> list[tuple[Item, ...]]:
        return self._shown(*self.best(scores, users, k, exclude))

    def _shown(self, lists: Ids, scores: Scores) -> list[tuple[Item, ...]]:
        return [
            tuple(
                Item(self.item_ids[item], self.titles[item], score)
                for item, score in zip(items, values, strict=True)
                if item >= 0
            )
            for items, values in zip(lists.tolist(), scores.tolist(), strict=True)
        ]

    def _distinct(self, history: Iterable[Id]) -> Ids:
        """Return the known items without duplicates, in the order given; the last occurrence counts."""
        latest = dict.fromkeys(reversed(self._dense(history).tolist()))
        return np.array(list(reversed(latest)), dtype=np.int32)

    def _dense(self, items: Iterable[Id]) -> Ids:
        places = (dense_id(self._items, item) for item in items)
        return np.array([place for place in places if place is not None], dtype=np.int32)


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


def _check_length(k: int) -> None:
    if k < 1:
        raise BundleError(f"k is {k}; it must be 1 or more")
