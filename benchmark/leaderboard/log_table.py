"""The audit of a log as people read it: a table of facts, and below it what stands out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from benchmark.datasets.manifest import SplitManifest
from benchmark.leaderboard.formatting import decimal
from benchmark.leaderboard.text_tables import Column, TextTable
from benchmark.records import Busiest, LogAudit, Note

Fact: TypeAlias = tuple[str, str]

COLUMNS: tuple[Column[Fact], ...] = (
    Column("what", lambda fact: fact[0], numeric=False, names=True),
    Column("value", lambda fact: fact[1], numeric=False, wraps=True),
)


def log_table(split: SplitManifest) -> TextTable | None:
    """Return the audit of a log and how it was prepared; None where none was stored with its split."""
    if split.log_audit is None:
        return None
    rows = (*log_facts(split.log_audit), *step_facts(split))
    title = f"{split.dataset}: the log"
    return TextTable("log", split.dataset, title, COLUMNS, rows, tuple(log_remarks(split)))


def log_facts(log: LogAudit) -> Iterator[Fact]:
    """Yield the numbers of a log, name and text."""
    yield "as read", f"{log.rows:,} rows, {log.users:,} users, {log.items:,} items"
    yield "missing entries", ", ".join(f"{name} {count:,}" for name, count in log.missing.items()) or "none"
    yield "pairs that come again", f"{log.repeats:,} rows" if log.repeats else "none"
    if log.first is not None and log.tied_share is not None:
        yield "times", f"{log.first} to {log.last}"
        yield "tied", f"{log.tied_share:.1%} of rows share their time with another row of the same user"
    if log.lowest_value is not None and log.highest_value is not None:
        yield "values", f"{log.lowest_value:g} to {log.highest_value:g}"
    yield "likes", f"{log.likes_share:.1%} of rows"
    yield "busiest user", busiest_text(log.busiest_user)
    yield "busiest item", busiest_text(log.busiest_item)
    yield "density", f"{log.density:.4%} of all pairs"
    yield "popularity", f"Gini of items {decimal(log.gini_items, 2)}, of users {decimal(log.gini_users, 2)}"
    for table in log.tables:
        named = "knowledge graph" if table.table == "graph" else f"table of {table.table}"
        yield named, f"{table.text}{f' ({table.path})' if table.path else ''}"
    if log.judged is not None:
        yield "judged", log.judged.text


def busiest_text(one: Busiest) -> str:
    """Return who has the most rows, and how many."""
    return f"{one.id}: {one.rows:,} rows ({one.share:.2%})"


def step_facts(split: SplitManifest) -> Iterator[Fact]:
    """Yield what each step of preparation left, and dropped."""
    before = split.prepare[0].rows if split.prepare else 0
    for step in split.prepare:
        lost = before - step.rows if step.step != "positives" else 0
        counts = f"rows {step.rows}, users {step.users}, items {step.items}"
        parts = [counts, *([f"{lost:,} dropped"] if lost else []), *([step.note] if step.note else [])]
        yield f"prepare: {step.step}", ", ".join(parts)
        before = before if step.step == "positives" else step.rows


def log_remarks(split: SplitManifest) -> Iterator[Note]:
    """Yield what stands out, the warnings first, and what was made of the files."""
    findings = split.log_audit.findings if split.log_audit else ()
    for finding in sorted(findings, key=lambda one: not one.is_warning):
        yield Note(finding.text, finding.level)
    for note in split.reading_notes:
        yield Note(note)
