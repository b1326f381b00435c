"""The figures of a page as Vega-Lite specifications, for readers with script: they answer to the pointer.

What they show is what :mod:`benchmark.leaderboard.figures` draws, which stands in their place without script
and on paper. Colours are variables of the page's style, so that they follow its theme; names are data, never
part of an expression.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from benchmark.leaderboard.across_datasets import Across
from benchmark.leaderboard.figures import COST_AXES, CostAxis, cliques, pareto, tuned_searches
from benchmark.leaderboard.formatting import decimal, p_value, signed, span
from benchmark.leaderboard.model_marks import ModelMarks
from benchmark.leaderboard.rows import BoardRow
from benchmark.leaderboard.table import Table
from benchmark.leaderboard.tuning_history import TuningHistory
from benchmark.metrics.register import parse_metric

Json: TypeAlias = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""Names the language; nothing loads it."""
SHAPES = (
    *("circle", "square", "diamond", "triangle-up", "triangle-down", "cross"),
    "M0,-1L.29,-.4L.95,-.31L.48,.15L.59,.81L0,.5L-.59,.81L-.48,.15L-.95,-.31L-.29,-.4Z",  # a star
    "M-.9,-.6L-.6,-.9L0,-.3L.6,-.9L.9,-.6L.3,0L.9,.6L.6,.9L0,.3L-.6,.9L-.9,.6L-.3,0Z",  # a saltire
)
"""The marks of :mod:`benchmark.leaderboard.model_marks` as Vega names them, or a path within -1 to 1."""
DASHES: Sequence[Sequence[int]] = ([], [6, 3], [6, 3, 1, 3], [1, 3])
FADED: Json = {"condition": {"test": "pointed === '' || datum.model === pointed", "value": 1}, "value": 0.2}
"""Opacity: a model that is pointed at, here or in another figure, stands out."""
INK, LINE = "currentColor", "var(--line)"


