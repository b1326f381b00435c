"""Knowledge graphs as triples: read from a file, with its link to the items, or made from their table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.log import Roles, Say, Triples, silent
from benchmark.datasets.specs import GraphSpec, LinkSpec
from benchmark.datasets.tables.identifiers import plain_ids
from benchmark.datasets.tables.parse import Notation, distinct_cells, distinct_values
from benchmark.datasets.tables.read import locator
from benchmark.datasets.tables.table_file import open_table, read_columns, read_file
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.errors import DataError
from benchmark.protocol import Ids

FROM_ITEMS = "from_items"
ENDS = ("head", "relation", "tail")


def read_triples(
    path: Path,
    spec: GraphSpec,
    link: Path | None,
    text_format: TextFormat,
    notation: Notation | None,
    say: Say,
) -> Triples:
    """Return the triples of a file, and which entity each item is.

    Args:
        path: of the triples.
        spec: names their columns, and those of the link.
        link: path of the table from items to entities; None if entities bear the items' ids.
        text_format: how both are written, apart from columns and separator.
        notation: how the ids of items are written.
        say: takes one line of progress.

    Raises:
        DataError: a file is missing or no table; a column is missing; no triple is whole.
    """
    own = text_format.with_table(spec.columns, spec.separator)
    wanted = chosen_columns(path, own, [(end, getattr(spec, end)) for end in ENDS])
    frame = read_columns(path, wanted, own, ids=len(wanted), say=say).set_axis(list(ENDS), axis=1)
    links = None
    if link is not None:
        assert spec.link is not None, "whose file it is"
        links = read_link(link, spec.link, text_format, notation, say)
    return triples_of(frame, links, path, say)


def triples_of(frame: pd.DataFrame, links: pd.DataFrame | None, path: Path, say: Say = silent) -> Triples:
    """Return rows as triples in codes.

    Args:
        frame: columns head, relation, tail; a row without one of them is left out.
        links: columns item and entity; None if entities bear the items' ids.
        path: where the rows are from.
        say: takes one line of progress.

    Raises:
        DataError: no triple is whole.
    """
    (heads, head_names), (relations, relation_names), (tails, tail_names) = (
        distinct_cells(frame[column]) for column in ENDS
    )
    whole = np.ones(len(frame), dtype=np.bool_)
    for codes, names in ((heads, head_names), (relations, relation_names), (tails, tail_names)):
        whole &= np.append(names.to_numpy() != "", False)[codes]
    if lost := int((~whole).sum()):
        say(f"{path}: {lost} triples without a head, a relation or a tail are left out")
    if not whole.any():
        raise DataError(f"{path}: no triple is whole; each line must have a head, a relation and a tail")
    entities = pd.Index(pd.concat([head_names, tail_names]).unique()).sort_values()
    kinds = pd.Index(relation_names.unique()).sort_values()
    found = Triples(
        source=str(path),
        heads=recoded(head_names, entities)[heads[whole]],
        relations=recoded(relation_names, kinds)[relations[whole]],
        tails=recoded(tail_names, entities)[tails[whole]],
        entities=entities.to_numpy(dtype=object),
        relation_names=tuple(kinds),
    )
    if links is None:
        return found
    links = links.dropna()
    codes, names = distinct_cells(links["entity"])
    return replace(
        found,
        link_items=links["item"].astype("str").to_numpy(dtype=object),
        link_entities=recoded(names, entities)[codes],
    )


def chosen_columns(path: Path, text_format: TextFormat, roles: Sequence[tuple[str, str | None]]) -> list[str]:
    """Return the column of each role: the one that is named, or ``role``, or ``role_id`` as RecBole has it.

    Raises:
        DataError: a column is missing.
    """
    file = open_table(path, text_format)
    columns = [
        named or (f"{role}_id" if role not in file.names and f"{role}_id" in file.names else role)
        for role, named in roles
    ]
    file.require(columns)
    return columns


def read_link(
    path: Path, link: LinkSpec, text_format: TextFormat, notation: Notation | None, say: Say
) -> pd.DataFrame:
    """Return which entity each item is: columns item, as in a log, and entity.

    Raises:
        DataError: the file is missing or no table, or a column is missing.
    """
    own = text_format.with_table(link.columns, link.separator)
    wanted = chosen_columns(path, own, [("item", link.item), ("entity", link.entity)])
    frame, location = read_file(open_table(path, own), wanted, wanted, own, say=say)
    items = plain_ids(frame[wanted[0]], locator([location], [len(frame)], wanted[0]), notation, say)
    return pd.DataFrame({"item": items, "entity": frame[wanted[1]]})


def recoded(names: pd.Series, among: pd.Index) -> Ids:
    """Return the code of each name, -1 for one that is not there."""
    return among.get_indexer(pd.Index(names)).astype(np.int32)


def triples_of_items(name: str, items: pd.DataFrame | None, roles: Roles | None) -> Triples:
    """Return a triple for each item and value: the relation is the column, the tail ``column=value``.

    Args:
        name: of the data set, for messages.
        items: the table of items.
        roles: of its columns: categories and lists become relations.

    Raises:
        DataError: there is no table of items, or none of its columns is a category or a list.
    """
    relations = sorted(column for column, role in (roles or {}).items() if role in {"category", "list"})
    if items is None or not (relations := [column for column in relations if column in items]):
        raise DataError(
            f"{name}: graph: from_items needs a table of items with categories or lists, such as genres, and "
            f"the data set has {'none' if items is None else 'one without'}; add it (items: {{path: FILE, "
            "categories: [...]}), or give the graph as a file (graph: {path: FILE})"
        )
    heads, relation_codes, tails, tail_names = [], [], [], list[str]()
    for relation, column in enumerate(relations):
        rows, codes, values = distinct_values(items[column], several=(roles or {})[column] == "list")
        heads.append(rows)
        relation_codes.append(np.full(len(rows), relation, dtype=np.int32))
        tails.append(codes + len(tail_names))
        tail_names += [f"{column}={value}" for value in values]
    head_names, tail_series = items["item"].astype("str"), pd.Series(tail_names, dtype="str")
    entities = pd.Index(pd.concat([head_names, tail_series]).unique()).sort_values()
    return Triples(
        source=FROM_ITEMS,
        heads=recoded(head_names, entities)[np.concatenate(heads)],
        relations=np.concatenate(relation_codes),
        tails=recoded(tail_series, entities)[np.concatenate(tails)],
        entities=entities.to_numpy(dtype=object),
        relation_names=tuple(relations),
    )
