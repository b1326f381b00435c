"""Why an item is in a list: the model's contributions, checked and with their ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmark.bundle.format import model_errors
from benchmark.bundle.served import Contribution, Explanation, Item
from benchmark.errors import BundleError, NotOffered
from benchmark.modelkit.serving_traits import Contributions
from benchmark.protocol import Ids, Scores

if TYPE_CHECKING:
    from benchmark.bundle.stored_model import StoredModel

TOLERANCE = 1e-5
"""By how much of a score, or of 1, contributions and rest may miss it: rounding."""


def require_explain(bundle: StoredModel) -> None:
    """Refuse a model that cannot say why.

    Raises:
        BundleError: its scores are no sum over a history, or nobody has written that sum.
    """
    if not hasattr(bundle.model, "explain"):
        raise BundleError(
            f"{bundle.name} cannot say why: it has no way to divide a score among the items of a history. "
            "native/ease, native/ials, native/item-knn and others can (`bench models --detail NAME` says it "
            "of each)"
        )


def explained(bundle: StoredModel, user: int, items: Sequence[Item]) -> tuple[Item, ...]:
    """Return the items of a known user's list, each with what carried its score.

    Raises:
        BundleError: the model cannot say why, or what it says does not add up.
    """
    if bundle.cold.users[user]:
        return without_history(items)
    return _attached(bundle, items, lambda asked: bundle.model.explain(user, asked), "explain")  # type: ignore[attr-defined]


def explained_history(bundle: StoredModel, history: Ids, items: Sequence[Item]) -> tuple[Item, ...]:
    """Return the same for a list that was made from a history (H,) of dense ids.

    Raises:
        BundleError: the model cannot say why, or what it says does not add up.
    """
    explain = getattr(bundle.model, "explain_history", None)
    if explain is None:
        raise BundleError(
            f"{bundle.name} cannot say why a list from a history is what it is: it has no explain_history"
        )
    return _attached(bundle, items, lambda asked: explain(history, asked), "explain_history")


def without_history(items: Sequence[Item]) -> tuple[Item, ...]:
    """Return the items of a list that no history carried: all of each score is the rest."""
    return tuple(replace(item, why=Explanation((), item.score)) for item in items)


def _attached(
    bundle: StoredModel, items: Sequence[Item], explain: Callable[[Ids], Contributions], method: str
) -> tuple[Item, ...]:
    if not items:
        return ()
    dense = bundle.dense_items([item.id for item in items])
    scores = np.array([item.score for item in items], dtype=np.float32)
    warm = ~bundle.cold.items[dense]  # what the engine filled in, no model can explain
    try:
        with model_errors(bundle.files, method):
            found = explain(dense[warm])
    except NotOffered as refusal:
        raise BundleError(f"{bundle.name} cannot say why: {refusal}") from refusal
    _check(bundle, found, scores[warm])
    whys = iter(_in_words(bundle, found))
    return tuple(
        replace(item, why=next(whys) if known else Explanation((), item.score))
        for item, known in zip(items, warm.tolist(), strict=True)
    )


def _check(bundle: StoredModel, found: Contributions, scores: Scores) -> None:
    """Refuse contributions that are not those of these scores.

    Raises:
        BundleError: shape or sum is another.
    """
    whole = found.values.shape == (len(found.history), len(scores)) and found.rest.shape == scores.shape
    if whole:
        sums = found.values.sum(axis=0) + found.rest
        size = np.maximum(1.0, np.maximum(np.abs(scores), np.abs(found.values).sum(axis=0)))
        whole = bool((np.abs(sums - scores) <= TOLERANCE * size).all())
    if not whole:
        raise BundleError(
            f"{bundle.files.path}: what {bundle.name} says of its scores does not add up to them; "
            "report it to those who wrote the adapter"
        )


def _in_words(bundle: StoredModel, found: Contributions) -> list[Explanation]:
    """Return an explanation for each item that was asked about; an item that comes again is added up."""
    history, place = np.unique(found.history, return_inverse=True)
    values = np.zeros((len(history), found.values.shape[1]))
    np.add.at(values, place, found.values)
    explanations = []
    for column, rest in zip(values.T, found.rest.tolist(), strict=True):
        order = np.argsort(-np.abs(column), kind="stable")
        named = (
            Contribution(bundle.item_ids[item], bundle.titles[item], value)
            for item, value in zip(history[order].tolist(), column[order].tolist(), strict=True)
            if value != 0.0
        )
        explanations.append(Explanation(tuple(named), rest))
    return explanations
