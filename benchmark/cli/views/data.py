"""The data sets that are known by name."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from benchmark.cli.views.tables import show_table
from benchmark.datasets.sources.folders import LocalDataset
from benchmark.datasets.sources.known_dataset import KnownDataset


def show_data(datasets: Sequence[LocalDataset], console: Console, *, in_families: bool = True) -> None:
    """List data sets, whether they are here, and their terms, a table each: paths are long.

    Args:
        datasets: in the order in which they are shown.
        console: takes the tables.
        in_families: show data sets that differ in one word of their names as one, unless they are here.
    """
    shapes, folders, terms, families = [], [], [], dict[str, list[LocalDataset]]()
    for local in datasets:
        known = local.known
        if in_families and known.family and not local.folder:
            families.setdefault(known.family, []).append(local)
            continue
        shape = f"{known.users:,} × {known.items:,}"
        shapes.append((known.name, f"{known.rows:,}", shape, known.side_information))
        folders.append((known.name, str(local.folder or how_to_get(known))))
        terms.append((known.name, known.licence))
    for family, members in families.items():
        first, rows = members[0].known, [one.known.rows for one in members]
        count = f"{len(members)} data sets"
        shapes.append((family, f"{min(rows):,} to {max(rows):,}", count, first.side_information))
        folders.append((family, f"no: bench data fetch NAME; the names: bench data list {first.name[:6]}"))
        terms.append((family, first.licence))
    show_table(console, ("data set", "rows", "users × items", "side information"), shapes)
    console.print()
    show_table(console, ("data set", "here"), folders)
    console.print()
    show_table(console, ("data set", "licence"), terms)


def how_to_get(known: KnownDataset) -> str:
    """Return how a data set that is not here is obtained."""
    if not known.urls:
        return f"no, and must be got by hand: bench data fetch {known.name} says where"
    size = f" ({known.download_mb:g} MB)" if known.download_mb else ""
    return f"no: bench data fetch {known.name}{size}"
