"""The report as one HTML file that loads nothing: table, figures, split audit, how to reproduce.

Every text is escaped; only our own style, script and drawn figures go in as they are, and the page's policy
allows that one script by its hash and no network at all.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from benchmark.datasets.manifest import SplitManifest
from benchmark.leaderboard import Board, Column, Groups, RunOrigin, Table, TextTable, TuningHistory
from benchmark.leaderboard.board_columns import (
    across_table,
    board_table,
    fold_table,
    group_table,
    pair_table,
)
from benchmark.leaderboard.figures import COLOURS, INK, Figure, all_figures
from benchmark.leaderboard.formatting import NONE, decimal, span
from benchmark.leaderboard.log_table import log_table
from benchmark.leaderboard.text_tables import notes_html
from benchmark.leaderboard.tuning_history import ENOUGH_FOR_IMPORTANCE, importance
from benchmark.protocol import Hyperparameter

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class DatasetSection:
    """What the page shows of one data set.

    Attributes:
        id: of the section within the page.
        table: its board as data.
        board: the same as people read it, every column.
        figures: what was drawn of it.
        groups: each way to group: an overview, a column a group; and the differences to the reference.
    """

    id: str
    table: Table
    board: TextTable
    figures: Sequence[Figure]
    groups: Sequence[tuple[TextTable, TextTable]]

    @property
    def verdict(self) -> str:
        """The answer in one sentence; empty without a result."""
        ranked, primary = self.table.ranked, self.table.primary
        if not ranked:
            return ""
        equals = [row.model for row in ranked[1:] if row.best_set]
        text = f"{ranked[0].model} ranks first with {primary} {decimal(ranked[0].value)}."
        if equals:
            return f"{text} It cannot be separated from {', '.join(equals)}."
        return f"{text} It is separated from every other model." if len(ranked) > 1 else text

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
        "drawing": lambda figure: inline(figure.svg(), figure.says),
    }
    script = page_part("page.js")
    sections = [
        DatasetSection(
            f"data-{number}",
            table,
            board_table(table, more=True),
            figures.get(table.dataset, ()),
            [(group_overview(table, groups), group_table(table, groups)) for groups in table.groups],
        )
        for number, table in enumerate(board.tables)
    ]
    return environment.from_string(page_part("page.html.j2")).render(
        policy=policy(script),
        css=Markup(page_part("page.css")),  # noqa: S704 - our own file
        js=Markup(script),  # noqa: S704 - our own file
        board=board,
        sections=sections,
        folds=[fold_table(over) for over in board.folds],
        across=None if board.across is None else across_table(board.across),
        across_figures=figures.get("", ()),
        reproduce=[(origin, command(origin), list(origin_facts(origin))) for origin in board.origins],
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
    """Return an SVG for use within a page: themable, without ids, with its text alternative."""
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


def short(value: Hyperparameter) -> str:
    """Return a hyperparameter with three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


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


def split_facts(split: SplitManifest) -> Iterator[tuple[str, str]]:
    """Yield what is known of a split, name and text."""
    audit = split.audited
    yield "rule", fact_text(split.rule.model_dump(mode="json"))
    yield "split hash", split.hash
    if (split.pairs, split.seen) != ("once", "hide"):
        yield "items that come again", f"pairs: {split.pairs}, seen: {split.seen}"
    yield "likes", split.likes
    for part, counts in split.parts.items():
        yield part, fact_text(counts)
    for field in fields(audit):
        found = getattr(audit, field.name)
        if field.name not in {"flags", "notes"} and found is not None:
            yield field.name, fact_text(found)
    for note in audit.notes:
        yield "note", note
    for flag in audit.flags:
        yield "flag", flag
    if not audit.flags:
        yield "flags", "none"
    yield "licence", split.provenance.licence
    yield "origin", split.provenance.origin
    for file in (*split.files, split.candidates.file):
        if file is not None:
            said = f"{file.path}, {file.size:,} bytes, last written {file.modified}, sha256 {file.sha256}"
            yield f"file: {file.role}", said


def fact_text(value: Any) -> str:
    """Return nested facts on one line; what does not exist is left out.

    >>> fact_text({"rows": 10, "share": 0.123456, "seed": None})
    'rows 10, share 0.1235'
    """
    content = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    if isinstance(content, Mapping):
        return ", ".join(f"{key} {fact_text(inner)}" for key, inner in content.items() if inner is not None)
    return f"{content:.4g}" if isinstance(content, float) else str(content)


def command(origin: RunOrigin) -> str:
    """Return the command that reproduces a run."""
    return f"bench run {shlex.quote(f'{origin.path}/suite.yaml')} --fresh"


def origin_facts(origin: RunOrigin) -> Iterator[tuple[str, str]]:
    """Yield what a run was made from and on: hashes, versions, hardware."""
    manifest, hardware = origin.manifest, origin.manifest.hardware
    yield "suite hash", manifest.suite_hash
    yield "started, finished", f"{manifest.started}, {manifest.finished or NONE}"
    for name, code in manifest.adapters.items():
        yield f"adapter: {name}", f"sha256 {code.source_sha256}, {fact_text(code.versions)}".rstrip(", ")
    if hardware is not None:
        yield "environment hash", hardware.hash
        shown = ("platform", "processor", "cores", "memory_mb")
        yield "machine", fact_text({name: getattr(hardware, name) for name in shown})
        yield "GPUs", ", ".join(hardware.gpus) or "none"
        yield "python", hardware.python
        yield "versions", fact_text(hardware.versions)
