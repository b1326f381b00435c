"""The ids of a stored split as its publisher writes them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmark.datasets.log import Side
from benchmark.errors import DataError
from benchmark.protocol import Array


def raw_ids(folder: Path, side: Side) -> Array:
    """Return the publisher's id of each dense one, (U,) or (I,): whole numbers, or text.

    Raises:
        DataError: the file is missing or damaged.
    """
    path = folder / f"{side}s.parquet"
    try:
        return pd.read_parquet(path, columns=["id"])["id"].to_numpy()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: damaged or missing ({error}); run the suite anew with --fresh") from error
