"""Items like one item: by the model's own measure, or the cosine of its items' vectors."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.bundle.format import model_errors
from benchmark.bundle.served import Id, SimilarItems
from benchmark.datasets.log import as_compared
from benchmark.errors import BundleError, NotOffered
from benchmark.protocol import Scores, Values

if TYPE_CHECKING:
    from benchmark.bundle.stored_model import StoredModel, Wanted

OWN, COSINE = "the model's own weight between two items", "cosine of the items' vectors"
SHOWN = 3
"""Titles that a message suggests."""


def similar_items(bundle: StoredModel, items: Iterable[Id], wanted: Wanted) -> list[SimilarItems]:
    """Return what is most like each of some items.

    Args:
        bundle: the model.
        items: raw ids.
        wanted: length of a list at most, and what may be in it.

    Raises:
        BundleError: an item is not in the catalogue, or the model does not compare items.
    """
    dense = [place_of(bundle, item) for item in items]
    model, unit = bundle.model, None
    own = getattr(model, "similar_items", None)
    if own is None and hasattr(model, "vectors"):
        with model_errors(bundle.files, "vectors"):
            unit = unit_vectors(np.asarray(model.vectors().items, dtype=np.float64), ~bundle.cold.items)
    if own is None and unit is None:
        raise BundleError(
            f"{bundle.name} has no measure of how alike two items are: neither vectors of items nor weights "
            "between them. Models with vectors, native/ease, native/item-knn and others have one "
            "(`bench models --detail NAME` says it of each)"
        )
    return [_one(bundle, item, wanted, unit) for item in dense]


def _one(bundle: StoredModel, item: int, wanted: Wanted, unit: Values | None) -> SimilarItems:
    about = partial(
        SimilarItems, bundle.item_ids[item], bundle.titles[item], COSINE if unit is not None else OWN
    )
    if bundle.cold.items[item]:
        return about(
            (), f"item {bundle.item_ids[item]} has no row in training: {bundle.name} learned nothing of it"
        )
    scores = _own(bundle, item) if unit is None else (unit @ unit[item]).astype(np.float32)
    hidden = (scores <= 0) | bundle.cold.items
    hidden[item] = True
    left = np.where(hidden, -np.inf, scores).astype(np.float32)
    (found,) = bundle.ranked(left[None], bundle.nobody, wanted)
    nothing = "" if found else "no item that may be in the list is like it at all"
    return about(found, "; ".join(filter(None, [nothing, wanted.note])))


def _own(bundle: StoredModel, item: int) -> Scores:
    """Return the model's own measure (I,), checked.

    Raises:
        BundleError: this configuration has none, or it is not one finite number for each item.
    """
    try:
        with model_errors(bundle.files, "similar_items"):
            found: Scores = bundle.model.similar_items(item)  # type: ignore[attr-defined]
    except NotOffered as refusal:
        raise BundleError(f"{bundle.name} cannot say which items are alike: {refusal}") from refusal
    if found.shape != (len(bundle.item_ids),) or not np.isfinite(found).all():
        raise BundleError(
            f"{bundle.files.path}: similar_items() of {bundle.name} must return "
            f"{len(bundle.item_ids):,} finite numbers"
        )
    return found


def unit_vectors(vectors: Values, warm: NDArray[np.bool_]) -> Values:
    """Return items' vectors (I, D) with length 1; those of length 0 stay so.

    A column that is the same for all warm items (I,) tells none of them from another, as where a model keeps
    a mean in its vectors: it is left out, or all items would be alike.

    >>> unit_vectors(np.array([[3.0, 4.0, 9.0], [0.0, 2.0, 9.0]]), np.array([True, True])).tolist()
    [[0.6, 0.8], [0.0, 1.0]]
    """
    known = vectors[warm]
    if len(known) > 1:
        vectors = vectors[:, np.ptp(known, axis=0) > 0]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Values = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return unit


def place_of(bundle: StoredModel, item: Id) -> int:
    """Return the dense id of an item.

    Raises:
        BundleError: it is not in the catalogue; the message names items with such a title.
    """
    if len(dense := bundle.dense_items([item])):
        return int(dense[0])
    wanted = as_compared(item).casefold()
    titled = [
        f"{own} {title}"
        for own, title in zip(bundle.item_ids, bundle.titles, strict=True)
        if title is not None and len(wanted) > 2 and wanted in title.casefold()
    ]
    closest = sorted(titled, key=len)[:SHOWN]  # the shortest has the least beside what was asked for
    hint = f"; by title: {', '.join(closest)}" if titled else ""
    raise BundleError(f"item {item} is not in the catalogue of {len(bundle.item_ids):,} items{hint}")
