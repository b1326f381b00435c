"""What the audit of a log found: its size, its shape, whom it can judge, and what stands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from benchmark.records.note import Level

TableName: TypeAlias = Literal["titles", "items", "users", "graph"]
"""The key of a suite that names a table; "items", "users" and "graph" for those of a publisher, too."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that stands out: what was found, and a sentence that says what to do."""

    found: str
    cure: str
    level: Level = "warning"

    @property
    def is_warning(self) -> bool:
        """Whether it may spoil results."""
        return self.level == "warning"

    @property
    def text(self) -> str:
        """Both sentences on one line."""
        return f"{self.found}; {self.cure}"


@dataclass(frozen=True, kw_only=True)
class Busiest:
    """The user, or the item, with the most rows: its id, how many they are, and their share of all."""

    id: str
    rows: int
    share: float


@dataclass(frozen=True, kw_only=True)
class TableAudit:
    """How well a table of users or items fits its log.

    Attributes:
        table: the key of the suite that names it.
        path: its file; empty for a publisher's.
        known: how many of the log's ids it has.
        of: how many ids the log has.
        lines: how many lines it has, one an id; of a graph, how many triples.
    """

    table: TableName
    path: str = ""
    known: int
    of: int
    lines: int

    @property
    def text(self) -> str:
        """How many of the log's ids it knows, in words."""
        side = "users" if self.table == "users" else "items"
        triples = f" in {self.lines:,} triples" if self.table == "graph" else ""
        return f"knows {self.known:,} of {self.of:,} {side}{triples}"


@dataclass(frozen=True, kw_only=True)
class NotJudged:
    """How many users are not judged, and why: a clause whose subject they are."""

    users: int
    why: str


@dataclass(frozen=True, kw_only=True)
class JudgedUsers:
    """Whom a split can judge: users with something to find in test.

    Attributes:
        users: how many they are.
        of: U.
        others: why the others are not judged.
        tuned_on: users with something to find in validation.
        cold: judged users without a training row: models cannot tell them apart.
        rows: test rows.
        likes: test rows that are positive.
        most_candidates: the most items that can be listed for a user with a test row.
        most_irrelevant: the most such items of a judged user that are not relevant.
        most_relevant: the most relevant items of a judged user.
    """

    users: int
    of: int
    others: tuple[NotJudged, ...]
    tuned_on: int
    cold: int
    rows: int
    likes: int
    most_candidates: int
    most_irrelevant: int
    most_relevant: int

    @property
    def text(self) -> str:
        """How many users can be judged and why the others cannot, in one sentence."""
        parts = [f"{self.users:,} of {self.of:,} users can be judged"]
        parts += [f"{one.users:,} {one.why}" for one in self.others]
        if self.cold:
            parts.append(f"{self.cold:,} of those judged have no training row")
        return "; ".join(parts)


@dataclass(frozen=True, kw_only=True)
class LogAudit:
    """The numbers of a log, and what stands out.

    Rows, users and items are counted as read; everything else after preparation.

    Attributes:
        rows: as read.
        users: distinct ids as read.
        items: likewise.
        missing: rows as read that lack an entry, by column; columns without a gap are left out.
        repeats: rows whose pair of user and item an earlier row has, whether merged or kept.
        first: earliest time, as a date (UTC), or as a number where times only order the rows; None without
            times.
        last: latest time.
        tied_share: share of rows whose time another row of the same user has; None without times.
        lowest_value: None without values.
        highest_value: likewise.
        likes_share: share of rows that are positive.
        busiest_user: the user with the most rows.
        busiest_item: the item with the most rows.
        density: distinct pairs that occur, as a share of all pairs.
        gini_items: how unevenly rows are spread over items, 0 (evenly) to 1.
        gini_users: over users.
        tables: how well tables of users and items fit.
        judged: whom the split can judge; None until it is split.
        findings: what stands out.
    """

    rows: int
    users: int
    items: int
    missing: Mapping[str, int]
    repeats: int
    first: str | None
    last: str | None
    tied_share: float | None
    lowest_value: float | None
    highest_value: float | None
    likes_share: float
    busiest_user: Busiest
    busiest_item: Busiest
    density: float
    gini_items: float
    gini_users: float
    tables: tuple[TableAudit, ...] = ()
    judged: JudgedUsers | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that may spoil results."""
        return tuple(one for one in self.findings if one.is_warning)
