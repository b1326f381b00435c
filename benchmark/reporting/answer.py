"""The answer of a board for whoever decides: which model, how much better, at what cost, how sure.

It speaks of the model that was picked, else of the reference: that was named before test was opened, so its
value on test is not flattered by the choice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from benchmark.leaderboard import BoardRow, Table
from benchmark.leaderboard.formatting import decimal, p_value, signed, span
from benchmark.metrics.register import parse_metric


@dataclass(frozen=True)
class BoardAnswer:
    """Three sentences, and the model that they speak of.

    Attributes:
        model: its name.
        why: what makes it the one.
        quality: how good it is, next to popularity and to the runner-up.
        cost: what it takes to train and to serve.
        certainty: how sure the verdict is.
    """

    model: str
    why: str
    quality: str
    cost: str
    certainty: str

    @property
    def sentences(self) -> tuple[str, str, str]:
        """The three, in order."""
        return self.quality, self.cost, self.certainty


def answer(table: Table, picked: str | None = None) -> BoardAnswer | None:
    """Return the answer of a board; None where no model has a result.

    Args:
        table: the board of one data set.
        picked: the model of the last pick; None where none was made.
    """
    rows = {row.model: row for row in table.ranked}
    row = rows.get(picked or "") or table.reference_row
    why = "picked" if row is not None and row.model == picked else "best on validation"
    if row is None and table.ranked:
        row, why = table.ranked[0], "first on test"
    if row is None:
        return None
    return BoardAnswer(row.model, why, quality_of(table, row), cost_of(row), certainty_of(table, row))


def quality_of(table: Table, row: BoardRow) -> str:
    """Return how good a model is, next to popularity and to the best of the others."""
    others = [one for one in table.ranked if one is not row and one.model != table.facts.popularity]
    parts = [
        f"{table.primary} {decimal(row.value)} on test",
        against_popularity(table, row),
        against(table, row, others[0]) if others else "",
    ]
    return f"{', '.join(filter(None, parts))}."


def against_popularity(table: Table, row: BoardRow) -> str:
    """Return how much better a model is than popularity; what to do where that has no row."""
    name = table.facts.popularity
    floor = next((one for one in table.ranked if one.model == name), None)
    if floor is row:
        return "which is popularity itself: nothing personal is recommended"
    if parse_metric(table.primary).kind == "rating":
        return ""
    if floor is None:
        return "with no popularity on this board to compare with (add baselines/popularity)"
    if not floor.score:
        return f"where popularity has {decimal(floor.value)}"
    return f"{row.score / floor.score:.3g} times popularity's {decimal(floor.value)}"


def against(table: Table, row: BoardRow, other: BoardRow) -> str:
    """Return the difference to another model, and whether chance explains it, where that was tested.

    It was where one of the two is the reference.
    """
    higher = parse_metric(table.primary).higher_is_better
    difference = row.score - other.score
    side = "ahead of" if (difference > 0) is higher else "behind"
    text = f"{abs(difference):.4f} {side} {other.model} ({decimal(other.value)})"
    if not difference:
        text = f"level with {other.model}"
    compared, sign = (other, -1) if row.model == table.reference else (row, 1)
    p, low, high = compared.p_vs_reference, compared.diff_low, compared.diff_high
    if table.reference not in {row.model, other.model} or low is None or high is None or p is None:
        return f"{text}, the best of the others"
    least, most = sorted((sign * low, sign * high))
    ends = span(least, most, signed)
    chance = "more than chance explains" if p < table.facts.alpha else "which may be chance"
    return f"{text}, the best of the others, {chance} ({1 - table.facts.alpha:.0%} interval {ends})"


def cost_of(row: BoardRow) -> str:
    """Return what a model takes to train and to serve."""
    parts = [
        f"{duration(row.fit_s)} to train" if row.fit_s is not None else "",
        f"{latency(row.latency_ms_p50)} to score one user" if row.latency_ms_p50 is not None else "",
        f"{row.size_mb:.3g} MB stored" if row.size_mb is not None else "",
        f"{row.memory_mb:.0f} MB of memory while training" if row.memory_mb is not None else "",
    ]
    known = [part for part in parts if part]
    if not known:
        return "Its cost is not known: it was not trained here."
    tuned = f"; its tuning took {duration(row.charged_s)}" if row.tuned else ""
    device = f" on {row.device}" if row.device else ""
    return f"It takes {', '.join(known)}{device}{tuned}."


def duration(seconds: float | None) -> str:
    """Return seconds as people say them.

    >>> duration(0.0312), duration(12.4), duration(252.0)
    ('0.031 s', '12 s', '4 min 12 s')
    """
    if seconds is None or math.isnan(seconds):
        return "an unknown time"
    if seconds >= 120:
        return f"{int(seconds // 60)} min {seconds % 60:.0f} s"
    return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.0f} s"


def latency(ms: float | None) -> str:
    """Return milliseconds in two digits.

    >>> latency(0.0123), latency(4.6)
    ('0.012 ms', '4.6 ms')
    """
    return "an unknown time" if ms is None or math.isnan(ms) else f"{ms:.2g} ms"


def certainty_of(table: Table, row: BoardRow) -> str:
    """Return how sure it is that this model is the one."""
    others = [one for one in table.ranked if one is not row]
    if not others:
        return "Nothing else has a result, so nothing is compared."
    return f"{' '.join(separation(table, row, others))} {basis(table, row)}"


def separation(table: Table, row: BoardRow, others: list[BoardRow]) -> Iterator[str]:
    """Yield from which models it is told apart."""
    best = [one.model for one in table.ranked if one.best_set]
    equals = [name for name in best if name != row.model]
    if row.model not in best:
        yield f"It is not among the best on test, which are {', '.join(best)}." if best else ""
    elif equals:
        yield f"Which is best is not settled: it cannot be told apart from {', '.join(equals)}."
    else:
        yield "It is told apart from every other model."
    if row.model == table.reference:
        worse = [one for one in others if is_worse(table, one)]
        if worse:
            most = max(one.p_vs_reference or 0.0 for one in worse)
            shown = p_value(most)
            p = f"p < {shown[1:]}" if shown.startswith("<") else f"p at most {shown}"
            yield f"Significantly worse: {len(worse)} of {len(others)} others ({p}, corrected)."


def is_worse(table: Table, row: BoardRow) -> bool:
    """Return whether a model is significantly worse than the reference."""
    if row.p_vs_reference is None or row.diff_to_reference is None:
        return False
    sign = 1 if parse_metric(table.primary).higher_is_better else -1
    return row.p_vs_reference < table.facts.alpha and sign * row.diff_to_reference < 0


def basis(table: Table, row: BoardRow) -> str:
    """Return what a verdict is drawn from: users, refits, and one search for each model."""
    users = row.test_users if row.test_users is not None else table.facts.split.tested_users
    refits = f" and {row.seeds} refits" if row.seeds and row.seeds > 1 else ""
    synthetic = " The data is synthetic: this says nothing of real data." if row.synthetic else ""
    return (
        f"Over {users:,} users{refits} of the configurations that one search found; another search may find "
        f"others.{synthetic}"
    )
