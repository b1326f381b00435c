"""Lists of many users, or of one, written to a CSV or Parquet file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from benchmark.bundle.served import Item, Recommendation, SimilarItems
from benchmark.errors import BundleError
from benchmark.files import write_errors_as_run_error
from benchmark.reporting.csv_json import safe_cell

SUFFIXES = (".csv", ".parquet")
LISTS = ("user", "rank", "item", "title", "score", "source")
ALIKE = ("item", "rank", "similar", "title", "score")
REASONS = ("history_item", "history_title", "contribution")


def write_lists(lists: Sequence[Recommendation], path: Path, *, why: bool = False) -> None:
    """Write a row for each user and rank to a CSV or Parquet file.

    Columns: user, rank, item, title, score, source. With ``why`` an item has a row for each item of the
        history that
    carried its score, in history_item, history_title and contribution, and one without history_item for the
    rest. In a CSV, text that a spreadsheet would run as a formula gets a quote first.

    Raises:
        BundleError: another kind of file is asked for.
        RunError: the file cannot be written.
    """
    rows: list[tuple[object, ...]] = []
    for found in lists:
        for rank, item in enumerate(found.items, start=1):
            row = (found.user, rank, item.id, item.title, item.score, found.source)
            rows += [(*row, *reason) for reason in _reasons(item)] if why else [row]
    _write(pd.DataFrame(rows, columns=[*LISTS, *(REASONS if why else ())], dtype=object), ("user",), path)


def write_similar(found: SimilarItems, path: Path) -> None:
    """Write a row for each item that is like one: item, rank, similar, title, score.

    Raises:
        BundleError: another kind of file is asked for.
        RunError: the file cannot be written.
    """
    rows = [
        (found.item, rank, item.id, item.title, item.score) for rank, item in enumerate(found.items, start=1)
    ]
    _write(pd.DataFrame(rows, columns=list(ALIKE), dtype=object), (), path)


def check_target(path: Path | None) -> Path:
    """Return the file that lists go to.

    Raises:
        BundleError: none is named, or it is neither CSV nor Parquet.
    """
    if path is None:
        raise BundleError("--users needs --out FILE, a .csv or .parquet")
    check_suffix("--out", path)
    return path


def check_suffix(option: str, path: Path) -> None:
    """Refuse a file that is neither CSV nor Parquet.

    Raises:
        BundleError: it is not.
    """
    if path.suffix not in SUFFIXES:
        raise BundleError(f"{option} {path}: must end in {' or '.join(SUFFIXES)}")


def _reasons(item: Item) -> Iterator[tuple[object, ...]]:
    assert item.why is not None  # explained where it was asked for
    for one in item.why.contributions:
        yield one.id, one.title, one.value
    yield None, None, item.why.rest


def _write(frame: pd.DataFrame, as_text: Sequence[str], path: Path) -> None:
    check_suffix("--out", path)
    with write_errors_as_run_error(path.parent):
        if path.suffix == ".csv":
            frame.map(safe_cell).to_csv(path, index=False)
        else:
            frame.astype(dict.fromkeys(as_text, str)).to_parquet(path, index=False)
