"""What a knowledge graph gives away of the held-out rows, and whether it fits the log at all.

An edge from an item to who will like it, or a popularity that was counted on all rows, makes every model of
the graph look good for nothing. A graph of any size is looked at in samples: it takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmark.datasets.prepare.knowledge import PreparedGraph
from benchmark.datasets.split.rules import Split
from benchmark.long_columns import count_rows
from benchmark.protocol import Array, Interactions, Longs

PRECISION, RECALL, FEWEST = 0.5, 0.1, 10
"""A relation gives rows away if this share of its pairs outside train is held out, beyond chance, if they are
this share of what is held out of their users, and so many: no honest taste is as certain of as much."""
MOST_ENTITIES, AT_A_TIME = 2_000, 128
"""Entities whose users are sought by their rows, and how many at a time."""
TRACKS = 0.9
"""Rank correlation from which on the values of a relation are taken for a count, or for a mean rating."""
GROUP = 20
"""Items of a value on average, from which on values are ordered by what their items have in common."""
FEW_PAIRS, MOST_PAIRS, SHUFFLES, LEAST_SD = 500, 4_000, 30, 3.0
"""Pairs of related items that are compared with so many shuffles of the items, and by how many standard
deviations of these they must be liked together more often: 0 on MovieLens-100K as RecBole links it, whose ids
are another edition's, over 4 where it is linked by title."""


def graph_flags(split: Split) -> Iterator[str]:
    """Yield what makes a graph doubtful: relations that give away held-out rows, and a link that is wrong."""
    if split.manifest.graph is None:
        return
    graph = split.prepared.graph
    assert graph is not None  # or the manifest would not name it
    ends = item_ends(graph, split.train.n_items)
    names = graph.names(split.prepared.item_ids)
    told = {*relations_of_users(split, ends, names), *relations_of_counts(split, ends, names)}
    for relation, name in enumerate(graph.triples.relation_names):
        for what in sorted(text for number, text in told if number == relation):
            yield f"the graph gives away held-out rows: relation {name!r} {what}"
    yield from wrong_link(split.train, ends)


def item_ends(graph: PreparedGraph, n_items: int) -> pd.DataFrame:
    """Return a row for each end of a triple that is an item: item, relation, the entity at the other end."""
    triples = graph.triples
    heads_first = (triples.heads, triples.relations, triples.tails)
    tails_first = (triples.tails, triples.relations, triples.heads)
    columns = [np.concatenate(both) for both in zip(heads_first, tails_first, strict=True)]
    frame = pd.DataFrame(dict(zip(("item", "relation", "entity"), columns, strict=True)))
    return frame[frame["item"] < n_items].drop_duplicates()


def relations_of_users(split: Split, ends: pd.DataFrame, names: Array) -> Iterator[tuple[int, str]]:
    """Yield relations with what they say of held-out rows, where their entities stand for users.

    An entity stands for the user whose id is its name, with or without letters before the number, or else for
    the user whose training rows its items repeat best: held-out rows have no say in that. Then its items that
    are not in train should be no better a guess than a good model's.
    """
    train = split.train
    held = split.valid.matrix() + split.test.matrix()
    held_rows = np.diff(held.indptr)
    chance = held_rows / np.maximum(train.n_items - np.diff(train.matrix().indptr), 1)  # (U,)
    ids, entities = pd.Index(split.prepared.user_ids.astype(np.str_)), ends["entity"].unique()
    written = pd.Series(names[entities], dtype="str")
    bare = written.str.replace(r"^.*?\D(?=\d+$)", "", regex=True)
    readings = [ids.get_indexer(pd.Index(written)), ids.get_indexer(pd.Index(bare))]
    for users in (*readings, users_by_rows(train, ends, entities)):
        user_of = np.full(len(names), -1)
        user_of[entities] = users
        pairs = ends.assign(user=user_of[ends["entity"]]).query("user >= 0")
        pairs = pairs.drop_duplicates(["user", "item", "relation"])
        if pairs.empty:
            continue
        where = pairs["user"].to_numpy(), pairs["item"].to_numpy()
        known, hit = (np.asarray(rows[where]).ravel() > 0 for rows in (train.matrix(), held))
        for relation, own in pairs.assign(hit=hit)[~known].groupby("relation"):
            hits, there = int(own["hit"].sum()), int(held_rows[own["user"].unique()].sum())
            by_chance = float(chance[own["user"]].sum())
            certain = hits - by_chance >= PRECISION * (len(own) - by_chance)
            if certain and hits >= max(FEWEST, RECALL * there):
                said = f"{hits:,} of its {len(own):,} pairs outside of train are rows of validation or test"
                yield (
                    int(str(relation)),
                    f"joins items to users: {said}; leave it out, or make it of train alone",
                )


