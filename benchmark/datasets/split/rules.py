"""The split itself: labels turned into parts, and a manifest that says how they came about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from benchmark.datasets.log import PARTS, Part, hash_arrays
from benchmark.datasets.manifest import Candidates, Fold, PartCounts, SplitManifest, SplitNotes
from benchmark.datasets.prepare.features import describe_features
from benchmark.datasets.prepare.knowledge import summary_of_graph
from benchmark.datasets.prepare.pipeline import Prepared, named_in_the_suite, unit_to_hash
from benchmark.datasets.specs import SplitRule, SplitSpec
from benchmark.datasets.split import random, temporal
from benchmark.datasets.split.kcore import k_core, keep
from benchmark.datasets.split.labels import TRAIN, Labels, share_of
from benchmark.errors import SplitError
from benchmark.protocol import Array, Ids, Interactions, Longs

MOST_NEEDED = 1000
"""So many rows let any shares of a user's rows leave one to learn from."""

Rule: TypeAlias = Callable[[Prepared, SplitSpec, int], tuple[Labels, SplitNotes]]


@dataclass(frozen=True)
class Split:
    """Three parts of one log; rows keep its order.

    Attributes:
        train: rows to learn from.
        valid: rows to tune on.
        test: rows to evaluate on, once.
        rows: row numbers of each part in ``prepared.interactions``, ascending.
        manifest: rule, counts, notes and content hash.
        prepared: the log that was split.
        negatives: of each user of test, ascending, (E, n), where the user's own are given; -1 for none.
    """

    train: Interactions
    valid: Interactions
    test: Interactions
    rows: Mapping[Part, Longs]
    manifest: SplitManifest
    prepared: Prepared
    negatives: Ids | None = None

    @property
    def parts(self) -> Mapping[Part, Interactions]:
        """The three parts by name."""
        return {"train": self.train, "valid": self.valid, "test": self.test}


def split(prepared: Prepared, spec: SplitSpec | None = None, fold: int = 0) -> Split:
    """Return train, validation and test; no row is in two, and together they are all rows.

    Only a rolling window leaves rows out: those after its test window. If preparation asks for a k-core,
    it is applied here: to the whole log, or to train alone if the rule goes by time or the parts are
    given; then users and items outside the core leave all parts.

    Args:
        prepared: the log.
        spec: the rule; 10 % of each user's rows at random for test and for validation if not given.
        fold: which of the ``spec.count`` splits, from 0.

    Raises:
        SplitError: the rule needs times or split files that the log does not have, or cannot cut a log whose
            items come again, or a part is empty.
    """
    spec = spec or SplitSpec()
    if not 0 <= fold < spec.count:
        raise SplitError(
            f"{prepared.name}: no fold {fold} in a {spec.by} split of {spec.count}; count from 0"
        )
    if prepared.pairs == "repeat" and (refusal := spec.against_repeats):
        raise SplitError(f"{prepared.name}: {refusal}")
    core, train_only = prepared.k_core, looks_at_train_only(spec)
    if core and not train_only:
        prepared = keep(prepared, k_core(prepared.interactions, core), "whole log, test included")
    labels, notes = RULES[spec.by](prepared, spec, fold)
    if core and train_only:
        kept = k_core(prepared.interactions, core, among=labels == TRAIN)
        prepared, labels = keep(prepared, kept, "counted in train only"), labels[kept]
    refuse_users_too_short(prepared, spec, notes)
    rows: dict[Part, Longs] = {part: np.flatnonzero(labels == label) for label, part in enumerate(PARTS)}
    if empty := [part for part in PARTS if not len(rows[part])]:
        raise SplitError(
            f"{prepared.name}: a {spec.by} split of {len(labels)} rows leaves {' and '.join(empty)} empty; "
            "each part must have a row: choose other shares, another rule, or a longer log"
        )
    parts = {part: prepared.interactions.rows(rows[part]) for part in PARTS}
    manifest = SplitManifest(
        provenance=prepared.provenance,
        hash=content_hash(prepared, parts),
        prepared_sha256=prepared.sha256,
        rule=spec,
        positive=prepared.positive,
        negative=prepared.negative,
        weight=prepared.weight,
        has_values=prepared.has_values,
        n_users=len(prepared.user_ids),
        n_items=len(prepared.item_ids),
        parts={part: count_part(rows) for part, rows in parts.items()},
        prepare=prepared.steps,
        notes=notes,
        features=describe_features(prepared.interactions),
        candidates=Candidates(rule="cold-items" if spec.by == "cold_item" else "all"),
        fold=fold_of(prepared.name, spec, fold),
        reading_notes=prepared.reading_notes,
        time_unit=prepared.clock.unit,
        pairs=prepared.pairs,
        seen=prepared.seen,
        graph=summary_of_graph(prepared.graph, len(prepared.item_ids)),
    )
    train, valid, test = parts.values()
    return Split(train, valid, test, rows, manifest, prepared)


