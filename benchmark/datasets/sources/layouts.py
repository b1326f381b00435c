"""Folders as their publishers made them: MovieLens in its three layouts and Last.fm HetRec."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.log import LIST_MARK, Roles
from benchmark.datasets.sources.known import Layout
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.read import read_log, read_table
from benchmark.datasets.tables.side_tables import TableSpec
from benchmark.datasets.tables.table_files import TextFormat, read_columns
from benchmark.errors import DataError

MAIN_FILES: dict[Layout, str] = {
    "ml-100k": "u.data",
    "ml-csv": "ratings.csv",
    "ml-dat": "ratings.dat",
    "lastfm": "user_artists.dat",
}
LOGS: dict[Layout, LogSpec] = {
    "ml-100k": LogSpec(
        name="ml-100k",
        value="rating",
        time="time",
        time_unit="s",
        columns=("user", "item", "rating", "time"),
        separator="tab",
    ),
    "ml-csv": LogSpec(
        name="ml-csv",
        user="userId",
        item="movieId",
        value="rating",
        time="timestamp",
        time_unit="s",
        separator=",",
    ),
    "ml-dat": LogSpec(
        name="ml-dat",
        value="rating",
        time="time",
        time_unit="s",
        columns=("user", "item", "rating", "time"),
        separator="::",
    ),
    "lastfm": LogSpec(name="lastfm", user="userID", item="artistID", value="weight", separator="tab"),
}
ITEM_ROLES: Roles = {"genres": "list", "year": "category", "tags": "list"}
USER_ROLES: Roles = {"age_band": "category", "sex": "category", "occupation": "category"}

AGES = (18, 25, 35, 45, 50, 56)  # the bands of MovieLens 1M, where the age itself is not given
OCCUPATIONS = (  # of MovieLens 1M, by number: its README
    "other",
    "academic/educator",
    "artist",
    "clerical/admin",
    "college/grad student",
    "customer service",
    "doctor/health care",
    "executive/managerial",
    "farmer",
    "homemaker",
    "K-12 student",
    "lawyer",
    "programmer",
    "retired",
    "sales/marketing",
    "scientist",
    "self-employed",
    "technician/engineer",
    "tradesman/craftsman",
    "unemployed",
    "writer",
)
NO_GENRES = "(no genres listed)"
TAGS_PER_ITEM = 20  # the most often given; the long tail of an item is one user's mood


@dataclass(frozen=True)
class PublishedLog:
    """A publisher's log, what it says of items and of users, and the files that were read."""

    frame: pd.DataFrame
    items: pd.DataFrame | None
    users: pd.DataFrame | None
    files: tuple[Path, ...]


def find_layout(folder: Path) -> Layout:
    """Return the layout whose interaction file lies in the folder.

    Raises:
        DataError: none of the known files is there.
    """
    for layout, main in MAIN_FILES.items():
        if (folder / main).is_file():
            return layout
    raise DataError(
        f"{folder}: not a folder in a known layout: none of {', '.join(MAIN_FILES.values())} is there; "
        "give the path of the file itself"
    )


def read_folder(folder: Path, layout: Layout) -> PublishedLog:
    """Return what a publisher's folder holds; tables of items, tags and users may be absent.

    Raises:
        DataError: the interactions are missing, or a file is not as published.
    """
    main = folder / MAIN_FILES[layout]
    frame = read_log(main, LOGS[layout])
    items, users = _ITEMS[layout](folder), _USERS[layout](folder)
    read = [path for path in files_of(folder, layout) if path.is_file()]
    return PublishedLog(frame, items, users, tuple(read))


def files_of(folder: Path, layout: Layout) -> list[Path]:
    """Return every file that :func:`read_folder` looks at, the interactions first."""
    return [folder / name for name in (MAIN_FILES[layout], *_SIDE_FILES[layout])]


def _items_100k(folder: Path) -> pd.DataFrame | None:
    """Return items of MovieLens-100K: genres are 0/1 columns, named by u.genre; the text is Latin-1."""
    path = folder / "u.item"
    if not path.is_file():
        return None
    genres = _genre_names(folder / "u.genre")
    lines = [line.split("|") for line in path.read_text(encoding="latin-1").split("\n") if line.strip()]
    if len({len(line) for line in lines}) != 1 or len(lines[0]) <= len(genres) + 1:
        raise DataError(f"{path}: not the publisher's layout; fetch the data set again")
    flags = np.array([line[len(line) - len(genres) :] for line in lines]) == "1"
    table = pd.DataFrame(
        {
            "item": np.array([int(line[0]) for line in lines], dtype=np.int64),
            "title": [line[1] for line in lines],
            "genres": [LIST_MARK.join(np.array(genres)[row]) for row in flags],
        }
    )
    released = pd.Series([line[2][-4:] for line in lines])  # 01-Jan-1995
    return table.assign(year=pd.to_numeric(released, errors="coerce").fillna(_year(table["title"])))


def _genre_names(path: Path) -> list[str]:
    if not path.is_file():
        raise DataError(f"{path}: no such file; it names the genres of u.item: fetch the data set again")
    return [line.split("|")[0] for line in path.read_text(encoding="latin-1").splitlines() if line.strip()]


def _users_100k(folder: Path) -> pd.DataFrame | None:
    path = folder / "u.user"
    spec = TableSpec(
        path="u.user",
        id="user",
        categories=("sex", "occupation", "zip"),
        bands={"age": AGES},
        columns=("user", "age", "sex", "occupation", "zip"),
    )
    layout = TextFormat(spec.columns, "|", "latin-1", quoted=False)
    return read_table(path, spec, "user", layout) if path.is_file() else None


