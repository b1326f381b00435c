"""Data: from a name or a file to a stored, audited split.

The three verbs that share their module's name are imported from there, all else from here::

    from benchmark.datasets import LogSpec, SplitSpec, open_log, save_split
    from benchmark.datasets.prepare import prepare
    from benchmark.datasets.split import split

    log = open_log(LogSpec(name="movielens-100k"), data_dir=Path("data"))
    save_split(split(prepare(log), SplitSpec(by="random")), Path("splits/movielens-100k"))

Names are looked up on first use, so that reading a suite does not import pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.datasets.log import Log
    from benchmark.datasets.parts import load_part, load_parts
    from benchmark.datasets.prepare import Prepared
    from benchmark.datasets.sources import fetch, fingerprint, known, open_log
    from benchmark.datasets.specs import FilesSpec, LogSpec, PlantedSpec, PrepareSpec, SplitSpec
    from benchmark.datasets.split import Split
    from benchmark.datasets.store import load_manifest, save_split
    from benchmark.datasets.synthetic import planted
    from benchmark.datasets.tables import TableSpec, TitlesSpec

__all__ = [
    "FilesSpec",
    "Log",
    "LogSpec",
    "PlantedSpec",
    "PrepareSpec",
    "Prepared",
    "Split",
    "SplitSpec",
    "TableSpec",
    "TitlesSpec",
    "fetch",
    "fingerprint",
    "known",
    "load_manifest",
    "load_part",
    "load_parts",
    "open_log",
    "planted",
    "save_split",
]

_HOMES = {
    "Log": "log",
    "Prepared": "prepare",
    "fetch": "sources",
    "fingerprint": "sources",
    "known": "sources",
    "open_log": "sources",
    "FilesSpec": "specs",
    "LogSpec": "specs",
    "PlantedSpec": "specs",
    "PrepareSpec": "specs",
    "SplitSpec": "specs",
    "TableSpec": "tables",
    "TitlesSpec": "tables",
    "Split": "split",
    "load_manifest": "store",
    "load_part": "parts",
    "load_parts": "parts",
    "save_split": "store",
    "planted": "synthetic",
}


def __getattr__(name: str) -> Any:
    """Return a re-exported name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
