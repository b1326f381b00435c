"""The data sets that are known by name: where they are published, under which terms, and their checksums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Layout: TypeAlias = Literal["ml-100k", "ml-csv", "ml-dat", "lastfm"]

PUBLISHER = "https://files.grouplens.org"
_MOVIELENS_TERMS = (
    "GroupLens terms: research use, cite Harper & Konstan 2015, no commercial use without permission"
)


@dataclass(frozen=True)
class Known:
    """One data set of a publisher.

    Attributes:
        name: how a suite calls it.
        folder: the publisher's folder, as unpacked.
        archive: path of the zip under the publisher's address.
        download_mb: size of the zip, rounded.
        layout: which files the folder holds.
        main: the file with the interactions.
        main_md5: md5 of that file as published; the reason why a copy can be trusted.
        rows: N as published.
        users: U as published.
        items: I as published, items with a row only.
        scale: lowest and highest rating; None for play counts.
        licence: terms of use in a few words.
    """

    name: str
    folder: str
    archive: str
    download_mb: float
    layout: Layout
    main: str
    main_md5: str
    rows: int
    users: int
    items: int
    scale: tuple[float, float] | None
    licence: str


KNOWN: dict[str, Known] = {
    known.name: known
    for known in (
        Known(
            name="movielens-100k",
            folder="ml-100k",
            archive="datasets/movielens/ml-100k.zip",
            download_mb=4.9,
            layout="ml-100k",
            main="u.data",
            main_md5="6e47046882bad158b0efbb84cd5cb987",
            rows=100_000,
            users=943,
            items=1_682,
            scale=(1.0, 5.0),
            licence=f"{_MOVIELENS_TERMS}, no redistribution",
        ),
        Known(
            name="movielens-latest-small",
            folder="ml-latest-small",
            archive="datasets/movielens/ml-latest-small.zip",
            download_mb=1.0,
            layout="ml-csv",
            main="ratings.csv",
            main_md5="325a6f09399d1c45671f187505e1a100",
            rows=100_836,
            users=610,
            items=9_724,
            scale=(0.5, 5.0),
            licence=f"{_MOVIELENS_TERMS}, redistribution under the same terms",
        ),
        Known(
            name="movielens-1m",
            folder="ml-1m",
            archive="datasets/movielens/ml-1m.zip",
            download_mb=5.9,
            layout="ml-dat",
            main="ratings.dat",
            main_md5="a89aa3591bc97d6d4e0c89459ff39362",
            rows=1_000_209,
            users=6_040,
            items=3_706,
            scale=(1.0, 5.0),
            licence=f"{_MOVIELENS_TERMS}, no redistribution",
        ),
        Known(
            name="lastfm-hetrec2011",
            folder="lastfm-hetrec2011",
            archive="datasets/hetrec2011/hetrec2011-lastfm-2k.zip",
            download_mb=2.6,
            layout="lastfm",
            main="user_artists.dat",
            main_md5="85f04141f44f8ff69953bdbd62728bf5",
            rows=92_834,
            users=1_892,
            items=17_632,
            scale=None,
            licence="Last.fm and GroupLens terms: non-commercial use, cite Cantador et al. 2011",
        ),
    )
}
