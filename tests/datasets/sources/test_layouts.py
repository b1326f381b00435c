"""Folders in their publishers' layouts, written here as the publishers write them."""

from __future__ import annotations

import pytest
from repository import ROOT

from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.known import KNOWN, KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec, TableSpec
from benchmark.datasets.tables.read import read_table

CSV = ("20m", "25m", "32m", "latest", "latest-small")


@pytest.fixture
def write(tmp_path):
    """A function that writes files into a folder of the data directory."""

    def call(folder, files, encoding="utf-8"):
        (tmp_path / folder).mkdir()
        for name, text in files.items():
            (tmp_path / folder / name).write_bytes(text.encode(encoding))

    return call


def opened(name, tmp_path, **options):
    return open_log(LogSpec(name=name, **options), DataFolders(data=tmp_path))


@pytest.mark.parametrize("size", CSV)
def test_layout_of_the_csv_movielens_is_read_with_genres_year_and_tags(size, write, tmp_path):
    files = {
        "ratings.csv": "userId,movieId,rating,timestamp\r\n1,7,3.5,1112486027\r\n2,8,0.5,1112484676\r\n",
        "movies.csv": 'movieId,title,genres\r\n7,"Misérables, Les (1995)",Drama|War\r\n'
        "8,Untitled,(no genres listed)\r\n",
        "tags.csv": "userId,movieId,tag,timestamp\r\n1,7,Paris,1\r\n2,7,paris,2\r\n2,7,a|b,3\r\n9,9,x,4\r\n",
    }
    write(f"ml-{size}", files)
    log = opened(f"movielens-{size}", tmp_path)
    assert log.frame.to_numpy().tolist() == [[1, 7, 3.5, 1_112_486_027], [2, 8, 0.5, 1_112_484_676]]
    assert log.items["title"].tolist() == ["Misérables, Les (1995)", "Untitled"]
    assert log.items["genres"].tolist() == ["Drama|War", ""]
    assert log.items["tags"].tolist() == ["paris|a/b", ""]
    assert log.items["year"].iloc[0] == 1995
    assert (log.scale, log.users) == ((0.5, 5.0), None)


def test_layout_of_ml_10m_has_half_stars_colons_in_titles_utf_8_and_tags(write, tmp_path):
    files = {
        "ratings.dat": "1::122::5::838985046\n2::185::3.5::838983525\n",
        "movies.dat": "122::Alien: Ärger (1979)::Horror|Sci-Fi\n185::Net, The (1995)::Action\n",
        "tags.dat": "15::122::space::1215184630\n20::122::excellent!::1188263867\n21::122::space::1\n",
    }
    write("ml-10M100K", files)
    log = opened("movielens-10m", tmp_path)
    assert log.frame["value"].tolist() == [5.0, 3.5]
    assert log.items["title"].tolist() == ["Alien: Ärger (1979)", "Net, The (1995)"]
    assert log.items["tags"].tolist() == ["space|excellent!", ""]
    assert log.scale == (0.5, 5.0)


def test_layout_of_ml_1m_tells_age_sex_and_occupation_in_words(write, tmp_path):
    files = {
        "ratings.dat": "1::7::5::978300760\n",
        "movies.dat": "7::Müller (1979)::Horror\n",
        "users.dat": "1::F::1::10::48067\n2::M::56::16::70072-4\n",
    }
    write("ml-1m", files, "latin-1")
    log = opened("movielens-1m", tmp_path)
    assert log.users.to_dict("list") == {
        "user": [1, 2],
        "sex": ["F", "M"],
        "zip": ["48067", "70072-4"],
        "occupation": ["K-12 student", "self-employed"],
        "age_band": ["under 18", "56+"],
    }


def test_layout_of_ml_100k_tells_users_and_years(write, tmp_path):
    files = {
        "u.data": "1\t10\t4\t100\n",
        "u.genre": "unknown|0\nDrama|1\n\n",
        "u.item": "10|Café|01-Jan-1995||url|0|1\n11|Heat (1996)|||url|1|1\n",
        "u.user": "1|24|M|technician|85711\n",
    }
    write("ml-100k", files, "latin-1")
    log = opened("movielens-100k", tmp_path)
    assert log.items["year"].tolist() == [1995, 1996]
    known = log.users.iloc[0].to_dict()
    assert known == {
        "user": 1, "sex": "M", "occupation": "technician", "zip": "85711", "age": 24, "age_band": "18-24",
    }  # fmt: skip


