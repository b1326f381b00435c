"""The report as one HTML file that loads nothing: table, figures, split audit, how to reproduce.

Every text is escaped by the template; only our own style, script and drawn figures go in as they are,
and the page's policy allows that one script by its hash and no network at all.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from benchmark.leaderboard import Board, Row, Table
from benchmark.leaderboard.tuning_history import ENOUGH_FOR_IMPORTANCE, TuningHistory, importance
from benchmark.reporting.columns import (
    NONE,
    Column,
    columns_of,
    decimal,
    more_columns,
    span,
    title_of,
)
from benchmark.reporting.extra_tables import TextTable, groups, pairs_of, sides
from benchmark.reporting.figures import COLOURS, INK, Figure, all_figures

WHOLE = frozenset({"folds", "across"})
"""Tables that belong to no single section of the page."""

if TYPE_CHECKING:
    from markupsafe import Markup


def html(board: Board) -> str:
    """Return the page."""
    return page(board, all_figures(board))


def page(board: Board, figures: Mapping[str, Sequence[Figure]]) -> str:
    """Return the page with figures made beforehand, see :func:`~benchmark.reporting.figures.all_figures`."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    script = _part("page.js")
    return environment.from_string(_part("page.html.j2")).render(
        policy=policy(script),
        css=Markup(_part("page.css")),  # noqa: S704 - our own file
        js=Markup(script),  # noqa: S704 - our own file
        suite=board.suite,
        synthetic=board.synthetic,
        sections=[
            _section(place, table, figures.get(table.dataset, ()))
            | {"parts": [_grouped(side) for side in groups(board) if _is_of(side, table)]}
            for place, table in enumerate(board.tables)
        ],
        beside=[_beside(side, board, figures.get("", ())) for side in sides(board) if side.kind in WHOLE],
        origins=[_origin(origin) for origin in board.origins],
        enough=ENOUGH_FOR_IMPORTANCE,
    )


def policy(script: str) -> str:
    """Return the Content-Security-Policy: no network, this script alone, styles of our own.

    Styles are allowed in attributes, where matplotlib writes them.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def inline(svg: str, says: str) -> Markup:
    """Return a drawn figure for use within a page: themable, unnamed parts, with its text alternative."""
    from markupsafe import Markup, escape

    drawing = svg[svg.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r"<g id=\"[^\"]*\"", "<g", drawing)
    drawing = drawing.replace(INK, "currentColor")
    for number, colour in enumerate(COLOURS):
        drawing = drawing.replace(colour.lower(), f"var(--c{number})")
    size = re.search(r"viewBox=\"[^\"]*\"", drawing)
    assert size is not None
    head = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {size[0]}'
    opened = f'{head} role="img" aria-label="{escape(says)}">'
    return Markup(opened + drawing[drawing.index(">") + 1 :])  # noqa: S704 - drawn by us, its texts escaped


@cache
def _part(name: str) -> str:
    return (files("benchmark.reporting") / "page" / name).read_text("utf-8")


def _drawn(figure: Figure) -> dict[str, Any]:
    return {"title": figure.title, "says": figure.says, "svg": inline(figure.svg(), figure.says)}


def _section(place: int, table: Table, figures: Sequence[Figure]) -> dict[str, Any]:
    wide = [(column, "") for column in columns_of(table)] + [
        (column, "more") for column in more_columns(table)
    ]
    shown = [
        (column, css) for column, css in wide if any(column.text(row) not in {"", NONE} for row in table.rows)
    ]
    return {
        "id": f"data-{place}",
        "table": table,
        "title": title_of(table),
        "verdict": _verdict(table),
        "columns": [{"title": column.title, "css": _css(column, css)} for column, css in shown],
        "rows": [_row(row, table, shown) for row in table.rows],
        "warnings": [note for note in table.notes if _is_warning(note)],
        "notes": [note for note in table.notes if not _is_warning(note)],
        "figures": [_drawn(figure) for figure in figures],
        "pairs": _plainly(pairs_of(table)) if table.pairs else None,
        "searches": [_search(search) for search in table.searches if search.space],
        "importance": [line for search in table.searches for line in _importance(search)],
        "split": _split(table.facts),
    }


def _is_warning(note: str) -> bool:
    return "WARNING" in note or "synthetic" in note or note.startswith("Split: ")


def _verdict(table: Table) -> str:
    """Return the answer in one sentence."""
    if not table.ranked:
        return ""
    first, primary = table.ranked[0], table.primary
    best = [row["model"] for row in table.ranked if row["best_set"] and row is not first]
    equals = f" It cannot be separated from {', '.join(best)}." if best else ""
    if len(table.ranked) > 1 and not best:
        equals = " It is separated from every other model."
    return f"{first['model']} ranks first with {primary} {decimal(first[primary])}.{equals}"


def _css(column: Column, css: str) -> str:
    return " ".join(name for name in (css, "number" if column.numeric else "") if name)


def _row(row: Row, table: Table, shown: Sequence[tuple[Column, str]]) -> dict[str, Any]:
    cells = [
        {
            "text": column.text(row),
            "sort": _sortable(row[column.key]),
            "css": _css(column, css),
            "head": column.key == "model",
        }
        for column, css in shown
    ]
    css = "failed" if row["status"] != "ok" else "reference" if row["model"] == table.reference else ""
    return {"cells": cells, "css": css}


def _sortable(value: Any) -> str:
    """Return what a cell is sorted by; nothing where there is no value."""
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - nan is not itself


def _search(search: TuningHistory) -> list[str]:
    space = ", ".join(f"{name} {domain}" for name, domain in search.space.items())
    best = search.best
    found = ", ".join(f"{name}={_short(best['config'][name])}" for name in search.space) if best else NONE
    return [search.model, str(len(search.trials)), search.ended, space, found]


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _importance(search: TuningHistory) -> list[list[str]]:
    ordered = sorted(importance(search).items(), key=lambda item: -item[1])
    return [[search.model, name, f"{strength:.2f}", str(len(search.valued))] for name, strength in ordered]


def _split(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the audit of the split as lines of a table."""
    lines = [("rule", _plain(facts["rule"])), ("split hash", facts["hash"])]
    lines += [(name, _plain(part)) for name, part in facts["parts"].items()]
    audit = facts["audit"]
    lines += [(name, _plain(found)) for name, found in audit.items() if name not in {"flags", "notes"}]
    lines += [("note", note) for note in audit["notes"]]
    lines += [("flag", flag) for flag in audit["flags"]] or [("flags", "none")]
    return [*lines, ("licence", str(facts["licence"])), ("origin", str(facts["origin"]))]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items() if inner is not None)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _beside(side: TextTable, board: Board, figures: Sequence[Figure]) -> dict[str, Any]:
    """Return a table over several data sets or splits, with what belongs to it."""
    drawn = [_drawn(figure) for figure in figures] if side.kind == "across" else []
    missing = side.kind == "across" and not drawn
    return _plainly(side) | {
        "id": f"{side.kind}-{_place(side, board)}",
        "figures": drawn,
        "no_figure": missing,
    }


