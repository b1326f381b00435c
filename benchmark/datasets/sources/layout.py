"""How a publisher lays out a folder: which files it contains, and who reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from benchmark.datasets.log import LIST_SEPARATOR, Roles
from benchmark.datasets.sources.table_roles import check_roles, check_table
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.read import read_log

TableReader: TypeAlias = Callable[[Path], pd.DataFrame | None]
"""Takes a folder; returns a table of its users or items, None if the file is not there."""

TAGS_PER_ITEM = 20  # the most often given; the long tail of an item is one user's mood


def unknown(_: Path) -> pd.DataFrame | None:
    """Return None: this publisher says nothing about them."""
    return None


@dataclass(frozen=True, eq=False)
class Layout:
    """One layout of a publisher; a new one is a file beside this one, named by its entry in ``known.KNOWN``.

    Attributes:
        main: the file with the interactions, by which a folder is recognised.
        log: the columns of that file.
        items: reads the table of items: column item, perhaps title, and columns with a role.
        users: reads the table of users: column user and columns with a role.
        side_files: the files that these two look at.
        item_roles: columns of items that models are shown, besides the title.
        user_roles: columns of users that models are shown.
    """

    main: str
    log: LogSpec
    items: TableReader = unknown
    users: TableReader = unknown
    side_files: tuple[str, ...] = ()
    item_roles: Roles = field(default_factory=dict)
    user_roles: Roles = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a role that there is not."""
        check_roles(self.main, "item", self.item_roles)
        check_roles(self.main, "user", self.user_roles)

    def files(self, folder: Path) -> list[Path]:
        """Return every file of a folder that is read, the interactions first; side files may be missing."""
        return [folder / name for name in (self.main, *self.side_files)]

    def told(self, spec: LogSpec) -> Layout:
        """Return the layout, its values and weights to be read as a suite's entry says."""
        said = {"positive": spec.positive, "negative": spec.negative, "weight": spec.weight}
        if not any(value is not None for value in said.values()):
            return self
        return replace(self, log=self.log.model_copy(update=said))

    def read(self, folder: Path) -> PublishedTables:
        """Return what a folder contains.

        Raises:
            DataError: the interactions are missing, a file is not as published, or a table does not have the
                columns that the layout promises.
        """
        frame = read_log(folder / self.main, self.log)
        items, users = self.items(folder), self.users(folder)
        whole = all(path.is_file() for path in self.files(folder))
        if items is not None:
            check_table(folder, items, "item", self.item_roles, whole=whole)
        if users is not None:
            check_table(folder, users, "user", self.user_roles, whole=whole)
        return PublishedTables(frame, items, users)


@dataclass(frozen=True)
class PublishedTables:
    """The interactions of a publisher, and what it says about items and users."""

    frame: pd.DataFrame
    items: pd.DataFrame | None
    users: pd.DataFrame | None


def most_given_tags(items: pd.Series, tagged: pd.Series, tags: pd.Series) -> pd.Series:
    """Return each item's tags, in lower case, the most often given first, joined by |.

    Args:
        items: ids of the items, as text (n,).
        tagged: the id of the item that each tag was given to.
        tags: the tags.
    """
    tags = tags.str.strip().str.lower().str.replace(LIST_SEPARATOR, "/", regex=False)
    counts = pd.DataFrame({"item": tagged, "tag": tags}).query("tag != ''").value_counts().reset_index()
    counts = counts.sort_values(["item", "count", "tag"], ascending=[True, False, True])
    joined = counts.groupby("item").head(TAGS_PER_ITEM).groupby("item")["tag"].agg(LIST_SEPARATOR.join)
    return items.map(joined).fillna("").astype("str")


def encoding_of(path: Path) -> str:
    """Return utf-8, or latin-1 if the file is not text in UTF-8: MovieLens 1M, and tags of Last.fm."""
    try:
        path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return "utf-8"
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"
