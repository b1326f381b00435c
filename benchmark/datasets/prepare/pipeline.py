"""From a log to dense arrays: every step counted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.clock import Clock
from benchmark.datasets.log import SIDES, Log, hash_arrays
from benchmark.datasets.manifest import Step, StepCounts
from benchmark.datasets.prepare import steps
from benchmark.datasets.prepare.features import aligned, features
from benchmark.datasets.prepare.knowledge import PreparedGraph, dense_graph, match_graph
from benchmark.datasets.prepare.likes import RowLabels, labels, marked, require_explained
from benchmark.datasets.prepare.table_match import MatchedTable, match_table
from benchmark.datasets.specs import CoreSpec, Pairs, PrepareSpec, Seen, written
from benchmark.datasets.tables.timestamps import whole_times
from benchmark.errors import DataError
from benchmark.protocol import Array, Ids, Interactions
from benchmark.records import Provenance


@dataclass(frozen=True)
class Prepared:
    """A log in dense ids, with the publisher's ids and an account of how it was prepared.

    Attributes:
        provenance: where the log came from; its scale is None if the log has no values.
        interactions: all rows, in the order of the log.
        user_ids: the publisher's id of each user, (U,), ascending.
        item_ids: the publisher's id of each item, (I,), ascending.
        titles: title of each item, its id if it has none; None if no titles are known.
        user_table: what is known of each user, U rows in the order of the ids; None if nothing is.
        item_table: what is known of each item, I rows, the title included; None if nothing is.
        labels: 0, 1, 2 (train, valid, test) of each row, (N,), if the log came in split files.
        steps: what each step left.
        positive: the condition for a positive row; None if every row is positive.
        has_values: whether the log has a value column.
        k_core: fewest rows of a user and an item, if the suite sets any; applied when the log is split.
        negative: the condition for a known dislike; None if the suite names none.
        weight: where the weights come from, as the suite writes it; None without weights.
        reading_notes: what was made of the files that they do not say themselves.
        pairs: whether a user has one row for an item, or comes back to it.
        seen: which items of a user's training rows are left out of the lists.
        tables: how well the tables of users and items fit, and the graph.
        graph: the knowledge graph with the names of its entities; None if there is none.
        sha256: content hash of the arrays and ids.
    """

    provenance: Provenance
    interactions: Interactions
    user_ids: Array
    item_ids: Array
    titles: list[str] | None
    user_table: pd.DataFrame | None
    item_table: pd.DataFrame | None
    labels: NDArray[np.int8] | None
    steps: tuple[StepCounts, ...]
    positive: str | None
    has_values: bool
    k_core: CoreSpec | None = None
    negative: str | None = None
    weight: str | None = None
    reading_notes: tuple[str, ...] = ()
    clock: Clock = field(default_factory=Clock)
    pairs: Pairs = "once"
    seen: Seen = "hide"
    tables: tuple[MatchedTable, ...] = ()
    graph: PreparedGraph | None = None
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
            *unit_to_hash(rows),
            *named_in_the_suite(rows),
        ]
        object.__setattr__(self, "sha256", hash_arrays(named))

    @property
    def name(self) -> str:
        """The data set's name in messages."""
        return self.provenance.dataset


def named_in_the_suite(rows: Interactions) -> list[tuple[str, Array]]:
    """Return the columns that a log has only where its suite names them; other logs keep their hashes."""
    columns: list[tuple[str, Array]] = [("negative", rows.negative), ("weights", rows.weights)]
    return [(name, column) for name, column in columns if len(column)]


def prepare(log: Log, spec: PrepareSpec | None = None) -> Prepared:
    """Return the log in dense ids, 0..U-1 and 0..I-1 in ascending order of the publisher's ids.

    Steps, in this order and each counted: missing values, time window, rows outside the scale, rescaling,
    duplicates, likes and dislikes. Rows keep the order of the log. A k-core is left to the split, which
    alone knows what train is.

    Raises:
        DataError: values are missing or duplicated and the spec does not say what to do; values at or
            below 0, booleans or event types, and it does not say which are likes; a rating is outside the
            scale; a step needs what the log does not have or leaves no row; no row meets a condition; only
            one user or one item is left.
    """
    spec = (spec or PrepareSpec()).or_else(log.defaults)
    frame, counter = log.frame.reset_index(drop=True), StepCounter()
    if frame.empty:
        raise DataError(f"{log.name}: the log is empty; it must contain one row per interaction")
    if "time" in frame:
        times, clock = whole_times(frame["time"], log.clock)
        frame, log = frame.assign(time=times), replace(log, clock=clock)
    counter.count("read", frame)
    frame = steps.without_missing(frame, spec, log.name)
    counter.count("missing values", frame, f"rows with one: {spec.missing}")
    if spec.time:
        frame = steps.within_time(frame, spec.time, log)
        counter.count("time window", frame, f"since {spec.time.since}, until {spec.time.until}")
    frame = marked(frame, spec, log)
    frame = steps.on_scale(frame, spec, log)
    if spec.outside_scale != "refuse":
        counter.count("outside scale", frame, spec.outside_scale)
    as_read, log_as_read = frame, log
    if spec.rescale:
        frame, log = steps.rescaled(frame, spec.rescale, log), log.with_scale(spec.rescale)
        counter.count("rescale", frame, "to {:g} to {:g}".format(*spec.rescale))
    require_explained(as_read, spec, log_as_read)
    if spec.pairs == "repeat":
        log = replace(log, notes=(*log.notes, *steps.repeats(frame)))
        counter.count("duplicate pairs", frame, "pairs: repeat; drops nothing")
    else:
        frame = steps.without_duplicates(frame, spec, log)
        counter.count("duplicate pairs", frame, spec.duplicates)
    left = counter.steps[-1]
    for side, count in zip(SIDES, (left.users, left.items), strict=True):
        if count < 2:
            raise DataError(
                f"{log.name}: there is only one {side} ({frame[side].iloc[0]}); there must be at least two: "
                f"check that the key {side} names the column with the {side}s"
            )
    labelled = labels(frame, spec, log)
    likes = frame if labelled.positive.all() else frame[labelled.positive]
    counter.count("positives", likes, labelled.note)
    return in_dense_ids(log, spec, frame, labelled, tuple(counter.steps))


