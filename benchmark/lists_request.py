"""What the scorer is told of lists made elsewhere: one of the :mod:`benchmark.messages`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, kw_only=True)
class ListsRequest:
    """What the scorer must know to measure lists made elsewhere, checked and in dense ids.

    Attributes:
        name: on the board, for messages.
        metrics: that can be measured on lists.
        train_on: what the finals of models are trained on.
        directory: of the stored split.
        candidates: the rule by which items are candidates.
        seen: which of a user's known items are left out of the lists.
        per_user_path: where per-user values are written.
        test: file with the lists for test, (U, K).
        valid: likewise for validation; None if there is none.
        valid_sampled: whether trials are validated on a stored sample of users.
        test_sampled: whether finals are scored on one.
    """

    event: ClassVar[str] = "lists"
    name: str
    metrics: tuple[str, ...]
    train_on: str
    directory: str
    candidates: str
    seen: Literal["hide", "allow", "hide-negative"]
    per_user_path: str
    test: str
    valid: str | None
    valid_sampled: bool
    test_sampled: bool
