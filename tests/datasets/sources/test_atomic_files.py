"""RecBole's atomic files, written here as RecBole does, and its graph of MovieLens-100K."""

from __future__ import annotations

from pathlib import Path

import pytest
from repository import skip_without

from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.atomic_files import MOVIELENS_100K_RECBOLE, read_graph, read_links
from benchmark.datasets.sources.expected import ExpectedLog, expected_log
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec
from benchmark.errors import DataError

FILES = {
    "shop.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    "u1\ta\t4\t100\nu2\ta\t5\t101\nu2\tb\t1\t102\nu1\tb\t2\t103\n",
    "shop.user": "user_id:token\tage:float\tcity:token\nu2\t30\tRome\nu1\t20\tRome\n",
    "shop.item": "item_id:token\tmovie_title:token_seq\tclass:token_seq\tyear:token\tpixels:float_seq\n"
    'a\tThe "Net\tDrama War\t1995\t0.1 0.2\nb\tHeat\tDrama\t1995\t0.3 0.4\n',
    "shop.kg": "head_id:token\trelation_id:token\ttail_id:token\nm.1\tgenre\tm.9\nm.2\tgenre\tm.9\n",
    "shop.link": "item_id:token\tentity_id:token\nb\tm.2\na\tm.1\n",
}
SHOP = LogSpec(name="shop", path="data", scale=(1, 5))


@pytest.fixture
def folders(tmp_path: Path) -> DataFolders:
    """A suite's folder with a folder of atomic files in it."""
    (tmp_path / "data").mkdir()
    for name, text in FILES.items():
        (tmp_path / "data" / name).write_text(text)
    return DataFolders(suite=tmp_path, cache=tmp_path / "cache")


def test_folder_of_atomic_files_is_a_log_with_features_by_the_types_of_columns(folders: DataFolders) -> None:
    log = open_log(SHOP, folders)
    assert log.frame.to_numpy().tolist()[1] == ["u2", "a", 5.0, 101]
    assert (log.user_roles, log.item_roles) == (
        {"city": "category", "age": "number"},
        {"year": "category", "class": "list"},
    )
    done = prepare(log)
    assert done.titles == ['The "Net', "Heat"]
    assert done.interactions.user_features.names == ("city=Rome", "age")
    assert done.interactions.item_features.names == ("year=1995", "class=Drama")
    assert expected_log(SHOP, folders) == ExpectedLog(rated=True, described=("users", "items", "graph"))
    assert done.interactions.graph is not None


def test_interactions_alone_are_enough(folders: DataFolders) -> None:
    for name in ("shop.user", "shop.item"):
        (folders.suite / "data" / name).unlink()
    log = open_log(SHOP, folders)
    assert (log.items, log.users, log.item_roles) == (None, None, {})
    assert expected_log(SHOP, folders).described == ("graph",)


def test_of_several_interactions_the_one_named_as_its_folder_counts(folders: DataFolders) -> None:
    data = folders.suite / "data"
    (data / "other.inter").write_text(FILES["shop.inter"])
    with pytest.raises(
        DataError, match=r"several .inter files \(other.inter, shop.inter\) and no data.inter"
    ):
        open_log(SHOP, folders)
    (data / "data.inter").write_text("user_id:token\titem_id:token\nx\ty\nz\ty\n")
    assert open_log(SHOP, folders).frame["user"].tolist() == ["x", "z"]


@pytest.mark.parametrize(
    ("name", "header", "words"),
    [
        (
            "shop.inter",
            "user_id:token\titem_id:tokn",
            r"shop.inter:1: 'item_id:tokn' is not a column of an atomic",
        ),
        (
            "shop.inter",
            "user_id:token\titem:token",
            "there is no column item_id, and a .inter file must have",
        ),
        ("shop.inter", "user_id:float\titem_id:token", "user_id is float, .* write user_id:token"),
        ("shop.item", "item_id\tmovie_title:token_seq", r"shop.item:1: 'item_id' is not a column"),
        (
            "shop.user",
            "id:token\tcity:token",
            "there is no column user_id, and a .user file must have user_id",
        ),
    ],
)
def test_header_that_is_none_is_refused_with_what_it_must_be(
    folders: DataFolders, name: str, header: str, words: str
) -> None:
    rest = FILES[name].partition("\n")[2]
    (folders.suite / "data" / name).write_text(f"{header}\n{rest}")
    with pytest.raises(DataError, match=words):
        open_log(SHOP, folders)


def test_single_file_with_a_mistyped_header_is_told_the_types(folders: DataFolders) -> None:
    path = folders.suite / "data" / "shop.inter"
    path.write_text("user_id:token\titem_id:tokn\nx\ty\n")
    with pytest.raises(DataError, match=r"'item_id:tokn' is no name:type of RecBole's"):
        open_log(LogSpec(name="one", path=str(path)), folders)


def test_graph_and_links_are_columns_of_text_with_items_as_the_log_has_them(folders: DataFolders) -> None:
    data = folders.suite / "data"
    assert read_graph(data / "shop.kg").to_dict("list") == {
        "head": ["m.1", "m.2"], "relation": ["genre"] * 2, "tail": ["m.9"] * 2,
    }  # fmt: skip
    assert read_links(data / "shop.link").to_dict("list") == {"item": ["b", "a"], "entity": ["m.2", "m.1"]}
    (data / "shop.kg").write_text(
        "head_id:token\trelation_id:token\ttail_id:token\nm.1\tr\tm.9\nm.2\t\tm.9\n"
    )
    with pytest.raises(DataError, match=r"shop.kg:3: no relation_id; every line must have one"):
        read_graph(data / "shop.kg")


def test_graph_of_movielens_100k_has_the_counts_of_its_files(data_dir: Path) -> None:
    skip_without(data_dir, "movielens-100k-recbole")
    folder = data_dir / "ml-100k-recbole"
    triples, links = read_graph(folder / "ml-100k.kg"), read_links(folder / "ml-100k.link")
    assert (len(triples), triples["relation"].nunique()) == (91_631, 24)
    assert (len(links), links["item"].nunique(), str(links["item"].dtype)) == (1_598, 1_598, "int64")


def test_known_data_set_finds_its_graph_beside_other_interactions(tmp_path: Path) -> None:
    folder = tmp_path / "ml-100k-recbole"
    folder.mkdir()
    (folder / "ml-100k.kg").write_text("head_id:token\trelation_id:token\ttail_id:token\nm.1\tby\tm.2\n")
    (folder / "ml-100k.link").write_text("item_id:token\tentity_id:token\n7\tm.1\n")
    for name in ("ml-100k.inter", "other.inter"):
        (folder / name).write_text("user_id:token\titem_id:token\n1\t7\n")
    graph = MOVIELENS_100K_RECBOLE.layout.read_graph(folder)
    assert graph is not None
    assert len(graph.heads) == 1
