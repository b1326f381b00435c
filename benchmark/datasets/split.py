"""Cutting a prepared log into train, validation and test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.log import hash_arrays
from benchmark.datasets.parts import PARTS
from benchmark.datasets.prepare import Prepared
from benchmark.datasets.specs import SplitSpec
from benchmark.errors import SplitError
from benchmark.protocol import Array, Interactions

Labels: TypeAlias = NDArray[np.int8]
Notes: TypeAlias = dict[str, Any]

TRAIN, VALID, TEST = range(3)
LEAST_ROWS = 3  # one for each part


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


def split(prepared: Prepared, spec: SplitSpec | None = None) -> Split:
    """Return train, validation and test; together they are all rows, and no row is in two.

    Raises:
        SplitError: the rule needs times or split files that the log does not have, or a part is empty.
    """
    spec = spec or SplitSpec()
    labels, notes = _RULES[spec.by](prepared, spec)
    rows = {part: np.flatnonzero(labels == label) for label, part in enumerate(PARTS)}
    if empty := [part for part in PARTS if not len(rows[part])]:
        raise SplitError(
            f"{prepared.name}: a {spec.by} split of {len(labels)} rows leaves {' and '.join(empty)} empty; "
            "each part must have a row: choose other shares, another rule, or a longer log"
        )
    parts = {part: prepared.interactions.rows(rows[part]) for part in PARTS}
    manifest = _manifest(prepared, spec, parts) | {"notes": notes}
    return Split(**parts, rows=rows, manifest=manifest, prepared=prepared)


def _random(prepared: Prepared, spec: SplitSpec) -> tuple[Labels, Notes]:
    """Return a random share of each user's rows; the rule of protocol P1, any shares and seed.

    Rows sorted by user, time and item; for each user in ascending order one permutation, whose first
    max(1, floor(n x test)) rows are test and the next max(1, floor(n x valid)) validation. A user whom
    this would leave without a training row stays wholly in train.
    """
    log = prepared.interactions
    rng = np.random.default_rng(spec.seed)
    keys = (log.items, log.times, log.users) if len(log.times) else (log.items, log.users)
    order = np.lexsort(keys)
    labels = np.zeros(len(log), dtype=np.int8)
    whole = 0
    for rows in _per_user(log, order):
        shuffled = rows[rng.permutation(len(rows))]
        test, valid = (max(1, int(len(rows) * share + 1e-9)) for share in (spec.test, spec.valid))
        if test + valid >= len(rows):
            whole += 1
            continue
        labels[shuffled[:test]] = TEST
        labels[shuffled[test : test + valid]] = VALID
    return labels, {"users_wholly_in_train": whole}


def _leave_last_out(prepared: Prepared, _: SplitSpec) -> tuple[Labels, Notes]:
    """Return each user's last row as test and the one before it as validation.

    Rows with the same time keep the order of the log, so the later line counts as later. Users with
    fewer than three rows stay wholly in train.
    """
    log = prepared.interactions
    _need_times(prepared, "leave_last_out")
    order = np.lexsort((log.times, log.users))
    counts = np.bincount(log.users, minlength=log.n_users)
    cut = counts >= LEAST_ROWS
    last = order[np.cumsum(counts)[cut] - 1]
    second = order[np.cumsum(counts)[cut] - 2]
    third = order[np.cumsum(counts)[cut] - 3]
    labels = np.zeros(len(log), dtype=np.int8)
    labels[last], labels[second] = TEST, VALID
    times = log.times
    tied = (times[last] == times[second]) | (times[second] == times[third])
    return labels, {
        "users_wholly_in_train": int((~cut).sum()),
        "tied_users_share": float(tied.mean()) if len(tied) else 0.0,
        "tie_rule": "of rows with the same time the later in the log counts as later",
    }


def _global_time(prepared: Prepared, spec: SplitSpec) -> tuple[Labels, Notes]:
    """Return the latest rows of the whole log as test, those before them as validation.

    A part starts at the time of the row at its share, and rows with the same time stay together, so a
    part can be larger than its share, never smaller.
    """
    log = prepared.interactions
    _need_times(prepared, "global_time")
    ordered, n = np.sort(log.times), len(log)
    start_test = ordered[n - max(1, int(n * spec.test + 1e-9))]
    before = ordered[: np.searchsorted(ordered, start_test)]
    take = min(len(before), max(1, int(n * spec.valid + 1e-9)))
    start_valid = before[len(before) - take] if take else start_test
    labels = np.zeros(n, dtype=np.int8)
    labels[log.times >= start_valid] = VALID
    labels[log.times >= start_test] = TEST
    tied = 1.0 - len(np.unique(ordered)) / n
    return labels, {
        "valid_from": int(start_valid),
        "test_from": int(start_test),
        "tied_rows_share": tied,
        "tie_rule": "rows with the same time stay in one part",
    }


def _files(prepared: Prepared, _: SplitSpec) -> tuple[Labels, Notes]:
    """Return the parts as they came in three files."""
    if prepared.parts is None:
        raise SplitError(
            f"{prepared.name}: by: files needs the three parts, and this log was read from one source; "
            "give the files' paths in split.files"
        )
    return prepared.parts, {}


_RULES: dict[str, Callable[[Prepared, SplitSpec], tuple[Labels, Notes]]] = {
    "random": _random,
    "leave_last_out": _leave_last_out,
    "global_time": _global_time,
    "files": _files,
}


def _per_user(log: Interactions, order: Array) -> list[Array]:
    """Return each user's rows, users ascending, rows in the order given."""
    ends = np.cumsum(np.bincount(log.users, minlength=log.n_users))
    return np.split(order, ends[:-1])


def _need_times(prepared: Prepared, rule: str) -> None:
    if not len(prepared.interactions.times):
        raise SplitError(
            f"{prepared.name}: a {rule} split needs times, and the log has none; "
            "name the column with the key time, or split by: random"
        )


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
        "users": len(np.unique(rows.users)),
        "items": len(np.unique(rows.items)),
    }


def _content_hash(prepared: Prepared, parts: dict[str, Interactions]) -> str:
    """Return the sha256 over the names and arrays of the parts and the ids of users and items."""
    named: list[tuple[str, Array]] = [("user_ids", prepared.user_ids), ("item_ids", prepared.item_ids)]
    named.append(("scale", np.array(prepared.scale or (), dtype=np.float64)))
    for part, rows in parts.items():
        columns = ("users", "items", "values", "times", "positive")
        named += [(f"{part}/{column}", getattr(rows, column)) for column in columns]
    return hash_arrays(named)
