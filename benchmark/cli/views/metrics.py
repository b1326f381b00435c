"""The metrics that a suite may name."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from benchmark.cli.views.tables import show_table


def show_metrics(metrics: Sequence[dict[str, str]], console: Console) -> None:
    """List metrics with direction, range, formula and source."""
    titles = ("name", "better", "range", "formula", "source")
    show_table(console, titles, [tuple(metric[title] for title in titles) for metric in metrics], long=2)
