"""What a bundle answers: lists, items alike, and why an item is in a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Id: TypeAlias = int | float | str
Source: TypeAlias = Literal["model", "history", "popularity"]


@dataclass(frozen=True)
class Contribution:
    """What one item of a user's history carried of a score."""

    id: Id
    title: str | None
    value: float


@dataclass(frozen=True)
class Explanation:
    """Why an item has its score: the values of all contributions and the rest add up to it.

    Attributes:
        contributions: of the items of the history that carried anything, the largest first, whatever its
            sign.
        rest: what no item of the history carried: means and biases; all of it where popularity stands in.
    """

    contributions: tuple[Contribution, ...]
    rest: float


@dataclass(frozen=True)
class Item:
    """One item of a list, with its score, and why it has it where that was asked for."""

    id: Id
    title: str | None
    score: float
    why: Explanation | None = None


@dataclass(frozen=True)
class Recommendation:
    """One user's list.

    Attributes:
        user: the id that was asked for; None for a history without a name.
        source: "model"; "history" where the model folded a history in; "popularity" where it could not.
        items: best first, at most k.
        note: what a reader of the list must know; empty if nothing.
    """

    user: Id | None
    source: Source
    items: tuple[Item, ...]
    note: str = ""


@dataclass(frozen=True)
class SimilarItems:
    """The items most like one item.

    Attributes:
        item: the one that was asked about.
        title: of it; None if it has none.
        measure: what their scores are, in words.
        items: the most similar first, at most k; only those that are like it at all, with a score above 0.
        note: what a reader of the list must know; empty if nothing.
    """

    item: Id
    title: str | None
    measure: str
    items: tuple[Item, ...]
    note: str = ""
