"""What a reader must know of a run that followed its suite: rows that were, budgets in parts, references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmark.leaderboard.dataset_results import DatasetResults
from benchmark.leaderboard.rows import BoardRow
from benchmark.ledger import select
from benchmark.records import Note, ReferenceNamed, StudyOpened, warning
from benchmark.units import write_seconds

MOST_ROWS = 8
"""Earlier rows that a note names."""


def earlier_rows_note(results: DatasetResults) -> Iterator[Note]:
    """Yield which models were scored on test and are no longer shown; nothing where all are."""
    names: dict[str, int] = {}
    for row in results.earlier:
        names[row.model] = names.get(row.model, 0) + 1
    if not names:
        return
    texts = [
        f"{name} ({'as it was set or tuned before' if name in results.studies else 'no row now'}"
        f"{f', {count} times' if count > 1 else ''})"
        for name, count in names.items()
    ]
    more = f" and {len(texts) - MOST_ROWS} more" if len(texts) > MOST_ROWS else ""
    yield warning(
        f"Scored on test earlier: {', '.join(texts[:MOST_ROWS])}{more}. Holm counts them in the tests of "
        "this split: whoever saw their values may have chosen the present rows by them."
    )


def reference_note(results: DatasetResults, reference: str | None) -> Iterator[Note]:
    """Yield when a reference was named that came after test had been opened; nothing if it came before."""
    for named in results.references:
        if isinstance(named, ReferenceNamed) and named.instead_of is not None and named.model == reference:
            before = "its row of before" if named.instead_of == named.model else named.instead_of
            yield warning(
                f"The reference {named.model} was named on {named.at[:10]} instead of {before}, by "
                "validation alone, but after other rows had been scored on test."
            )


def budget_notes(results: DatasetResults, rows: Sequence[BoardRow]) -> Iterator[Note]:
    """Yield which models had a budget of their own, and which were tuned in parts."""
    common = results.suite.budget.per_model
    own = [
        f"{row.model} {write_seconds(row.budget_s)}" for row in rows if row.tuned and row.budget_s != common
    ]
    if own:
        yield warning(
            f"A budget of their own, not {write_seconds(common)}: {', '.join(own)}. They are in every test, "
            "but more or less time is part of what is compared."
        )
    parts = [f"{row.model} ({row.budget_parts})" for row in rows if row.budget_parts]
    if parts:
        yield Note(
            f"Tuned in parts: {', '.join(parts)}. Trials that the smaller budget had stopped were run "
            "again, and all of their time counts."
        )


def budget_parts(results: DatasetResults, model: str) -> str:
    """Return the budget of a model as it was granted, ``"30s + 30s"``; empty where it was at once."""
    granted = sorted({one.budget_s for one in select(results.records, StudyOpened) if one.model == model})
    if len(granted) < 2:
        return ""
    parts = [after - before for before, after in zip([0.0, *granted], granted, strict=False)]
    return " + ".join(write_seconds(part) for part in parts)
