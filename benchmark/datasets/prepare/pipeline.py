"""From a log to dense arrays: every step counted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.log import Log, hash_arrays
from benchmark.datasets.prepare import steps
from benchmark.datasets.prepare.features import aligned, features
from benchmark.datasets.specs import CoreSpec, PrepareSpec
from benchmark.errors import DataError
from benchmark.protocol import Array, Interactions

Count: TypeAlias = dict[str, int | str]


@dataclass(frozen=True)
class Prepared:
    """A log in dense ids, with the way back and the story of how it came about.

    Attributes:
        name: name of the log.
        interactions: all rows, in the order of the log.
        user_ids: the publisher's id of each user, (U,), ascending.
        item_ids: the publisher's id of each item, (I,), ascending.
        titles: title of each item, its id where it has none; None if no titles are known.
        user_table: what is known of each user, U rows in the order of the ids; None if nothing is.
        item_table: what is known of each item, I rows, the title included; None if nothing is.
        parts: 0, 1, 2 (train, valid, test) of each row, (N,), where the log came in split files.
        counts: one entry a step: step, rows, users, items, note.
        positive: the condition for a like; None if every row is one.
        has_values: whether the log has a value column.
        scale: lowest and highest rating allowed; None where values are no ratings.
        licence: terms of use in a few words.
        acknowledged: when the licence was shown to the user.
        origin: path or address it came from, or "generated".
        synthetic: whether it was generated.
        source_sha256: content hash of what was read.
        k_core: least numbers of rows that users and items need, where asked for: cut with the split.
        sha256: content hash of the arrays and ids.
    """

    name: str
    interactions: Interactions
    user_ids: Array
    item_ids: Array
    titles: list[str] | None
    user_table: pd.DataFrame | None
    item_table: pd.DataFrame | None
    parts: NDArray[np.int8] | None
    counts: list[Count]
    positive: str | None
    has_values: bool
    scale: tuple[float, float] | None
    licence: str
    acknowledged: str
    origin: str
    synthetic: bool
    source_sha256: str
    k_core: CoreSpec | None = None
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        """Hash the content."""
        rows = self.interactions
        named: list[tuple[str, Array]] = [
            ("users", rows.users),
            ("items", rows.items),
            ("values", rows.values),  # noqa: PD011 (our own column, no DataFrame)
            ("times", rows.times),
            ("positive", rows.positive),
            ("scale", np.array(rows.scale or (), dtype=np.float64)),
            ("user_ids", self.user_ids),
            ("item_ids", self.item_ids),
        ]
        object.__setattr__(self, "sha256", hash_arrays(named))


def prepare(log: Log, spec: PrepareSpec | None = None) -> Prepared:
    """Return the log in dense ids, 0..U-1 and 0..I-1 in ascending order of the publisher's ids.

    Steps, in this order and each counted: missing values, time window, rows outside the scale, rescaling,
    duplicates, likes. Rows keep the order of the log. A k-core is left to the split, which alone knows
    what train is.

    Raises:
        DataError: values are missing or doubled and the spec does not say what to do; a rating is
            outside the scale; a step needs what the log does not have or leaves no row; the condition for
            a like fits no row; one user or one item is left.
    """
    spec = spec or PrepareSpec()
    frame, story = log.frame.reset_index(drop=True), _Story()
    if frame.empty:
        raise DataError(f"{log.name}: the log is empty; it must hold one row per interaction")
    story.add("read", frame)
    frame = steps.without_missing(frame, spec, log.name)
    story.add("missing values", frame, f"rows with one: {spec.missing}")
    frame, log = _adjusted(frame, log, spec, story)
    frame = steps.without_duplicates(frame, spec, log)
    story.add("duplicate pairs", frame, spec.duplicates)
    for side in ("user", "item"):
        _check_variety(frame, side, story.counts[-1], log.name)
    positive = steps.likes(frame, spec.positive, log.name)
    liked = frame if positive.all() else frame[positive]
    story.add("likes", liked, f"positive: {spec.positive or 'every row'}; drops nothing")
    return _coded(log, spec, frame, positive, story.counts)


def _adjusted(frame: pd.DataFrame, log: Log, spec: PrepareSpec, story: _Story) -> tuple[pd.DataFrame, Log]:
    """Return the rows in the time window with values on the scale asked for, and the log with that scale."""
    if spec.time:
        frame = steps.within_time(frame, spec.time, log.name)
        story.add("time window", frame, f"since {spec.time.since}, until {spec.time.until}")
    frame = steps.on_scale(frame, spec, log)
    if spec.outside_scale != "refuse":
        story.add("outside scale", frame, spec.outside_scale)
    if spec.rescale:
        frame, log = steps.rescaled(frame, spec.rescale, log), replace(log, scale=spec.rescale)
        story.add("rescale", frame, "to {:g} to {:g}".format(*spec.rescale))
    return frame, log


@dataclass
class _Story:
    """What each step left; rows are counted again only where their number changed."""

    counts: list[Count] = field(default_factory=list)

    def add(self, step: str, frame: pd.DataFrame, note: str = "") -> None:
        """Write one step down."""
        last = self.counts[-1] if self.counts else None
        if last and last["rows"] == len(frame):  # steps drop rows and never replace them
            entry = {**last, "step": step, "note": note}
        else:
            users, items = (int(frame[side].nunique()) for side in ("user", "item"))
            entry = {"step": step, "rows": len(frame), "users": users, "items": items, "note": note}
        self.counts.append(entry)


def _check_variety(frame: pd.DataFrame, side: str, count: Count, name: str) -> None:
    if cast("int", count[f"{side}s"]) < 2:
        raise DataError(
            f"{name}: there is one {side} only ({frame[side].iloc[0]}); there must be at least two: "
            f"check that the key {side} names the column with the {side}s"
        )


def _coded(
    log: Log, spec: PrepareSpec, frame: pd.DataFrame, positive: NDArray[np.bool_], counts: list[Count]
) -> Prepared:
    users, user_ids = _codes(frame["user"])
    items, item_ids = _codes(frame["item"])
    has_values = "value" in frame
    about_users, about_items = aligned(log, "user", user_ids), aligned(log, "item", item_ids)
    interactions = Interactions(
        users=users,
        items=items,
        values=(frame["value"].to_numpy() if has_values else np.ones(len(frame))).astype(np.float32),
        times=np.floor(frame["time"].to_numpy()).astype(np.int64)
        if "time" in frame
        else np.empty(0, np.int64),
        positive=positive,
        n_users=len(user_ids),
        n_items=len(item_ids),
        scale=log.scale if has_values else None,
        user_features=features(about_users, log.user_roles),
        item_features=features(about_items, log.item_roles),
    )
    return Prepared(
        name=log.name,
        interactions=interactions,
        user_ids=user_ids,
        item_ids=item_ids,
        titles=_titles(about_items, item_ids),
        user_table=about_users,
        item_table=about_items,
        parts=frame["part"].to_numpy().astype(np.int8) if "part" in frame else None,
        counts=counts,
        positive=spec.positive,
        has_values=has_values,
        scale=interactions.scale,
        licence=log.licence,
        acknowledged=log.acknowledged,
        origin=log.origin,
        synthetic=log.synthetic,
        source_sha256=log.sha256,
        k_core=spec.k_core,
    )


def _codes(ids: pd.Series) -> tuple[NDArray[np.int32], Array]:
    """Return dense codes (N,) and the ids they stand for, ascending: numbers as numbers, text as text."""
    codes, distinct = pd.factorize(ids, sort=True)
    whole = pd.api.types.is_integer_dtype(distinct.dtype)
    return codes.astype(np.int32), np.asarray(distinct, dtype=np.int64 if whole else np.str_)


def _titles(about_items: pd.DataFrame | None, item_ids: Array) -> list[str] | None:
    """Return the title of each item, its id where it has none; None if no titles are known."""
    if about_items is None or "title" not in about_items:
        return None
    return [title or str(one) for title, one in zip(about_items["title"], item_ids, strict=True)]
