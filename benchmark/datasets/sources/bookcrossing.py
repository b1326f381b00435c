r"""Book-Crossing (Ziegler et al. 2005): ratings 1 to 10, and 0 where somebody has a book and did not rate it.

Latin-1, semicolons, all fields in quotes, a quote inside one written \". The counts are those of the file, as
public analyses of it agree.
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
from benchmark.datasets.tables.parse import words
from benchmark.errors import DataError

RATINGS, BOOKS, USERS = "BX-Book-Ratings.csv", "BX-Books.csv", "BX-Users.csv"
LICENCE = "freely available for research use when acknowledged: cite Ziegler et al. 2005 (WWW)"
BY_HAND = (
    "the publisher's page (www2.informatik.uni-freiburg.de/~cziegler/BX) is offline; if you have a copy of "
    f"BX-CSV-Dump.zip, its files {RATINGS}, {BOOKS} and {USERS} go into it"
)


def table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return columns as they are written.

    Raises:
        DataError: a column is missing, or a line has another number of fields.
    """
    try:
        return pd.read_csv(
            path,
            sep=";",
            encoding="latin-1",
            quoting=csv.QUOTE_MINIMAL,
            escapechar="\\",
            doublequote=False,
            dtype="str",
            usecols=list(columns),
            na_values=["", "NULL"],
            keep_default_na=False,
        )
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path}: the file is empty; it must contain one line per row") from error
    except (pd.errors.ParserError, ValueError) as error:
        detail = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise DataError(f"{path}: not as published: {detail}; get the file again") from error


def ratings(path: Path, log: LogSpec, say: Say) -> pd.DataFrame:
    """Return every row, those with rating 0 included."""
    frame = table(path, (log.user, log.item, str(log.value)))
    return finished(frame, path, log, say, text=("item",))  # of the ISBNs some are no numbers, some no ISBNs


def explicit(path: Path, log: LogSpec, say: Say) -> pd.DataFrame:
    """Return the rows with a rating from 1 to 10."""
    frame = ratings(path, log, say)
    return frame[frame["value"] != 0].reset_index(drop=True)


def books(folder: Path) -> pd.DataFrame | None:
    """Return titles, authors, publishers and years of books."""
    path = folder / BOOKS
    if not path.is_file():
        return None
    columns = {
        "ISBN": "item",
        "Book-Title": "title",
        "Book-Author": "author",
        "Publisher": "publisher",
        "Year-Of-Publication": "year",
    }
    found = table(path, tuple(columns)).rename(columns=columns)
    years = pd.to_numeric(found["year"], errors="coerce").astype("float64")
    texts = {name: words(found[name]) for name in ("title", "author", "publisher")}
    made = found[["item"]].assign(**texts, year=years.where(years > 0))  # 0 stands for unknown
    return made[made["item"].notna()].drop_duplicates("item", ignore_index=True)


def readers(folder: Path) -> pd.DataFrame | None:
    """Return ages and countries of users; the last part of a location is the country."""
    path = folder / USERS
    if not path.is_file():
        return None
    found = table(path, ("User-ID", "Location", "Age"))
    known = found[found["User-ID"].str.fullmatch(r"\d+").fillna(value=False).astype("bool")]
    country = known["Location"].fillna("").str.rsplit(",", n=1).str[-1].str.strip()
    age = pd.to_numeric(known["Age"], errors="coerce").astype("float64")
    made = pd.DataFrame({"user": known["User-ID"].astype("int64"), "country": country, "age": age})
    return made.drop_duplicates("user", ignore_index=True)


def layout(*, with_unrated: bool) -> Layout:
    """Return the layout; without unrated books the values are ratings on a scale."""
    return Layout(
        main=RATINGS,
        log=LogSpec(
            name="book-crossing",
            user="User-ID",
            item="ISBN",
            value="Book-Rating",
            positive=">= 0" if with_unrated else None,  # 0 is a book that somebody has, not a dislike
        ),
        rows=ratings if with_unrated else explicit,
        items=books,
        users=readers,
        side_files=(BOOKS, USERS),
        item_roles={"author": "category", "publisher": "category", "year": "category"},
        user_roles={"country": "category"},
    )


BOOK_CROSSING = (
    KnownDataset(
        name="book-crossing",
        layout=layout(with_unrated=True),
        folder="BX-CSV-Dump",
        url=None,
        by_hand=BY_HAND,
        download_mb=None,
        rows=1_149_780,
        users=105_283,
        items=340_556,
        scale=None,
        licence=LICENCE,
        side_information="titles, authors, publishers, years; ages, countries of users",
    ),
    KnownDataset(
        name="book-crossing-explicit",
        layout=layout(with_unrated=False),
        folder="BX-CSV-Dump",
        url=None,
        by_hand=BY_HAND,
        download_mb=None,
        rows=433_671,
        users=77_805,
        items=185_973,
        scale=(1.0, 10.0),
        licence=LICENCE,
        side_information="titles, authors, publishers, years; ages, countries of users",
    ),
)
