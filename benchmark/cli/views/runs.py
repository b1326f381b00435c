"""Runs and how they ended."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from benchmark.api import Run
from benchmark.cli.views.tables import show_table
from benchmark.results import RunDirectory


def show_runs(runs: Sequence[Run], console: Console) -> None:
    """List runs and how they ended."""
    rows = []
    for run in map(RunDirectory, (run.path for run in runs)):
        manifest = run.manifest()
        models = str(len(manifest.rows))
        rows.append((manifest.started, manifest.suite, state_of(run), models, str(run.path)))
    if rows:
        show_table(console, ("started", "suite", "state", "models", "where"), rows)
    else:
        console.print("no runs here; start one with: bench run quickstart")


def state_of(run: RunDirectory) -> str:
    """Return how a run ended; "unfinished" if its process died before it could say so."""
    state = run.manifest().state
    if state != "finished" and run.is_held:
        return "running"
    return "unfinished" if state == "running" else state