def users_by_rows(train: Interactions, ends: pd.DataFrame, entities: Longs) -> Longs:
    """Return the user whose training rows each entity's items resemble most, by their cosine; -1 for none.

    Of more than ``MOST_ENTITIES`` a sample is asked, drawn with a fixed seed.
    """
    from scipy.sparse import csr_matrix

    found = np.full(len(entities), -1)
    numbers, items = pd.Index(entities).get_indexer(pd.Index(ends["entity"])), ends["item"].to_numpy()
    ones = np.ones(len(ends), dtype=np.float32)
    of_entity = csr_matrix((ones, (numbers, items)), shape=(len(entities), train.n_items))
    several = np.flatnonzero(np.diff(of_entity.indptr) > 1)
    asked = np.random.default_rng(0).permutation(several)[:MOST_ENTITIES]
    likes = train.matrix()
    length = np.sqrt(np.maximum(np.diff(likes.indptr), 1))
    for some in np.array_split(asked, max(1, len(asked) // AT_A_TIME)):
        shared = (of_entity[some] @ likes.T).toarray() / length
        found[some] = np.where(shared.max(axis=1, initial=0) > 0, shared.argmax(axis=1), -1)
    return found


def relations_of_counts(split: Split, ends: pd.DataFrame, names: Array) -> Iterator[tuple[int, str]]:
    """Yield relations whose values follow counts of held-out rows closer than the same counts of train."""
    n_items, parts = split.train.n_items, (split.train, split.valid, split.test)
    counts = [count_rows(rows.items, n_items).astype(float) for rows in parts]
    sums = [np.bincount(rows.items, rows.values, n_items) for rows in parts]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums[0] / counts[0], sum(sums) / sum(counts), sums[2] / counts[2]
    quantities = [
        ("rows", counts[0], {"all parts": sum(counts), "test": counts[2]}),
        ("mean value", means[0], {"all parts": means[1], "test": means[2]}),
    ]
    numbers = pd.to_numeric(pd.Series(names, dtype="str").str.rpartition("=")[2], errors="coerce").to_numpy()
    for relation, rows in ends.groupby("relation"):
        items, entities = rows["item"].to_numpy(), rows["entity"].to_numpy()
        values = pd.Series(numbers[entities])
        is_number = bool(values.notna().all())
        if not is_number and len(rows) < GROUP * rows["entity"].nunique():
            continue
        for what, in_train, others in quantities:
            for where, quantity in others.items():
                own = pd.Series(quantity[items])
                ordered = values if is_number else own.groupby(entities).transform("mean")
                frame = pd.DataFrame({"value": ordered, "own": own, "train": in_train[items]}).dropna()
                if len(frame) < GROUP:
                    continue
                alike = frame.corr("spearman")["value"].abs()
                if alike["own"] >= TRACKS and alike["own"] > alike["train"]:
                    said = f"follows the {what} of its items in {where} (rank correlation {alike['own']:.2f}"
                    yield (
                        int(str(relation)),
                        f"{said}, in train {alike['train']:.2f}); count it in train alone",
                    )
                    break


def wrong_link(train: Interactions, ends: pd.DataFrame) -> Iterator[str]:
    """Yield that related items are not liked by the same users: then they are not what they are taken for.

    Pairs of items that share an entity are compared with those that they would be if items were mixed up.
    """
    rng = np.random.default_rng(0)
    mixed = ends.iloc[rng.permutation(len(ends))].sort_values("entity", kind="stable")
    entities, items = mixed["entity"].to_numpy(), mixed["item"].to_numpy()
    pairs = np.stack([items[:-1], items[1:]])[:, (entities[:-1] == entities[1:]) & (items[:-1] != items[1:])]
    pairs = rng.permutation(pairs, axis=1)[:, :MOST_PAIRS]
    if pairs.shape[1] < FEW_PAIRS:
        return
    users_of = train.positives().matrix().T.tocsr()
    likes = np.diff(users_of.indptr).astype(np.float64)

    def together(one: Longs, other: Longs) -> float:
        """Return how many users like both items of a pair, over what independent users would."""
        return float(users_of[one].multiply(users_of[other]).sum() / max(1.0, likes[one] @ likes[other]))

    related = together(*pairs)
    known, numbers = np.unique(pairs, return_inverse=True)
    others = np.array(
        [together(*rng.permutation(known)[numbers.reshape(pairs.shape)]) for _ in range(SHUFFLES)]
    )
    if related < others.mean() + LEAST_SD * others.std():
        yield (
            "the graph does not fit the log: items that share an entity are liked by the same users no more "
            f"often than items that do not ({related / max(others.mean(), 1e-12):.2f} times, "
            f"{pairs.shape[1]:,} pairs); check the link: its ids may be those of another edition of the data"
        )
