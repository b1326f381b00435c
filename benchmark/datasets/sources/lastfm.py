"""Last.fm as published by HetRec 2011: play counts of artists, and tags that users gave them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmark.datasets.sources.layout import Layout, encoding_of, most_given_tags
from benchmark.datasets.specs import LogSpec, TableSpec
from benchmark.datasets.tables.read import read_table
from benchmark.datasets.tables.table_file import read_columns
from benchmark.datasets.tables.text_format import TextFormat


def artists(folder: Path) -> pd.DataFrame | None:
    """Return names of artists, and their tags if both files about tags are there."""
    path = folder / "artists.dat"
    if not path.is_file():
        return None
    tabs = TextFormat(separator="\t", quoted=False)
    table = read_table(path, TableSpec(path=path.name, id="id", title="name"), "item", tabs)
    given, names = folder / "user_taggedartists.dat", folder / "tags.dat"
    if not (given.is_file() and names.is_file()):
        return table
    names_format = TextFormat(separator="\t", encoding=encoding_of(names), quoted=False)
    words = read_columns(names, ("tagID", "tagValue"), names_format, ids=2).astype("str")
    pairs = read_columns(given, ("artistID", "tagID"), tabs, ids=2).astype("str").merge(words, on="tagID")
    tags = most_given_tags(table["item"].astype("str"), pairs["artistID"], pairs["tagValue"])
    return table.assign(tags=tags)


HETREC_LASTFM = Layout(
    main="user_artists.dat",
    log=LogSpec(name="lastfm", user="userID", item="artistID", value="weight", separator="tab"),
    items=artists,
    side_files=("artists.dat", "user_taggedartists.dat", "tags.dat"),
    item_roles={"tags": "list"},
)
