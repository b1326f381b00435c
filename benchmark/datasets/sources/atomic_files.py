"""RecBole's atomic files: interactions in NAME.inter, beside it NAME.user, NAME.item, NAME.kg and NAME.link.

The first line of each names its columns and their types, ``name:type``: token (one id or word), token_seq
(several, separated by blanks), float, float_seq; columns are separated by tabs (Zhao et al. 2021, CIKM,
arXiv:2011.01731, section 3.1). Tokens of users and items become categories, sequences of tokens lists, floats
numbers; sequences of floats are not shown to models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark.datasets.log import Roles, Say, Side, Triples
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.sources.table_roles import roles_of
from benchmark.datasets.specs import LogSpec, TableSpec
from benchmark.datasets.tables.header import read_header
from benchmark.datasets.tables.identifiers import plain_ids
from benchmark.datasets.tables.parse import Notation
from benchmark.datasets.tables.read import read_log, read_table
from benchmark.datasets.tables.table_file import open_table, read_file
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.datasets.tables.triples import triples_of
from benchmark.datasets.tables.typed_columns import typed_columns
from benchmark.errors import DataError

HOME = "https://raw.githubusercontent.com/RUCAIBox/RecBole/master/dataset/ml-100k"
ATOMIC = TextFormat(separator="\t", quoted=False)
TITLES = ("title", "name", "movie_title", "item_title")
"""Columns of items that are titles; RecBole itself has no word for them."""
RESERVED = frozenset({"id", "title", "user", "item"})
"""Names of columns that are none of a role in our tables."""


def beside(main: Path, suffix: str) -> Path:
    """Return the atomic file of another kind that belongs to interactions.

    >>> beside(Path("data/ml-100k.inter"), ".kg").as_posix()
    'data/ml-100k.kg'
    """
    return main.with_suffix(suffix)


def column_types(path: Path, ids: Sequence[str]) -> dict[str, str]:
    """Return the type of each column of an atomic file, by name.

    Args:
        path: the file.
        ids: columns that must be there, and be tokens.

    Raises:
        DataError: the first line is not of names with types, or lacks an id.
    """
    header = read_header(path, ATOMIC, ())
    types, where = typed_columns(path, header), f"{path}:{header.first.line}"
    for name in ids:
        if types.get(name) != "token":
            found = f"{name} is {types[name]}" if name in types else f"there is no column {name}"
            raise DataError(
                f"{where}: {found}, and a {path.suffix} file must have {' and '.join(ids)} of type token: "
                f"write {name}:token"
            )
    return types


def read_interactions(path: Path, log: LogSpec, say: Say) -> pd.DataFrame:
    """Return the log; its header says which column is what."""
    column_types(path, ("user_id", "item_id"))
    return read_log(path, log, say)


def side_spec(path: Path, side: Side) -> TableSpec | None:
    """Return the columns of a table of users or items by their types; None if it has an id alone.

    Raises:
        DataError: its header is not that of an atomic file.
    """
    types = column_types(path, (f"{side}_id",))
    words = {name for name, kind in types.items() if kind in {"token", "token_seq"}}
    title = next((name for name in TITLES if name in words), None) if side == "item" else None
    shown = {name: kind for name, kind in types.items() if name not in RESERVED | {f"{side}_id", title}}
    kinds = {kind: tuple(name for name, own in shown.items() if own == kind) for kind in shown.values()}
    categories, lists, numbers = (kinds.get(kind, ()) for kind in ("token", "token_seq", "float"))
    if not (title or categories or lists or numbers):
        return None
    return TableSpec(
        path=path.name,
        id=f"{side}_id",
        title=title,
        categories=categories,
        lists=lists,
        list_separator=" ",
        numbers=numbers,
    )


def read_graph(path: Path) -> pd.DataFrame:
    """Return the triples of a .kg file: columns head, relation, tail, categories of text, a row each.

    Raises:
        DataError: its header is not that of a .kg file, or an entry is missing.
    """
    return read_tokens(path, {"head_id": "head", "relation_id": "relation", "tail_id": "tail"})


def read_links(path: Path) -> pd.DataFrame:
    """Return which entity each item is, from a .link file: item as in the log, entity a category of text.

    Raises:
        DataError: its header is not that of a .link file, or an entry is missing.
    """
    links = read_tokens(path, {"item_id": "item", "entity_id": "entity"})
    return links.assign(item=plain_ids(links["item"], lambda row: f"{path}: row {row + 1}", Notation()))


def read_tokens(path: Path, columns: dict[str, str]) -> pd.DataFrame:
    """Return columns of tokens under other names, as categories of text; no entry may be missing."""
    column_types(path, tuple(columns))
    frame, location = read_file(open_table(path, ATOMIC), list(columns), list(columns), ATOMIC)
    for name in columns:
        missing = (frame[name].isna() | (frame[name] == "")).to_numpy()
        if missing.any():
            row = int(missing.argmax())
            raise DataError(f"{location.row(row)}: no {name}; every line must have one: correct or remove it")
    return frame.rename(columns=columns)


@dataclass(frozen=True, eq=False)
class AtomicFiles(Layout):
    """A folder of atomic files; of several .inter files the one that bears the folder's name.

    ``item_roles`` and ``user_roles`` are those of a known data set where its folder is not here.
    """

    def find_main(self, folder: Path) -> Path | None:
        """Return the .inter file of a folder; None if there is none.

        Raises:
            DataError: there are several, and none bears the folder's name.
        """
        found = sorted(path for path in folder.glob(self.main) if path.is_file())
        own = folder / f"{folder.resolve().name}.inter"
        if own in found or not found:
            return own if found else None
        if len(found) > 1:
            raise DataError(
                f"{folder}: several .inter files ({', '.join(path.name for path in found[:4])}) and no "
                f"{own.name}; give the path of one, or all parts of a split with split: {{by: files}}"
            )
        return found[0]

    def files(self, folder: Path) -> list[Path]:
        """Return the files that are read, the interactions first; the others may be missing."""
        main = self.find_main(folder) or folder / self.main
        tables = [main, beside(main, ".item"), beside(main, ".user")]
        return [*tables, beside(main, ".kg"), beside(main, ".link")] if self.has_graph(folder) else tables

    def has_graph(self, folder: Path | None) -> bool:
        """Return whether a graph and its link lie beside the interactions."""
        main = self.find_main(folder) if folder else None
        return main is None or all(beside(main, kind).is_file() for kind in (".kg", ".link"))

    def read_graph(self, folder: Path) -> Triples | None:
        """Return the knowledge graph of a folder; None if .kg or .link is not there.

        Raises:
            DataError: one of them is not as RecBole writes it.
        """
        main = self.find_main(folder)
        if main is None or not self.has_graph(folder):
            return None
        return triples_of(
            read_graph(beside(main, ".kg")), read_links(beside(main, ".link")), beside(main, ".kg")
        )

    def side_table(self, folder: Path, side: Side) -> pd.DataFrame | None:
        """Return what is said of items or users; None if nothing is."""
        path = self.side_file(folder, side)
        spec = side_spec(path, side) if path else None
        return read_table(path, spec, side, ATOMIC) if path and spec else None

    def roles(self, side: Side, folder: Path | None) -> Roles:
        """Return the role of each column of a table, as the types in its first line say."""
        if folder is None:
            return super().roles(side, folder)
        path = self.side_file(folder, side)
        spec = side_spec(path, side) if path else None
        return roles_of(spec) if spec else {}

    def has_titles(self, folder: Path | None) -> bool:
        """Whether items are said to have something that models can read."""
        path = self.side_file(folder, "item") if folder else None
        spec = side_spec(path, "item") if path else None
        return folder is None or bool(spec and spec.title)

    def side_file(self, folder: Path, side: Side) -> Path | None:
        """Return the file with what is said of items or users; None if it is not there."""
        main = self.find_main(folder)
        path = beside(main, f".{side}") if main else None
        return path if path and path.is_file() else None


ATOMIC_FILES = AtomicFiles(
    main="*.inter",
    log=LogSpec(name="recbole", user="user_id", item="item_id", separator="tab"),
    rows=read_interactions,
)
"""Any folder of atomic files."""

MOVIELENS_100K_RECBOLE = KnownDataset(
    name="movielens-100k-recbole",
    layout=AtomicFiles(
        main="ml-100k.inter",
        log=LogSpec(
            name="recbole",
            user="user_id",
            item="item_id",
            value="rating",
            time="timestamp",
            time_unit="s",
            separator="tab",
        ),
        rows=read_interactions,
        item_roles={"release_year": "category", "class": "list"},
        user_roles=dict.fromkeys(("age", "gender", "occupation", "zip_code"), "category"),
    ),
    folder="ml-100k-recbole",
    url=f"{HOME}/ml-100k.inter",
    more_urls=tuple(f"{HOME}/ml-100k.{kind}" for kind in ("item", "user", "kg", "link")),
    download_mb=None,
    rows=100_000,
    users=943,
    items=1_682,
    scale=(1.0, 5.0),
    licence=(
        "GroupLens terms: research use, cite Harper & Konstan 2015, no commercial use without permission, no "
        "redistribution; cite Zhao et al. 2021 (CIKM) for the files"
    ),
    side_information="titles, genres, years; age, sex, occupation of users; a knowledge graph (Freebase)",
)
