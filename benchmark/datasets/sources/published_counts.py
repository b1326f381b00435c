"""Whether a log has as many rows, users and items as its publisher says."""

from __future__ import annotations

import pandas as pd

from benchmark.datasets.sources.known_dataset import KnownDataset

TOLERANCE = 0.05
"""Share by which a count may differ from the published one unsaid: some publishers round to two digits."""


def differing_counts(known: KnownDataset, frame: pd.DataFrame) -> str:
    """Return a sentence that puts the counts of a log beside the published ones; "" if they agree."""
    published = {"rows": known.rows, "users": known.users, "items": known.items}
    found = {"rows": len(frame), "users": frame["user"].nunique(), "items": frame["item"].nunique()}
    if all(abs(found[name] - count) <= TOLERANCE * count for name, count in published.items()):
        return ""
    here, there = (
        ", ".join(f"{count:,} {name}" for name, count in counts.items()) for counts in (found, published)
    )
    return f"{known.name}: {here} are here; {there} are published"
