"""Steps of preparation that drop a large share of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from benchmark.datasets.manifest import Step, StepCounts
from benchmark.records import Finding

LARGE, MOST = 0.1, 0.5
"""Shares of rows whose loss at one step is noted, and warned of."""

CURES: Mapping[Step, str] = {
    "missing values": "check the columns named, or fill values in with prepare.missing: mean or a number",
    "time window": "check prepare.time",
    "outside scale": "check scale, which may be that of another column",
    "duplicate pairs": "if users come back to items, set pairs: repeat, which keeps every row",
    "k-core": "lower prepare.k_core, or leave it out",
}


def step_findings(steps: Sequence[StepCounts]) -> Iterator[Finding]:
    """Yield each step that drops a large share of the rows; what is not positive stays in the log."""
    for before, after in pairwise(steps):
        lost = before.rows - after.rows
        if after.step in CURES and lost > LARGE * before.rows:
            yield Finding(
                found=f"{after.step}: {lost / before.rows:.0%} of {before.rows:,} rows dropped ({lost:,})",
                cure=CURES[after.step],
                level="warning" if lost > MOST * before.rows else "note",
            )
