"""The report as one HTML file that loads nothing: the answer, the board, figures, how to reproduce.

Every text is escaped; only our own style, script and drawn figures go in as they are, and the page's policy
allows that one script by its hash and no network at all. Figures are drawn twice: without script, as SVG, and
with it by Vega, whose interpreter of expressions needs no ``eval``.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING

from benchmark.leaderboard import Board, Column, Groups, Table, TextTable, TuningHistory
from benchmark.leaderboard.board_columns import across_table, fold_table, group_table, pair_table
from benchmark.leaderboard.figures import INK, Figure, all_figures, marks_of
from benchmark.leaderboard.formatting import NONE, decimal, span
from benchmark.leaderboard.log_table import log_table
from benchmark.leaderboard.model_marks import COLOURS, ModelMarks
from benchmark.leaderboard.text_tables import notes_html
from benchmark.leaderboard.tuning_history import ENOUGH_FOR_IMPORTANCE, importance
from benchmark.records import Note
from benchmark.reporting.answer import BoardAnswer, answer
from benchmark.reporting.charts import Chart, chart_across, charts_of, legend, short
from benchmark.reporting.page_columns import ColumnChoice, choices, page_table
from benchmark.reporting.page_facts import ShownPick, facts_at_the_top, reproduction, shown_pick, split_facts

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class Drawing:
    """A figure of the page: as a picture, and for readers with script.

    Attributes:
        figure: the picture, and the same in words.
        charts: what takes its place with script.
    """

    figure: Figure
    charts: Sequence[Chart]


@dataclass(frozen=True)
class DatasetSection:
    """What the page shows of one data set.

    Attributes:
        id: of the section within the page.
        table: its board as data.
        board: the same as people read it, every column.
        drawings: its figures.
        marks: the look of each model.
        groups: each way to group: an overview, a column a group; and the differences to the reference.
        facts: what it rests on, name and text.
        pick: the last pick of its run; None if there was none, or the board is of several runs.
    """

    id: str
    table: Table
    board: TextTable
    drawings: Sequence[Drawing]
    marks: ModelMarks
    groups: Sequence[tuple[TextTable, TextTable]]
    facts: Sequence[tuple[str, str]]
    pick: ShownPick | None

    @property
    def answer(self) -> BoardAnswer | None:
        """The answer for whoever decides; None without a result."""
        return answer(self.table, self.pick.stored.winner if self.pick else None)

    @property
    def choices(self) -> list[tuple[str, Sequence[ColumnChoice]]]:
        """The columns behind the chooser."""
        return list(choices(self.board, self.table.primary))

    @property
    def legend(self) -> list[tuple[str, int, str]]:
        """The look of each model that a figure shows."""
        tuned = {search.model for search in self.table.searches if search.space and search.scored}
        shown = [row.model for row in self.table.rows if row.has_result or row.model in tuned]
        return legend(shown, self.marks)

    @property
    def pairs(self) -> TextTable | None:
        """All pairs of models, if they were compared."""
        return pair_table(self.table) if self.table.pairs else None

    @property
    def searches(self) -> TextTable | None:
        """How the models were tuned; None where there was nothing to tune."""
        tuned = tuple(search for search in self.table.searches if search.space)
        return TextTable("searches", self.table.dataset, "Searches", SEARCH_COLUMNS, tuned) if tuned else None

    @property
    def importance(self) -> TextTable | None:
        """Which hyperparameters mattered; None where there were too few trials to say."""
        rows = tuple(
            (search, name, strength)
            for search in self.table.searches
            for name, strength in sorted(importance(search).items(), key=lambda item: -item[1])
        )
        title = "Importance of hyperparameters"
        return TextTable("importance", self.table.dataset, title, IMPORTANCE_COLUMNS, rows) if rows else None

    @property
    def log(self) -> TextTable | None:
        """The audit of the log; None where none was stored with its split."""
        return log_table(self.table.facts.split)

    @property
    def split(self) -> Iterator[tuple[str, str]]:
        """The split and its audit, fact by fact."""
        return split_facts(self.table.facts.split)


def html(board: Board) -> str:
    """Return the page."""
    return page(board, all_figures(board))


def page(board: Board, figures: Mapping[str, Sequence[Figure]]) -> str:
    """Return the page with figures made beforehand, as :func:`benchmark.leaderboard.figures.all_figures`."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {
        "table": lambda table, **options: Markup(table.filled.to_html(**options)),  # noqa: S704 - escaped there
        "notes": lambda table: Markup(notes_html(table.notes)),  # noqa: S704 - escaped there
        "warnings": lambda table: Markup(notes_html(warnings_of(table))),  # noqa: S704 - escaped there
        "folded_notes": lambda table: Markup(folded(table)),  # noqa: S704 - escaped there
        "drawing": lambda figure: inline(figure.svg(), figure.says),
    }
    script, marks = page_script(), marks_of(*board.tables)
    sections = [
        DatasetSection(
            f"data-{number}",
            table,
            page_table(table),
            drawings(figures.get(table.dataset, ()), charts_of(table, marks)),
            marks,
            [(group_overview(table, groups), group_table(table, groups)) for groups in table.groups],
            list(facts_at_the_top(table, board.origins)),
            shown_pick(table, board.origins),
        )
        for number, table in enumerate(board.tables)
    ]
    across_charts = [] if board.across is None else chart_across(board.across, marks)
    return environment.from_string(page_part("page.html.j2")).render(
        policy=policy(script),
        css=Markup(page_part("page.css")),  # noqa: S704 - our own file
        js=Markup(script),  # noqa: S704 - our own file
        board=board,
        sections=sections,
        folds=[fold_table(over) for over in board.folds],
        across=None if board.across is None else across_table(board.across),
        across_drawings=drawings(figures.get("", ()), across_charts),
        reproduce=[reproduction(origin) for origin in board.origins],
        enough=ENOUGH_FOR_IMPORTANCE,
    )


