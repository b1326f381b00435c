"""The serving edge of a bundle: items alike, lists to choose from, newer histories, reasons, files of ids."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from exported_models import exported

from adapters import ADAPTERS
from benchmark import bundle, cli
from benchmark.bundle.id_files import read_ids
from benchmark.errors import BundleError
from benchmark.registry import Registry
from benchmark.testing import planted_parts

REGISTRY = Registry(ADAPTERS)
USER = 100
"""The first user of the planted log, as the bundle names it."""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Return the bundle of a model by its name, made once."""
    made = {}

    def load(name):
        if name not in made:
            made[name] = exported(name, tmp_path_factory.mktemp("b") / "bundle")[1]
        return bundle.load(made[name], REGISTRY)

    load.folder = lambda name: (load(name), made[name])[1]
    return load


def seen_by(user: int) -> set[str]:
    train, _ = planted_parts()
    return {f"item {item}" for item in train.items[train.users == user - 100].tolist()}


def liked_by(user: int) -> set[str]:
    train = planted_parts()[0].positives()
    return {f"item {item}" for item in train.items[train.users == user - 100].tolist()}


def ids(found) -> list:
    return [item.id for item in found.items]


# --- why


@pytest.mark.parametrize(
    "name", ["native/ease", "native/item-knn", "native/user-knn", "native/ials", "surprise/slope-one"]
)
def test_reasons_are_items_of_the_history_and_add_up_to_each_score(served, name):
    loaded = served(name)
    (found,) = loaded.recommend([USER], 5, why=True)
    (plain,) = loaded.recommend([USER], 5)
    assert [replace(item, why=None) for item in found.items] == list(plain.items)
    for item in found.items:
        parts = [one.value for one in item.why.contributions]
        assert sum(parts) + item.why.rest == pytest.approx(item.score, rel=1e-5, abs=1e-5)
        assert {one.id for one in item.why.contributions} <= seen_by(USER)
        assert [abs(part) for part in parts] == sorted(map(abs, parts), reverse=True)


def test_reasons_of_a_folded_history_are_its_items(served):
    loaded = served("native/ease")
    (found,) = loaded.recommend(["newcomer"], 4, history=["item 3", "item 9", "no such item"], why=True)
    assert found.source == "history"
    assert found.note == "1 of 3 items of the history are not in the catalogue"
    for item in found.items:
        assert {one.id for one in item.why.contributions} <= {"item 3", "item 9"}
        assert sum(one.value for one in item.why.contributions) == pytest.approx(item.score, abs=1e-5)


def test_popular_items_have_no_reason_but_the_rest(served):
    (found,) = served("native/ease").recommend(["stranger"], 2, why=True)
    assert [(item.why.contributions, item.why.rest) for item in found.items] == [
        ((), item.score) for item in found.items
    ]


def test_cold_users_and_items_are_left_to_the_rest(served):
    loaded = served("native/ease")
    cold = loaded.user_ids[-1]  # without a row in the planted log
    (found,) = loaded.recommend([cold], 2, why=True)
    assert all(not item.why.contributions and item.why.rest == item.score for item in found.items)
    (all_items,) = loaded.recommend([USER], 200, why=True)
    last = all_items.items[-1]
    assert loaded.cold.items[int(last.id.split()[1])]
    assert (last.why.contributions, last.why.rest) == ((), last.score)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("native/bpr", "native/bpr cannot say why: it has no way to divide a score"),
        (
            "surprise/knn-means",
            "surprise/knn-means cannot say why: it compares users, so a rating is made of",
        ),
    ],
)
def test_model_that_cannot_say_why_is_refused_with_the_reason(served, name, reason):
    with pytest.raises(BundleError, match=reason):
        served(name).recommend([USER], why=True)


def test_reasons_that_do_not_add_up_are_refused(served):
    loaded = served("native/item-knn")
    loaded.model.explain = lambda user, items: replace(
        type(loaded.model).explain(loaded.model, user, items), rest=np.ones(len(items))
    )
    with pytest.raises(BundleError, match="does not add up"):
        loaded.recommend([USER], why=True)


# --- only


