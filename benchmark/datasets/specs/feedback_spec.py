"""What the rows of a log mean: which are likes, which dislikes, and whether items come again."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import StrictBool, ValidatorFunctionWrapHandler, WrapValidator

CONDITION = re.compile(r"^\s*(>=|<=|==|>|<)\s*(-?[0-9]+(?:\.[0-9]+)?)\s*$")

Pairs: TypeAlias = Literal["once", "repeat"]
"""Whether a user has one row for an item, or comes back to it."""

EVERY_RATING = (
    "a scale is declared without positive, so every rating counts as a like, one star too; say which do: "
    "positive: '>= 4', or '>= 1' if all do"
)
"""The warning where nothing says which ratings are likes."""

Seen: TypeAlias = Literal["hide", "allow", "hide-negative"]
"""Which items of a user's training rows are left out of the lists: all, none, known dislikes only."""


def check_condition(value: object, _: ValidatorFunctionWrapHandler) -> object:
    """Return the condition if it is a comparison with a number, true or false, or a list of event types."""
    if value is None or isinstance(value, bool) or (isinstance(value, str) and CONDITION.match(value)):
        return value
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError("is an empty list; name at least one event type, such as [buy]")
        if wrong := [word for word in value if isinstance(word, bool) or not isinstance(word, str | int)]:
            raise ValueError(
                f"lists {wrong[0]!r}, which is no event type; write event types as text, such as ['yes']"
            )
        return tuple(event_type(word) for word in value)
    alone = f"[{value}]" if isinstance(value, str) and re.fullmatch(r"[\w -]+", value) else "[buy, cart]"
    raise ValueError(
        f"is {value!r}; it must be one of >=, >, <=, <, == and a number, such as '>= 4'; true or false "
        f"for booleans; or a list of event types, such as {alone}"
    )


def event_type(word: object) -> str:
    """Return an event type as text: a suite may write the code 3 without quotes."""
    return str(word).strip()


def disjoint(positive: object, negative: object) -> bool:
    """Return whether no row meets both conditions, as far as they themselves tell.

    >>> disjoint(">= 4", "<= 2"), disjoint(("buy", "cart"), ("cart",)), disjoint(True, True)
    (True, False, False)
    """
    if isinstance(positive, tuple) and isinstance(negative, tuple):
        return not set(positive) & set(negative)
    return negative is None or positive != negative


Condition: TypeAlias = Annotated[StrictBool | str | tuple[str, ...], WrapValidator(check_condition)]
"""Which rows: a comparison such as ">= 4"; true or false for a column of booleans; a list of event types."""


def written(condition: Condition | None) -> str:
    """Return a condition as a suite writes it, "every row" where there is none.

    >>> written(">= 4"), written(True), written(("buy", "cart")), written(None)
    ('>= 4', 'true', '[buy, cart]', 'every row')
    """
    if condition is None:
        return "every row"
    if isinstance(condition, bool):
        return str(condition).lower()
    return condition if isinstance(condition, str) else f"[{', '.join(condition)}]"


def likes_in_words(positive: str | None, negative: str | None, weight: str | None) -> str:
    """Return which rows of a log are likes, and which dislikes and weights its suite names.

    >>> likes_in_words(">= 4", "<= 2", None)
    'likes (positive): >= 4; known dislikes (negative): <= 2'
    """
    everything = "every row" if negative is None else "every row that is no known dislike"
    said = [f"likes (positive): {positive or everything}"]
    if negative is not None:
        said.append(f"known dislikes (negative): {negative}")
    if weight is not None:
        said.append(f"weights (weight): {weight}")
    return "; ".join(said)