def _place(side: TextTable, board: Board) -> int:
    return next(place for place, other in enumerate(sides(board)) if other.title == side.title)


def _plainly(side: TextTable) -> dict[str, Any]:
    return {
        "title": side.title,
        "titles": side.titles,
        "words": sorted(side.words),
        "rows": [side.texts(row) for row in side.rows],
        "warnings": [note for note in side.notes if _is_warning(note)],
        "notes": [note for note in side.notes if not _is_warning(note)],
    }


def _grouped(side: TextTable) -> dict[str, Any]:
    """Return a subgroup table, and the same on one screen: a line a model, a column a group."""
    names = list(dict.fromkeys((row["group"], row["users"], row["few_users"]) for row in side.rows))
    heads = [f"{group}, {users} users{' !' if few else ''}" for group, users, few in names]
    values: dict[str, list[str]] = {}
    for row in side.rows:
        text = f"{decimal(row['value'])} {span(row['low'], row['high'])}"
        values.setdefault(row["model"], []).append(text)
    return _plainly(side) | {
        "heads": ["model", *heads],
        "lines": [[name, *row] for name, row in values.items()],
    }


def _is_of(side: TextTable, table: Table) -> bool:
    return side.title in {f"{table.dataset} by {part.by}" for part in table.groups}


def _origin(origin: Mapping[str, Any]) -> dict[str, Any]:
    """Return how one run is made again: command, hashes, versions, hardware."""
    machine = origin.get("environment", {})
    facts = [
        ("suite hash", origin.get("suite_hash", NONE)),
        ("environment hash", machine.get("hash", NONE)),
        ("started, finished", f"{origin.get('started', NONE)}, {origin.get('finished', NONE)}"),
        (
            "machine",
            _plain({key: machine.get(key) for key in ("platform", "processor", "cores", "memory_mb")}),
        ),
        ("GPUs", ", ".join(map(str, machine.get("gpus", []))) or "none"),
        ("python", str(machine.get("python", NONE))),
        ("versions", _plain(machine.get("versions", {}))),
    ]
    command = f"bench run {shlex.quote(origin['run'] + '/suite.yaml')} --fresh"
    return {"command": command, "facts": facts, "suite_yaml": origin.get("suite_yaml", "")}
