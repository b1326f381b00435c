"""How well a table of users or items fits its log: how many ids it knows, and what its columns hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from benchmark.datasets.log import LIST_SEPARATOR, Log, Side, SideTable
from benchmark.datasets.tables.all_columns import columns_as_text
from benchmark.datasets.tables.parse import words
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.protocol import Array
from benchmark.records import Finding, TableAudit, TableName

Rewrite: TypeAlias = Callable[[pd.Series], pd.Series]

ENOUGH_KNOWN = 0.9
"""A table that knows a smaller share of the log's ids does not fit."""
ENOUGH_GAIN = 0.05
"""A way to write ids is worth a hint where at least this share of them would match by it."""
MOST_OF_A_COLUMN = 0.9
"""Share of the entries of a column that says what the column is."""
FEW_ENTRIES = 3
"""With fewer entries a column says nothing about its kind."""
OTHER_SEPARATORS = (",", ";", "/", "|", " ")
PLAIN_NUMBER = r"-?\d+(?:\.\d+)?"

REWRITES: tuple[tuple[str, str, Rewrite], ...] = (
    ("leading zeros", "write both with the same zeros, as text", lambda ids: ids.str.lstrip("0")),
    ("blanks around them", "remove the blanks", lambda ids: ids.str.strip()),
    (
        "a decimal point",
        "write whole numbers as whole numbers",
        lambda ids: ids.str.replace(r"^(-?\d+)\.0*$", r"\1", regex=True),
    ),
    ("capital letters", "write both in the same case", lambda ids: ids.str.casefold()),
    (
        "composed accents",
        "write both in the same Unicode form, such as NFC",
        lambda ids: ids.str.normalize("NFC"),
    ),
    (
        "hyphens and other signs",
        "write both with the same signs",
        lambda ids: ids.str.replace(r"[\W_]+", "", regex=True),
    ),
    (
        "the letters before the number",
        "give both the same prefix, or none",
        lambda ids: ids.str.replace(r"^.*?\D(?=\d+$)", "", regex=True),
    ),
)
"""What one side may have and the other lack, what to do then, and how ids look without it."""


@dataclass(frozen=True)
class MatchedTable:
    """A table beside a log, and what stands out."""

    audit: TableAudit
    findings: tuple[Finding, ...]


def match_table(log: Log, side: Side, ids: Array) -> MatchedTable | None:
    """Return how well the log's table of users or items fits; None if it has none.

    Args:
        log: whose tables are looked at.
        side: of users or of items.
        ids: the distinct ids of the prepared log, (U,) or (I,).
    """
    table, file = (log.users, log.user_file) if side == "user" else (log.items, log.item_file)
    if table is None:
        return None
    own, others = pd.Series(ids.astype(np.str_), dtype="str"), table[side].astype("str")
    known = own.isin(others)
    default: TableName = "users" if side == "user" else "items"
    audit = TableAudit(
        table=file.key if file else default,
        path=str(file.path) if file else "",
        known=int(known.sum()),
        of=len(own),
        lines=len(table),
    )
    findings = list(unknown_ids(audit, own, others, known, file))
    if file:
        roles = (log.user_roles if side == "user" else log.item_roles) or {}
        named = f"{log.name}: {audit.table}"
        findings += [
            one for column, role in roles.items() for one in kind_findings(named, table, column, role)
        ]
    return MatchedTable(audit, tuple(findings))


def unknown_ids(
    audit: TableAudit, own: pd.Series, others: pd.Series, known: pd.Series, file: SideTable | None
) -> Iterator[Finding]:
    """Yield that a table knows too few of the log's ids, with what would help."""
    if audit.known >= ENOUGH_KNOWN * audit.of:
        return
    hint = match_hint(audit, own, others, known, file)
    example = own[~known].iloc[0]
    yield Finding(
        found=f"{audit.table} {audit.text}"
        + (f"; {hint.found}" if hint else f" (not {example}, for example)"),
        cure=hint.cure if hint else "check which column of the table is named as the id",
    )


