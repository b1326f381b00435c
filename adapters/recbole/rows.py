"""What a model of RecBole learns from, as arrays; a model that only RecBole can serve is stored with them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmark.protocol import Array, Ids, KnowledgeGraph, Longs


@dataclass(frozen=True)
class Rows:
    """Rows of users and items.

    Attributes:
        users: (N,) in 0..U-1; for a model of sequences one user after another.
        items: (N,) in 0..I-1; for a model of sequences in the order of time.
        n_users: U.
        n_items: I.
        graph: the knowledge graph, for a model that uses one.
    """

    users: Ids
    items: Ids
    n_users: int
    n_items: int
    graph: KnowledgeGraph | None = None

    @cached_property
    def starts(self) -> Longs:
        """Where each user's rows start, (U + 1,), if one comes after another; their numbers anyhow."""
        counts = np.bincount(self.users, minlength=self.n_users)
        starts: Longs = np.concatenate([[0], counts.cumsum()])
        return starts

    def state(self) -> dict[str, Array]:
        """Return the rows, and the graph if there is one, as named arrays."""
        counts = np.array([self.n_users, self.n_items], dtype=np.int64)
        arrays: dict[str, Array] = {"rows.users": self.users, "rows.items": self.items, "rows.counts": counts}
        if self.graph is not None:
            sizes = np.array([self.graph.n_entities, self.graph.n_relations], dtype=np.int64)
            triples = (self.graph.heads, self.graph.relations, self.graph.tails, sizes)
            arrays |= dict(zip(GRAPH, triples, strict=True))
        return arrays

    @classmethod
    def restored(cls, state: dict[str, Array]) -> Rows:
        """Return the rows of a state.

        Raises:
            ValueError: an id is out of bounds.
        """
        users, items, (n_users, n_items) = (state[f"rows.{name}"] for name in ("users", "items", "counts"))
        for ids, n in ((users, n_users), (items, n_items)):
            if len(ids) and not 0 <= ids.min() <= ids.max() < n:
                raise ValueError(f"ids must be 0 to {n - 1}, found {ids.min()} to {ids.max()}")
        if GRAPH[0] not in state:
            return cls(users, items, int(n_users), int(n_items))
        heads, relations, tails, (n_entities, n_relations) = (state[name] for name in GRAPH)
        names = tuple(str(number) for number in range(int(n_relations)))  # RecBole does not ask for them
        graph = KnowledgeGraph(heads, relations, tails, int(n_entities), names)
        return cls(users, items, int(n_users), int(n_items), graph)


GRAPH = ("graph.heads", "graph.relations", "graph.tails", "graph.sizes")
"""Names of the arrays of a stored graph."""
