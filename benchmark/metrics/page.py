"""The page docs/metrics.md, made from the entries of every metric: ``python -m benchmark.metrics.page``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmark.metrics.formulas import FORMULAS, Formula
from benchmark.metrics.listing import rows

HEAD = """# Metrics

Made by `python -m benchmark.metrics.page > docs/metrics.md` from the entries that the code itself uses;
`bench metrics` shows the same. A suite names them as they stand in the first column, at any `k`.

Words: **hits** are the relevant items among the first k places of a user's list; **relevant** are the
user's held-out likes that can be found. Candidates are all items that the user has no row with in training
or validation. Ranking metrics, and catalogue metrics marked *per user*, are averaged over users; a user
with nothing to find has no value, is left out of the mean and is counted on the board. A list shorter than
k still has k places. Rating metrics are micro: every held-out rating weighs the same. A metric without
data for it (no ratings, no item features) is n/a.

Equal scores stand in an order drawn for each user from the seed, so a constant scorer is worth what chance
is worth.

"""
DRAWN = """
## Among drawn items

`/99neg` behind a ranking metric at a k, as in `hit@10/99neg`, ranks each user's relevant items among 99
items drawn evenly from those the user has no row with, as He et al. 2017 (Neural collaborative filtering,
4.1) and others do. It is there to reproduce their tables. It is easier than the metric it is named after
and can order models differently (Krichene & Rendle 2020, On sampled metrics for item recommendation), so it
has a name of its own. Any number may stand for 99.

## Who is counted

| count | what it says |
|---|---|
| `users` | users with a held-out row |
| `without_relevant` | of them, those with nothing to find: no value in ranking metrics |
| `cold_users` | of them, those without a training row |
| `hidden_relevant` | relevant items left out because the user has seen them |
| `barred_relevant` | relevant items left out because they are no candidates |
| `cold_relevant` | relevant items without a training row: they stay, and are hard to find |
| `short_lists` | users with fewer candidates than places |
"""
TITLES = {"ranking": "Ranking", "catalogue": "What is shown to whom", "rating": "Predicted ratings"}


def page() -> str:
    """Return the page."""
    return HEAD + "\n".join(_section(kind, title) for kind, title in TITLES.items()) + DRAWN


def _section(kind: str, title: str) -> str:
    lines = [f"## {title}", "", "| metric | value | better | range | source |", "|---|---|---|---|---|"]
    for row, entry in zip(rows(), FORMULAS.values(), strict=True):
        if entry.kind == kind:
            lines.append("| " + " | ".join(_cells(row, entry)) + " |")
    return "\n".join(lines) + "\n"


def _cells(row: dict[str, str], entry: Formula) -> Iterator[str]:
    yield f"`{row['name']}`"
    yield row["formula"] + (", *per user*" if entry.per_user and entry.kind == "catalogue" else "")
    yield row["better"]
    yield row["range"]
    yield row["source"]


if __name__ == "__main__":
    sys.stdout.write(page())
