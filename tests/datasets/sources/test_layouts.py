"""Folders in their publishers' layouts, written here as the publishers write them."""

from __future__ import annotations

import pytest

from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.known import KNOWN
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec

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
    assert wanted <= set(KNOWN)
    assert all(known.licence and known.rows > known.items for known in KNOWN.values())
    ours = [KNOWN[name] for name in sorted(wanted)]
    unchecked = [known.name for known in ours if not (known.main_md5 or known.archive_md5)]
    assert unchecked == ["movielens-latest"]  # the publisher replaces it from time to time
