"""The split itself: labels into parts, and a manifest that says how they came about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.log import hash_arrays
from benchmark.datasets.prepare.pipeline import Prepared
from benchmark.datasets.specs import SplitSpec
from benchmark.datasets.split import random, temporal
from benchmark.datasets.split.kcore import k_core, keep
from benchmark.datasets.split.labels import TRAIN, Labels, Notes
from benchmark.datasets.store.parts import PARTS
from benchmark.errors import SplitError
from benchmark.protocol import Array, Interactions


@dataclass(frozen=True)
class Split:
    """Three parts of one log; rows keep its order.

    Attributes:
        train: rows to learn from.
        valid: rows to tune on.
        test: rows to judge by, once.
        rows: places of each part's rows in ``prepared.interactions``, ascending.
        manifest: rule, counts, notes and content hash, ready for JSON.
        prepared: what was cut.
    """

    train: Interactions
    valid: Interactions
    test: Interactions
    rows: dict[str, NDArray[np.int64]]
    manifest: dict[str, Any]
    prepared: Prepared


def folds(spec: SplitSpec) -> int:
    """Return how many splits the rule makes: folds, windows or repeats; 1 for all others.

    >>> folds(SplitSpec()), folds(SplitSpec(by="k_fold")), folds(SplitSpec(repeats=3))
    (1, 5, 3)
    """
    return spec.folds or spec.windows or spec.repeats or 1


def split(prepared: Prepared, spec: SplitSpec | None = None, fold: int = 0) -> Split:
    """Return train, validation and test; no row is in two, and together they are all rows.

    Only a rolling window leaves rows out: those after its test window. Where preparation asks for a
    k-core, it is cut here: from the whole log, or from train alone where the rule goes by time or the
    parts are given; then users and items outside the core leave all parts.

    Args:
        prepared: the log.
        spec: the rule; protocol P1 if not given.
        fold: which of the ``folds(spec)`` splits, from 0.

    Raises:
        SplitError: the rule needs times or split files that the log does not have, or a part is empty.
    """
    spec = spec or SplitSpec()
    if not 0 <= fold < folds(spec):
        raise SplitError(
            f"{prepared.name}: no fold {fold} in a {spec.by} split of {folds(spec)}; count from 0"
        )
    prepared, labels, notes = _labelled(prepared, spec, fold)
    rows = {part: np.flatnonzero(labels == label) for label, part in enumerate(PARTS)}
    if empty := [part for part in PARTS if not len(rows[part])]:
        raise SplitError(
            f"{prepared.name}: a {spec.by} split of {len(labels)} rows leaves {' and '.join(empty)} empty; "
            "each part must have a row: choose other shares, another rule, or a longer log"
        )
    parts = {part: prepared.interactions.rows(rows[part]) for part in PARTS}
    manifest = _manifest(prepared, spec, parts) | {"notes": notes} | _extras(spec, fold)
    return Split(**parts, rows=rows, manifest=manifest, prepared=prepared)


def _labelled(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Prepared, Labels, Notes]:
    """Return the log, the label of each row and notes; the k-core is out of both."""
    rule, least = _RULES[spec.by], prepared.k_core
    if least is None:
        return prepared, *rule(prepared, spec, fold)
    if not looks_at_train_only(spec):
        core = k_core(prepared.interactions, least)
        prepared = keep(prepared, core, "whole log, test included")
        return prepared, *rule(prepared, spec, fold)
    labels, notes = rule(prepared, spec, fold)
    core = k_core(prepared.interactions, least, among=labels == TRAIN)
    return keep(prepared, core, "counted in train only"), labels[core], notes


def looks_at_train_only(spec: SplitSpec) -> bool:
    """Return whether a k-core is counted in train alone: where the split goes by time or is given.

    >>> looks_at_train_only(SplitSpec()), looks_at_train_only(SplitSpec(by="user_time"))
    (False, True)
    """
    if spec.by == "leave_n_out":
        return spec.order == "time"
    return spec.by in {"leave_last_out", "user_time", "global_time", "rolling_time", "files"}


def _files(prepared: Prepared, _: SplitSpec, __: int) -> tuple[Labels, Notes]:
    """Return the parts as they came in three files."""
    if prepared.parts is None:
        raise SplitError(
            f"{prepared.name}: by: files needs the three parts, and this log was read from one source; "
            "give the files' paths in split.files"
        )
    return prepared.parts, {}


def _leave_n_out(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, Notes]:
    rule = temporal.leave_last_out if spec.order == "time" else random.leave_n_out
    return rule(prepared, spec, fold)


_RULES: dict[str, Callable[[Prepared, SplitSpec, int], tuple[Labels, Notes]]] = {
    "random": random.random,
    "leave_last_out": temporal.leave_last_out,
    "leave_n_out": _leave_n_out,
    "user_time": temporal.user_time,
    "global_time": temporal.global_time,
    "rolling_time": temporal.rolling_time,
    "k_fold": random.k_fold,
    "cold_user": random.cold_user,
    "cold_item": random.cold_item,
    "files": _files,
}


def _extras(spec: SplitSpec, fold: int) -> dict[str, Any]:
    """Return what only some rules put into the manifest."""
    extras: dict[str, Any] = {}
    if folds(spec) > 1:
        extras["fold"] = {"number": fold + 1, "count": folds(spec)}
        extras["fold"] |= {"seed": spec.seed + fold} if spec.repeats else {}
    if spec.by == "cold_item":
        extras["candidates"] = "cold-items"
    return extras


def _manifest(prepared: Prepared, spec: SplitSpec, parts: dict[str, Interactions]) -> dict[str, Any]:
    return {
        "dataset": prepared.name,
        "origin": prepared.origin,
        "licence": prepared.licence,
        "synthetic": prepared.synthetic,
        "source_sha256": prepared.source_sha256,
        "prepared_sha256": prepared.sha256,
        "hash": _content_hash(prepared, parts),
        "rule": spec.model_dump(),
        "positive": prepared.positive,
        "scale": prepared.scale,
        "has_values": prepared.has_values,
        "n_users": len(prepared.user_ids),
        "n_items": len(prepared.item_ids),
        "parts": {part: _describe(rows) for part, rows in parts.items()},
        "prepare": prepared.counts,
    }


def _describe(rows: Interactions) -> dict[str, int]:
    return {
        "rows": len(rows),
        "likes": int(rows.positive.sum()),
        "users": int(np.count_nonzero(np.bincount(rows.users))),
        "items": int(np.count_nonzero(np.bincount(rows.items))),
    }


def _content_hash(prepared: Prepared, parts: dict[str, Interactions]) -> str:
    """Return the sha256 over the names and arrays of the parts and the ids of users and items."""
    named: list[tuple[str, Array]] = [("user_ids", prepared.user_ids), ("item_ids", prepared.item_ids)]
    named.append(("scale", np.array(prepared.scale or (), dtype=np.float64)))
    for part, rows in parts.items():
        columns = ("users", "items", "values", "times", "positive")
        named += [(f"{part}/{column}", getattr(rows, column)) for column in columns]
    return hash_arrays(named)