def test_only_items_of_a_list_compete_and_seen_ones_stay_hidden(served):
    loaded = served("native/ease")
    (everything,) = loaded.recommend([USER], 200)
    own = sorted(seen_by(USER))[:3]
    among = [*own, everything.items[7].id, everything.items[2].id, "no such item"]
    (found,) = loaded.recommend([USER], 5, only=among)
    assert ids(found) == [everything.items[2].id, everything.items[7].id]
    assert found.note == "1 of 6 items to choose from are not in the catalogue: no such item"
    assert ids(loaded.recommend([USER], 1, only=among, exclude=[ids(found)[0]])[0]) == [ids(found)[1]]
    (nothing,) = loaded.recommend([USER], 5, only=own)
    assert (nothing.items, nothing.note) == (
        (),
        "none of the 3 items to choose from is left: seen already, or left out",
    )


def test_only_holds_for_new_and_unknown_users_and_for_frames(served):
    loaded, among = served("native/ease"), [f"item {item}" for item in range(5)]
    assert set(ids(loaded.recommend_new(["item 9"], 50, only=among))) == set(among)
    assert set(ids(loaded.recommend(["stranger"], 50, only=among)[0])) == set(among)
    lists = loaded.recommend(pl.DataFrame({"user": [USER]}), 50, only=pl.DataFrame({"item": among}))
    assert lists["item"].to_list() == ids(loaded.recommend([USER], 50, only=among)[0])


@pytest.mark.parametrize(
    ("among", "said"), [([], "is empty"), (["x", "y"], "2 of 2 .* in the catalogue: x, y")]
)
def test_only_without_an_item_of_the_catalogue_is_refused(served, among, said):
    with pytest.raises(BundleError, match=said):
        served("native/ease").recommend([USER], only=among)


# --- newer histories of known users


@pytest.mark.parametrize("name", ["native/ease", "native/item-knn", "native/ials"])
def test_newer_items_of_a_known_user_join_those_of_training(served, name):
    loaded, train = served(name), planted_parts()[0].positives()
    before = np.unique(train.items[train.users == USER - 100]).astype(np.int32)
    newer = next(item for item in range(120) if f"item {item}" not in seen_by(USER))
    (found,) = loaded.recommend([USER], 200, history=[f"item {newer}"])
    assert found.source == "history"
    assert found.note == f"1 newer item was added to the {len(before)} that the model read of this user"
    assert not set(ids(found)) & (seen_by(USER) | {f"item {newer}"})
    expected = loaded.model.fold_in(np.append(before, newer).astype(np.int32))
    warm = [item for item in found.items if not loaded.cold.items[int(item.id.split()[1])]]
    assert [item.score for item in warm] == pytest.approx(
        [float(expected[int(item.id.split()[1])]) for item in warm], abs=1e-5
    )


def test_model_without_histories_of_training_reads_the_newer_one_alone_and_says_so(served, monkeypatch):
    loaded = served("native/ease")
    monkeypatch.delattr("benchmark.modelkit.serving_traits.HistoryRows.history_of")
    (found,) = loaded.recommend([USER], 200, history=["item 3"])
    assert "has not kept what it was trained with: the list rests on the given history alone" in found.note
    assert not set(ids(found)) & (seen_by(USER) | {"item 3"})


def test_histories_of_several_users_come_by_user_or_as_a_frame(served):
    loaded = served("native/item-knn")
    by_user = {USER: ["item 3", "item 9"], "newcomer": ["item 5"]}
    rows = pl.DataFrame({"user": ["100", "newcomer", "100"], "item": ["item 3", "item 5", "item 9"]})
    users = [USER, "newcomer", 101]
    lists = loaded.recommend(users, 3, history=by_user)
    assert [one.source for one in lists] == ["history", "history", "model"]
    assert loaded.recommend(users, 3, history=rows) == lists
    frame = loaded.recommend(pd.DataFrame({"user": list(map(str, users))}), 3, history=rows)
    assert frame["item"].tolist() == [item for one in lists for item in ids(one)]
    assert frame["source"].tolist() == ["history"] * 6 + ["model"] * 3
    with pytest.raises(BundleError, match="a history is that of one user"):
        loaded.recommend(users, history=["item 3"])
    with pytest.raises(BundleError, match="must have 'user' and 'item'"):
        loaded.recommend(users, history=rows.rename({"item": "sku", "user": "uid"}))


