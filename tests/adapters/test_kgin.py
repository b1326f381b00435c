"""KGIN: what its layers average, and that it learns from a graph only if the graph says something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import planted_graph
import pytest
import torch  # noqa: TID253 - the subject
from builders import OWN, interactions

from adapters.torch.kgin import Kgin
from adapters.torch.kgin_network import KginNetwork, shared
from benchmark.datasets.log import Log
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.split import split
from benchmark.datasets.tables.triples import triples_of
from benchmark.protocol import FitContext, KnowledgeGraph
from benchmark.statistics.permutation import paired_permutation


def graph(heads, tails, n_entities):
    columns = (np.array(column, dtype=np.int32) for column in (heads, [0] * len(heads), tails))
    return KnowledgeGraph(*columns, n_entities, ("by",))


def test_items_average_their_relations_times_the_entities_at_the_end():
    known = graph([0, 1, 1], [4, 4, 5], 6)
    train = replace(interactions([0, 0, 1], [0, 1, 1], n_users=2), graph=known)
    with torch.no_grad():
        network = KginNetwork(train, graph([0, 1, 0, 1], [4, 4, 5, 5], 6), 3, 1, "cpu")
        _, items = network()
        means = network.relations[0] * (network.entities[4] + network.entities[5]) / 2
        torch.testing.assert_close(items[0], network.entities[0] + means / means.norm())
        assert not items[2].any()  # neither a row nor a triple


def test_entities_of_one_neighbour_are_left_out_and_items_are_not():
    kept = shared(graph([0, 1, 1, 2], [4, 4, 5, 3], 6), 4)
    assert (kept.n_entities, kept.heads.tolist(), kept.tails.tolist()) == (5, [0, 1, 2], [4, 4, 3])


def ndcg(kind, config):
    """Return NDCG@10 of each user with a test row, on the planted log with this graph."""
    rows, triples = planted_graph.planted()
    triples = planted_graph.shuffled(triples) if kind == "shuffled" else triples
    log = Log(OWN, rows, graph=triples_of(triples, None, "graph.csv"))
    done = split(prepare(log))
    model, train = Kgin(**config), done.train
    for step, _ in enumerate(model.fit_steps(train, FitContext(seed=0)), start=1):
        if step == 12:
            break
    scores = model.score(np.arange(train.n_users, dtype=np.int32))
    scores[train.users, train.items] = -np.inf
    order = np.argsort(np.argsort(-scores, axis=1), axis=1)
    ranks = order[done.test.users, done.test.items]
    gains = pd.Series(np.where(ranks < 10, 1 / np.log2(ranks + 2.0), 0.0)).groupby(done.test.users).sum()
    return gains.to_numpy()


@pytest.mark.slow
def test_taste_that_lies_in_the_graph_is_learned_from_it_and_not_once_it_is_shuffled():
    without = ndcg("graph", {"graph": False})
    gain, lost = ndcg("graph", {}) - without, ndcg("shuffled", {}) - without
    assert gain.mean() > 0
    assert paired_permutation(gain) < 0.01
    assert not (lost.mean() > 0 and paired_permutation(lost) < 0.05)