def _users_dat(folder: Path) -> pd.DataFrame | None:
    """Return users of MovieLens 1M, ages and occupations in words; 10M has no such file."""
    path = folder / "users.dat"
    if not path.is_file():
        return None
    spec = TableSpec(
        path="users.dat",
        id="user",
        categories=("sex", "zip"),
        numbers=("occupation",),
        bands={"age": AGES},
        columns=("user", "sex", "age", "occupation", "zip"),
    )
    table = read_table(path, spec, "user", TextFormat(spec.columns, "::", "latin-1", quoted=False))
    known = dict(enumerate(OCCUPATIONS))
    return table.drop(columns="age").assign(
        occupation=table["occupation"].map(known).fillna("").astype("str")
    )


def _no_users(_: Path) -> pd.DataFrame | None:
    """Return None: this publisher tells nothing about users."""
    return None


def _movies(path: Path, spec: TableSpec, layout: TextFormat) -> pd.DataFrame | None:
    """Return titles, genres and the year that ends a title."""
    if not path.is_file():
        return None
    table = read_table(path, spec, "item", layout)
    genres = table["genres"].where(table["genres"] != NO_GENRES, "")
    return table.assign(genres=genres, year=_year(table["title"]))


def _items_csv(folder: Path) -> pd.DataFrame | None:
    spec = TableSpec(path="movies.csv", id="movieId", title="title", lists=("genres",))
    movies = _movies(folder / "movies.csv", spec, TextFormat(separator=","))
    return _with_tags(movies, folder / "tags.csv", ("movieId", "tag"), TextFormat(separator=","))


def _items_dat(folder: Path) -> pd.DataFrame | None:
    path, columns = folder / "movies.dat", ("item", "title", "genres")
    spec = TableSpec(path="movies.dat", id="item", title="title", lists=("genres",), columns=columns)
    movies = _movies(path, spec, TextFormat(columns, "::", _encoding(path), quoted=False))
    tags, named = folder / "tags.dat", ("user", "item", "tag", "time")
    return _with_tags(movies, tags, ("item", "tag"), TextFormat(named, "::", _encoding(tags), quoted=False))


def _items_lastfm(folder: Path) -> pd.DataFrame | None:
    path = folder / "artists.dat"
    if not path.is_file():
        return None
    spec = TableSpec(path="artists.dat", id="id", title="name")
    artists = read_table(path, spec, "item", TextFormat(separator="\t", quoted=False))
    given, words = folder / "user_taggedartists.dat", folder / "tags.dat"
    if not (given.is_file() and words.is_file()):
        return artists
    table = TextFormat(separator="\t", encoding=_encoding(words), quoted=False)
    names = read_columns(words, ("tagID", "tagValue"), table, ids=2).astype("str")
    pairs = read_columns(given, ("artistID", "tagID"), TextFormat(separator="\t", quoted=False), ids=2)
    pairs = pairs.astype("str").merge(names, on="tagID")
    return artists.assign(tags=_most_given(artists, pairs["artistID"], pairs["tagValue"]))


def _with_tags(
    items: pd.DataFrame | None, path: Path, columns: tuple[str, str], layout: TextFormat
) -> pd.DataFrame | None:
    if items is None or not path.is_file():
        return items
    given = read_columns(path, columns, layout, ids=2).astype("str")
    return items.assign(tags=_most_given(items, given[columns[0]], given[columns[1]]))


def _most_given(items: pd.DataFrame, given_to: pd.Series, tags: pd.Series) -> pd.Series:
    """Return each item's tags, in lower case, the most often given first, joined by |."""
    words = tags.str.strip().str.lower().str.replace(LIST_MARK, "/", regex=False)
    counts = pd.DataFrame({"item": given_to, "tag": words}).query("tag != ''").value_counts().reset_index()
    counts = counts.sort_values(["item", "count", "tag"], ascending=[True, False, True])
    joined = counts.groupby("item").head(TAGS_PER_ITEM).groupby("item")["tag"].agg(LIST_MARK.join)
    return items["item"].astype("str").map(joined).fillna("").astype("str")


def _year(titles: pd.Series) -> pd.Series:
    """Return the year in brackets that ends a title, as float64; nan where there is none."""
    return pd.to_numeric(titles.str.extract(r"\((\d{4})\)\s*$")[0], errors="coerce").astype("float64")


def _encoding(path: Path) -> str:
    """Return utf-8, or latin-1 if the file is no text in UTF-8: MovieLens 1M, and tags of Last.fm."""
    try:
        path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return "utf-8"
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


_ITEMS = {"ml-100k": _items_100k, "ml-csv": _items_csv, "ml-dat": _items_dat, "lastfm": _items_lastfm}
_USERS = {"ml-100k": _users_100k, "ml-csv": _no_users, "ml-dat": _users_dat, "lastfm": _no_users}
_SIDE_FILES: dict[Layout, tuple[str, ...]] = {
    "ml-100k": ("u.item", "u.genre", "u.user"),
    "ml-csv": ("movies.csv", "tags.csv"),
    "ml-dat": ("movies.dat", "users.dat", "tags.dat"),
    "lastfm": ("artists.dat", "user_taggedartists.dat", "tags.dat"),
}
