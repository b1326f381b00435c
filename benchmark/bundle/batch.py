"""Lists for many users: reads ids from a CSV or Parquet file and writes lists to one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import pandas as pd

from benchmark.bundle.serving import Bundle, Recommendation
from benchmark.errors import BundleError
from benchmark.files import write_errors_as_run_error
from benchmark.reporting.csv_json import safe_cell

SUFFIXES = (".csv", ".parquet")


def read_users(path: Path) -> list[str]:
    """Return the ids in the column ``user`` of a file, or in its only column.

    Raises:
        BundleError: it cannot be read, or has several columns and none of that name.
    """
    _check_suffix("--users", path)
    if path.exists() and not path.is_file():  # a pipe may never end
        raise BundleError(f"--users {path}: is not a file")
    try:
        frame = (
            pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
            if path.suffix == ".csv"
            else pd.read_parquet(path)
        )
    except (OSError, ValueError) as error:
        raise BundleError(f"--users {path}: cannot be read ({error})") from error
    if "user" not in frame and frame.shape[1] != 1:
        columns = ", ".join(map(str, frame.columns))
        raise BundleError(f"--users {path}: must have a column 'user'; it has {columns}")
    column = frame["user"] if "user" in frame else frame.iloc[:, 0]
    if column.isna().any():
        raise BundleError(f"--users {path}: row {int(column.isna().argmax()) + 1} has no user")
    return [str(user) for user in column.tolist()]


def write_lists(bundle: Bundle, users: Iterable[str], k: int, exclude: Collection[str], path: Path) -> int:
    """Write a row for each user and rank to a CSV or Parquet file; return how many users are unknown.

    Columns: user, rank, item, title, score, source. In a CSV, text that a spreadsheet would run as a
    formula gets a quote first.

    Raises:
        BundleError: another kind of file is asked for.
        RunError: the file cannot be written.
    """
    _check_suffix("--out", path)
    lists = bundle.recommend(users, k, exclude=exclude)
    frame = pd.DataFrame(
        [row for found in lists for row in _rows(found)],
        columns=["user", "rank", "item", "title", "score", "source"],
    )
    with write_errors_as_run_error(path.parent):
        if path.suffix == ".csv":
            frame.map(safe_cell).to_csv(path, index=False)
        else:
            frame.astype({"user": str}).to_parquet(path, index=False)
    return sum(found.source == "popularity" for found in lists)


def check_target(path: Path | None) -> Path:
    """Return the file that lists go to.

    Raises:
        BundleError: none is named, or it is neither CSV nor Parquet.
    """
    if path is None:
        raise BundleError("--users needs --out FILE, a .csv or .parquet")
    _check_suffix("--out", path)
    return path


def _rows(found: Recommendation) -> list[tuple[object, ...]]:
    return [
        (found.user, rank, item.id, item.title, item.score, found.source)
        for rank, item in enumerate(found.items, start=1)
    ]


def _check_suffix(option: str, path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise BundleError(f"{option} {path}: must end in {' or '.join(SUFFIXES)}")
