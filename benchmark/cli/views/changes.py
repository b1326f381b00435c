"""What one run changes against another."""

from __future__ import annotations

from benchmark.compare_runs import Changes
from benchmark.leaderboard.formatting import decimal, p_value, signed, span


def changes_as_text(changes: Changes) -> str:
    """Return a line for each model of two runs, as wide as it must be."""
    titles = ["data set", "model", "A", "B", "B - A", f"{changes.level:.0%} interval", "p", ""]
    rows = [
        [
            *(row.dataset, row.model, decimal(row.before), decimal(row.after), signed(row.difference)),
            *(span(row.low, row.high, signed), p_value(row.p)),
            "; ".join(filter(None, ["WORSE" if row.regressed else "", row.note])),
        ]
        for row in changes.rows
    ]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (titles, *rows)
    ]
    head = f"{changes.primary}; intervals unadjusted; p seed-aware, Holm over the models of a data set"
    return "\n".join([head, *lines, *changes.notes])
