"""The knowledge graph of a stored split: a folder of mapped columns. Light: every trial process maps them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.store.columns import SUFFIX, mapped, write_column
from benchmark.errors import DataError
from benchmark.protocol import Ids, KnowledgeGraph, Longs

GRAPH = "graph"
"""Folder of the knowledge graph in that of a split."""


@dataclass(frozen=True, kw_only=True)
class GraphArrays:
    """What the folder of a graph contains: triples, the number of entities, and names as JSON in UTF-8."""

    heads: Ids
    relations: Ids
    tails: Ids
    entities: Longs
    names: NDArray[np.uint8]


def write_graph(graph: KnowledgeGraph | None, folder: Path) -> None:
    """Write a graph into a folder of its own in that of a split; nothing if there is none."""
    if graph is None:
        return
    arrays = GraphArrays(
        heads=graph.heads,
        relations=graph.relations,
        tails=graph.tails,
        entities=np.array([graph.n_entities], dtype=np.int64),
        names=np.frombuffer(json.dumps(graph.relation_names, ensure_ascii=False).encode(), dtype=np.uint8),
    )
    for name, array in vars(arrays).items():
        write_column(folder / GRAPH / f"{name}{SUFFIX}", array)


def load_graph(directory: Path) -> KnowledgeGraph | None:
    """Return the graph of a stored split, its triples mapped; None if there is none.

    Raises:
        DataError: a file is missing or damaged.
    """
    folder = directory / GRAPH
    if not folder.is_dir():
        return None
    arrays = GraphArrays(**{name: mapped(folder / f"{name}{SUFFIX}") for name in GraphArrays.__annotations__})
    try:
        names, n_entities = tuple(json.loads(arrays.names.tobytes())), int(arrays.entities[0])
    except (ValueError, IndexError) as error:
        raise DataError(
            f"{folder}: damaged, or not a graph of a split ({error}); make the split again"
        ) from error
    return KnowledgeGraph(arrays.heads, arrays.relations, arrays.tails, n_entities, names)