def test_layout_of_lastfm_brings_the_tags_most_often_given(write, tmp_path):
    files = {
        "user_artists.dat": "userID\tartistID\tweight\n2\t51\t13883\n",
        "artists.dat": 'id\tname\turl\tpictureURL\n51\t"Weird Al" Yankovic\tu\tp\n',
        "tags.dat": "tagID\ttagValue\n1\tcafé\n2\tfunny\n",
        "user_taggedartists.dat": "userID\tartistID\ttagID\tday\tmonth\tyear\n"
        "2\t51\t1\t1\t4\t2009\n3\t51\t2\t1\t4\t2009\n4\t51\t2\t1\t4\t2009\n",
    }
    write("lastfm-hetrec2011", files, "latin-1")
    log = opened("lastfm-hetrec2011", tmp_path)
    assert log.items["tags"].tolist() == ["funny|café"]
    assert log.scale is None


def test_published_users_become_columns_of_reports_and_features(write, tmp_path):
    files = {
        "ratings.dat": "1::7::5::1\n2::7::4::2\n2::8::4::2\n",
        "movies.dat": "7::A (1979)::Horror\n8::B (1979)::Drama|Horror\n",
        "users.dat": "2::F::25::12::1\n1::F::35::12::2\n3::M::1::1::3\n",
    }
    write("ml-1m", files, "latin-1")
    done = prepare(opened("movielens-1m", tmp_path))
    assert done.user_table["age_band"].tolist() == ["35-44", "25-34"]
    assert done.interactions.user_features.names == ("sex=F", "occupation=programmer")
    assert done.interactions.item_features.names == ("genres=Horror", "year=1979")
    assert done.interactions.item_features.texts == ("A (1979) Horror", "B (1979) Drama Horror")


def test_features_of_a_known_data_set_can_be_chosen_or_left_out(write, tmp_path):
    files = {
        "ratings.dat": "1::7::5::1\n2::8::4::2\n",
        "movies.dat": "7::A (1979)::Horror\n8::B (1979)::Horror\n",
    }
    write("ml-1m", files)
    some = prepare(opened("movielens-1m", tmp_path, features=["year"])).interactions
    none = prepare(opened("movielens-1m", tmp_path, features=False)).interactions
    assert some.item_features.names == ("year=1979",)
    assert (none.item_features, none.user_features) == (None, None)


def test_every_movielens_and_lastfm_has_a_place_a_shape_and_terms():
    wanted = {f"movielens-{size}" for size in ("100k", "1m", "10m", *CSV)} | {"lastfm-hetrec2011"}
    assert set(KNOWN) == wanted
    assert all(known.licence and known.rows > known.items for known in KNOWN.values())
    unchecked = [name for name, known in KNOWN.items() if not (known.main_md5 or known.archive_md5)]
    assert unchecked == ["movielens-latest"]  # the publisher replaces it from time to time


def test_entry_of_the_contributing_page_is_read_from_its_folder(write, tmp_path):
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    code = page.split("## Add a data set")[1].split("```python\n")[1].split("```")[0]
    exec(code, {})
    files = {
        "ratings.csv": "userId,movieId,rating,timestamp\n1,7,3.5,1\n1,8,4,2\n2,7,5,3\n",
        "movies.csv": "movieId,title,genres\n7,One (1990),Drama\n8,Two (1991),Drama\n",
    }
    write("ml-tiny", files)
    try:
        done = prepare(opened("movielens-tiny", tmp_path))
    finally:
        del KNOWN["movielens-tiny"]
    assert done.titles == ["One (1990)", "Two (1991)"]
    assert "no published checksum" in done.provenance.origin


def films(folder):
    """Read titles of a layout that nobody has seen before."""
    path = folder / "films.csv"
    spec = TableSpec(path=path.name, id="film", title="name", categories=("studio",))
    return read_table(path, spec, "item") if path.is_file() else None


def test_new_layout_is_one_object_and_its_entry(write, tmp_path, monkeypatch):
    films_layout = Layout(
        main="views.csv",
        log=LogSpec(name="films", user="viewer", item="film", value="views"),
        items=films,
        side_files=("films.csv",),
        item_roles={"studio": "category"},
    )
    entry = KnownDataset(
        name="films",
        layout=films_layout,
        folder="films",
        url="https://example.org/films.zip",
        download_mb=0.1,
        rows=3,
        users=2,
        items=2,
        scale=None,
        licence="research use",
        side_information="titles, studios",
    )
    monkeypatch.setitem(KNOWN, "films", entry)
    views = "viewer,film,views\n1,7,3\n1,8,4\n2,7,5\n"
    write("films", {"views.csv": views, "films.csv": "film,name,studio\n7,One,A\n8,Two,A\n"})
    done = prepare(opened("films", tmp_path))
    assert done.titles == ["One", "Two"]
    assert done.interactions.item_features.names == ("studio=A",)
    mine = open_log(LogSpec(name="mine", path=str(tmp_path / "films")))  # found by its main file
    assert mine.items["title"].tolist() == ["One", "Two"]
