"""Runs and how they ended."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from benchmark.api import Run
from benchmark.cli.views.tables import show_table


def show_runs(runs: Sequence[Run], console: Console) -> None:
    """List runs and how they ended."""
    from benchmark.results import RunDirectory

    rows = []
    for one in runs:
        run = RunDirectory.existing(one.path)
        manifest = run.manifest()
        ended = manifest["state"] if manifest["state"] == "finished" or not run.is_held else "running"
        state = "unfinished" if ended == "running" and not run.is_held else ended
        models = str(len(manifest.get("studies", [])))
        rows.append((manifest["started"], manifest["suite"], state, models, str(run.path)))
    if rows:
        show_table(console, ("started", "suite", "state", "models", "where"), rows)
    else:
        console.print("no runs here; start one with: bench run quickstart")
