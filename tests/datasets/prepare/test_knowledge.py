"""A knowledge graph in the dense ids of a log, from a file or a table of items, stored with its split."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmark.datasets.audit.split_audit import audit
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.sources.source_files import source_paths
from benchmark.datasets.specs import CoreSpec, LogSpec, PrepareSpec
from benchmark.datasets.split import split
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.save import load_manifest, save_split
from benchmark.errors import DataError

HEADER = "head_id:token\trelation_id:token\ttail_id:token\n"
TRIPLES = f"{HEADER}m1\tby\tx\nm2\tby\tx\nm2\tnear\tm1\nm9\tby\ty\nm2\tby\tx\n"
LINK = "item_id:token\tentity_id:token\n7\tm2\n5\tm1\n6\tm1\n99\tm9\n"


@pytest.fixture
def folder(tmp_path):
    """A log of items 5 to 8, a graph, and the link between them; items 5 and 6 are one entity."""
    rows = [(user, item) for user in range(8) for item in (5, 6, 7, 8)]
    pd.DataFrame(rows, columns=["user", "item"]).to_csv(tmp_path / "log.csv", index=False)
    (tmp_path / "films.kg").write_text(TRIPLES)
    (tmp_path / "films.link").write_text(LINK)
    table = "id,genre,year\n5,a|b,1999\n6,a,\n7,b,2001\n"
    (tmp_path / "items.csv").write_text(table)
    return tmp_path


def prepared(folder, preparation=None, **entry):
    spec = LogSpec(name="films", path="log.csv", **entry)
    return prepare(open_log(spec, DataFolders(suite=folder)), preparation)


def named(found):
    """Return the triples of a prepared log with the names of their entities."""
    graph = found.interactions.graph
    names = [*found.item_ids.astype(str), *found.graph.entity_ids]
    assert len(names) == graph.n_entities
    ends = (graph.heads.tolist(), graph.relations.tolist(), graph.tails.tolist())
    return {
        (names[head], graph.relation_names[kind], names[tail]) for head, kind, tail in zip(*ends, strict=True)
    }


def test_triples_name_items_first_and_an_entity_that_two_items_are_counts_for_both(folder):
    found = prepared(folder, graph={"path": "films.kg", "link": "films.link"})
    graph = found.interactions.graph
    assert named(found) == {
        ("5", "by", "x"), ("6", "by", "x"), ("7", "by", "x"), ("m9", "by", "y"),
        ("7", "near", "5"), ("7", "near", "6"),
    }  # fmt: skip
    assert (len(graph), graph.n_entities, graph.n_relations) == (6, 7, 2)
    assert {column.dtype for column in (graph.heads, graph.relations, graph.tails)} == {np.dtype(np.int32)}
    assert not graph.heads.flags.writeable


def test_graph_without_link_names_items_by_their_ids(folder):
    (folder / "own.csv").write_text("h,r,t\n5,by,x\n7,by,x\n5,by,\n")
    found = prepared(folder, graph={"path": "own.csv", "head": "h", "relation": "r", "tail": "t"})
    assert named(found) == {("5", "by", "x"), ("7", "by", "x")}
    assert any("1 triples without" in note for note in found.reading_notes)


def test_graph_from_items_has_a_relation_for_each_category_and_list(folder):
    items = {"path": "items.csv", "lists": ["genre"], "categories": ["year"]}
    found = prepared(folder, graph="from_items", items=items, features=False)
    assert named(found) == {
        ("5", "genre", "genre=a"), ("5", "genre", "genre=b"), ("6", "genre", "genre=a"),
        ("7", "genre", "genre=b"), ("5", "year", "year=1999"), ("7", "year", "year=2001"),
    }  # fmt: skip
    assert found.interactions.item_features is None


def test_k_core_keeps_the_triples_of_items_that_it_drops_as_of_any_entity(folder):
    rows = [(user, item) for user in range(8) for item in (6, 7, 8)] + [(0, 5)]
    pd.DataFrame(rows, columns=["user", "item"]).to_csv(folder / "log.csv", index=False)
    before = prepared(
        folder,
        PrepareSpec(k_core=CoreSpec(user=2, item=2)),
        graph={"path": "films.kg", "link": "films.link"},
    )
    after = split(before).prepared
    assert after.item_ids.tolist() == [6, 7, 8]
    assert named(after) == named(before)


def test_stored_split_hands_out_its_graph_mapped_and_hashes_it_apart(folder):
    entry = {"graph": {"path": "films.kg", "link": "films.link"}}
    done, plain = split(prepared(folder, **entry)), split(prepared(folder))
    assert plain.manifest.graph is None
    assert done.manifest.hash == plain.manifest.hash
    save_split(done, folder / "split", audit(done))
    rows, graph = load_parts(folder / "split", "train"), done.train.graph
    assert isinstance(rows.graph.heads.base, np.memmap)
    for column in ("heads", "relations", "tails"):
        assert np.array_equal(getattr(rows.graph, column), getattr(graph, column))
    assert (rows.graph.n_entities, rows.graph.relation_names) == (graph.n_entities, graph.relation_names)
    assert rows.positives().graph is not None
    summary = load_manifest(folder / "split").graph
    assert (summary.triples, summary.entities, summary.relations, summary.items) == (6, 7, 2, 3)
    (folder / "films.kg").write_text(TRIPLES.replace("m9\tby", "m9\tnear"))
    assert split(prepared(folder, **entry)).manifest.graph.sha256 != summary.sha256
    assert set(source_paths(LogSpec(name="films", path="log.csv", **entry), DataFolders(suite=folder))) == {
        "log", "graph", "link",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"graph": {"path": "film.kg"}}, r"graph: .*film.kg: no such file; did you mean 'films.kg'\?"),
        ({"graph": {"path": "films.kg", "link": "none.link"}}, r"graph.link: .*none.link: no such file"),
        (
            {"graph": {"path": "films.kg"}},
            r"no item of the log is in the graph: .* such as 5, .*such as m1; name",
        ),
        ({"graph": {"path": "films.link"}}, r"films.link.*head"),
        ({"graph": "from_items"}, r"graph: from_items needs a table of items .* has none"),
    ],
)
def test_graph_that_cannot_be_used_is_refused_with_what_to_do(folder, entry, message):
    with pytest.raises(DataError, match=message):
        prepared(folder, **entry)