# --- items alike


def test_items_alike_by_weights_are_what_the_item_alone_recommends(served):
    loaded = served("native/item-knn")
    found = loaded.similar("item 3", 4)
    assert (found.item, found.measure) == ("item 3", "the model's own weight between two items")
    assert ids(found) == ids(loaded.recommend_new(["item 3"], 4))
    assert "item 3" not in ids(loaded.similar("item 3", 500))


def test_items_alike_by_vectors_are_ranked_by_the_cosine(served):
    loaded = served("native/bpr")
    vectors = loaded.model.vectors().items.astype(np.float64)
    warm = vectors[~loaded.cold.items]
    cosines = warm @ vectors[3] / np.linalg.norm(warm, axis=1) / np.linalg.norm(vectors[3])
    found = loaded.similar("item 3", 3)
    assert found.measure == "cosine of the items' vectors"
    assert [item.score for item in found.items] == pytest.approx(sorted(cosines)[-2:-5:-1], abs=1e-6)


def test_mean_in_a_factor_model_does_not_make_all_items_alike(served):
    scores = [item.score for item in served("surprise/pmf").similar("item 3", 200).items]
    assert min(scores) < 0.5


def test_items_alike_are_restricted_and_come_as_frames(served):
    loaded = served("native/ease")
    everything = ids(loaded.similar("item 3", 200))
    assert ids(loaded.similar("item 3", 200, only=everything[2:5], exclude=[everything[3]])) == [
        everything[2],
        everything[4],
    ]
    frame = loaded.similar(pd.DataFrame({"sku": ["item 3", "item 4"]}), 2)
    assert frame.columns.tolist() == ["sku", "rank", "item", "score"]
    expected = [item for one in loaded.similar(["item 3", "item 4"], 2) for item in ids(one)]
    assert frame["item"].tolist() == expected
    assert loaded.similar(pl.DataFrame({"item": ["item 3"]}), 2).columns == [
        "item",
        "rank",
        "similar",
        "score",
    ]


def test_items_that_nobody_had_and_models_that_compare_none_are_said(served):
    found = served("native/ease").similar("item 121")
    assert (found.items, found.note) == (
        (),
        "item item 121 has no row in training: native/ease learned nothing of it",
    )
    with pytest.raises(BundleError, match="native/user-knn has no measure of how alike two items are"):
        served("native/user-knn").similar("item 3")
    with pytest.raises(
        BundleError, match="surprise/knn-means cannot say which items are alike: it compares users"
    ):
        served("surprise/knn-means").similar("item 3")


def test_item_that_is_asked_for_by_its_title_is_found_in_the_message(served):
    loaded = served("native/ease")
    titled = replace(loaded, titles=["Star Wars (1977)", *loaded.titles[1:]])
    with pytest.raises(BundleError, match=r"by title: item 0 Star Wars \(1977\)$"):
        titled.similar("star wars")


# --- frames and files with reasons


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_reasons_in_a_frame_are_rows_that_add_up(served, kind):
    loaded = served("native/item-knn")
    frame = loaded.recommend(kind({"user": [USER, 101]}), 2, why=True)
    rows = frame if kind is pd.DataFrame else frame.to_pandas()
    assert list(rows.columns) == ["user", "rank", "item", "score", "source", "history_item", "contribution"]
    sums = rows.groupby(["user", "rank"]).agg({"contribution": "sum", "score": "first"})
    assert len(sums) == 4
    assert sums["contribution"].tolist() == pytest.approx(sums["score"].tolist(), abs=1e-5)
    assert rows["history_item"].isna().sum() == 4  # the rest of each


