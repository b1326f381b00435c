"""What the scorer is told of lists that are there already: these are among the :mod:`benchmark.messages`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, kw_only=True)
class OnStoredSplit:
    """What the scorer must know to measure lists, whoever made them.

    Attributes:
        name: on the board, for messages.
        metrics: what is measured, the primary one first.
        train_on: what the finals of models are trained on.
        directory: of the stored split.
        candidates: the rule by which items are candidates.
        seen: which of a user's known items are left out of the lists.
        per_user_path: where per-user values are written.
        test_sampled: whether finals are scored on a stored sample of users.
    """

    name: str
    metrics: tuple[str, ...]
    train_on: str
    directory: str
    candidates: str
    seen: Literal["hide", "allow", "hide-negative"]
    per_user_path: str
    test_sampled: bool


@dataclass(frozen=True, kw_only=True)
class ListsRequest(OnStoredSplit):
    """What the scorer must know to measure lists made elsewhere, checked and in dense ids.

    Attributes:
        test: file with the lists for test, (U, K).
        valid: likewise for validation; None if there is none.
        valid_sampled: whether trials are validated on a stored sample of users.
    """

    event: ClassVar[str] = "lists"
    test: str
    valid: str | None
    valid_sampled: bool


@dataclass(frozen=True, kw_only=True)
class StoredListsRequest(OnStoredSplit):
    """What the scorer must know to measure a stored final once more, with metrics that it lacks.

    Attributes:
        stored: the per-user file of the final, with its lists (E, K).
        values: of the final: those that cannot be made from lists or sums are taken over.
    """

    event: ClassVar[str] = "stored-lists"
    stored: str
    values: Mapping[str, float]
