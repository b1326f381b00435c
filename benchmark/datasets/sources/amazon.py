"""Amazon Reviews 2023 by category: the publisher's 5-core ratings as CSV, and its raw reviews as JSON lines.

Addresses, columns and counts: amazon-reviews-2023.github.io, pages main, data_processing/5core and
data_loading/jsonl (Hou et al. 2024, arXiv:2403.03952).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd

from benchmark.datasets.log import LIST_SEPARATOR, Say
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.sources.lines import finished, json_columns
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.identifiers import plain_ids
from benchmark.datasets.tables.parse import words
from benchmark.datasets.tables.raw_file import open_bytes

HOME = "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023"
FAMILY = "amazon-2023-CATEGORY"
TERMS = "no licence stated by the McAuley Lab; cite Hou et al. 2024 (arXiv:2403.03952)"

CATEGORIES = """
category                    |  raw: users  items   rows |  5-core: users  items   rows
All_Beauty                  |      632.0K 112.6K 701.5K |           253    356   2.5K
Amazon_Fashion              |        2.0M 825.9K   2.5M |             -      -      -
Appliances                  |        1.8M  94.3K   2.1M |             -      -      -
Arts_Crafts_and_Sewing      |        4.6M 801.3K   9.0M |        197.3K  90.0K   1.8M
Automotive                  |        8.0M   2.0M  20.0M |        632.1K 267.3K   6.1M
Baby_Products               |        3.4M 217.7K   6.0M |        150.8K  36.0K   1.2M
Beauty_and_Personal_Care    |       11.3M   1.0M  23.9M |        729.6K 207.6K   6.6M
Books                       |       10.3M   4.4M  29.5M |        776.4K 495.1K   9.5M
CDs_and_Vinyl               |        1.8M 701.7K   4.8M |        123.9K  89.4K   1.6M
Cell_Phones_and_Accessories |       11.6M   1.3M  20.8M |        381.0K 111.5K   2.8M
Clothing_Shoes_and_Jewelry  |       22.6M   7.2M  66.0M |          2.5M 715.0K  23.1M
Digital_Music               |      101.0K  70.5K 130.4K |             -      -      -
Electronics                 |       18.3M   1.6M  43.9M |          1.6M 368.2K  15.5M
Gift_Cards                  |      132.7K   1.1K 152.4K |           377    129   2.4K
Grocery_and_Gourmet_Food    |        7.0M 603.2K  14.3M |        404.8K 132.9K   3.9M
Handmade_Products           |      586.6K 164.7K 664.2K |             -      -      -
Health_and_Household        |       12.5M 797.4K  25.6M |        796.1K 184.3K   7.2M
Health_and_Personal_Care    |      461.7K  60.3K 494.1K |             -      -      -
Home_and_Kitchen            |       23.2M   3.7M  67.4M |          2.9M 763.6K  28.2M
Industrial_and_Scientific   |        3.4M 427.5K   5.2M |         51.0K  25.8K 412.9K
Kindle_Store                |        5.6M   1.6M  25.6M |        892.2K 466.6K  16.1M
Magazine_Subscriptions      |       60.1K   3.4K  71.5K |            30     21    176
Movies_and_TV               |        6.5M 747.8K  17.3M |        657.2K 197.9K   7.4M
Musical_Instruments         |        1.8M 213.6K   3.0M |         57.4K  24.6K 511.8K
Office_Products             |        7.6M 710.4K  12.8M |        223.3K  77.6K   1.8M
Patio_Lawn_and_Garden       |        8.6M 851.7K  16.5M |        416.6K 133.4K   3.4M
Pet_Supplies                |        7.8M 492.7K  16.8M |        594.8K 114.6K   5.3M
Software                    |        2.6M  89.2K   4.9M |        146.4K  17.6K   1.3M
Sports_and_Outdoors         |       10.3M   1.6M  19.6M |        409.8K 156.2K   3.5M
Subscription_Boxes          |       15.2K    641  16.2K |             -      -      -
Tools_and_Home_Improvement  |       12.2M   1.5M  27.0M |        842.0K 274.7K   7.9M
Toys_and_Games              |        8.1M 890.7K  16.3M |        432.3K 162.0K   3.9M
Video_Games                 |        2.8M 137.2K   4.6M |         94.8K  25.6K 814.6K
Unknown                     |       23.1M  13.2M  63.8M |          1.6M 694.3K  14.6M
"""
"""The publisher's tables, its rounding included; a category without a 5-core has -."""


