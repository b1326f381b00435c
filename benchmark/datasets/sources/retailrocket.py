"""RetailRocket: views, additions to the cart and purchases in a shop, with times in milliseconds.

Columns and counts: the description on kaggle.com/datasets/retailrocket/ecommerce-dataset, as others quote
it; items with an event, as public analyses count them.
"""

from __future__ import annotations

from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.specs import LogSpec

RETAILROCKET = KnownDataset(
    name="retailrocket",
    layout=Layout(
        main="events.csv",
        marks=("category_tree.csv",),  # events.csv is a common name
        log=LogSpec(
            name="retailrocket",
            user="visitorid",
            item="itemid",
            value="event",
            time="timestamp",
            time_unit="ms",
            separator=",",
            positive=("addtocart", "transaction"),
            pairs="repeat",
            seen="allow",
        ),
    ),
    folder="retailrocket",
    url=None,
    by_hand=(
        "accept its licence at https://www.kaggle.com/datasets/retailrocket/ecommerce-dataset (a Kaggle "
        "account is needed) and download it: events.csv and category_tree.csv go into it"
    ),
    download_mb=None,
    rows=2_756_101,
    users=1_407_580,
    items=235_061,
    scale=None,
    licence="as its Kaggle page states, to be accepted there",
    side_information="nothing (properties of items change over time and are not read)",
)
