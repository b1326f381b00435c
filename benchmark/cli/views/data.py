"""The data sets that are known by name."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from benchmark.cli.views.tables import show_table
from benchmark.datasets.sources.folders import LocalDataset


def show_data(datasets: Sequence[LocalDataset], console: Console) -> None:
    """List data sets, whether they are here, and their terms, a table each: paths are long."""
    shapes, folders, terms = [], [], []
    for local in datasets:
        dataset = local.known
        absent = f"no: bench data fetch {dataset.name} ({dataset.download_mb:g} MB)"
        shape = f"{dataset.users:,} × {dataset.items:,}"
        shapes.append((dataset.name, f"{dataset.rows:,}", shape, dataset.side_information))
        folders.append((dataset.name, str(local.folder) if local.folder else absent))
        terms.append((dataset.name, dataset.licence))
    show_table(console, ("data set", "rows", "users × items", "side information"), shapes)
    console.print()
    show_table(console, ("data set", "here"), folders)
    console.print()
    show_table(console, ("data set", "licence"), terms)
