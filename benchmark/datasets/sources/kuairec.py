"""KuaiRec 2.0: how much of each short video users watched, and a part in which nearly all pairs are known.

Columns, counts, licence and the threshold for a like: README of github.com/chongminggao/KuaiRec (Gao et al.
2022, arXiv:2202.10842).
"""

from __future__ import annotations

import ast
from pathlib import Path

import pandas as pd

from benchmark.datasets.log import LIST_SEPARATOR
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.specs import LogSpec, TableSpec
from benchmark.datasets.tables.read import read_table
from benchmark.errors import DataError

CATEGORIES = "data/item_categories.csv"


def videos(folder: Path) -> pd.DataFrame | None:
    """Return the tags of videos, numbers in a Python list such as [27, 9]."""
    path = folder / CATEGORIES
    if not path.is_file():
        return None
    table = read_table(path, TableSpec(path=path.name, id="video_id", texts=("feat",)), "item")
    return table.drop(columns="feat").assign(tags=[tags(text, path) for text in table["feat"]])


def tags(text: str, path: Path) -> str:
    """Return a list of numbers joined by |."""
    try:
        return LIST_SEPARATOR.join(str(int(tag)) for tag in ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError) as error:
        raise DataError(f"{path}: {text!r} is not a list such as [27, 9]; fetch it again") from error


def matrix(name: str) -> Layout:
    """Return the layout of one of the two matrices; watching a video again is another row."""
    return Layout(
        main=f"data/{name}.csv",
        log=LogSpec(
            name="kuairec",
            user="user_id",
            item="video_id",
            value="watch_ratio",
            time="timestamp",
            time_unit="s",
            separator=",",
            positive="> 2",  # the publisher's example of a like
        ),
        duplicates="mean",
        items=videos,
        side_files=(CATEGORIES,),
        item_roles={"tags": "list"},
    )


def kuairec(name: str, layout: Layout, shape: tuple[int, int, int]) -> KnownDataset:
    """Return one of the two; both are in one archive."""
    users, items, rows = shape
    return KnownDataset(
        name=name,
        layout=layout,
        folder="KuaiRec 2.0",
        url="https://zenodo.org/records/18164998/files/KuaiRec.zip",
        download_mb=432.0,
        rows=rows,
        users=users,
        items=items,
        scale=None,
        licence="CC BY-SA 4.0; cite Gao et al. 2022 (CIKM)",
        side_information="tags of videos, as numbers",
    )


KUAIREC = (
    kuairec("kuairec", matrix("big_matrix"), (7_176, 10_729, 12_530_806)),
    kuairec("kuairec-small", matrix("small_matrix"), (1_411, 3_327, 4_676_570)),
)
