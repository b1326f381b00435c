"""What the rows of a log mean: which are likes, which dislikes, and whether items come again."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, StrictBool

CONDITION = re.compile(r"^\s*(>=|<=|==|>|<)\s*(-?[0-9]+(?:\.[0-9]+)?)\s*$")

Pairs: TypeAlias = Literal["once", "repeat"]
"""Whether a user has one row for an item, or comes back to it."""

Seen: TypeAlias = Literal["hide", "allow", "hide-negative"]
"""Which items of a user's training rows are left out of the lists: all, none, known dislikes only."""


def check_condition(value: str | bool | tuple[str, ...]) -> str | bool | tuple[str, ...]:
    """Return the condition if it is a comparison with a number, true or false, or a list of event types."""
    if isinstance(value, str) and not CONDITION.match(value):
        raise ValueError(
            f"is {value!r}; it must be one of >=, >, <=, <, == and a number, such as '>= 4'; true or false "
            "for booleans; or a list of event types, such as [buy, cart]"
        )
    if value == ():
        raise ValueError("is an empty list; name at least one event type, such as [buy]")
    return value


Condition: TypeAlias = Annotated[StrictBool | str | tuple[str, ...], AfterValidator(check_condition)]
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
