"""One colour, mark and dash for each model, the same in every figure of a board.

The colours are those of Okabe & Ito (2008), told apart by all kinds of colour vision. Marks and dashes turn
with them, so that 64 models differ and no meaning hangs on colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#A65628")
MARKS = "osD^vP*X"
"""As matplotlib names them: circle, square, diamond, triangles, plus, star, cross."""
DASHES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Appearance:
    """How a model looks.

    Attributes:
        colour: its place in ``COLOURS``.
        mark: its place in ``MARKS``.
        dash: its place in ``DASHES``.
    """

    colour: int
    mark: int
    dash: int


@dataclass(frozen=True)
class ModelMarks:
    """The look of every model of a board.

    Attributes:
        models: their names; the first eight have a colour of their own.
    """

    models: tuple[str, ...]

    @classmethod
    def of(cls, models: Iterable[str]) -> ModelMarks:
        """Return the looks of models; a name that comes again counts once."""
        return cls(tuple(dict.fromkeys(models)))

    @cached_property
    def _looks(self) -> Mapping[str, Appearance]:
        return {model: look(number) for number, model in enumerate(self.models)}

    def __getitem__(self, model: str) -> Appearance:
        return self._looks[model]


def look(number: int) -> Appearance:
    """Return the look of the model at a place.

    >>> look(0), look(9)
    (Appearance(colour=0, mark=0, dash=0), Appearance(colour=1, mark=2, dash=2))
    """
    turned = number + number // len(COLOURS)
    return Appearance(number % len(COLOURS), turned % len(MARKS), turned % len(DASHES))