@dataclass(frozen=True)
class Chart:
    """One drawing of a figure.

    Attributes:
        figure: name of the figure that it stands for.
        spec: in Vega-Lite.
    """

    figure: str
    spec: Json

    @property
    def text(self) -> str:
        """The specification as JSON that cannot end the element it stands in."""
        written = json.dumps(self.spec, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def charts_of(table: Table, marks: ModelMarks) -> list[Chart]:
    """Return the drawings for which a table has rows, figure by figure."""
    made: list[Chart] = []
    if table.ranked:
        made.append(Chart("intervals", intervals(table, marks)))
        made += [Chart("cost", cost(table, axis, marks)) for axis in COST_AXES if any(axis.points(table))]
    tuned = tuned_searches(table)
    if tuned:
        made += [
            Chart("budget", budget(table, tuned, marks)),
            Chart("trials", trials(table, tuned, marks)),
        ]
    return made


def chart_across(over: Across, marks: ModelMarks) -> list[Chart]:
    """Return the critical-difference diagram, if there is one."""
    if over.critical_difference is None:
        return []
    return [Chart("critical-difference", critical_difference(over, over.critical_difference, marks))]


def look_scales(models: Iterable[str], marks: ModelMarks) -> Json:
    """Return the channels that give each model its colour and mark."""
    names = list(dict.fromkeys(models))
    colours = [f"var(--c{marks[name].colour})" for name in names]
    shapes = [SHAPES[marks[name].mark] for name in names]
    return {
        "color": {"field": "model", "scale": {"domain": names, "range": colours}, "legend": None},
        "shape": {"field": "model", "scale": {"domain": names, "range": shapes}, "legend": None},
        "opacity": FADED,
    }


def whole(values: Sequence[Json], height: int, **rest: Any) -> Json:
    """Return a specification over some rows, as wide as its place."""
    axis: Json = {
        **dict.fromkeys(("domainColor", "tickColor", "labelColor", "titleColor"), INK),
        "gridColor": LINE,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 240,
        "labelOverlap": "greedy",
        "titlePadding": 8,
    }
    config: Json = {"view": {"stroke": None}, "axis": axis, "font": "system-ui, sans-serif"}
    return {
        "$schema": SCHEMA,
        "background": None,
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "params": [{"name": "pointed", "value": ""}],
        "data": {"values": list(values)},
        "config": config,
        **rest,
    }


def words(**titles: str) -> list[Json]:
    """Return what the pointer shows: fields with their titles, as text."""
    return [{"field": field, "title": title, "type": "nominal"} for field, title in titles.items()]


def by_rank(names: Sequence[str]) -> Json:
    """Return the channel with a row for each model, the best above."""
    axis: Json = {"title": None, "grid": False, "ticks": False, "domain": False, "labelPadding": 8}
    return {"field": "model", "type": "nominal", "sort": list(names), "axis": axis}


def intervals(table: Table, marks: ModelMarks) -> Json:
    """Return the primary metric of every model with its interval."""
    primary, reference = table.primary, table.reference_row
    values = [said_of(row) for row in table.ranked]
    names = [row.model for row in table.ranked]
    looks = look_scales(names, marks)
    shown = words(model="model", text=primary, interval="interval", difference="difference", p="p")
    title = f"{primary} on test"
    x: Json = {"field": "value", "type": "quantitative", "title": title, "scale": {"zero": False}}
    low: Json = {**x, "field": "low"}
    rule: Json = {
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": {"type": "rule", "strokeWidth": 2},
        "encoding": {"x": low, "x2": {"field": "high"}, "color": looks["color"], "opacity": FADED},
    }
    inside: Json = {"condition": {"test": "datum.best", "value": 1}, "value": 0}
    point: Json = {
        "mark": {"type": "point", "size": 70, "filled": False, "strokeWidth": 2},
        "encoding": {"x": x, **looks, "fill": looks["color"], "fillOpacity": inside, "tooltip": shown},
    }
    layers = [rule, point]
    if reference is not None:
        line: Json = {"type": "rule", "strokeDash": [2, 3], "color": INK}
        at: Json = {"values": [{"value": reference.score}]}
        layers.insert(0, {"data": at, "mark": line, "encoding": {"x": x, "y": None}})
    return whole(values, 22 * len(values) + 10, encoding={"y": by_rank(names)}, layer=layers)


def said_of(row: BoardRow) -> Json:
    """Return what a figure says of a model with a result."""
    return {
        "model": row.model,
        "value": row.score,
        "low": row.low,
        "high": row.high,
        "best": bool(row.best_set),
        "text": decimal(row.value),
        "interval": span(row.low, row.high),
        "difference": signed(row.diff_to_reference),
        "p": p_value(row.p_vs_reference),
        "latency": f"{decimal(row.latency_ms_p50, 3)} ms",
        "memory": f"{decimal(row.memory_mb, 0)} MB",
    }


def cost(table: Table, axis: CostAxis, marks: ModelMarks) -> Json:
    """Return quality against a cost, the models on the Pareto front joined."""
    points = [point for point in axis.points(table) if point is not None]
    rows = {row.model: row for row in table.ranked}
    values = [{**said_of(rows[point.model]), "cost": point.cost} for point in points]
    higher = parse_metric(table.primary).higher_is_better
    front = [{"cost": point.cost, "value": point.quality} for point in pareto(points, higher=higher)]
    shown = words(model="model", text=table.primary, latency="one user (median)", memory="memory in training")
    scale = {"type": "log", "nice": False, "padding": 12}
    x: Json = {"field": "cost", "type": "quantitative", "title": axis.title, "scale": scale}
    x["axis"] = {"format": "~g", "grid": False, "tickCount": 5}
    y: Json = {"field": "value", "type": "quantitative", "title": table.primary}
    joined: Json = {
        "data": {"values": front},
        "mark": {"type": "line", "interpolate": "step-after", "strokeDash": [2, 3], "color": INK},
        "encoding": {"order": {"field": "cost"}},
    }
    looks = look_scales([point.model for point in points], marks)
    dots: Json = {
        "mark": {"type": "point", "filled": True, "size": 80},
        "encoding": {**looks, "tooltip": shown},
    }
    return whole(values, 260, encoding={"x": x, "y": y}, layer=[joined, dots])


def budget(table: Table, tuned: Sequence[TuningHistory], marks: ModelMarks) -> Json:
    """Return the best validation value so far against what was spent on it."""
    values = [
        {"model": one.model, "spent": round(spent, 3), "value": best, "text": decimal(best)}
        for one in tuned
        for spent, best in one.curve()
    ]
    names = [one.model for one in tuned]
    dashes = [DASHES[marks[name].dash] for name in names]
    title = f"best {table.primary} on validation"
    x: Json = {"field": "spent", "type": "quantitative", "title": "seconds of device time spent on tuning"}
    y: Json = {"field": "value", "type": "quantitative", "title": title, "scale": {"zero": False}}
    looks = look_scales(names, marks)
    line: Json = {
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        "encoding": {
            **{name: looks[name] for name in ("color", "opacity")},
            "strokeDash": {"field": "model", "scale": {"domain": names, "range": dashes}, "legend": None},
        },
    }
    shown = words(model="model", spent="device-seconds", text=title)
    dots: Json = {
        "mark": {"type": "point", "filled": True, "size": 45},
        "encoding": {**looks, "tooltip": shown},
    }
    return whole(values, 280, encoding={"x": x, "y": y}, layer=[line, dots])


def trials(table: Table, tuned: Sequence[TuningHistory], marks: ModelMarks) -> Json:
    """Return every trial with a value, a row for each model, the first trial above."""
    values = [
        {
            "model": one.model,
            "trial": trial.trial,
            "value": value,
            "text": decimal(value),
            "ended": trial.outcome,
            "charged": f"{trial.charged_s:.1f} s",
            "config": ", ".join(f"{name}={short(trial.config[name])}" for name in one.space),
        }
        for one in tuned
        for trial, value in one.scored
    ]
    names = [one.model for one in tuned]
    shown = words(model="model", trial="trial", text="validation", ended="ended", charged="charged")
    shown += words(config="configuration")
    title = f"{table.primary} on validation (hollow: pruned)"
    looks = look_scales(names, marks)
    inside: Json = {"condition": {"test": "datum.ended === 'pruned'", "value": 0}, "value": 0.6}
    encoding: Json = {
        "x": {"field": "value", "type": "quantitative", "title": title, "scale": {"zero": False}},
        "y": {**by_rank(names), "axis": {**by_rank(names)["axis"], "grid": True}},
        "yOffset": {"field": "trial", "type": "quantitative"},
        **{name: looks[name] for name in ("color", "opacity")},
        "fill": looks["color"],
        "fillOpacity": inside,
        "tooltip": shown,
    }
    mark: Json = {"type": "point", "size": 26, "strokeWidth": 1.2, "filled": False}
    return whole(values, 46 * len(names) + 10, mark=mark, encoding=encoding)


def critical_difference(over: Across, reach: float, marks: ModelMarks) -> Json:
    """Return the critical-difference diagram of Demšar 2006."""
    found = sorted((row.family_rank, row.model) for row in over.rows if row.family_rank is not None)
    ranks, names = [rank for rank, _ in found], [model for _, model in found]
    values = [{"model": model, "value": rank, "text": decimal(rank, 2)} for rank, model in found]
    bars = [
        {"low": ranks[first], "high": ranks[last], "model": names[last], "bar": number}
        for number, (first, last) in enumerate(cliques(ranks, reach))
    ]
    title = f"mean rank over families (1 is best); critical difference {reach:.2f}"
    x: Json = {"field": "value", "type": "quantitative", "title": title, "scale": {"zero": False}}
    joined: Json = {
        "data": {"values": bars},
        "mark": {"type": "rule", "strokeWidth": 4, "color": INK, "opacity": 0.35, "yOffset": 8},
        "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}},
    }
    looks, shown = look_scales(names, marks), words(model="model", text="mean rank")
    dots: Json = {"mark": {"type": "point", "filled": True, "size": 80}, "encoding": {"x": x, **looks}}
    dots["encoding"]["tooltip"] = shown
    return whole(values, 24 * len(names) + 10, encoding={"y": by_rank(names)}, layer=[joined, dots])


def short(value: object) -> str:
    """Return a hyperparameter with three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


LEGEND_PATHS: Mapping[str, str] = {
    "circle": "M-.8,0A.8,.8,0,1,1,.8,0A.8,.8,0,1,1,-.8,0Z",
    "square": "M-.7,-.7H.7V.7H-.7Z",
    "diamond": "M0,-.95L.7,0L0,.95L-.7,0Z",
    "triangle-up": "M0,-.8L.85,.7H-.85Z",
    "triangle-down": "M0,.8L.85,-.7H-.85Z",
    "cross": "M-.3,-.9H.3V-.3H.9V.3H.3V.9H-.3V.3H-.9V-.3H-.3Z",
}


def legend(models: Iterable[str], marks: ModelMarks) -> list[tuple[str, int, str]]:
    """Return, for each model, its name, its colour's number and its mark as the path of an SVG."""
    shapes = [(name, marks[name].colour, SHAPES[marks[name].mark]) for name in models]
    return [(name, colour, LEGEND_PATHS.get(shape, shape)) for name, colour, shape in shapes]