def warnings_of(table: TextTable) -> list[Note]:
    """Return the notes of a table that a reader must not miss."""
    return [note for note in table.notes if note.is_warning]


def folded(table: TextTable) -> str:
    """Return the other notes of a table as HTML that opens on request."""
    others = [note for note in table.notes if not note.is_warning]
    if not others:
        return ""
    return f"<details><summary>{len(others)} notes on the table</summary>{notes_html(others)}</details>"


def drawings(figures: Sequence[Figure], charts: Sequence[Chart]) -> list[Drawing]:
    """Return figures, each with the charts that stand for it."""
    return [Drawing(one, [chart for chart in charts if chart.figure == one.name]) for one in figures]


@cache
def page_script() -> str:
    """Return the one script of a page: Vega, Vega-Lite, the interpreter of their expressions, and ours.

    The interpreter comes as a module, which a page from disk cannot import: its one import and its one export
    are turned into names.
    """
    interpreter = page_part("vendor/vega-interpreter.js")
    interpreter = re.sub(r"import (\{.*?\}) from 'vega-util';", r"const \1 = vega;", interpreter)
    named = r"globalThis.expressionInterpreter = \1;"
    interpreter = re.sub(r"export \{ (\w+) as expressionInterpreter \};", named, interpreter)
    vendored = [page_part("vendor/vega.min.js"), page_part("vendor/vega-lite.min.js"), interpreter]
    parts = [re.sub(r"^//# sourceMappingURL=.*$", "", part, flags=re.MULTILINE) for part in vendored]
    wrapped = [*parts[:2], f"(() => {{\n{parts[2]}\n}})();", page_part("page.js")]
    return "\n".join(wrapped)


def policy(script: str) -> str:
    """Return the Content-Security-Policy: no network, this script alone, styles of our own.

    Styles are allowed in attributes, where matplotlib and Vega write them.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def inline(svg: str, says: str) -> Markup:
    """Return an SVG for use within a page: themable, without ids, with its text alternative."""
    from markupsafe import Markup, escape

    drawing = svg[svg.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r"<g id=\"[^\"]*\"", "<g", drawing)
    drawing = drawing.replace(INK, "currentColor").replace("#ffffff", "var(--paper)")
    for number, colour in enumerate(COLOURS):
        drawing = drawing.replace(colour.lower(), f"var(--c{number})")
    size = re.search(r"viewBox=\"[^\"]*\"", drawing)
    assert size is not None
    head = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {size[0]}'
    opened = f'{head} role="img" aria-label="{escape(says)}">'
    return Markup(opened + drawing[drawing.index(">") + 1 :])  # noqa: S704 - drawn by us, its texts escaped


@cache
def page_part(name: str) -> str:
    """Return one of our own files that the page is made of."""
    return (files("benchmark.reporting") / "page" / name).read_text("utf-8")


def group_overview(table: Table, groups: Groups) -> TextTable:
    """Return a subgroup table that fits on one screen: a row per model, a column per group."""
    values: dict[str, dict[str, str]] = {}
    for row in groups.rows:
        values.setdefault(row.model, {})[row.group] = f"{decimal(row.value)} {span(row.low, row.high)}"
    heads = dict.fromkeys((row.group, row.users, row.few_users) for row in groups.rows)
    columns: list[Column[str]] = [Column("model", str, numeric=False, names=True)]
    columns += [
        Column(
            f"{group}, {users} users{' !' if few else ''}",
            partial(lambda group, model: values[model].get(group, NONE), group),
        )
        for group, users, few in heads
    ]
    title = f"{table.dataset} by {groups.by}"
    return TextTable("groups", table.dataset, title, tuple(columns), tuple(values), groups.notes)


def best_found(search: TuningHistory) -> str:
    """Return the tuned hyperparameters of the best trial."""
    best = search.best
    return NONE if best is None else ", ".join(f"{name}={short(best.config[name])}" for name in search.space)


SEARCH_COLUMNS: tuple[Column[TuningHistory], ...] = (
    Column("model", lambda search: search.model, numeric=False, names=True),
    Column("trials", lambda search: str(len(search.trials))),
    Column("ended by", lambda search: search.ended, numeric=False, wraps=True),
    Column(
        "searched",
        lambda search: ", ".join(f"{name} {domain}" for name, domain in search.space.items()),
        numeric=False,
        wraps=True,
    ),
    Column("best found", best_found, numeric=False, wraps=True),
)
IMPORTANCE_COLUMNS: tuple[Column[tuple[TuningHistory, str, float]], ...] = (
    Column("model", lambda row: row[0].model, numeric=False, names=True),
    Column("hyperparameter", lambda row: row[1], numeric=False, wraps=True),
    Column("strength", lambda row: decimal(row[2], 2)),
    Column("trials", lambda row: str(len(row[0].scored))),
)
