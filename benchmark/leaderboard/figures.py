"""The figures of a board, each with a sentence that says the same for readers who cannot see it.

Drawn by matplotlib without a display; a model looks the same in all of them, see
:mod:`benchmark.leaderboard.model_marks`.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmark.leaderboard.across_datasets import Across
from benchmark.leaderboard.formatting import decimal, span
from benchmark.leaderboard.model_marks import COLOURS, DASHES, MARKS, ModelMarks
from benchmark.leaderboard.rows import BoardRow
from benchmark.leaderboard.table import Table
from benchmark.leaderboard.tuning_history import TuningHistory
from benchmark.metrics.register import parse_metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

    from benchmark.leaderboard.board import Board

INK = "#111111"
STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name may hold a dollar sign
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
}


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        name: of its file.
        title: what it shows.
        says: the same in words, with the numbers.
        draw: makes it.
        width: inches.
        height: inches.
    """

    name: str
    title: str
    says: str
    draw: Callable[[Canvas], None]
    width: float = 5.4  # a phone shows its text at a readable size, a wide screen enlarges it
    height: float = 3.2

    def svg(self) -> str:
        """Return the figure as SVG, text as text."""
        return self._rendered[0].decode()

    def png(self) -> bytes:
        """Return the figure as PNG at 150 dots per inch on white."""
        return self._rendered[1]

    @cached_property
    def _rendered(self) -> tuple[bytes, bytes]:
        """SVG and PNG of one drawing: laying it out takes longer than writing it."""
        from matplotlib import rc_context
        from matplotlib.figure import Figure as Canvas

        style: dict[Any, Any] = {**STYLE, "svg.hashsalt": self.name}
        with rc_context(style), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")  # SVG leaves fonts to the reader
            canvas = Canvas(figsize=(self.width, self.height), layout="constrained")
            self.draw(canvas)
            engine = canvas.get_layout_engine()
            assert engine is not None  # asked for above
            engine.execute(canvas)
            canvas.set_layout_engine(None)  # laid out: no more than one drawing for each kind of file
            return _saved(canvas, "svg"), _saved(canvas, "png")


def _saved(canvas: Canvas, kind: str) -> bytes:
    target, metadata = io.BytesIO(), {"Date": None} if kind == "svg" else {"Software": None}
    canvas.savefig(target, format=kind, dpi=150, transparent=kind == "svg", metadata=metadata)
    return target.getvalue()


def marks_of(*tables: Table) -> ModelMarks:
    """Return the look of every model of some tables, in the order of their boards."""
    return ModelMarks.of(
        [
            *(row.model for table in tables for row in table.rows),
            *(search.model for table in tables for search in table.searches),
        ]
    )


def tuned_searches(table: Table) -> list[TuningHistory]:
    """Return the searches that a figure can show: of models with something to tune, with a scored trial."""
    return [search for search in table.searches if search.space and search.scored]


def figures_of(table: Table, marks: ModelMarks | None = None) -> list[Figure]:
    """Return the figures for which a table has rows.

    Args:
        table: the board of one data set.
        marks: the look of each model; by the order of the table if None.
    """
    marks = marks or marks_of(table)
    made: list[Figure] = []
    if table.ranked:
        made += [intervals(table, marks), cost(table, marks)]
    tuned = tuned_searches(table)
    if tuned:
        made += [budget(table, tuned, marks), trials(table, tuned, marks)]
    return made


def all_figures(board: Board) -> dict[str, list[Figure]]:
    """Return the figures of each data set; those over all data sets under the empty name."""
    marks = marks_of(*board.tables)
    made = {table.dataset: figures_of(table, marks) for table in board.tables}
    if board.across and board.across.critical_difference is not None:
        made[""] = [critical_difference(board.across, marks)]
    return made


def intervals(table: Table, marks: ModelMarks) -> Figure:
    """Return the primary metric of every model with its interval."""
    rows, primary = table.ranked[::-1], table.primary

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        for y, row in enumerate(rows):
            colour, mark = COLOURS[marks[row.model].colour], MARKS[marks[row.model].mark]
            if row.low is not None and row.high is not None:
                axes.plot([row.low, row.high], [y, y], color=colour, lw=2)
            axes.plot(row.score, y, mark, color=colour, mfc=colour if row.best_set else "white")
        if table.reference_row is not None:
            axes.axvline(table.reference_row.score, color=INK, lw=0.8, ls=":")
        axes.set_yticks(range(len(rows)), [_label(row.model) for row in rows])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel(f"{primary} on test")

    listed = [f"{row.model} {decimal(row.value)} {span(row.low, row.high)}" for row in table.ranked]
    says = f"{primary} with its interval, best first: {_join(listed)}. Filled marks: in the set of the best."
    return Figure("intervals", f"{primary} with intervals", says, draw, height=0.9 + 0.34 * len(rows))


