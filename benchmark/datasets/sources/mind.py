"""MIND small (Wu et al. 2020): which news users were shown and which of them they clicked.

Columns and terms: msnews.github.io/assets/doc/introduction.md. A user who was shown an article without a
click may click it later: the clicks of a pair are added up. The history of an impression has no times and is
not read.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.log import Say
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.sources.lines import finished
from benchmark.datasets.specs import LogSpec, TableSpec
from benchmark.datasets.tables.read import read_table
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.errors import DataError

TRAIN, DEV = "MINDsmall_train", "MINDsmall_dev"
BEHAVIORS, NEWS = "behaviors.tsv", "news.tsv"
BEHAVIOR_COLUMNS = ("impression", "user", "time", "history", "shown")
NEWS_COLUMNS = (
    "id", "category", "subcategory", "title", "abstract", "url", "title_entities", "abstract_entities",
)  # fmt: skip


def impressions(path: Path, log: LogSpec, say: Say) -> pd.DataFrame:
    """Return one row for each article of an impression, of the training and the validation folder."""
    dev = path.parents[1] / DEV / BEHAVIORS
    frame = pd.concat([shown(one) for one in (path, dev) if one.is_file()], ignore_index=True)
    return finished(frame, path, log, say)


def shown(path: Path) -> pd.DataFrame:
    """Return user, article, click (1 or 0) and time of every article that a file says was shown.

    Raises:
        DataError: a line has another layout.
    """
    try:
        lines = pd.read_csv(
            path,
            sep="\t",
            header=None,
            names=list(BEHAVIOR_COLUMNS),
            usecols=["impression", "user", "time", "shown"],
            dtype="str",
            quoting=csv.QUOTE_NONE,
            keep_default_na=False,
        )
    except pd.errors.ParserError as error:
        raise DataError(f"{path}: not as published: {error}; get the file again") from error
    times = pd.to_datetime(lines["time"], format="%m/%d/%Y %I:%M:%S %p", errors="coerce", utc=True)
    articles = lines["shown"].str.split()
    rows = np.repeat(np.arange(len(lines)), articles.map(len).to_numpy())
    each = articles.explode(ignore_index=True).dropna().reset_index(drop=True).astype("str")
    clicked = each.str.slice(-2).map({"-1": 1.0, "-0": 0.0})
    wrong = np.union1d(np.flatnonzero(times.isna().to_numpy()), rows[clicked.isna().to_numpy()])
    if len(wrong):
        raise DataError(
            f"{path}:{int(wrong[0]) + 1}: not an impression as published, with a time such as 11/15/2019 "
            "10:22:32 AM and articles such as N129416-0 N26703-1; get the file again"
        )
    return pd.DataFrame(
        {
            "user": lines["user"].take(rows).astype("category").reset_index(drop=True),
            "article": each.str.slice(stop=-2).astype("category"),
            "click": clicked,
            "time": times.take(rows).reset_index(drop=True),
        }
    )


def news(folder: Path) -> pd.DataFrame | None:
    """Return titles, categories and abstracts of the articles of both folders."""
    paths = [folder / part / NEWS for part in (TRAIN, DEV)]
    spec = TableSpec(
        path=NEWS, id="id", title="title", categories=("category", "subcategory"), texts=("abstract",)
    )
    lines = TextFormat(NEWS_COLUMNS, "\t", "utf-8", quoted=False)
    tables = [read_table(path, spec, "item", lines) for path in paths if path.is_file()]
    return pd.concat(tables).drop_duplicates("item", ignore_index=True) if tables else None


MIND_SMALL = KnownDataset(
    name="mind-small",
    layout=Layout(
        main=f"{TRAIN}/{BEHAVIORS}",
        log=LogSpec(
            name="mind-small",
            user="user",
            item="article",
            value="click",
            time="time",
            positive=">= 1",
            negative="<= 0",
        ),
        rows=impressions,
        duplicates="sum",
        items=news,
        side_files=(f"{DEV}/{BEHAVIORS}", f"{TRAIN}/{NEWS}", f"{DEV}/{NEWS}"),
        item_roles={"category": "category", "subcategory": "category", "abstract": "text"},
    ),
    folder="MINDsmall",
    url=None,
    by_hand=(
        "accept its terms at https://msnews.github.io and download MINDsmall_train.zip "
        f"and MINDsmall_dev.zip: unpacked into folders {TRAIN} and {DEV}, they go into it"
    ),
    download_mb=None,
    rows=8_584_442,
    users=94_057,
    items=65_238,
    scale=None,
    licence="non-commercial research only, provided as is without extending any licence; cite Wu et al. 2020",
    side_information="titles, categories, abstracts",
)
