"""What a reader must know of rows of lists made elsewhere, and of how often test was opened for such."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmark.leaderboard.dataset_results import DatasetResults
from benchmark.leaderboard.rows import BoardRow
from benchmark.ledger import select
from benchmark.metrics.register import not_from_lists, parse_metric
from benchmark.records import ListsRecord, Note, warning

NOT_TUNED = "not tuned here: lists made elsewhere"
"""Why a row of lists has a result, as other rows have the reason why their study ended."""


def lists_notes(results: DatasetResults, ranked: Sequence[BoardRow], unshown: int) -> Iterator[Note]:
    """Yield what a reader must know; nothing where no row has lists made elsewhere.

    Args:
        results: what the runs hold.
        ranked: rows with a result.
        unshown: openings of test for lists of which the board has no row.
    """
    rows = [row.model for row in ranked if not row.tuned]
    if rows:
        lacking = [
            f"{name}: n/a for them, {reason}"
            for name in results.suite.metrics.all
            if (reason := not_from_lists(parse_metric(name))) is not None
        ]
        yield Note(
            f"Not tuned here, lists made elsewhere: {', '.join(rows)}. Nothing is known of what they learned "
            "from or cost, and none is the reference by itself" + "".join(f"; {one}" for one in lacking) + "."
        )
    for model in rows:
        yield from found_notes(results, model)
    if added := [look for look in results.looks if look.added]:
        times = "once" if len(added) == 1 else f"{len(added)} times"
        rest = f", {unshown} without a row here" if unshown else ""
        yield warning(
            f"Lists were scored on test {times} by bench score or evaluate, after the results of this run "
            f"were known{rest}: Holm counts each in the tests of this split, and whoever was shown test "
            "values before may have chosen lists by them."
        )


def found_notes(results: DatasetResults, model: str) -> Iterator[Note]:
    """Yield how many users a row has lists for, and what was made of its files."""
    for record in select(results.complete_finals(model), ListsRecord):
        assert record.found is not None, f"{record.entry} is not complete"
        users, found = record.scores.counts.users, record.found
        text = f"{model}: lists for {found.with_list:,} of {users:,} users"
        if found.with_list < users:
            text += "; for the others nothing was shown, so nothing was found"
        if found.short:
            text += f"; {found.short:,} lists are shorter than k, what is missing counts as no hit"
        complete = found.with_list == users and not found.short
        yield Note(f"{text}.") if complete else warning(f"{text}.")
    source = results.studies[model].lists
    for note in () if source is None else source.notes:
        yield Note(f"{model}: {note}.")