class Point(NamedTuple):
    """One model in a plane of cost and quality."""

    model: str
    cost: float
    quality: float


class CostAxis(NamedTuple):
    """A cost, and how its axis is called."""

    title: str
    cost: Callable[[BoardRow], float | None]

    def points(self, table: Table) -> list[Point | None]:
        """Return the models with a result, best first; None for those without a cost."""
        found: list[Point | None] = []
        for row in table.ranked:
            cost = self.cost(row)
            found.append(Point(row.model, cost, row.score) if cost else None)
        return found


COST_AXES = (
    CostAxis("ms for one user (median)", lambda row: row.latency_ms_p50),
    CostAxis("MB of memory while training", lambda row: row.memory_mb),
)


def cost(table: Table, marks: ModelMarks) -> Figure:
    """Return quality against latency and memory, the models on the Pareto front joined."""
    primary, higher = table.primary, parse_metric(table.primary).higher_is_better
    points = {axis.title: axis.points(table) for axis in COST_AXES}
    fronts = {title: pareto(filter(None, found), higher=higher) for title, found in points.items()}

    def draw(canvas: Canvas) -> None:
        for axes, (title, found) in zip(canvas.subplots(1, 2, sharey=True), points.items(), strict=True):
            if fronts[title]:
                front = [(point.cost, point.quality) for point in fronts[title]]
                axes.plot(*zip(*front, strict=True), color=INK, lw=0.8, ls=":", drawstyle="steps-post")
            for point in filter(None, found):
                style = line_style(marks, point.model) | {"ls": ""}
                axes.plot(point.cost, point.quality, label=_label(point.model), **style)
            axes.set_xlabel(title)
            _log_scale(axes, [point.cost for point in found if point is not None])
        canvas.axes[0].set_ylabel(primary)
        _legend(canvas)

    listed = [f"{title}: {_join(point.model for point in front)}" for title, front in fronts.items()]
    says = f"On the Pareto front, where nothing else is both better and cheaper: {'; '.join(listed)}."
    height = 3.0 + 0.12 * len(table.ranked)
    return Figure("cost", f"{primary} against latency and memory", says, draw, height=height)


