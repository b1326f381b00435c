"""The numbers of a log, and what stands out in it.

Everything is counted with sorts and counts over whole arrays: 25 M rows take a few seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from benchmark.datasets.audit.busy_ids import busiest, id_findings
from benchmark.datasets.audit.step_findings import step_findings
from benchmark.datasets.clock import PER_SECOND
from benchmark.datasets.log import Log
from benchmark.datasets.prepare.pipeline import Prepared
from benchmark.inequality import gini
from benchmark.protocol import Interactions
from benchmark.records import Finding, LogAudit

MOSTLY_TIED = 0.5
DENSE = 0.5
ENOUGH_FOR_A_TOTAL = 10
"""With fewer rows one may add up the others by chance."""
NARROW = 0.5
"""A scale is far wider than its values where they cover less than this share of it."""
MIXERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
"""Odd numbers without a pattern, so that sums of multiples of them seldom meet."""
PER_DAY = {unit: 86_400 * count for unit, count in PER_SECOND.items()}


def audit_log(log: Log, prepared: Prepared) -> LogAudit:
    """Return the numbers of a log, not yet split, and what stands out.

    Args:
        log: as it was read.
        prepared: the same, prepared.
    """
    rows, read = prepared.interactions, prepared.steps[0]
    per_user, per_item = (
        np.bincount(ids, minlength=n) for ids, n in ((rows.users, rows.n_users), (rows.items, rows.n_items))
    )
    merged = merged_rows(prepared)
    kept = repeated_rows(rows) if prepared.pairs == "repeat" else 0
    tied = tied_share(rows)
    values = value_range(rows) if prepared.has_values else None
    density = (len(rows) - kept) / (rows.n_users * rows.n_items)
    findings = [
        *id_findings("user", prepared.user_ids, per_user),
        *id_findings("item", prepared.item_ids, per_item),
        *value_findings(values, rows.scale),
        *total_findings(rows if prepared.has_values else None),
        *time_findings(rows, tied),
        *step_findings(prepared.steps),
        *density_findings(density),
        *(finding for table in prepared.tables for finding in table.findings),
    ]
    return LogAudit(
        rows=read.rows,
        users=read.users,
        items=read.items,
        missing=missing_entries(log.frame),
        repeats=merged + kept,
        first=moment_text(rows, "min"),
        last=moment_text(rows, "max"),
        tied_share=tied,
        lowest_value=values[0] if values else None,
        highest_value=values[1] if values else None,
        likes_share=float(rows.positive.mean()),
        busiest_user=busiest(prepared.user_ids, per_user),
        busiest_item=busiest(prepared.item_ids, per_item),
        density=density,
        gini_items=gini(per_item),
        gini_users=gini(per_user),
        tables=tuple(table.audit for table in prepared.tables),
        findings=tuple(findings),
    )


def missing_entries(frame: pd.DataFrame) -> Mapping[str, int]:
    """Return how many rows lack an entry, by column; columns without a gap are left out."""
    return {str(name): int(frame[name].isna().sum()) for name in frame if frame[name].hasnans}


def merged_rows(prepared: Prepared) -> int:
    """Return how many rows went because an earlier or a later one has the same pair."""
    rows = [step.rows for step in prepared.steps]
    names = [step.step for step in prepared.steps]
    at = names.index("duplicate pairs") if "duplicate pairs" in names else 0
    return rows[at - 1] - rows[at] if at else 0


def repeated_rows(rows: Interactions) -> int:
    """Return how many rows have a pair of user and item that an earlier one has."""
    pairs = rows.users.astype(np.int64) * rows.n_items + rows.items
    pairs.sort()
    return int((pairs[1:] == pairs[:-1]).sum())


def tied_share(rows: Interactions) -> float | None:
    """Return the share of rows (N,) whose time another row of the same user has; None without times.

    User and time are packed into one number. Where they do not fit they are mixed: two that differ then
    meet by chance, once in 10,000 logs of 25 M rows.
    """
    if not len(rows.times):
        return None
    since = np.subtract(rows.times, rows.times.min(), dtype=np.int64).view(np.uint64)
    users, width = rows.users.astype(np.uint64), int(since.max()).bit_length()
    if width + rows.n_users.bit_length() <= 64:
        keys = (users << np.uint64(width)) | since if width < 64 else since
    else:
        keys = since * MIXERS[0] + users * MIXERS[1]
    keys.sort()
    same = keys[1:] == keys[:-1]
    return float((np.append(same, False) | np.append(False, same)).mean())


def moment_text(rows: Interactions, which: str) -> str | None:
    """Return the earliest ("min") or latest ("max") time as a date in UTC; None without times.

    The time of day is left out where all times are at midnight; a number that only orders rows stays one.
    """
    if not len(rows.times):
        return None
    time, unit = int(rows.times.min() if which == "min" else rows.times.max()), rows.time_unit
    if unit == "order":
        return str(time)
    whole_days = not (rows.times % PER_DAY[unit]).any()
    text = str(np.datetime_as_string(np.datetime64(time, unit), unit="D" if whole_days else "s"))
    return text.replace("T", " ")


def value_range(rows: Interactions) -> tuple[float, float]:
    """Return the lowest and the highest value."""
    values = rows.values  # noqa: PD011 (our own column, no DataFrame)
    return float(values.min()), float(values.max())


def value_findings(
    values: tuple[float, float] | None, scale: tuple[float, float] | None
) -> Iterator[Finding]:
    """Yield that values are all the same, or use little of their scale."""
    if values is None:
        return
    lowest, highest = values
    if lowest == highest:
        yield Finding(
            found=f"every value is {lowest:g}",
            cure="values say nothing, and rating metrics are n/a: leave value and scale out, or name another "
            "column",
        )
    elif scale and highest - lowest < NARROW * (scale[1] - scale[0]):
        yield Finding(
            found=f"the scale is {scale[0]:g} to {scale[1]:g}, and values go from {lowest:g} to {highest:g}",
            cure=f"models predict on the whole scale; if no others are possible, set scale: [{lowest:g}, "
            f"{highest:g}]",
        )


def total_findings(rows: Interactions | None) -> Iterator[Finding]:
    """Yield that the last row adds up all others: a line of totals that was taken for a row."""
    if rows is None or rows.scale is not None or len(rows) < ENOUGH_FOR_A_TOTAL:
        return
    values = rows.values.astype(np.float64)  # noqa: PD011 (our own column, no DataFrame)
    total = float(values[:-1].sum())
    if total > 0 and abs(values[-1] - total) <= 1e-6 * total:
        yield Finding(
            found=f"the value of the last row, {values[-1]:g}, is the sum of all others",
            cure="if it is a line of totals, remove it from the file, or leave it out with rows",
        )


def time_findings(rows: Interactions, tied: float | None) -> Iterator[Finding]:
    """Yield that times tell little: all the same, whole days, or many of a user's rows at once."""
    if tied is None:
        return
    if rows.times.min() == rows.times.max():
        yield Finding(
            found="every row has the same time",
            cure="times say nothing about what came first: leave time out, or name another column",
        )
        return
    if tied >= MOSTLY_TIED:
        days = rows.time_unit != "order" and not (rows.times % PER_DAY[rows.time_unit]).any()
        yield Finding(
            found=f"{tied:.0%} of rows share their time with another row of the same user"
            + (": times are whole days" if days else ""),
            cure="which of them came last is decided by the order of the file: with a rule by time prefer "
            "global_time, which keeps them together",
            level="note",
        )


def density_findings(density: float) -> Iterator[Finding]:
    """Yield that users have nearly all items."""
    if density == 1.0:
        yield Finding(
            found="every user has a row for every item",
            cure="nothing is left to recommend: if the rows are a whole matrix, say with positive which of "
            "them count, and judge models by rmse",
        )
    elif density > DENSE:
        yield Finding(
            found=f"users have rows for {density:.0%} of all items",
            cure="few items are left to choose from: say with positive which rows count",
            level="note",
        )
