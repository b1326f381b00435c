"""The Yelp Open Dataset: reviews and businesses as JSON lines, in the tar that Yelp hands out or unpacked.

Layout: yelp.com/dataset/documentation. Counts are those of the release of 2022, as RecSysDatasets by
RUCAIBox gives them.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pandas as pd

from benchmark.datasets.log import LIST_SEPARATOR, Say
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.sources.lines import finished, json_columns
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.identifiers import plain_ids
from benchmark.datasets.tables.parse import words
from benchmark.datasets.tables.raw_file import open_bytes
from benchmark.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

REVIEWS = "yelp_academic_dataset_review.json"
BUSINESSES = "yelp_academic_dataset_business.json"
TAR = "yelp_dataset.tar"


@contextmanager
def member(tar: Path, name: str) -> Iterator[IO[bytes] | None]:
    """Open a file inside a tar, packed or not, without unpacking it to the disk; None if it is not in it.

    Raises:
        DataError: it is no tar, or cut off.
    """
    try:
        with tarfile.open(tar, "r|*") as file:
            found = next((one for one in file if Path(one.name).name == name and one.isfile()), None)
            yield file.extractfile(found) if found else None
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"{tar}: not a whole tar archive ({error}); get it again") from error


def columns_of(path: Path, name: str, columns: Mapping[str, pa.DataType]) -> pd.DataFrame | None:
    """Return columns of one of Yelp's files, unpacked or in the tar; None if it is not there."""
    if path.name != TAR:
        if not path.is_file():
            return None
        with open_bytes(path) as file:
            return json_columns(file, path, columns)
    with member(path, name) as file:
        return json_columns(file, path, columns) if file else None


def reviews(path: Path, log: LogSpec, say: Say) -> pd.DataFrame:
    """Return who gave which business how many stars, and when."""
    import pyarrow as pa

    columns = {
        "user_id": pa.string(),
        "business_id": pa.string(),
        "stars": pa.float64(),
        "date": pa.timestamp("s"),
    }
    frame = columns_of(path, REVIEWS, columns)
    if frame is None:
        raise DataError(
            f"{path}: {REVIEWS} is not in it, or it is cut off; get the JSON files of the Yelp Open Dataset"
        )
    return finished(frame, path, log, say)


def businesses(folder: Path) -> pd.DataFrame | None:
    """Return names, cities and categories of businesses."""
    import pyarrow as pa

    columns = dict.fromkeys(("business_id", "name", "city", "categories"), pa.string())
    path = folder / (TAR if YELP_LAYOUT.find_main(folder) == folder / TAR else BUSINESSES)
    frame = columns_of(path, BUSINESSES, columns)
    if frame is None:
        return None
    item = plain_ids(frame["business_id"], lambda row: f"{path}: row {row + 1}")
    lists = words(frame["categories"]).str.replace(", ", LIST_SEPARATOR, regex=False)
    table = {"item": item, "title": words(frame["name"]), "city": words(frame["city"]), "categories": lists}
    return pd.DataFrame(table).drop_duplicates("item", ignore_index=True)


YELP_LAYOUT = Layout(
    main=REVIEWS,
    also=(TAR,),
    log=LogSpec(name="yelp", user="user_id", item="business_id", value="stars", time="date"),
    rows=reviews,
    duplicates="last",  # a user may write about a business again; the last opinion counts
    items=businesses,
    side_files=(BUSINESSES,),
    item_roles={"city": "category", "categories": "list"},
)

YELP = KnownDataset(
    name="yelp",
    layout=YELP_LAYOUT,
    folder="yelp_dataset",
    url=None,
    by_hand=(
        "read and accept Yelp's terms at https://www.yelp.com/dataset and download the JSON files: "
        f"{TAR}, or {REVIEWS} and {BUSINESSES} unpacked, go into it"
    ),
    download_mb=None,
    rows=6_990_280,
    users=1_987_929,
    items=150_346,
    scale=(1.0, 5.0),
    licence="Yelp Dataset Terms of Use: personal, educational and academic use; accept them there",
    side_information="names, cities, categories",
)