def _log_scale(axes: Axes, values: Sequence[float]) -> None:
    """Give an axis a log scale with plain numbers as ticks: matplotlib's own are formulas."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    narrow = bool(values) and max(values) < 30 * min(values)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,), numticks=5))


def pareto(points: Iterable[Point], *, higher: bool = True) -> list[Point]:
    """Return the points that no other point beats in both cost and quality, cheapest first.

    >>> points = [Point("a", 9.0, 0.3), Point("b", 1.0, 0.2), Point("c", 2.0, 0.1)]
    >>> [point.model for point in pareto(points)]
    ['b', 'a']
    """
    sign = 1.0 if higher else -1.0
    front: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -sign * point.quality)):
        if not front or sign * point.quality > sign * front[-1].quality:
            front.append(point)
    return front


def line_style(marks: ModelMarks, model: str) -> dict[str, Any]:
    """Return the look of a model in the words of matplotlib."""
    look = marks[model]
    return {"color": COLOURS[look.colour], "marker": MARKS[look.mark], "ls": DASHES[look.dash]}


def budget(table: Table, tuned: Sequence[TuningHistory], marks: ModelMarks) -> Figure:
    """Return the best validation value so far against what was spent on it."""
    curves = {search.model: list(search.curve()) for search in tuned}

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        for model, curve in curves.items():
            seconds, best = zip(*curve, strict=True)
            style = line_style(marks, model) | {"drawstyle": "steps-post", "lw": 1.6, "ms": 4}
            axes.plot(seconds, best, markevery=-(-len(curve) // 12), label=_label(model), **style)
        axes.set_xlabel("seconds of device time spent on tuning")
        axes.set_ylabel(f"best {table.primary} on validation")
        _legend(canvas)

    ends = [f"{model} {decimal(curve[-1][1])} after {curve[-1][0]:.1f} s" for model, curve in curves.items()]
    says = f"Best validation {table.primary} reached: {_join(ends)}."
    return Figure("budget", "Score against budget", says, draw, height=3.0 + 0.12 * len(curves))


def trials(table: Table, tuned: Sequence[TuningHistory], marks: ModelMarks) -> Figure:
    """Return every trial of every tuned model."""
    across = min(3, len(tuned))
    down = -(-len(tuned) // across)

    def draw(canvas: Canvas) -> None:
        grid = canvas.subplots(down, across, squeeze=False, sharey=True)
        for number, axes in enumerate(grid.flat):
            axes.set_visible(number < len(tuned))
            if number < len(tuned):
                draw_trials(axes, tuned[number], COLOURS[marks[tuned[number].model].colour])
        canvas.supxlabel("trial", fontsize=10)
        canvas.supylabel(f"{table.primary} on validation", fontsize=10)

    listed = [
        f"{one.model} {len(one.trials)} trials, {len(one.trials) - len(one.scored)} without a value"
        for one in tuned
    ]
    says = f"Round: complete, cross: pruned, bar at the foot: no value. {_join(listed)}."
    return Figure("trials", "Trial history", says, draw, height=0.7 + 1.7 * down)


def draw_trials(axes: Axes, search: TuningHistory, colour: str) -> None:
    """Draw every trial of one model in its colour."""
    from matplotlib.ticker import MaxNLocator

    for pruned, mark in ((False, "o"), (True, "x")):
        chosen = [
            (trial.trial, value) for trial, value in search.scored if (trial.outcome == "pruned") == pruned
        ]
        axes.plot([number for number, _ in chosen], [value for _, value in chosen], mark, ms=4, color=colour)
    lost = [trial.trial for trial in search.trials if trial.value is None]
    axes.plot(lost, [0.02] * len(lost), "|", color=colour, transform=axes.get_xaxis_transform())
    axes.set_title(_label(search.model, 20), fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))


def critical_difference(over: Across, marks: ModelMarks) -> Figure:
    """Return the critical-difference diagram of Demšar 2006: a bar joins models that are not told apart."""
    assert over.critical_difference is not None
    found = [(row.family_rank, row.model) for row in over.rows if row.family_rank is not None]
    ranked = sorted(found, key=lambda pair: pair[0])
    reach = over.critical_difference

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        for y, (rank, model) in enumerate(ranked):
            axes.plot(rank, y, **line_style(marks, model))
        for number, (first, last) in enumerate(cliques([rank for rank, _ in ranked], reach)):
            ends = [ranked[first][0], ranked[last][0]]
            axes.plot(ends, [len(ranked) + 0.4 * number] * 2, color=INK, lw=3, solid_capstyle="butt")
        axes.set_yticks(range(len(ranked)), [_label(model) for _, model in ranked])
        axes.invert_yaxis()
        axes.set_xlabel(f"mean rank over families (1 is best); critical difference {reach:.2f}")

    listed = [f"{model} {rank:.2f}" for rank, model in ranked]
    says = f"Mean ranks: {_join(listed)}. Closer than {reach:.2f}: cannot be told apart (Nemenyi)."
    return Figure("critical-difference", "Critical differences", says, draw, height=1.2 + 0.36 * len(ranked))


def cliques(ranks: Sequence[float], reach: float) -> list[tuple[int, int]]:
    """Return the longest runs (first, last) of sorted mean ranks that lie within ``reach``.

    >>> cliques([1.0, 1.5, 3.0, 3.2], reach=1.0)
    [(0, 1), (2, 3)]
    """
    found: list[tuple[int, int]] = []
    for first, rank in enumerate(ranks):
        last = max(index for index, other in enumerate(ranks) if other - rank < reach)
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def _legend(canvas: Canvas) -> None:
    marks, names = canvas.axes[0].get_legend_handles_labels()
    canvas.legend(marks, names, loc="outside lower center", ncols=2, frameon=False, fontsize=9)


def _label(text: str, most: int = 32) -> str:
    """Return a name without unprintable characters, shortened so that it leaves room for the figure."""
    clean = "".join(char if char.isprintable() else "?" for char in text)
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"


def _join(parts: Iterable[Any]) -> str:
    return ", ".join(map(str, parts))
