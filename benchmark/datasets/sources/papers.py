"""Logs as papers published them, ready split or in order: LightGCN's and SASRec's.

LightGCN (He et al. 2020, arXiv:2002.02126) publishes train.txt and test.txt, a user and the user's items a
line, made by NGCF (Wang et al. 2019): ``split: {by: published}`` takes them. SASRec (Kang and McAuley 2018,
arXiv:1808.09781) publishes each user's items in order, a pair a line: its split is ``leave_last_out``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.log import PARTS, Say
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.sources.lines import NumberedRows, finished
from benchmark.datasets.specs import Duplicates, LogSpec
from benchmark.datasets.tables.read import read_log, with_times
from benchmark.datasets.tables.timestamps import read_times
from benchmark.errors import DataError

LIGHTGCN_HOME = "https://raw.githubusercontent.com/gusye1234/LightGCN-PyTorch/master/data"
SASREC_HOME = "https://raw.githubusercontent.com/kang205/SASRec/master/data"
TEST_FILE = "test.txt"


def split_lists(path: Path, log: LogSpec, say: Say) -> pd.DataFrame:
    """Return the rows of train.txt and test.txt, and which part each belongs to."""
    test = path.with_name(TEST_FILE)
    if not test.is_file():
        raise DataError(f"{test}: no such file; it contains the test rows: fetch the data set again")
    parts = {PARTS.index("train"): path, PARTS.index("test"): test}
    found = [read_log(part, log, say).assign(part=np.int8(label)) for label, part in parts.items()]
    return finished(pd.concat(found, ignore_index=True), path, log, say)


def sequences(path: Path, log: LogSpec, say: Say) -> pd.DataFrame:
    """Return pairs with their position in the file, from 1, as time: all that tells which came first."""
    frame = read_log(path, log.model_copy(update={"time": None}), say)
    position = pd.Series(np.arange(1, len(frame) + 1))
    return with_times(frame, read_times(position, NumberedRows(path), "position", log, say))


LISTS = Layout(
    main="train.txt",
    marks=(TEST_FILE,),
    log=LogSpec(name="lightgcn", layout="lists", separator=" "),
    rows=split_lists,
    side_files=(TEST_FILE,),
)


def lightgcn(name: str, users: int, items: int, rows: int) -> KnownDataset:
    """Return one of the three logs of the paper, with the counts of its table 2."""
    home = f"{LIGHTGCN_HOME}/{name}"
    return KnownDataset(
        name=f"lightgcn-{name}",
        layout=LISTS,
        folder=f"lightgcn-{name}",
        url=f"{home}/train.txt",
        more_urls=(f"{home}/{TEST_FILE}",),
        download_mb=None,
        rows=rows,
        users=users,
        items=items,
        scale=None,
        licence="no licence stated for the data; cite He et al. 2020 (SIGIR) and Wang et al. 2019 (SIGIR)",
        side_information="nothing; the paper's own train and test, taken by split: {by: published}",
    )


def sasrec(
    name: str, file: str, shape: tuple[int, int, int], duplicates: Duplicates = "refuse"
) -> KnownDataset:
    """Return one of the logs of the paper, with the counts of its table II, rows rounded as there."""
    users, items, rows = shape
    return KnownDataset(
        name=f"sasrec-{name}",
        layout=Layout(
            main=file,
            log=LogSpec(
                name="sasrec",
                time="position",
                time_unit="order",
                columns=("user", "item"),
                separator=" ",
            ),
            rows=sequences,
            duplicates=duplicates,
        ),
        folder=f"sasrec-{name}",
        url=f"{SASREC_HOME}/{file}",
        download_mb=None,
        rows=rows,
        users=users,
        items=items,
        scale=None,
        licence="no licence stated for the data; cite Kang and McAuley 2018 (ICDM)",
        side_information="nothing; rows in order, the paper's split is split: {by: leave_last_out}",
    )


LIGHTGCN = (
    lightgcn("gowalla", 29_858, 40_981, 1_027_370),
    lightgcn("yelp2018", 31_668, 38_048, 1_561_406),
    lightgcn("amazon-book", 52_643, 91_599, 2_984_108),
)
SASREC = (
    sasrec("beauty", "Beauty.txt", (52_024, 57_289, 400_000)),
    sasrec("games", "Video.txt", (31_013, 23_715, 300_000)),
    sasrec("steam", "Steam.txt", (334_730, 13_047, 3_700_000), "last"),
)
