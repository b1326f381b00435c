"""LFM-2b (Schedl et al. 2022): how often Last.fm's users played a track, from a copy of the user's own.

Its publisher no longer hands it out. Columns and users: public code that reads it, and notes on it; rows and
tracks are those of the paper, which could not be read again.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from benchmark.datasets.log import Say
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.sources.lines import finished
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.raw_file import open_bytes
from benchmark.errors import DataError

COLUMNS = ("user_id", "track_id", "count")


def counts(path: Path, log: LogSpec, say: Say) -> pd.DataFrame:
    """Return plays of each user and track, from a tab-separated file, packed by bzip2 or not."""
    try:
        with open_bytes(path) as file:
            frame = pd.read_csv(file, sep="\t", quoting=csv.QUOTE_NONE, usecols=list(COLUMNS))
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path}: the file is empty; it must contain one line per row") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not as published: {error}; use another copy") from error
    return finished(frame, path, log, say)


LFM_2B = KnownDataset(
    name="lfm-2b",
    layout=Layout(
        main="listening-counts.tsv.bz2",
        also=("listening-counts.tsv",),
        log=LogSpec(name="lfm-2b", user="user_id", item="track_id", value="count", separator="tab"),
        rows=counts,
    ),
    folder="LFM-2b",
    url=None,
    by_hand=(
        "its publisher (www.cp.jku.at/datasets/LFM-2b) does not hand it out any longer, because of its "
        "licence; if you have a lawful copy, listening-counts.tsv.bz2 goes into it"
    ),
    download_mb=None,
    rows=519_293_333,
    users=120_322,
    items=50_813_373,
    scale=None,
    licence="withdrawn by its publisher because of licence issues: lawful copies of your own only",
    side_information="nothing",
)
