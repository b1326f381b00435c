"""How a publisher lays out a folder: which files it contains, and who reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from benchmark.datasets.log import LIST_SEPARATOR, Roles, Say, Side, Triples, silent
from benchmark.datasets.sources.table_roles import check_roles, check_table
from benchmark.datasets.specs import Duplicates, LogSpec, PrepareSpec
from benchmark.datasets.tables.encodings import reads_whole
from benchmark.datasets.tables.read import read_log
from benchmark.errors import DataError

TableReader: TypeAlias = Callable[[Path], pd.DataFrame | None]
"""Takes a folder; returns a table of its users or items, None if the file is not there."""

RowsReader: TypeAlias = Callable[[Path, LogSpec, Say], pd.DataFrame]
"""Takes the file with the interactions; returns them as ``read_log`` does, perhaps with the column part."""

MEANING = ("positive", "negative", "pairs", "seen")
"""Keys of a log's entry that are keys of the preparation too."""

OWN_KEYS = ("ids", "missing_values", "rows", "time_unit", "timezone", "weight", *MEANING)
"""Keys of the suite's entry that may differ from what a publisher's layout says."""

TAGS_PER_ITEM = 20  # the most often given; the long tail of an item is one user's mood


def unknown(_: Path) -> pd.DataFrame | None:
    """Return None: this publisher says nothing about them."""
    return None


@dataclass(frozen=True, eq=False)
class Layout:
    """One layout of a publisher; a new one is a file beside this one, named by its entry in ``known.KNOWN``.

    Attributes:
        main: the file with the interactions, by which a folder is recognised.
        log: the columns of that file, and what its rows mean where the suite does not say.
        rows: reads that file, if it is no plain table.
        also: what that file is called when it is packed or unpacked otherwise.
        marks: further files without which a folder is not recognised, where ``main`` is a common name.
        duplicates: what is done with several rows of a user and an item where the suite does not say.
        items: reads the table of items: column item, perhaps title, and columns with a role.
        users: reads the table of users: column user and columns with a role.
        side_files: the files that these two look at.
        item_roles: columns of items that models are shown, besides the title.
        user_roles: columns of users that models are shown.
    """

    main: str
    log: LogSpec
    rows: RowsReader | None = None
    also: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    duplicates: Duplicates = "refuse"
    items: TableReader = unknown
    users: TableReader = unknown
    side_files: tuple[str, ...] = ()
    item_roles: Roles = field(default_factory=dict)
    user_roles: Roles = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a role that there is not."""
        check_roles(self.main, "item", self.item_roles)
        check_roles(self.main, "user", self.user_roles)

    def has_titles(self, _: Path | None) -> bool:
        """Whether items of a folder have titles, or other words; None: of one that is not here."""
        return self.items is not unknown

    def roles(self, side: Side, _: Path | None) -> Roles:
        """Return the roles of the columns of items or users in a folder; None: in one that is not here."""
        return self.item_roles if side == "item" else self.user_roles

    def side_table(self, folder: Path, side: Side) -> pd.DataFrame | None:
        """Return what a folder says of items or users; None if the file is not there."""
        return self.items(folder) if side == "item" else self.users(folder)

    def has_graph(self, _: Path | None) -> bool:
        """Whether a knowledge graph lies in a folder; None: is published, where the folder is not here."""
        return False

    def read_graph(self, _: Path) -> Triples | None:
        """Return the knowledge graph of a folder; None if it has none."""
        return None

    def find_main(self, folder: Path) -> Path | None:
        """Return the file with the interactions in a folder; None if it is not there."""
        paths = (folder / name for name in (self.main, *self.also))
        return next((path for path in paths if path.is_file()), None)

    def is_in(self, folder: Path) -> bool:
        """Return whether a folder is in this layout."""
        return self.find_main(folder) is not None and all((folder / mark).is_file() for mark in self.marks)

    def files(self, folder: Path) -> list[Path]:
        """Return every file of a folder that is read, the interactions first; side files may be missing.

        A side file with a * stands for all files of that pattern.
        """
        paths = [self.find_main(folder) or folder / self.main]
        for name in self.side_files:
            paths += sorted(folder.glob(name)) if "*" in name else [folder / name]
        return list(dict.fromkeys(paths))

    def read(self, folder: Path, entry: LogSpec | None = None, say: Say = silent) -> PublishedTables:
        """Return what a folder contains.

        Args:
            folder: as unpacked.
            entry: what the suite says of the log; wins over the layout.
            say: takes one line of progress.

        Raises:
            DataError: the interactions are missing, a file is not as published, or a table does not have the
                columns that the layout promises.
        """
        path = self.find_main(folder)
        if path is None:
            raise DataError(f"{folder / self.main}: no such file; it contains the interactions")
        log = self.with_entry(entry)
        frame = self.rows(path, log, say) if self.rows else read_log(path, log, say)
        whole = all(path.is_file() for path in self.files(folder))
        tables: dict[Side, pd.DataFrame | None] = {}
        for side in ("item", "user"):
            tables[side] = table = self.side_table(folder, side)
            if table is not None:
                check_table(folder, table, side, self.roles(side, folder), whole=whole)
        return PublishedTables(frame, tables["item"], tables["user"], self.read_graph(folder))

    def with_entry(self, entry: LogSpec | None) -> LogSpec:
        """Return the columns and their meaning with what the suite's entry says put in place."""
        if entry is None:
            return self.log
        given = {key: getattr(entry, key) for key in OWN_KEYS if key in entry.model_fields_set}
        return self.log.model_copy(update={key: value for key, value in given.items() if value is not None})

    def defaults(self) -> PrepareSpec | None:
        """Return how the log is prepared where the suite does not say; None if that is as ever."""
        named = {key: getattr(self.log, key) for key in MEANING}
        given = {key: value for key, value in named.items() if value is not None}
        made = PrepareSpec.model_validate({**given, "duplicates": self.duplicates})
        return None if made == PrepareSpec() else made


@dataclass(frozen=True)
class PublishedTables:
    """The interactions of a publisher, what it says about items and users, and its knowledge graph."""

    frame: pd.DataFrame
    items: pd.DataFrame | None
    users: pd.DataFrame | None
    graph: Triples | None = None


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
    return "utf-8" if not path.is_file() or reads_whole(path, "utf-8") else "latin-1"