@dataclass
class StepCounter:
    """Counts what each step left; users and items are counted again only if rows were dropped."""

    steps: list[StepCounts] = field(default_factory=list)

    def count(self, step: Step, frame: pd.DataFrame, note: str = "") -> None:
        """Add the counts of one step."""
        last = self.steps[-1] if self.steps else None
        if last and last.rows == len(frame):  # steps drop rows and never replace them
            counts = replace(last, step=step, note=note)
        else:
            users, items = (int(frame[side].nunique()) for side in SIDES)
            counts = StepCounts(step=step, rows=len(frame), users=users, items=items, note=note)
        self.steps.append(counts)


def in_dense_ids(
    log: Log,
    spec: PrepareSpec,
    frame: pd.DataFrame,
    labelled: RowLabels,
    counts: tuple[StepCounts, ...],
) -> Prepared:
    """Return the rows that are left, users and items numbered in ascending order of their ids."""
    (users, user_ids), (items, item_ids) = (dense_ids(frame[side]) for side in SIDES)
    values, times, labels = (steps.column(frame, name) for name in ("value", "time", "part"))
    log = log.with_scale(None) if values is None else log
    matched = [match_table(log, "item", item_ids), match_table(log, "user", user_ids)]
    graph = dense_graph(log, item_ids)
    matched.append(match_graph(graph, len(item_ids)))
    user_table, item_table = aligned(log, "user", user_ids), aligned(log, "item", item_ids)
    interactions = Interactions(
        users=users,
        items=items,
        values=(np.ones(len(frame)) if values is None else values).astype(np.float32),
        times=np.empty(0, np.int64) if times is None else times.astype(np.int64, copy=False),
        positive=labelled.positive,
        negative=labelled.negative,
        weights=labelled.weights,
        n_users=len(user_ids),
        n_items=len(item_ids),
        scale=log.scale,
        time_unit=log.clock.unit,
        user_features=features(user_table, log.user_roles),
        item_features=features(item_table, log.item_roles),
        graph=graph.triples if graph else None,
    )
    titles = None
    if item_table is not None and "title" in item_table:
        titles = [title or str(one) for title, one in zip(item_table["title"], item_ids, strict=True)]
    return Prepared(
        provenance=log.provenance,
        interactions=interactions,
        user_ids=user_ids,
        item_ids=item_ids,
        titles=titles,
        user_table=user_table,
        item_table=item_table,
        labels=None if labels is None else labels.astype(np.int8),
        steps=counts,
        positive=None if spec.positive is None else written(spec.positive),
        negative=None if spec.negative is None else written(spec.negative),
        weight=log.weight,
        has_values=values is not None,
        k_core=spec.k_core,
        reading_notes=log.notes,
        clock=log.clock,
        pairs=spec.pairs,
        seen=spec.seen,
        tables=tuple(one for one in matched if one is not None),
        graph=graph,
    )


def unit_to_hash(rows: Interactions) -> list[tuple[str, Array]]:
    """Return the unit of the times as a named array; nothing for seconds, which need no word."""
    return [] if rows.time_unit == "s" else [("time_unit", np.array([rows.time_unit]))]


def dense_ids(ids: pd.Series) -> tuple[Ids, Array]:
    """Return dense ids (N,) and the ids that they stand for, ascending: numbers as numbers, text as text."""
    codes, distinct = pd.factorize(ids, sort=True)
    whole = pd.api.types.is_integer_dtype(distinct.dtype)
    return codes.astype(np.int32), np.asarray(distinct, dtype=np.int64 if whole else np.str_)
