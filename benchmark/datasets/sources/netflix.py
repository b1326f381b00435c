"""The Netflix Prize: 100 million ratings, from a copy of the user's own.

Each file has a line such as ``1:`` for a movie, then lines ``customer,rating,date``. Counts and terms: the
README of the Netflix Prize.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.log import Say
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.sources.lines import finished, text_lines
from benchmark.datasets.specs import LogSpec
from benchmark.errors import DataError

MAIN, PATTERN, TITLES = "combined_data_1.txt", "combined_data_*.txt", "movie_titles.csv"
BLOCK = 2_000_000  # lines


def ratings(path: Path, log: LogSpec, say: Say) -> pd.DataFrame:
    """Return the ratings of all parts that are beside the first."""
    paths = sorted(path.parent.glob(PATTERN))
    if len(paths) < 4:
        say(f"{path.parent}: {len(paths)} of the 4 parts {PATTERN} are here; they are read as the whole")
    frame = pd.concat([block for part in paths for block in blocks(part)], ignore_index=True)
    return finished(frame, path, log, say)


def blocks(path: Path) -> Iterator[pd.DataFrame]:
    """Yield the rows of one part, so many lines at a time.

    Raises:
        DataError: a line is neither a movie's header nor a rating.
    """
    movie, first = None, 1
    columns = ["customer", "rating", "date"]
    try:
        with pd.read_csv(
            path, header=None, names=columns, dtype="str", chunksize=BLOCK, skip_blank_lines=False
        ) as reader:
            for block in reader:
                heads = block["rating"].isna() & block["date"].isna()
                movies = block["customer"].str.removesuffix(":").where(heads).ffill()
                movies = movies.fillna(movie) if movie else movies
                wrong = heads & ~block["customer"].fillna("").str.fullmatch(r"\d+:").astype("bool")
                wrong |= ~heads & (movies.isna() | block["date"].isna())
                if wrong.any():
                    row = int(np.flatnonzero(wrong.to_numpy())[0])
                    raise DataError(
                        f"{path}:{first + row}: {', '.join(block.iloc[row].dropna())!r} is neither a movie "
                        "such as '1:' nor a rating such as 1488844,3,2005-09-06 below one; use another copy"
                    )
                movie, first = movies.iloc[-1], first + len(block)
                yield typed(block.assign(movie=movies)[~heads], path)
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path}: the file is empty; it must contain one line per row") from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not as published: {error}; use another copy") from error


def typed(block: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return ids as whole numbers and dates as dates: eight bytes each and no text."""
    codes, days = pd.factorize(block["date"])
    try:
        dates = pd.to_datetime(pd.Series(days), format="%Y-%m-%d", utc=True).take(codes)
        whole = {name: block[name].astype("int32") for name in ("customer", "movie")}
        return pd.DataFrame(whole).assign(
            rating=block["rating"].astype("float32"), date=dates.set_axis(block.index)
        )
    except ValueError as error:
        raise DataError(f"{path}: not as published: {error}; use another copy") from error


def titles(folder: Path) -> pd.DataFrame | None:
    """Return titles and years; a title may contain commas, and is Latin-1."""
    path = folder / TITLES
    if not path.is_file():
        return None
    fields = [(number, line.split(",", 2)) for number, line in text_lines(path, "latin-1")]
    for number, parts in fields:
        if len(parts) != 3 or not parts[0].isdigit():
            raise DataError(f"{path}:{number}: not a movie's number, year and title; use another copy")
    years = pd.to_numeric(pd.Series([parts[1] for _, parts in fields]), errors="coerce")
    return pd.DataFrame(
        {
            "item": [int(parts[0]) for _, parts in fields],
            "title": [parts[2] for _, parts in fields],
            "year": years.astype("float64"),
        }
    )


NETFLIX = KnownDataset(
    name="netflix",
    layout=Layout(
        main=MAIN,
        log=LogSpec(name="netflix", user="customer", item="movie", value="rating", time="date"),
        rows=ratings,
        items=titles,
        side_files=(PATTERN, TITLES),
        item_roles={"year": "category"},
    ),
    folder="netflix-prize-data",
    url=None,
    by_hand=(
        "Netflix does not hand it out any longer; of a copy of your own, combined_data_1.txt to "
        f"combined_data_4.txt and {TITLES} go into it (of training_set.tar: cat training_set/mv_*.txt > "
        f"{MAIN})"
    ),
    download_mb=None,
    rows=100_480_507,
    users=480_189,
    items=17_770,
    scale=(1.0, 5.0),
    licence="Netflix Prize terms: research use, acknowledge it, no redistribution, no commercial use",
    side_information="titles, years",
)
