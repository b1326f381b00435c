"""The data sets that are known by name: where they are published, under which terms, and their checksums."""

from __future__ import annotations

from pathlib import Path

from benchmark.datasets.sources.amazon import AMAZON_2023
from benchmark.datasets.sources.atomic_files import ATOMIC_FILES, MOVIELENS_100K_RECBOLE
from benchmark.datasets.sources.bookcrossing import BOOK_CROSSING
from benchmark.datasets.sources.gowalla import GOWALLA
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.kuairec import KUAIREC
from benchmark.datasets.sources.lastfm import HETREC_LASTFM
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.sources.lfm import LFM_2B
from benchmark.datasets.sources.mind import MIND_SMALL
from benchmark.datasets.sources.movielens import ML_100K, ML_CSV, ML_DAT
from benchmark.datasets.sources.netflix import NETFLIX
from benchmark.datasets.sources.papers import LIGHTGCN, SASREC
from benchmark.datasets.sources.retailrocket import RETAILROCKET
from benchmark.datasets.sources.steam import STEAM
from benchmark.datasets.sources.yelp import YELP
from benchmark.errors import DataError, SourceError, did_you_mean

MOVIELENS = "https://files.grouplens.org/datasets/movielens"
HETREC = "https://files.grouplens.org/datasets/hetrec2011"

MOVIELENS_TERMS = (
    "GroupLens terms: research use, cite Harper & Konstan 2015, no commercial use without permission"
)
CLOSED = f"{MOVIELENS_TERMS}, no redistribution"
SHARED = f"{MOVIELENS_TERMS}, redistribution under the same terms"
PEOPLE = "titles, genres, years; age, sex, occupation of users"
TAGS = "titles, genres, years, tags"


KNOWN: dict[str, KnownDataset] = {
    dataset.name: dataset
    for dataset in (
        KnownDataset(
            name="movielens-100k",
            layout=ML_100K,
            folder="ml-100k",
            url=f"{MOVIELENS}/ml-100k.zip",
            download_mb=4.9,
            rows=100_000,
            users=943,
            items=1_682,
            scale=(1.0, 5.0),
            licence=CLOSED,
            side_information=PEOPLE,
            main_md5="6e47046882bad158b0efbb84cd5cb987",
            archive_md5="0e33842e24a9c977be4e0107933c0723",
        ),
        KnownDataset(
            name="movielens-latest-small",
            layout=ML_CSV,
            folder="ml-latest-small",
            url=f"{MOVIELENS}/ml-latest-small.zip",
            download_mb=1.0,
            rows=100_836,
            users=610,
            items=9_724,
            scale=(0.5, 5.0),
            licence=SHARED,
            side_information=TAGS,
            main_md5="325a6f09399d1c45671f187505e1a100",
        ),
        KnownDataset(
            name="movielens-1m",
            layout=ML_DAT,
            folder="ml-1m",
            url=f"{MOVIELENS}/ml-1m.zip",
            download_mb=5.9,
            rows=1_000_209,
            users=6_040,
            items=3_706,
            scale=(1.0, 5.0),
            licence=CLOSED,
            side_information=PEOPLE,
            main_md5="a89aa3591bc97d6d4e0c89459ff39362",
            archive_md5="c4d9eecfca2ab87c1945afe126590906",
        ),
        KnownDataset(
            name="movielens-10m",
            layout=ML_DAT,
            folder="ml-10M100K",
            url=f"{MOVIELENS}/ml-10m.zip",
            download_mb=65.6,
            rows=10_000_054,
            users=69_878,
            items=10_677,
            scale=(0.5, 5.0),
            licence=CLOSED,
            side_information=TAGS,
            archive_md5="ce571fd55effeba0271552578f2648bd",
        ),
        KnownDataset(
            name="movielens-20m",
            layout=ML_CSV,
            folder="ml-20m",
            url=f"{MOVIELENS}/ml-20m.zip",
            download_mb=198.7,
            rows=20_000_263,
            users=138_493,
            items=26_744,
            scale=(0.5, 5.0),
            licence=SHARED,
            side_information=TAGS,
            archive_md5="cd245b17a1ae2cc31bb14903e1204af3",
        ),
        KnownDataset(
            name="movielens-25m",
            layout=ML_CSV,
            folder="ml-25m",
            url=f"{MOVIELENS}/ml-25m.zip",
            download_mb=262.0,
            rows=25_000_095,
            users=162_541,
            items=59_047,
            scale=(0.5, 5.0),
            licence=SHARED,
            side_information=TAGS,
            archive_md5="6b51fb2759a8657d3bfcbfc42b592ada",
        ),
        KnownDataset(
            name="movielens-32m",
            layout=ML_CSV,
            folder="ml-32m",
            url=f"{MOVIELENS}/ml-32m.zip",
            download_mb=239.0,
            rows=32_000_204,
            users=200_948,
            items=84_432,
            scale=(0.5, 5.0),
            licence=SHARED,
            side_information=TAGS,
            main_md5="cf12b74f9ad4b94a011f079e26d4270a",
            archive_md5="d472be332d4daa821edc399621853b57",
        ),
        KnownDataset(  # replaced by newer data from time to time: no checksum, the counts are of one day
            name="movielens-latest",
            layout=ML_CSV,
            folder="ml-latest",
            url=f"{MOVIELENS}/ml-latest.zip",
            download_mb=351.0,
            rows=33_832_162,
            users=330_975,
            items=83_239,
            scale=(0.5, 5.0),
            licence=SHARED,
            side_information=TAGS,
        ),
        KnownDataset(
            name="lastfm-hetrec2011",
            layout=HETREC_LASTFM,
            folder="lastfm-hetrec2011",
            url=f"{HETREC}/hetrec2011-lastfm-2k.zip",
            download_mb=2.6,
            rows=92_834,
            users=1_892,
            items=17_632,
            scale=None,
            licence="Last.fm and GroupLens terms: non-commercial use, cite Cantador et al. 2011",
            side_information="artists' names, tags",
            main_md5="85f04141f44f8ff69953bdbd62728bf5",
        ),
        MOVIELENS_100K_RECBOLE,
        *LIGHTGCN,
        *SASREC,
        *BOOK_CROSSING,
        GOWALLA,
        *KUAIREC,
        LFM_2B,
        MIND_SMALL,
        NETFLIX,
        RETAILROCKET,
        STEAM,
        YELP,
        *AMAZON_2023,
    )
}
"""Every known data set by its name."""


def find_known(name: str) -> KnownDataset:
    """Return the data set of this name.

    Raises:
        SourceError: there is none.
    """
    if name not in KNOWN:
        alone = [known.name for known in KNOWN.values() if not known.family]
        families = dict.fromkeys(known.family for known in KNOWN.values() if known.family)
        raise SourceError(
            f"no data set is called {name!r}{did_you_mean(name, KNOWN)}\n"
            f"  Known are {', '.join([*alone, *families])}. A log of your own needs the key path, a "
            "generated one synthetic"
        )
    return KNOWN[name]


def find_layout(folder: Path) -> Layout:
    """Return the layout whose interactions are in the folder.

    Raises:
        DataError: the interactions of no known layout are there.
    """
    layouts = list(dict.fromkeys([*(known.layout for known in KNOWN.values()), ATOMIC_FILES]))
    for layout in layouts:
        if layout.is_in(folder):
            return layout
    alone = [known.layout.main for known in KNOWN.values() if not known.family]
    names = dict.fromkeys([*alone, ATOMIC_FILES.main])
    raise DataError(
        f"{folder}: not a folder in a known layout: none of {', '.join(names)} "
        "is there; give the path of the file itself"
    )
