"""Environments and what state they are in."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from benchmark.cli.views.tables import show_table
from benchmark.environments import Environment


def show_environments(environments: Sequence[Environment], console: Console) -> None:
    """List environments: state, Python, number of packages, where."""
    rows = []
    for one in environments:
        (state, reason), marker = one.state(), one.marker()
        python, packages = (marker.python, str(len(marker.packages))) if marker else ("", "")
        rows.append((one.name, state, python, packages, reason or str(one.folder)))
    show_table(console, ("environment", "state", "python", "packages", "where, or what to do"), rows)
