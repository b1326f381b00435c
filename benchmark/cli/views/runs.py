"""Runs and how they ended."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from benchmark.api import Run
from benchmark.cli.views.tables import show_table
from benchmark.leaderboard.formatting import date_text
from benchmark.results import RunDirectory

MOST_CHANGES = 3
"""Changes of a run that are listed."""


def show_runs(runs: Sequence[Run], console: Console) -> None:
    """List runs, how they ended, and what each changed against the one of its suite before it."""
    rows = []
    for run, changes in zip(runs, changes_of(runs), strict=True):
        directory = RunDirectory(run.path)
        manifest = directory.manifest()
        models = str(len(manifest.rows))
        row = (date_text(manifest.started), manifest.suite, state_of(directory), models, shortened(changes))
        rows.append((*row, str(run.path)))
    if rows:
        show_table(console, ("started", "suite", "state", "models", "changed", "where"), rows)
    else:
        console.print("no runs here; start one with: bench run quickstart")


def changes_of(runs: Sequence[Run]) -> list[tuple[str, ...]]:
    """Return what each run, the newest first, changed against the one of its suite before it."""
    later: dict[str, int] = {}
    found: list[tuple[str, ...]] = [() for _ in runs]
    for index, run in enumerate(runs):
        suite = RunDirectory(run.path).manifest().suite
        if suite in later:
            found[later[suite]] = runs[later[suite]].changes_since(run)
        later[suite] = index
    return found


def shortened(changes: Sequence[str]) -> str:
    """Return a few changes in words.

    >>> shortened(["+a", "-b", "seed: 42 -> 1", "+c", "+d"])
    '+a, -b, seed: 42 -> 1 and 2 more'
    """
    more = f" and {len(changes) - MOST_CHANGES} more" if len(changes) > MOST_CHANGES else ""
    return f"{', '.join(changes[:MOST_CHANGES])}{more}"


def state_of(run: RunDirectory) -> str:
    """Return how a run ended; "unfinished" if its process died before it could say so."""
    state = run.manifest().state
    if state != "finished" and run.is_held:
        return "running"
    return "unfinished" if state == "running" else state