def match_hint(
    audit: TableAudit, own: pd.Series, others: pd.Series, known: pd.Series, file: SideTable | None
) -> Finding | None:
    """Return by what other writing, or by what other column of the table, more ids would match."""
    written = other_writing(own[~known], others)
    more = written.matches if written else 0
    best, column = audit.known + more, None
    for name, entries in columns_as_text(file.path, TextFormat.of(file.entry, file.spec)) if file else ():
        found = int(own.isin(entries).sum())
        if found > best and found >= ENOUGH_GAIN * audit.of:
            best, column = found, name
    if file and column is not None:
        key = "item" if file.key == "titles" else "id"
        return Finding(
            found=f"its column {column!r} knows {best:,}",
            cure=f"if that is the id, write {file.key}: {{{key}: {column}}}; titles and features of a wrong "
            "column belong to other rows",
        )
    if written and more >= ENOUGH_GAIN * audit.of:
        return Finding(
            found=f"{more:,} more would match {written.how} ({written.own} in the log, {written.other} in "
            "the table)",
            cure=written.cure,
        )
    return None


@dataclass(frozen=True)
class OtherWriting:
    """A way to write ids by which more of them match: how many, how, what to do, and an example."""

    matches: int
    how: str
    cure: str
    own: str
    other: str


def other_writing(own: pd.Series, others: pd.Series) -> OtherWriting | None:
    """Return how most of the log's unknown ids would be known; None if no way helps."""
    best: OtherWriting | None = None
    for what, cure, rewrite in REWRITES:
        bare_own, bare_others = rewrite(own), rewrite(others)
        matched = bare_own.isin(bare_others[bare_others != ""])
        count = int(matched.sum())
        if count > (best.matches if best else 0):
            bare = bare_own[matched].iloc[0]
            mine, its = own[matched].iloc[0], others[bare_others == bare].iloc[0]
            how = f"{'with' if len(mine) > len(its) else 'without'} {what}"
            if len(mine) == len(its):
                how = f"without regard to {what}"
            best = OtherWriting(count, how, cure, mine, its)
    return best


def kind_findings(named: str, table: pd.DataFrame, column: str, role: str) -> Iterator[Finding]:
    """Yield what a column holds that its role does not fit.

    Args:
        named: the table, for messages.
        table: with the values of lists joined by ``LIST_SEPARATOR``.
        column: one with a role.
        role: "category", "list", "number" or "text".
    """
    entries = words(table[column])
    entries = entries[entries.str.strip() != ""]
    if len(entries) < FEW_ENTRIES:
        empty = len(table) - len(entries)
        yield Finding(
            found=f"{named}: column {column!r} is empty in {empty:,} of {len(table):,} rows",
            cure="leave it out, or name another column",
        )
        return
    first, distinct = entries.iloc[0], entries.nunique()
    if role == "text" and (~entries.str.strip().str.contains(r"\s")).mean() >= MOST_OF_A_COLUMN:
        yield Finding(
            found=f"{named}: the text column {column!r} has one word a row, such as {first!r}",
            cure="if it is a brand, a class or the like, name it in categories",
        )
    elif role == "list" and not entries.str.contains(LIST_SEPARATOR, regex=False).any():
        yield from list_findings(named, column, entries)
    elif role == "category" and distinct == len(entries):
        yield Finding(
            found=f"{named}: the category {column!r} has another value in every row, such as {first!r}",
            cure="no feature can be made of it: if it is text name it in texts, if a number in numbers",
        )
    elif role == "number" and distinct == 1:
        yield Finding(
            found=f"{named}: the number {column!r} is {first} in every row that has it",
            cure="no feature can be made of it: leave it out",
        )


def list_findings(named: str, column: str, entries: pd.Series) -> Iterator[Finding]:
    """Yield that no row of a list column has more than one value."""
    first = entries.iloc[0]
    if entries.str.fullmatch(PLAIN_NUMBER).all():
        yield Finding(
            found=f"{named}: the list column {column!r} is given as numbers, such as {first}",
            cure="each number is taken as one value: name it in numbers if it is a quantity, in categories "
            "if it is the number of a class",
        )
        return
    shares = {sign: float(entries.str.contains(sign, regex=False).mean()) for sign in OTHER_SEPARATORS}
    sign = max(shares, key=lambda one: shares[one])
    if shares[sign] >= 0.5:
        yield Finding(
            found=f"{named}: no row of the list column {column!r} has its separator, and "
            f"{shares[sign]:.0%} have {sign!r}, such as {first!r}",
            cure=f"each row is taken as one value: say list_separator: {sign!r}",
        )
    elif shares[sign] == 0:
        yield Finding(
            found=f"{named}: the list column {column!r} has one value a row, such as {first!r}",
            cure="name it in categories",
            level="note",
        )
