"""MovieLens in its three layouts: that of 100K, text with double colons, and CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.log import LIST_SEPARATOR, Roles
from benchmark.datasets.sources.layout import Layout, encoding_of, most_given_tags
from benchmark.datasets.specs import LogSpec, TableSpec
from benchmark.datasets.tables.read import read_table
from benchmark.datasets.tables.table_file import read_columns
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.errors import DataError

ITEM_ROLES: Roles = {"genres": "list", "year": "category", "tags": "list"}
USER_ROLES: Roles = {"age_band": "category", "sex": "category", "occupation": "category"}
NO_GENRES = "(no genres listed)"

AGES = (18, 25, 35, 45, 50, 56)  # the bands of MovieLens 1M, which does not give the age itself
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


def items_100k(folder: Path) -> pd.DataFrame | None:
    """Return items of MovieLens-100K: genres are 0/1 columns, named by u.genre; the text is Latin-1."""
    path, genre_path = folder / "u.item", folder / "u.genre"
    if not path.is_file():
        return None
    if not genre_path.is_file():
        raise DataError(
            f"{genre_path}: no such file; it names the genres of u.item: fetch the data set again"
        )
    genre_lines = genre_path.read_text(encoding="latin-1").splitlines()
    genres = [line.split("|")[0] for line in genre_lines if line.strip()]
    lines = [line.split("|") for line in path.read_text(encoding="latin-1").split("\n") if line.strip()]
    if len({len(line) for line in lines}) != 1 or len(lines[0]) <= len(genres) + 1:
        raise DataError(f"{path}: not the publisher's layout; fetch the data set again")
    flags = np.array([line[len(line) - len(genres) :] for line in lines]) == "1"
    titles = pd.Series([line[1] for line in lines])
    released = pd.Series([line[2][-4:] for line in lines])  # 01-Jan-1995
    return pd.DataFrame(
        {
            "item": np.array([int(line[0]) for line in lines], dtype=np.int64),
            "title": titles,
            "genres": [LIST_SEPARATOR.join(np.array(genres)[row]) for row in flags],
            "year": pd.to_numeric(released, errors="coerce").fillna(year_in_title(titles)),
        }
    )


def users_100k(folder: Path) -> pd.DataFrame | None:
    """Return users of MovieLens-100K: age and its band, sex, occupation, zip code."""
    path = folder / "u.user"
    if not path.is_file():
        return None
    columns = ("user", "age", "sex", "occupation", "zip")
    spec = TableSpec(path=path.name, id="user", categories=("sex", "occupation", "zip"), bands={"age": AGES})
    return read_table(path, spec, "user", TextFormat(columns, "|", "latin-1", quoted=False))


def users_dat(folder: Path) -> pd.DataFrame | None:
    """Return users of MovieLens 1M, ages and occupations in words; 10M has no such file."""
    path = folder / "users.dat"
    if not path.is_file():
        return None
    columns = ("user", "sex", "age", "occupation", "zip")
    spec = TableSpec(
        path=path.name, id="user", categories=("sex", "zip"), numbers=("occupation",), bands={"age": AGES}
    )
    table = read_table(path, spec, "user", TextFormat(columns, "::", "latin-1", quoted=False))
    occupations = table["occupation"].map(dict(enumerate(OCCUPATIONS))).fillna("").astype("str")
    return table.drop(columns="age").assign(occupation=occupations)


def items_csv(folder: Path) -> pd.DataFrame | None:
    """Return titles, genres, years and tags of the CSV layout."""
    csv = TextFormat(separator=",", multiline=True)
    spec = TableSpec(path="movies.csv", id="movieId", title="title", lists=("genres",))
    return with_tags(movies(folder, spec, csv), folder / "tags.csv", ("movieId", "tag"), csv)


def items_dat(folder: Path) -> pd.DataFrame | None:
    """Return titles, genres, years and tags of the layout with double colons."""
    spec = TableSpec(path="movies.dat", id="item", title="title", lists=("genres",))
    movies_format, tags_format = (
        TextFormat(columns, "::", encoding_of(folder / name), quoted=False)
        for name, columns in (
            ("movies.dat", ("item", "title", "genres")),
            ("tags.dat", ("user", "item", "tag", "time")),
        )
    )
    return with_tags(movies(folder, spec, movies_format), folder / "tags.dat", ("item", "tag"), tags_format)


def movies(folder: Path, spec: TableSpec, text_format: TextFormat) -> pd.DataFrame | None:
    """Return titles, genres and the year that ends a title; None if the file is not there."""
    path = folder / spec.path
    if not path.is_file():
        return None
    table = read_table(path, spec, "item", text_format)
    genres = table["genres"].replace(NO_GENRES, "")
    return table.assign(genres=genres, year=year_in_title(table["title"]))


def with_tags(
    items: pd.DataFrame | None, path: Path, columns: tuple[str, str], text_format: TextFormat
) -> pd.DataFrame | None:
    """Return the items with the tags that users gave them, if the file with ``columns`` is there."""
    if items is None or not path.is_file():
        return items
    given = read_columns(path, columns, text_format, ids=2).astype("str")
    tagged, tags = (given[column] for column in columns)
    return items.assign(tags=most_given_tags(items["item"].astype("str"), tagged, tags))


def year_in_title(titles: pd.Series) -> pd.Series:
    """Return the year in brackets that ends a title, as float64; nan if there is none.

    >>> year_in_title(pd.Series(["Heat (1995)", "Heat"])).tolist()
    [1995.0, nan]
    """
    years = titles.str.extract(r"\((\d{4})\)\s*$", expand=False)
    return pd.to_numeric(years, errors="coerce").astype("float64")


ML_100K = Layout(
    main="u.data",
    log=LogSpec(
        name="ml-100k",
        value="rating",
        time="time",
        time_unit="s",
        columns=("user", "item", "rating", "time"),
        separator="tab",
    ),
    items=items_100k,
    users=users_100k,
    side_files=("u.item", "u.genre", "u.user"),
    item_roles={"genres": "list", "year": "category"},
    user_roles=USER_ROLES,
)
ML_CSV = Layout(
    main="ratings.csv",
    log=LogSpec(
        name="ml-csv",
        user="userId",
        item="movieId",
        value="rating",
        time="timestamp",
        time_unit="s",
        separator=",",
    ),
    items=items_csv,
    side_files=("movies.csv", "tags.csv"),
    item_roles=ITEM_ROLES,
)
ML_DAT = Layout(
    main="ratings.dat",
    log=LogSpec(
        name="ml-dat",
        value="rating",
        time="time",
        time_unit="s",
        columns=("user", "item", "rating", "time"),
        separator="::",
    ),
    items=items_dat,
    users=users_dat,
    side_files=("movies.dat", "users.dat", "tags.dat"),
    item_roles=ITEM_ROLES,
    user_roles=USER_ROLES,
)