def test_bench_shows_reasons_as_text_json_and_csv(served, tmp_path, capsys):
    loaded, folder = served("native/item-knn"), str(served.folder("native/item-knn"))
    user = next(one for one in loaded.user_ids if len(liked_by(one)) > 15)
    (found,) = loaded.recommend([user], 2, why=True)
    words = ["recommend", folder, "--user", str(user), "-k", "2", "--why"]
    assert cli.main(words) == 0
    text = capsys.readouterr().out
    first = found.items[0]
    assert text.splitlines()[0].split() == ["1", *first.id.split(), "(score", f"{first.score:.4g})"]
    assert text.splitlines()[1].split() == [
        f"{first.why.contributions[0].value:+.4g}",
        *first.why.contributions[0].id.split(),
    ]
    assert f"{len(first.why.contributions) - 3} other items of the history" in text
    assert cli.main([*words, "--json"]) == 0
    why = json.loads(capsys.readouterr().out)["items"][0]["why"]
    assert [one["value"] for one in why["contributions"]] == [one.value for one in first.why.contributions]
    assert cli.main([*words, "--out", str(tmp_path / "o.csv")]) == 0
    rows = pd.read_csv(tmp_path / "o.csv")
    assert rows.columns.tolist()[-3:] == ["history_item", "history_title", "contribution"]
    assert rows.loc[rows["rank"] == 1, "contribution"].sum() == pytest.approx(first.score, abs=1e-5)


def test_bench_shows_items_alike_as_text_json_and_parquet(served, tmp_path, capsys):
    loaded, folder = served("native/ease"), str(served.folder("native/ease"))
    found = loaded.similar("item 3", 2)
    words = ["recommend", folder, "--similar-to", "item 3", "-k", "2"]
    assert cli.main(words) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "like item 3, by the model's own weight between two items:"
    assert [line.split()[-2:] for line in lines] == [item.id.split() for item in found.items]
    assert cli.main([*words, "--json"]) == 0
    assert [item["score"] for item in json.loads(capsys.readouterr().out)["items"]] == [
        item.score for item in found.items
    ]
    assert cli.main([*words, "--out", str(tmp_path / "o.parquet")]) == 0
    assert pd.read_parquet(tmp_path / "o.parquet")["similar"].tolist() == ids(found)


# --- files of ids


@pytest.mark.parametrize(
    ("text", "ids", "said"),
    [
        ("user\n100\n101\n", ["100", "101"], ""),
        ("100\n101\n", ["100", "101"], "has no header: line 1, '100', is a known user"),
        ("customer_id\n100\n", ["100"], "line 1, 'customer_id', was taken as the header"),
        ("u9\n100\n", ["u9", "100"], "'u9', was taken as a user that the bundle does not know"),
        ("\ufeffuser,age\n100,3\n\n101,4\n", ["100", "101"], ""),
        ("age,user_id\n3,100\n", ["100"], ""),
        ("100", ["100"], "has no header"),
    ],
)
def test_first_line_of_a_file_of_users_is_no_header_if_it_is_a_user(tmp_path, text, ids, said):
    path = tmp_path / "users.csv"
    path.write_text(text, encoding="utf-8")
    read = read_ids(path, "user", "--users", {"100", "101"}.__contains__)
    assert read.ids == ids
    assert said in read.said
    assert bool(said) == bool(read.said)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("u.csv", "age,zip\n1,2\n", "must have a column 'user' in its first line; it has age, zip"),
        ("u.csv", "user,age\n,3\n", "line 2 has no user"),
        ("u.csv", "\n", "has no users"),
        ("u.parquet", "no table", "cannot be read"),
    ],
)
def test_file_without_users_is_refused(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(BundleError, match=said):
        read_ids(tmp_path / name, "user", "--users", lambda _: False)


def test_bench_takes_users_without_header_and_items_one_a_line(served, tmp_path, capsys):
    folder = str(served.folder("native/ease"))
    (tmp_path / "users.csv").write_text("100\n101\n")
    (tmp_path / "items.txt").write_text("item 3\nitem 4\nno such item\n")
    words = ["--users", "users.csv", "--only", "items.txt", "--out", "lists.csv"]
    words = [word if word.startswith("--") else str(tmp_path / word) for word in words]
    assert cli.main(["recommend", folder, *words]) == 0
    captured = capsys.readouterr()
    assert "users.csv has no header: line 1, '100', is a known user" in captured.err
    assert "1 of 3 items to choose from are not in the catalogue: no such item" in captured.out
    lists = pd.read_csv(tmp_path / "lists.csv")
    assert set(lists["user"]) <= {100, 101}
    assert set(lists["item"]) <= {"item 3", "item 4"}
