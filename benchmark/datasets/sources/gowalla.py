"""Gowalla's check-ins as published by SNAP (Cho, Myers, Leskovec 2011): people come back to places.

Layout and counts: snap.stanford.edu/data/loc-gowalla.html (6,442,890 check-ins); users and places with a
check-in, as RecSysDatasets by RUCAIBox counts them.
"""

from __future__ import annotations

from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.specs import LogSpec

GOWALLA = KnownDataset(
    name="gowalla",
    layout=Layout(
        main="loc-gowalla_totalCheckins.txt.gz",
        also=("loc-gowalla_totalCheckins.txt", "Gowalla_totalCheckins.txt"),
        log=LogSpec(
            name="gowalla",
            user="user",
            item="place",
            time="time",
            columns=("user", "time", "latitude", "longitude", "place"),
            separator="tab",
            pairs="repeat",
            seen="allow",
        ),
    ),
    folder="loc-gowalla",
    url="https://snap.stanford.edu/data/loc-gowalla_totalCheckins.txt.gz",
    download_mb=None,
    rows=6_442_890,
    users=107_092,
    items=1_280_969,
    scale=None,
    licence="no licence stated by SNAP; cite Cho, Myers and Leskovec 2011 (KDD)",
    side_information="nothing",
)
