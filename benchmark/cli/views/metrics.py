"""The metrics that a suite may name."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from benchmark.cli.views.tables import show_table
from benchmark.metrics.register import Metric


def show_metrics(metrics: Sequence[Metric], console: Console) -> None:
    """List metrics with direction, range, formula and source."""
    rows = [(one.label, one.better, one.limits, one.formula, one.source) for one in metrics]
    show_table(console, ("name", "better", "range", "formula", "source"), rows, long=2)
