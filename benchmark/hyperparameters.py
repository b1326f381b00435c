"""What hyperparameters can be at all: the limits within which a search range lies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Allowed:
    """The numbers with which a hyperparameter means something; a search range lies within.

    Attributes:
        low: the lowest.
        high: the highest.
        without_low: whether ``low`` itself is left out.
        without_high: whether ``high`` itself is left out.
    """

    low: float = -math.inf
    high: float = math.inf
    without_low: bool = False
    without_high: bool = False

    def __contains__(self, value: object) -> bool:
        """Return whether a value is such a number; nan is not.

        >>> 0.0 in Allowed(0, 1, without_high=True), 1.0 in Allowed(0, 1, without_high=True)
        (True, False)
        """
        if not isinstance(value, int | float):
            return False
        above = value > self.low if self.without_low else value >= self.low
        below = value < self.high if self.without_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        """Write the interval as messages show it.

        >>> str(Allowed(0, 1, without_high=True)), str(Allowed(0, without_low=True))
        ('at least 0 and below 1', 'above 0')
        """
        low = f"{'above' if self.without_low else 'at least'} {self.low:.12g}"
        high = f"{'below' if self.without_high else 'at most'} {self.high:.12g}"
        ends = [low] * math.isfinite(self.low) + [high] * math.isfinite(self.high)
        return " and ".join(ends) or "a finite number"


@dataclass(frozen=True)
class OneOf:
    """The words with which a hyperparameter means something, where no search chooses among them.

    Attributes:
        words: all of them.
    """

    words: tuple[str, ...]

    def __contains__(self, value: object) -> bool:
        """Return whether a value is such a word.

        >>> "dice" in OneOf(("cosine", "dice")), "die" in OneOf(("cosine", "dice"))
        (True, False)
        """
        return value in self.words

    def __str__(self) -> str:
        """Write the words as messages show them.

        >>> str(OneOf(("cosine", "dice")))
        'one of cosine, dice'
        """
        return f"one of {', '.join(self.words)}"


Limits: TypeAlias = Mapping[str, Allowed | OneOf]
"""What each hyperparameter can be at all: a value outside is refused before anything is spent."""

COUNT = Allowed(1, 2**31 - 1)
COUNT_OR_NONE = Allowed(0, 2**31 - 1)
ABOVE_0 = Allowed(0, without_low=True)
AT_LEAST_0 = Allowed(0)

LIMITS: Limits = {
    **dict.fromkeys(("dim", "layers", "negatives", "batch_size", "max_epochs"), COUNT),
    **dict.fromkeys(("history", "neighbours"), COUNT),
    **dict.fromkeys(("lr", "temperature"), ABOVE_0),
    **dict.fromkeys(("l1", "l2", "shrinkage"), AT_LEAST_0),
    "dropout": Allowed(0, 1, without_high=True),
}
"""Limits of the words that adapters share; an adapter's own ``limits`` win."""
