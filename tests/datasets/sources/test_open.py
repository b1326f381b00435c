"""Where a log comes from."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pandas as pd
import pytest

from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.folders import DataFolders, local_datasets
from benchmark.datasets.sources.known import KNOWN
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.sources.published_counts import differing_counts
from benchmark.datasets.specs import FilesSpec, LogSpec, SplitSpec, SyntheticSpec, TitlesSpec
from benchmark.datasets.split import split
from benchmark.errors import DataError, SourceError

U_DATA = "1\t10\t4\t100\n2\t11\t5\t101\n"
U_ITEM = "10|Café (1995)|01-Jan-1995||url|0|1\n11|Heat|||url|1|1\n"


@pytest.fixture
def ml_100k(tmp_path):
    """A folder in the layout of MovieLens-100K, in a data folder."""
    folder = tmp_path / "data" / "ml-100k"
    folder.mkdir(parents=True)
    (folder / "u.data").write_text(U_DATA)
    (folder / "u.genre").write_text("unknown|0\nDrama|1\n\n")
    (folder / "u.item").write_text(U_ITEM, encoding="latin-1")
    return folder


def test_open_log_known_name_is_found_in_the_data_folder(ml_100k):
    log = open_log(LogSpec(name="movielens-100k"), DataFolders(data=ml_100k.parent))
    assert log.frame.to_numpy().tolist() == [[1, 10, 4, 100], [2, 11, 5, 101]]
    assert log.items["title"].tolist() == ["Café (1995)", "Heat"]
    assert log.items["genres"].tolist() == ["Drama", "unknown|Drama"]
    assert log.scale == (1.0, 5.0)


def test_open_log_says_when_the_file_is_not_the_published_one(ml_100k):
    log = open_log(LogSpec(name="movielens-100k"), DataFolders(data=ml_100k.parent))
    assert log.provenance.origin == f"{ml_100k} (u.data differs from the published file)"


def test_open_log_tells_counts_that_are_not_the_published_ones(ml_100k):
    said = []
    log = open_log(LogSpec(name="movielens-100k"), DataFolders(data=ml_100k.parent), say=said.append)
    counts = "2 rows, 2 users, 2 items are here; 100,000 rows, 943 users, 1,682 items are published"
    assert said == list(log.notes) == [f"movielens-100k: {counts}"]


@pytest.mark.parametrize(("items", "told"), [(40, False), (38, False), (34, True)])
def test_counts_may_differ_by_a_twentieth(items, told):
    known = replace(KNOWN["movielens-1m"], rows=40, users=1, items=40)
    frame = pd.DataFrame({"user": [1] * 40, "item": [row % items for row in range(40)]})
    assert bool(differing_counts(known, frame)) == told


def test_open_log_hash_follows_the_content_and_not_the_place(ml_100k, tmp_path):
    spec = LogSpec(name="movielens-100k")
    one = open_log(spec, DataFolders(data=ml_100k.parent)).provenance.sha256
    (tmp_path / "data").rename(tmp_path / "moved")
    two = open_log(spec, DataFolders(data=tmp_path / "moved")).provenance.sha256
    (tmp_path / "moved" / "ml-100k" / "u.data").write_text(U_DATA.replace("101", "102"))
    three = open_log(spec, DataFolders(data=tmp_path / "moved")).provenance.sha256
    assert one == two != three


def test_open_log_cache_comes_after_the_data_folder(ml_100k, tmp_path):
    said = []
    log = open_log(
        LogSpec(name="movielens-100k"),
        DataFolders(data=tmp_path / "absent", cache=ml_100k.parent),
        say=said.append,
    )
    assert len(log.frame) == 2
    assert "absent: no such folder" in said[0]


def test_open_log_path_of_a_folder_is_read_in_its_layout(ml_100k):
    log = open_log(LogSpec(name="mine", path=str(ml_100k), scale=(1, 5)))
    assert (len(log.frame), log.provenance.licence, log.scale) == (2, "your own", (1, 5))


def test_open_log_folder_in_no_known_layout_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"not a folder in a known layout: none of .* is there") as refused:
        open_log(LogSpec(name="mine", path=str(tmp_path)))
    assert all(main in str(refused.value) for main in ("u.data", "ratings.csv", "ratings.dat"))


def test_open_log_damaged_item_file_is_refused(ml_100k):
    (ml_100k / "u.item").write_text("10|Toy Story\n11|Heat|x\n")
    with pytest.raises(DataError, match=r"u.item: not the publisher's layout"):
        open_log(LogSpec(name="movielens-100k"), DataFolders(data=ml_100k.parent))


def test_open_log_folder_without_titles_has_none(ml_100k):
    (ml_100k / "u.item").unlink()
    assert open_log(LogSpec(name="movielens-100k"), DataFolders(data=ml_100k.parent)).items is None


def test_open_log_relative_path_starts_at_the_suite_then_in_the_working_directory(tmp_path, monkeypatch):
    for folder, user in (("suite", "from_suite"), ("here", "from_here")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "log.csv").write_text(f"user,item\n{user},1\n")
    (tmp_path / "here" / "only.csv").write_text("user,item\nonly_here,1\n")
    monkeypatch.chdir(tmp_path / "here")
    logs = [
        open_log(LogSpec(name="m", path=name), DataFolders(suite=tmp_path / "suite"))
        for name in ("log.csv", "only.csv")
    ]
    assert [log.frame["user"].iloc[0] for log in logs] == ["from_suite", "only_here"]


def test_open_log_missing_file_is_refused_with_the_places_searched(tmp_path):
    with pytest.raises(DataError, match=rf"mine: .*absent.csv: no such file.* from {tmp_path}"):
        open_log(LogSpec(name="mine", path="absent.csv"), DataFolders(suite=tmp_path))


def test_open_log_unknown_name_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(SourceError, match="'movielens-10k'; did you mean 'movielens-100k'"):
        open_log(LogSpec(name="movielens-10k"), DataFolders(cache=tmp_path))


def test_open_log_synthetic_is_generated_under_its_own_name():
    log = open_log(LogSpec(name="toy", synthetic=SyntheticSpec(users=20, items=30, interactions=200)))
    assert (log.name, len(log.frame), log.provenance.synthetic) == ("toy", 200, True)


def test_open_log_own_titles_are_joined_by_id(tmp_path):
    (tmp_path / "log.csv").write_text("user,item\n1,a\n2,b\n")
    (tmp_path / "items.csv").write_text("sku,name\nb,Bread\na,Apple\n")
    titles = TitlesSpec(path="items.csv", item="sku", title="name")
    log = open_log(LogSpec(name="shop", path="log.csv", titles=titles), DataFolders(suite=tmp_path))
    assert prepare(log).titles == ["Apple", "Bread"]


def test_open_log_files_of_a_split_become_its_parts(tmp_path):
    for part, rows in (("train", "1,1\n2,2\n2,3\n"), ("valid", "1,3\n"), ("test", "9,1\n")):
        (tmp_path / f"{part}.csv").write_text(f"user,item\n{rows}")
    files = FilesSpec(train="train.csv", valid="valid.csv", test="test.csv")
    log = open_log(LogSpec(name="mine"), DataFolders(suite=tmp_path), parts=files)
    done = split(prepare(log), SplitSpec(by="files", files=files))
    assert [len(done.train), len(done.valid), len(done.test)] == [3, 1, 1]
    assert done.prepared.user_ids[done.test.users].tolist() == [9]


def test_known_data_sets_tell_whether_they_are_here(ml_100k, tmp_path):
    folders = DataFolders(data=ml_100k.parent, cache=tmp_path / "cache")
    here = {one.known.name: one.folder for one in local_datasets(folders)}
    assert here == dict.fromkeys(KNOWN) | {"movielens-100k": ml_100k}


def test_layout_of_latest_small_keeps_halves_and_quoted_titles(tmp_path):
    folder = tmp_path / "ml-latest-small"
    folder.mkdir()
    (folder / "ratings.csv").write_bytes(b"userId,movieId,rating,timestamp\r\n1,7,3.5,5\r\n")
    (folder / "movies.csv").write_text(
        'movieId,title,genres\n7,"American President, The (1995)",Comedy|Drama\n'
    )
    log = open_log(LogSpec(name="movielens-latest-small"), DataFolders(data=tmp_path))
    assert log.frame["value"].tolist() == [3.5]
    assert log.items["title"].tolist() == ["American President, The (1995)"]
    assert log.scale == (0.5, 5.0)


def test_layout_of_ml_1m_keeps_single_colons_in_titles(tmp_path):
    folder = tmp_path / "ml-1m"
    folder.mkdir()
    (folder / "ratings.dat").write_text("1::7::5::978300760\n")
    (folder / "movies.dat").write_text("7::Alien: Müller (1979)::Horror\n", encoding="latin-1")
    log = open_log(LogSpec(name="movielens-1m"), DataFolders(data=tmp_path))
    assert log.frame.to_numpy().tolist() == [[1, 7, 5, 978_300_760]]
    assert log.items["title"].tolist() == ["Alien: Müller (1979)"]


def test_layout_of_lastfm_has_counts_names_with_quotes_and_no_scale(tmp_path):
    folder = tmp_path / "lastfm-hetrec2011"
    folder.mkdir()
    (folder / "user_artists.dat").write_text("userID\tartistID\tweight\n2\t51\t13883\n")
    (folder / "artists.dat").write_text('id\tname\turl\tpictureURL\n51\t"Weird Al" Yankovic\tu\tp\n')
    log = open_log(LogSpec(name="lastfm-hetrec2011"), DataFolders(data=tmp_path))
    assert log.frame["value"].tolist() == [13883.0]
    assert log.items["title"].tolist() == ['"Weird Al" Yankovic']
    assert log.scale is None


def test_published_checksums_are_md5_and_differ():
    sums = [one for known in KNOWN.values() for one in (known.main_md5, known.archive_md5) if one]
    assert len(set(sums)) == len(sums)
    assert all(len(one) == len(hashlib.md5().hexdigest()) for one in sums)


def test_parquet_titles_work_as_csv_ones_do(tmp_path):
    (tmp_path / "log.csv").write_text("user,item\n1,1\n2,2\n")
    pd.DataFrame({"item": [1, 2], "title": ["One", "Two"]}).to_parquet(tmp_path / "items.parquet")
    spec = LogSpec(name="shop", path="log.csv", titles=TitlesSpec(path="items.parquet"))
    assert prepare(open_log(spec, DataFolders(suite=tmp_path))).titles == ["One", "Two"]
