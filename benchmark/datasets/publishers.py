"""Folders as their publishers made them: MovieLens in its three layouts and Last.fm HetRec."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.catalogue import Layout
from benchmark.datasets.readers import TextFormat, read_log, read_titles
from benchmark.datasets.specs import LogSpec, TitlesSpec
from benchmark.errors import DataError

MAIN_FILES: dict[Layout, tuple[str, str]] = {
    "ml-100k": ("u.data", "u.item"),
    "ml-csv": ("ratings.csv", "movies.csv"),
    "ml-dat": ("ratings.dat", "movies.dat"),
    "lastfm": ("user_artists.dat", "artists.dat"),
}
LOGS: dict[Layout, LogSpec] = {
    "ml-100k": LogSpec(
        name="ml-100k",
        value="rating",
        time="time",
        columns=("user", "item", "rating", "time"),
        separator="tab",
    ),
    "ml-csv": LogSpec(
        name="ml-csv", user="userId", item="movieId", value="rating", time="timestamp", separator=","
    ),
    "ml-dat": LogSpec(
        name="ml-dat", value="rating", time="time", columns=("user", "item", "rating", "time"), separator="::"
    ),
    "lastfm": LogSpec(name="lastfm", user="userID", item="artistID", value="weight", separator="tab"),
}
TITLES: dict[Layout, tuple[TitlesSpec, TextFormat]] = {
    "ml-csv": (TitlesSpec(path="movies.csv", item="movieId", genres="genres"), TextFormat(separator=",")),
    "ml-dat": (
        TitlesSpec(path="movies.dat", genres="genres"),
        TextFormat(("item", "title", "genres"), "::", "latin-1", quoted=False),
    ),
    "lastfm": (
        TitlesSpec(path="artists.dat", item="id", title="name"),
        TextFormat(separator="\t", quoted=False),
    ),
}


@dataclass(frozen=True)
class PublishedLog:
    """A publisher's log, its items, and the files that were read."""

    frame: pd.DataFrame
    items: pd.DataFrame | None
    files: tuple[Path, ...]


def find_layout(folder: Path) -> Layout:
    """Return the layout whose interaction file lies in the folder.

    Raises:
        DataError: none of the known files is there.
    """
    for layout, (main, _) in MAIN_FILES.items():
        if (folder / main).is_file():
            return layout
    wanted = ", ".join(main for main, _ in MAIN_FILES.values())
    raise DataError(
        f"{folder}: not a folder in a known layout: none of {wanted} is there; "
        "give the path of the file itself"
    )


def read_folder(folder: Path, layout: Layout) -> PublishedLog:
    """Return what a publisher's folder holds; the item table may be absent.

    Raises:
        DataError: the interactions are missing, or a file is not as published.
    """
    main, titles = (folder / name for name in MAIN_FILES[layout])
    frame = read_log(main, LOGS[layout])
    if not titles.is_file():
        return PublishedLog(frame, None, (main,))
    if layout == "ml-100k":
        return PublishedLog(frame, _read_u_item(titles), (main, titles))
    return PublishedLog(frame, read_titles(titles, *TITLES[layout]), (main, titles))


def _read_u_item(path: Path) -> pd.DataFrame:
    """Return items of MovieLens-100K: genres are 0/1 columns, named by u.genre; the text is Latin-1."""
    genres = _genre_names(path.with_name("u.genre"))
    lines = [line.split("|") for line in path.read_text(encoding="latin-1").split("\n") if line.strip()]
    if len({len(line) for line in lines}) != 1 or len(lines[0]) <= len(genres) + 1:
        raise DataError(f"{path}: not the publisher's layout; fetch the data set again")
    flags = np.array([line[len(line) - len(genres) :] for line in lines]) == "1"
    return pd.DataFrame(
        {
            "item": np.array([int(line[0]) for line in lines], dtype=np.int64),
            "title": [line[1] for line in lines],
            "genres": ["|".join(np.array(genres)[row]) for row in flags],
        }
    )


def _genre_names(path: Path) -> list[str]:
    if not path.is_file():
        raise DataError(f"{path}: no such file; it names the genres of u.item: fetch the data set again")
    return [line.split("|")[0] for line in path.read_text(encoding="latin-1").splitlines() if line.strip()]
