"""The data sets that are known by name: where they are published, under which terms, and their checksums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Layout: TypeAlias = Literal["ml-100k", "ml-csv", "ml-dat", "lastfm"]

PUBLISHER = "https://files.grouplens.org"
_MOVIELENS_TERMS = (
    "GroupLens terms: research use, cite Harper & Konstan 2015, no commercial use without permission"
)
_CLOSED = f"{_MOVIELENS_TERMS}, no redistribution"
_SHARED = f"{_MOVIELENS_TERMS}, redistribution under the same terms"
_PEOPLE = "age, sex, occupation of users"


@dataclass(frozen=True)
class KnownDataset:
    """One data set of a publisher.

    Attributes:
        name: how a suite calls it.
        folder: the publisher's folder, as unpacked.
        archive: path of the zip under the publisher's address.
        download_mb: size of the zip, rounded.
        layout: which files the folder holds.
        main: the file with the interactions.
        main_md5: md5 of that file as published, the reason why a copy can be trusted; None where unknown.
        archive_md5: md5 of the zip as its publisher states it beside it; None where unknown.
        rows: N as published.
        users: U as published, users with a row only.
        items: I as published, items with a row only.
        scale: lowest and highest rating; None for play counts.
        licence: terms of use in a few words.
        side_information: what is known beside the log, in a few words.
        changes: whether the publisher replaces it by newer data from time to time: then it has no checksum,
            and N, U and I are those of one day.
    """

    name: str
    folder: str
    archive: str
    download_mb: float
    layout: Layout
    main: str
    main_md5: str | None
    archive_md5: str | None
    rows: int
    users: int
    items: int
    scale: tuple[float, float] | None
    licence: str
    side_information: str
    changes: bool = False


def _movielens(  # noqa: PLR0913 (what sets one MovieLens apart from the next)
    size: str,
    shape: tuple[int, int, int],
    download_mb: float,
    *,
    layout: Layout = "ml-csv",
    folder: str | None = None,
    main_md5: str | None = None,
    archive_md5: str | None = None,
    scale: tuple[float, float] = (0.5, 5.0),
    licence: str = _SHARED,
    side_information: str = "titles, genres, years, tags",
    changes: bool = False,
) -> KnownDataset:
    main = {"ml-100k": "u.data", "ml-dat": "ratings.dat"}.get(layout, "ratings.csv")
    rows, users, items = shape
    return KnownDataset(
        name=f"movielens-{size}",
        folder=folder or f"ml-{size}",
        archive=f"datasets/movielens/ml-{size}.zip",
        download_mb=download_mb,
        layout=layout,
        main=main,
        main_md5=main_md5,
        archive_md5=archive_md5,
        rows=rows,
        users=users,
        items=items,
        scale=scale,
        licence=licence,
        side_information=side_information,
        changes=changes,
    )


KNOWN: dict[str, KnownDataset] = {
    known.name: known
    for known in (
        _movielens(
            "100k",
            (100_000, 943, 1_682),
            4.9,
            layout="ml-100k",
            main_md5="6e47046882bad158b0efbb84cd5cb987",
            archive_md5="0e33842e24a9c977be4e0107933c0723",
            scale=(1.0, 5.0),
            licence=_CLOSED,
            side_information=f"titles, genres, years; {_PEOPLE}",
        ),
        _movielens("latest-small", (100_836, 610, 9_724), 1.0, main_md5="325a6f09399d1c45671f187505e1a100"),
        _movielens(
            "1m",
            (1_000_209, 6_040, 3_706),
            5.9,
            layout="ml-dat",
            main_md5="a89aa3591bc97d6d4e0c89459ff39362",
            archive_md5="c4d9eecfca2ab87c1945afe126590906",
            scale=(1.0, 5.0),
            licence=_CLOSED,
            side_information=f"titles, genres, years; {_PEOPLE}",
        ),
        _movielens(
            "10m",
            (10_000_054, 69_878, 10_677),
            65.6,
            layout="ml-dat",
            folder="ml-10M100K",
            archive_md5="ce571fd55effeba0271552578f2648bd",
            licence=_CLOSED,
        ),
        _movielens(
            "20m",
            (20_000_263, 138_493, 26_744),
            198.7,
            archive_md5="cd245b17a1ae2cc31bb14903e1204af3",
        ),
        _movielens(
            "25m",
            (25_000_095, 162_541, 59_047),
            262.0,
            archive_md5="6b51fb2759a8657d3bfcbfc42b592ada",
        ),
        _movielens(
            "32m",
            (32_000_204, 200_948, 84_432),
            239.0,
            main_md5="cf12b74f9ad4b94a011f079e26d4270a",
            archive_md5="d472be332d4daa821edc399621853b57",
        ),
        _movielens("latest", (33_832_162, 330_975, 83_239), 351.0, changes=True),
        KnownDataset(
            name="lastfm-hetrec2011",
            folder="lastfm-hetrec2011",
            archive="datasets/hetrec2011/hetrec2011-lastfm-2k.zip",
            download_mb=2.6,
            layout="lastfm",
            main="user_artists.dat",
            main_md5="85f04141f44f8ff69953bdbd62728bf5",
            archive_md5=None,
            rows=92_834,
            users=1_892,
            items=17_632,
            scale=None,
            licence="Last.fm and GroupLens terms: non-commercial use, cite Cantador et al. 2011",
            side_information="artists' names, tags",
        ),
    )
}
