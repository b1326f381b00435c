"""A figure of a board as one of matplotlib, which shows itself in a notebook and can be changed or saved."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from matplotlib import rc_context
from matplotlib.figure import Figure as Canvas

from benchmark.errors import RunError, did_you_mean
from benchmark.leaderboard.figures import STYLE, figures_of, marks_of

if TYPE_CHECKING:
    from benchmark.leaderboard.table import Table

What: TypeAlias = Literal["intervals", "cost", "budget", "trials"]


class Plot(Canvas):
    """A figure of matplotlib that a notebook shows, whether pyplot was imported or not."""

    def _repr_png_(self) -> bytes:
        """Return the picture."""
        target = io.BytesIO()
        self.savefig(target, format="png", dpi=110)
        return target.getvalue()


def plotted(tables: Sequence[Table], what: What) -> Plot:
    """Return one figure of tables, one below the other.

    Raises:
        RunError: no table has such a figure.
    """
    marks = marks_of(*tables)
    made = [(table, figure) for table in tables for figure in figures_of(table, marks)]
    drawn = [(table, figure) for table, figure in made if figure.name == what]
    if not drawn:
        names = dict.fromkeys(figure.name for _, figure in made)
        there = ", ".join(names) or "none: no model has a result"
        raise RunError(f"plot: there is no figure {what!r}{did_you_mean(what, names)}; there are {there}")
    style: dict[Any, Any] = STYLE
    with rc_context(style):
        width = max(figure.width for _, figure in drawn)
        canvas = Plot(figsize=(width, sum(figure.height for _, figure in drawn)), layout="constrained")
        if len(drawn) == 1:
            drawn[0][1].draw(canvas)
            return canvas
        heights = [figure.height for _, figure in drawn]
        parts: Any = canvas.subfigures(len(drawn), 1, height_ratios=heights)
        for part, (table, figure) in zip(parts, drawn, strict=True):
            figure.draw(part)
            part.suptitle(table.dataset, parse_math=False)
    return canvas