def count(text: str) -> int:
    """Return a count as the publisher rounds it.

    >>> count("2.5K"), count("1.0M"), count("176")
    (2500, 1000000, 176)
    """
    units = {"K": 1e3, "M": 1e6}
    return round(float(text.rstrip("KM")) * units.get(text[-1], 1))


def called(category: str) -> str:
    """Return the name of a category's 5-core data set; that of its raw reviews ends with -raw.

    >>> called("All_Beauty"), called("Amazon_Fashion"), called("Video_Games")
    ('amazon-2023-beauty', 'amazon-2023-fashion', 'amazon-2023-video-games')
    """
    short = category.removeprefix("All_").removeprefix("Amazon_")
    return f"amazon-2023-{short.lower().replace('_', '-')}"


def reviews(path: Path, log: LogSpec, say: Say) -> pd.DataFrame:
    """Return raw reviews: who rated which product (the parent of its variants), how, and when."""
    import pyarrow as pa

    columns = {
        "user_id": pa.string(),
        "parent_asin": pa.string(),
        "rating": pa.float64(),
        "timestamp": pa.int64(),
        "sortTimestamp": pa.int64(),  # what the first release calls it
    }
    with open_bytes(path) as file:
        frame = json_columns(file, path, columns)
    return finished(frame.assign(timestamp=frame["timestamp"].fillna(frame["sortTimestamp"])), path, log, say)


def products(folder: Path, category: str) -> pd.DataFrame | None:
    """Return titles, shops and categories of products, if ``meta_CATEGORY.jsonl.gz`` is there."""
    import pyarrow as pa

    paths = (folder / f"meta_{category}.jsonl{packed}" for packed in (".gz", ""))
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        return None
    text = ("parent_asin", "title", "store")
    columns = {**dict.fromkeys(text, pa.string()), "categories": pa.list_(pa.string())}
    with open_bytes(path) as file:
        frame = json_columns(file, path, columns)
    item = plain_ids(frame["parent_asin"], lambda row: f"{path}: row {row + 1}")
    lists = [LIST_SEPARATOR.join(names) if names is not None else "" for names in frame["categories"]]
    titles, shops = words(frame["title"]), words(frame["store"])
    table = pd.DataFrame({"item": item, "title": titles, "store": shops, "categories": lists})
    return table.drop_duplicates("item", ignore_index=True)


COLUMNS = LogSpec(
    name="amazon-2023",
    user="user_id",
    item="parent_asin",
    value="rating",
    time="timestamp",
    time_unit="ms",
    separator=",",
)


def of_category(line: str) -> list[KnownDataset]:
    """Return the data sets of one line of the table: the 5-core, if there is one, and the raw reviews."""
    category, raw, core = (part.split() for part in line.split("|"))
    return [
        made(category[0], counts, is_raw=is_raw)
        for counts, is_raw in ((core, False), (raw, True))
        if counts != ["-"] * 3
    ]


def made(category: str, counts: list[str], *, is_raw: bool) -> KnownDataset:
    """Return the data set of a category."""
    users, items, rows = map(count, counts)
    meta = (f"meta_{category}.jsonl.gz", f"meta_{category}.jsonl")
    main = f"{category}.jsonl.gz" if is_raw else f"{category}.csv.gz"
    place = "raw/review_categories" if is_raw else "benchmark/5core/rating_only"
    layout = Layout(
        main=main,
        also=(main.removesuffix(".gz"),),
        log=COLUMNS,
        rows=reviews if is_raw else None,
        duplicates="first" if is_raw else "refuse",  # as the publisher makes its 5-core of the raw reviews
        items=partial(products, category=category),
        side_files=meta,
        item_roles={"store": "category", "categories": "list"},
    )
    return KnownDataset(
        name=called(category) + ("-raw" if is_raw else ""),
        layout=layout,
        folder=f"amazon-2023-{category}" + ("-raw" if is_raw else ""),
        url=f"{HOME}/{place}/{main}",
        download_mb=None,
        rows=rows,
        users=users,
        items=items,
        scale=(1.0, 5.0),
        licence=TERMS,
        side_information=f"titles, shops, categories if {meta[0]} is beside it",
        family=FAMILY + ("-raw" if is_raw else ""),
    )


AMAZON_2023 = tuple(known for line in CATEGORIES.strip().splitlines()[1:] for known in of_category(line))
"""The 5-core, where there is one, and the raw reviews of every category."""
