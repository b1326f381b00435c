"""A knowledge graph in the dense ids of a log: its items first, then all other entities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmark.datasets.log import Log, Triples, hash_arrays
from benchmark.datasets.prepare.table_match import ENOUGH_KNOWN, MatchedTable
from benchmark.errors import DataError
from benchmark.protocol import Array, Ids, KnowledgeGraph, Longs
from benchmark.records import Finding, GraphSummary, TableAudit


@dataclass(frozen=True)
class PreparedGraph:
    """A knowledge graph in dense ids.

    Attributes:
        source: the file of its triples, or "from_items".
        triples: the graph; its first entities are the items.
        entity_ids: name of each entity that is no item, (E - I,).
    """

    source: str
    triples: KnowledgeGraph
    entity_ids: Array

    def names(self, item_ids: Array) -> Array:
        """Return the name of each entity, (E,), given the publisher's ids of the items (I,)."""
        return np.concatenate([item_ids.astype(str).astype(object), self.entity_ids])


def dense_graph(log: Log, item_ids: Array) -> PreparedGraph | None:
    """Return the graph of a log in dense ids, every triple once; None without one.

    An entity that several items are has each triple for each of them. One that is no item of the log keeps
    its triples, as any other entity.

    Args:
        log: whose graph it is.
        item_ids: the publisher's id of each item, (I,).

    Raises:
        DataError: no item of the log is in the graph.
    """
    found = log.graph
    if found is None:
        return None
    entities, items = linked(found, item_ids)
    if not len(items):
        names = found.entities if found.link_items is None else found.link_items
        raise DataError(
            f"{log.name}: no item of the log is in the graph: the log has items such as {item_ids[0]}, "
            + (
                f"{found.source} has entities such as {names[0]}; name the table that says which entity each "
                "item is (graph: {path: FILE, link: FILE}), or write items in the graph as the log does"
                if found.link_items is None
                else f"the link of {found.source} has items such as {names[0] if len(names) else 'none'}; "
                "both must write ids alike, and the entities of the link must be in the graph"
            )
        )
    others = np.setdiff1d(np.union1d(found.heads, found.tails), entities)
    of_entity = np.concatenate([entities, others])  # (n,) what each new number was
    order = np.argsort(of_entity, kind="stable")
    numbers = np.concatenate([items, len(item_ids) + np.arange(len(others))])[order]
    starts = np.searchsorted(of_entity[order], np.arange(len(found.entities) + 1))
    heads, relations, tails = found.heads, found.relations, found.tails
    counts = np.diff(starts)
    rows = np.repeat(np.arange(len(heads)), counts[heads])
    heads = numbers[spread(starts, heads)]
    relations, tails = relations[rows], tails[rows]
    rows = np.repeat(np.arange(len(tails)), counts[tails])
    tails = numbers[spread(starts, tails)]
    graph = distinct(heads[rows], relations[rows], tails, len(item_ids) + len(others), found.relation_names)
    return PreparedGraph(found.source, graph, found.entities[others])


def linked(found: Triples, item_ids: Array) -> tuple[Longs, Longs]:
    """Return entities (L,), ascending, and the dense item that each is; an entity may be there twice."""
    own = pd.Index(item_ids.astype(np.str_))
    names = found.entities if found.link_items is None else found.link_items
    items = own.get_indexer(pd.Index(names))
    entities = np.arange(len(names)) if found.link_items is None else found.link_entities.astype(np.int64)
    known = (items >= 0) & (entities >= 0)
    pairs = np.unique(np.stack([entities[known], items[known]]), axis=1)
    return pairs[0], pairs[1]


def spread(starts: Longs, codes: Ids) -> Longs:
    """Return every position of each code one after another: those of code c are starts[c]..starts[c + 1].

    >>> spread(np.array([0, 2, 3]), np.array([1, 0, 1])).tolist()
    [2, 0, 1, 2]
    """
    counts = starts[codes + 1] - starts[codes]
    before = np.repeat(starts[codes] - (counts.cumsum() - counts), counts)
    positions: Longs = before + np.arange(len(before))
    return positions


def distinct(
    heads: Array, relations: Array, tails: Array, n_entities: int, names: tuple[str, ...]
) -> KnowledgeGraph:
    """Return each triple once, in ascending order."""
    order = np.lexsort((tails, relations, heads))
    columns = [column[order].astype(np.int32) for column in (heads, relations, tails)]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    own_heads, own_relations, own_tails = (column[first] for column in columns)
    return KnowledgeGraph(own_heads, own_relations, own_tails, n_entities, names)


def graph_of_items(prepared: PreparedGraph | None, items: Longs, item_ids: Array) -> PreparedGraph | None:
    """Return the graph for a log that has these items alone, in their order; the others are any entities.

    Args:
        prepared: the graph.
        items: dense ids of the items that are left.
        item_ids: the publisher's id of each item before, (I,).
    """
    if prepared is None:
        return None
    graph = prepared.triples
    occurs = np.zeros(graph.n_entities, dtype=np.bool_)
    occurs[graph.heads] = occurs[graph.tails] = True
    occurs[items] = False
    others = np.flatnonzero(occurs)
    numbers = np.empty(graph.n_entities, dtype=np.int64)
    numbers[items], numbers[others] = np.arange(len(items)), len(items) + np.arange(len(others))
    names = prepared.names(item_ids)
    return replace(
        prepared,
        triples=distinct(
            numbers[graph.heads],
            graph.relations,
            numbers[graph.tails],
            len(items) + len(others),
            graph.relation_names,
        ),
        entity_ids=names[others],
    )


def items_with_triples(graph: KnowledgeGraph, n_items: int) -> int:
    """Return how many items have a triple."""
    ends = np.union1d(graph.heads, graph.tails)
    return int(np.count_nonzero(ends < n_items))


def summary_of_graph(prepared: PreparedGraph | None, n_items: int) -> GraphSummary | None:
    """Return what a manifest says about a graph; its hash leaves the split's alone."""
    if prepared is None:
        return None
    graph = prepared.triples
    named: list[tuple[str, Array]] = [
        ("heads", graph.heads),
        ("relations", graph.relations),
        ("tails", graph.tails),
        ("entities", np.array([graph.n_entities])),
        ("relation_names", np.array(graph.relation_names, dtype=object)),
    ]
    return GraphSummary(
        source=prepared.source,
        triples=len(graph),
        entities=graph.n_entities,
        relations=graph.n_relations,
        items=items_with_triples(graph, n_items),
        sha256=hash_arrays(named),
    )


def match_graph(prepared: PreparedGraph | None, n_items: int) -> MatchedTable | None:
    """Return how many of the log's items a graph knows; None without a graph."""
    if prepared is None:
        return None
    audit = TableAudit(
        table="graph",
        path=prepared.source,
        known=items_with_triples(prepared.triples, n_items),
        of=n_items,
        lines=len(prepared.triples),
    )
    return MatchedTable(audit, tuple(graph_findings(audit)))


def graph_findings(audit: TableAudit) -> Iterator[Finding]:
    """Yield that a graph knows too few of the log's items."""
    if audit.known < ENOUGH_KNOWN * audit.of:
        yield Finding(
            found=f"graph {audit.text}",
            cure="a model of the graph knows nothing of the others but their rows; check the link, if they "
            "should be there",
        )