def rows_needed(spec: SplitSpec) -> int | None:
    """Return how many rows a user needs to be in all three parts; None if users are not cut one by one.

    >>> rows_needed(SplitSpec()), rows_needed(SplitSpec(by="leave_n_out", n=2))
    (3, 5)
    """
    if spec.by in {"leave_last_out", "leave_n_out"}:
        return 2 * (spec.n or 1) + 1
    if spec.by == "user_time" or (spec.by == "random" and spec.per == "user"):
        counts = np.arange(1, MOST_NEEDED)
        enough = share_of(counts, spec.test) + share_of(counts, spec.valid) < counts
        return int(counts[enough][0]) if enough.any() else MOST_NEEDED
    return None


def refuse_users_too_short(prepared: Prepared, spec: SplitSpec, notes: SplitNotes) -> None:
    """Check that a rule which cuts the rows of each user could cut those of one.

    Raises:
        SplitError: no user has enough.
    """
    n_users, needed = prepared.interactions.n_users, rows_needed(spec)
    if needed is None or notes.users_wholly_in_train != n_users:
        return
    most = int(np.bincount(prepared.interactions.users).max())
    raise SplitError(
        f"{prepared.name}: 0 of {n_users} users have the {needed} rows that this rule needs, the most is "
        f"{most}; {spec.by} takes validation and test from each user's own rows, and both would be empty: "
        "split the whole log (split: {by: random, per: all}, or {by: global_time}), or bring more rows a user"
    )


def looks_at_train_only(spec: SplitSpec) -> bool:
    """Return whether a k-core is counted in train alone: if the split goes by time or is given.

    >>> looks_at_train_only(SplitSpec()), looks_at_train_only(SplitSpec(by="user_time"))
    (False, True)
    """
    if spec.by == "leave_n_out":
        return spec.order == "time"
    return spec.by in {"leave_last_out", "user_time", "global_time", "rolling_time", "files", "published"}


def by_files(prepared: Prepared, spec: SplitSpec, _: int) -> tuple[Labels, SplitNotes]:
    """Return the parts as they came in files; without one for validation, each user's last row of train."""
    if prepared.labels is None:
        raise SplitError(
            f"{prepared.name}: by: files needs the parts, and this log was read from one source; "
            "give the files' paths in split.files"
        )
    if spec.files and spec.files.valid is None:
        return temporal.last_of_train(prepared, prepared.labels)
    return prepared.labels, SplitNotes()


def leave_n_out(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, SplitNotes]:
    """Return n rows of each user as test and n as validation: the last ones, or drawn at random."""
    rule = temporal.leave_last_out if spec.order == "time" else random.leave_n_out
    return rule(prepared, spec, fold)


RULES: Mapping[SplitRule, Rule] = {
    "random": random.random,
    "leave_last_out": temporal.leave_last_out,
    "leave_n_out": leave_n_out,
    "user_time": temporal.user_time,
    "global_time": temporal.global_time,
    "rolling_time": temporal.rolling_time,
    "k_fold": random.k_fold,
    "cold_user": random.cold_user,
    "cold_item": random.cold_item,
    "files": by_files,
    "published": random.published,
}
"""Every rule by the name that suites give it."""


def fold_of(dataset: str, spec: SplitSpec, fold: int) -> Fold | None:
    """Return which of several splits this is; None if the rule makes one alone."""
    if spec.count == 1:
        return None
    seed = spec.seed + fold if spec.repeats else None
    return Fold(dataset=dataset, number=fold + 1, count=spec.count, seed=seed)


def count_part(rows: Interactions) -> PartCounts:
    """Return what a part contains."""
    return PartCounts(
        rows=len(rows),
        positives=int(rows.positive.sum()),
        users=int(np.count_nonzero(np.bincount(rows.users))),
        items=int(np.count_nonzero(np.bincount(rows.items))),
    )


def content_hash(prepared: Prepared, parts: Mapping[Part, Interactions]) -> str:
    """Return the SHA-256 of the names and arrays of the parts and the ids of users and items."""
    scale = prepared.interactions.scale or ()
    named: list[tuple[str, Array]] = [
        ("user_ids", prepared.user_ids),
        ("item_ids", prepared.item_ids),
        ("scale", np.array(scale, dtype=np.float64)),
    ]
    for part, rows in parts.items():
        columns = ("users", "items", "values", "times", "positive")
        named += [(f"{part}/{column}", getattr(rows, column)) for column in columns]
        named += [(f"{part}/{name}", column) for name, column in named_in_the_suite(rows)]
    named += unit_to_hash(prepared.interactions)
    return hash_arrays(named)
