"""A graph that gives away held-out rows is flagged, and one that fits no item; an honest one is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmark.datasets.audit.graph_audit import graph_flags
from benchmark.datasets.prepare.knowledge import dense_graph
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.synthetic import synthetic_log
from benchmark.datasets.split import split
from benchmark.datasets.tables.triples import triples_of, triples_of_items


@pytest.fixture(scope="module")
def done():
    """A split of a generated log whose genres are its tastes, with the graph of its items."""
    log = synthetic_log(users=150, items=120, interactions=5_000, seed=1)
    return split(prepare(replace(log, graph=triples_of_items("log", log.items, log.item_roles))))


def flagged(done, rows):
    """Return the flags with a graph of these rows: head, relation, tail."""
    log = synthetic_log(users=150, items=120, interactions=5_000, seed=1)
    triples = triples_of(
        pd.DataFrame(rows, columns=["head", "relation", "tail"], dtype="str"), None, "graph.csv"
    )
    graph = dense_graph(replace(log, graph=triples), done.prepared.item_ids)
    return list(graph_flags(replace(done, prepared=replace(done.prepared, graph=graph))))


def edges(done, parts, name):
    """Return an edge from each item of these parts to its user."""
    ids = done.prepared
    return [
        (ids.item_ids[item], "seen by", name.format(ids.user_ids[user]))
        for rows in (getattr(done, part) for part in parts)
        for user, item in zip(rows.users.tolist(), rows.items.tolist(), strict=True)
    ]


def test_genres_of_the_items_are_no_leak(done):
    assert list(graph_flags(done)) == []


@pytest.mark.parametrize(
    ("parts", "name"),
    [(("test",), "{}"), (("test",), "person-{}"), (("train", "valid", "test"), "somebody {}x")],
)
def test_edges_from_items_to_their_users_in_test_are_flagged(done, parts, name):
    assert any("'seen by' joins items to users" in flag for flag in flagged(done, edges(done, parts, name)))


def test_edges_of_training_rows_alone_are_no_leak(done):
    assert not any("joins" in flag for flag in flagged(done, edges(done, ("train",), "{}")))


def test_popularity_that_was_counted_with_test_is_flagged_and_that_of_train_is_not(done):
    counted = [np.bincount(getattr(done, part).items, minlength=120) for part in ("train", "valid", "test")]

    def rows(counts):
        return [(item, "rows", f"rows={n}") for item, n in zip(done.prepared.item_ids, counts, strict=True)]

    assert any(
        "'rows' follows the rows of its items in all parts" in one
        for one in flagged(done, rows(sum(counted)))
    )
    assert any(
        "'rows' follows the rows of its items in test" in one for one in flagged(done, rows(counted[2]))
    )
    assert not any("follows" in one for one in flagged(done, rows(counted[0])))


def test_link_to_the_wrong_items_is_flagged_and_the_right_one_is_not():
    log = synthetic_log(users=300, items=700, interactions=20_000, seed=1)
    mixed = log.items.assign(item=np.random.default_rng(0).permutation(log.items["item"]))
    right, wrong = (
        list(graph_flags(split(prepare(replace(log, graph=triples_of_items("log", items, log.item_roles))))))
        for items in (log.items, mixed)
    )
    assert right == []
    assert [flag[:32] for flag in wrong] == ["the graph does not fit the log: "]
