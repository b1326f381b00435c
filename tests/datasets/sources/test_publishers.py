"""Other publishers' files, written here as they write them, with their quirks."""

from __future__ import annotations

import ast
import bz2
import gzip
import io
import json
import tarfile

import numpy as np
import pandas as pd
import pytest

from benchmark.datasets.log import Log
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources import lines
from benchmark.datasets.sources.expected import expected_log
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.known import KNOWN, find_known, find_layout
from benchmark.datasets.sources.netflix import BLOCK
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.sources.steam import fields, text_of
from benchmark.datasets.specs import LogSpec, PrepareSpec, SplitSpec
from benchmark.datasets.split import split
from benchmark.errors import DataError, SourceError, SplitError


@pytest.fixture
def write(tmp_path):
    """A function that writes files, text or bytes, into the folder of a known data set."""

    def call(name, files):
        folder = tmp_path / KNOWN[name].folder
        for file, content in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return call


@pytest.fixture
def opened(tmp_path):
    """A function that opens a known data set in the data folder."""

    def call(name, say=lambda _: None, **entry):
        return open_log(LogSpec(name=name, **entry), DataFolders(data=tmp_path), say=say)

    return call


def rows(log: Log):
    """The rows as a list of tuples, times in seconds and last."""
    frame = log.frame
    if "time" in frame:
        frame = frame[[*frame.columns.drop("time"), "time"]].assign(time=seconds_of(log))
    return [tuple(row) for row in frame.itertuples(index=False)]


def seconds_of(log):
    """The times in seconds since 1970."""
    return (log.frame["time"] / {"s": 1, "ms": 1000}[log.clock.unit]).tolist()


def ratings(prepared):
    return prepared.interactions.values.tolist()  # noqa: PD011 (our own column, no DataFrame)


def seconds(date):
    return pd.Timestamp(date, tz="UTC").timestamp()


def json_lines(*objects):
    return "".join(json.dumps(one) + "\n" for one in objects)


# Amazon Reviews 2023

REVIEWS = [
    {
        "rating": 5.0, "title": 'So "soft"', "text": "one\ntwo, and a 😀", "images": [{"hiRes": None}],
        "asin": "B00YQ6X8EO", "parent_asin": "B00YQ6X8EP", "user_id": "AGKHLEW2SOWHNMFQIJGBECAF7INQ",
        "timestamp": 1588687728923, "helpful_vote": 0, "verified_purchase": True,
    },
    {
        "rating": 4.0, "title": "", "text": "", "images": [],
        "asin": "B081TJ8YS3", "parent_asin": "B081TJ8YS3",
        "user_id": "AGKHLEW2SOWHNMFQIJGBECAF7INQ", "timestamp": 1588615855070, "helpful_vote": 1,
        "verified_purchase": False,
    },
    {  # the first release calls the time otherwise
        "sortTimestamp": 1589665266052, "rating": 1.0, "parent_asin": "B097R46CSY", "asin": "B07PNNCSP9",
        "user_id": "AE74DYR3QUGVPZJ3P7RFWBGIX7XQ",
    },
]  # fmt: skip
META = [
    {"main_category": "Beauty", "title": "Hair | spray", "store": "Yes To", "categories": ["Beauty", "Hair"],
     "price": None, "details": {"UPC": "1"}, "parent_asin": "B00YQ6X8EP"},
    {"title": "Soap", "store": None, "categories": [], "parent_asin": "B081TJ8YS3"},
]  # fmt: skip


@pytest.mark.parametrize("packed", [True, False])
def test_raw_reviews_of_amazon_are_json_lines_with_milliseconds(write, opened, packed):
    text = json_lines(*REVIEWS).encode()
    file = {"All_Beauty.jsonl.gz": gzip.compress(text)} if packed else {"All_Beauty.jsonl": text}
    write("amazon-2023-beauty-raw", file)
    log = opened("amazon-2023-beauty-raw")
    assert log.frame["item"].tolist() == ["B00YQ6X8EP", "B081TJ8YS3", "B097R46CSY"]  # the parents
    assert log.frame["user"].nunique() == 2
    assert log.frame["value"].tolist() == [5, 4, 1]
    assert (log.scale, log.items) == ((1.0, 5.0), None)
    assert seconds_of(log) == [1588687728.923, 1588615855.070, 1589665266.052]


def test_raw_reviews_of_amazon_have_titles_where_the_metadata_is_beside_them(write, opened):
    files = {"All_Beauty.jsonl.gz": gzip.compress(json_lines(*REVIEWS).encode()),
             "meta_All_Beauty.jsonl.gz": gzip.compress(json_lines(*META).encode())}  # fmt: skip
    write("amazon-2023-beauty-raw", files)
    done = prepare(opened("amazon-2023-beauty-raw"))
    assert done.titles == ["Hair | spray", "Soap", "B097R46CSY"]
    assert done.item_table["categories"].tolist()[0] == "Beauty|Hair"


def test_raw_reviews_of_amazon_keep_the_earliest_of_several_as_the_publisher_does(write, opened):
    again = {**REVIEWS[0], "rating": 2.0, "timestamp": 1}
    write("amazon-2023-beauty-raw", {"All_Beauty.jsonl": json_lines(*REVIEWS, again)})
    log = opened("amazon-2023-beauty-raw")
    assert ratings(prepare(log)) == [4, 1, 2]
    assert ratings(prepare(log, PrepareSpec(duplicates="last"))) == [5, 4, 1]  # the suite wins


def test_amazon_reviews_are_read_in_blocks_and_only_four_columns_are_kept(write, opened, monkeypatch):
    monkeypatch.setattr(lines, "BLOCK", 512)
    many = [{**REVIEWS[1], "user_id": f"U{n % 7}", "parent_asin": f"B{n}"} for n in range(200)]
    write("amazon-2023-beauty-raw", {"All_Beauty.jsonl": json_lines(*many)})
    log = opened("amazon-2023-beauty-raw")
    assert log.frame["user"].tolist() == [f"U{n % 7}" for n in range(200)]
    assert log.frame["item"].tolist() == [f"B{n}" for n in range(200)]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"<html>404</html>\n", "not JSON lines as published"),
        (b'{"user_id": "a", "parent_asin": "b", "rating": "five", "timestamp": 1}\n', "not JSON lines"),
        (b"", "no rows"),
        (gzip.compress(b'{"user_id": "a"}\n' * 9999)[:-40], "damaged or cut off"),
    ],
)
def test_raw_reviews_that_are_damaged_are_refused_with_the_file(write, opened, content, complaint):
    write("amazon-2023-beauty-raw", {"All_Beauty.jsonl.gz": content})
    with pytest.raises(DataError, match=rf"All_Beauty.jsonl.gz: {complaint}"):
        opened("amazon-2023-beauty-raw")


def test_five_core_of_amazon_is_a_csv_with_milliseconds(write, opened):
    lines = ("AGKH,B081TJ8YS3,4.0,1588615855070", "AGKH,0060934700,1.0,1588615855071")
    text = "".join(f"{line}\n" for line in ("user_id,parent_asin,rating,timestamp", *lines))
    write("amazon-2023-books", {"Books.csv": text})
    log = opened("amazon-2023-books")
    assert log.frame["item"].tolist() == ["B081TJ8YS3", "0060934700"]  # an ISBN keeps its zeros
    assert seconds_of(log) == [1588615855.070, 1588615855.071]
    assert log.scale == (1.0, 5.0)


def test_amazon_has_every_category_of_the_publisher_by_name():
    core = [name for name in KNOWN if name.startswith("amazon-2023") and not name.endswith("-raw")]
    raw = [name for name in KNOWN if name.startswith("amazon-2023") and name.endswith("-raw")]
    assert (len(core), len(raw)) == (28, 34)
    beauty = find_known("amazon-2023-beauty")
    assert (beauty.rows, beauty.users, beauty.items) == (2_500, 253, 356)
    assert beauty.url.endswith("/benchmark/5core/rating_only/All_Beauty.csv.gz")
    raw_books = find_known("amazon-2023-books-raw")
    assert raw_books.url.endswith("/raw/review_categories/Books.jsonl.gz")
    assert raw_books.rows == 29_500_000


def test_unknown_category_is_refused_with_the_nearest_and_not_with_all_sixty():
    with pytest.raises(SourceError, match="did you mean 'amazon-2023-video-games'") as caught:
        find_known("amazon-2023-video-game")
    assert "amazon-2023-CATEGORY" in str(caught.value)
    assert str(caught.value).count("amazon-2023") < 6


# Yelp

STARS = [
    {"review_id": "r1", "user_id": "-u1", "business_id": "b1", "stars": 5.0, "useful": 0,
     "text": 'naïve\n"q"', "date": "2018-07-07 22:09:11"},
    {"user_id": "_u2", "business_id": "b2", "stars": 1.0, "text": "", "date": "2012-01-03 15:28:18"},
    {"user_id": "_u2", "business_id": "b1", "stars": 3.0, "text": "", "date": "2012-01-04 15:28:18"},
]  # fmt: skip
PLACES = [
    {"business_id": "b1", "name": "Café", "city": "Tampa", "categories": "Food, Coffee & Tea"},
    {"business_id": "b2", "name": "Pub", "city": "Reno", "categories": None, "hours": {"Monday": "8:0-9:0"}},
]


def tar(files, mode):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as file:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return stream.getvalue()


YELP_FILES = {
    "Dataset_User_Agreement.pdf": b"%PDF",
    "yelp_academic_dataset_business.json": json_lines(*PLACES).encode(),
    "yelp_academic_dataset_review.json": json_lines(*STARS).encode(),
}


@pytest.mark.parametrize(
    "files",
    [
        YELP_FILES,
        {"yelp_dataset.tar": tar(YELP_FILES, "w")},
        {"yelp_dataset.tar": tar(YELP_FILES, "w:gz")},
        {"yelp_dataset.tar": tar({f"yelp_dataset/{name}": text for name, text in YELP_FILES.items()}, "w")},
    ],
    ids=["unpacked", "tar", "tar packed", "tar with a folder"],
)
def test_yelp_is_read_unpacked_or_from_the_tar_that_yelp_hands_out(write, opened, files):
    write("yelp", files)
    log = opened("yelp")
    assert rows(log) == [
        ("-u1", "b1", 5, seconds("2018-07-07 22:09:11")),
        ("_u2", "b2", 1, seconds("2012-01-03 15:28:18")),
        ("_u2", "b1", 3, seconds("2012-01-04 15:28:18")),
    ]
    done = prepare(log)
    assert done.titles == ["Café", "Pub"]
    assert done.item_table["categories"].tolist() == ["Food|Coffee & Tea", ""]


def test_tar_of_yelp_without_the_reviews_or_cut_off_is_refused(write, opened):
    many = {"yelp_academic_dataset_review.json": json_lines(*STARS * 500).encode()}
    for content in (
        tar({"photos.json": b"{}"}, "w"),
        tar(YELP_FILES, "w:gz")[:-300],
        tar(many, "w")[:90_000],
        tar(many, "w:gz")[:-300],
        b"<html>",
    ):
        write("yelp", {"yelp_dataset.tar": content})
        with pytest.raises(DataError, match=r"yelp_dataset.tar: .*(cut off|not a whole tar|not JSON lines)"):
            opened("yelp")


# Gowalla

CHECK_INS = (
    "0\t2010-10-19T23:55:27Z\t30.2359091167\t-97.7951395833\t22847\n"
    "0\t2010-10-18T22:17:43Z\t30.2691029532\t-97.7493953705\t420315\n"
    "0\t2010-10-17T23:42:03Z\t30.2557309927\t-97.7633857727\t22847\n"
    "1\t2010-10-16T19:48:40Z\t30.2634181234\t-97.7575966669\t420315\n"
)


def test_check_ins_of_gowalla_have_no_header_and_come_again(write, opened):
    write("gowalla", {"loc-gowalla_totalCheckins.txt.gz": gzip.compress(CHECK_INS.encode())})
    log = opened("gowalla")
    assert rows(log)[0] == (0, 22847, seconds("2010-10-19T23:55:27"))
    assert (log.defaults.pairs, log.defaults.seen) == ("repeat", "allow")
    merged = prepare(log, PrepareSpec(duplicates="first")).interactions  # what the suite says rules it out
    assert len(merged) == 3


def test_gowalla_is_split_with_places_that_come_again_and_may_be_recommended_again(write, opened):
    text = "".join(
        f"{user}\t2010-10-{day:02d}T12:00:00Z\t1\t1\t{day % 3}\n" for user in range(4) for day in range(1, 10)
    )
    write("gowalla", {"loc-gowalla_totalCheckins.txt.gz": gzip.compress(text.encode())})
    log = opened("gowalla")
    done = split(prepare(log), SplitSpec(by="leave_last_out"))
    assert (done.manifest.pairs, done.manifest.seen) == ("repeat", "allow")
    assert len(done.prepared.interactions) == 36
    said = PrepareSpec().for_log(LogSpec(name="gowalla", pairs="repeat"))
    assert prepare(log, said).seen == "allow"  # the same as the data set says rules nothing out
    assert expected_log(LogSpec(name="gowalla"), DataFolders()).defaults.pairs == "repeat"
    with pytest.raises(SplitError, match="repeat"):
        split(prepare(log), SplitSpec())


# Steam

STEAM_REVIEWS = (
    "{u'username': u'Chaos Syren', u'hours': 0.1, u'products': 41, u'product_id': u'725280', "
    "u'page_order': 0, u'date': u'2017-12-17', u'text': u'it\\'s \\u2764 u\\'username\\': u\\'x\\'', "
    "u'early_access': False, u'page': 1}\n"
    "{u'username': u\"O'Neill\", u'product_id': u'328100', u'date': u'2017-08-02', u'text': u'ok'}\n"
    "{u'username': u'Chaos Syren', u'product_id': u'725280', u'date': u'2018-01-01', u'text': u'again'}\n"
    "{u'username': u'Chaos Syren', u'product_id': u'328100', u'date': u'2018-01-01', u'compensation': None}\n"
)
STEAM_GAMES = (
    "{u'publisher': u'Kotoshiro', u'genres': [u'Action', u'Indie'], u'app_name': u'Lost | Summoner', "
    "u'title': u'Lost | Summoner', u'tags': [u'Strategy'], u'id': u'725280', u'developer': u'Kotoshiro'}\n"
    "{u'app_name': u'Log Challenge', u'tags': [u'Action'], u'id': u'328100'}\n"
    "{u'app_name': u'No id', u'price': u'Free'}\n"
)


def test_reviews_of_steam_are_python_literals_and_a_name_is_a_user(write, opened):
    files = {"steam_reviews.json.gz": STEAM_REVIEWS, "steam_games.json.gz": STEAM_GAMES}
    write("steam", {name: gzip.compress(text.encode()) for name, text in files.items()})
    log = opened("steam")
    assert rows(log)[:2] == [
        ("Chaos Syren", 725280, seconds("2017-12-17")),
        ("O'Neill", 328100, seconds("2017-08-02")),
    ]
    done = prepare(log)
    assert len(done.interactions) == 3  # a name that reviews a game again counts once
    assert done.titles == ["Log Challenge", "Lost | Summoner"]
    assert done.item_table["genres"].tolist() == ["", "Action|Indie"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("__import__('os').system('touch evil')", "is not a Python dictionary"),
        ("{u'username': open('evil', 'w')}", "is not a Python dictionary"),
        ('{"username": null}', "is not a Python dictionary"),
        ("{u'username': u'x', u'product_id': u'1'}", "lacks username, product_id or date"),
        ("[" * 5000, "is not a Python dictionary"),
        (
            "{u'username': u'x', u'product_id': u'1', u'date': u'2017-01-01'} or f()",
            "is not a Python dictionary",
        ),
        (
            "{u'username': u'x', u'product_id': 1, u'date': u'2017-01-01'}",
            "lacks username, product_id or date",
        ),
    ],
)
def test_line_of_steam_that_is_code_or_lacks_a_field_is_refused_and_never_run(
    write, opened, line, complaint, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write("steam", {"steam_reviews.json": STEAM_REVIEWS + line + "\n"})
    with pytest.raises(DataError, match=rf"steam_reviews.json:5: .*{complaint}"):
        opened("steam")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("line", "user"),
    [
        ("{u'username': u'x', u'text': u\"it's {u'username': u'evil'}, \", u'date': u'd'}", "x"),
        ("{u'username': u'\\u2764', u'date': u'd'}", "\u2764"),
        ("{u'username': u'a\\\\', u'text': u'\\'', u'date': u'd'}", "a\\"),
        ('{"username": "x"}', None),
        ("{'username': 'x', 'tags': ['a']}", None),
    ],
)
def test_quick_reading_of_a_line_gives_what_python_reads_or_leaves_it_to_python(line, user):
    found = fields(line)
    assert (text_of(found["username"]) if found else None) == user
    assert user is None or ast.literal_eval(line)["username"] == user


# MIND

BEHAVIORS = (
    "1\tU13740\t11/11/2019 9:05:58 AM\tN55189 N42782\tN55689-1 N35729-0\n"
    "2\tU91836\t11/12/2019 6:11:30 PM\t\tN35729-0 N55689-0 N33632-1\n"
    "3\tU13740\t11/14/2019 12:00:01 AM\tN55189\tN35729-1\n"
)
NEWS = (
    'N55689\tsports\tfootball_nfl\tCharles Rogers, "star" receiver\tHe died.\thttps://x\t[]\t[]\n'
    "N35729\tnews\tnewsus\tPorsche\t\thttps://y\t[]\t[]\n"
)


def test_impressions_of_mind_become_a_row_an_article_with_clicks_and_dislikes(write, opened):
    train = {"MINDsmall_train/behaviors.tsv": BEHAVIORS, "MINDsmall_train/news.tsv": NEWS}
    dev = "1\tU91836\t11/15/2019 8:00:00 AM\tN1\tN35729-0\n"
    write("mind-small", {**train, "MINDsmall_dev/behaviors.tsv": dev, "MINDsmall_dev/news.tsv": NEWS})
    log = opened("mind-small")
    assert rows(log)[0] == ("U13740", "N55689", 1, seconds("2019-11-11 09:05:58"))
    assert rows(log)[2] == ("U91836", "N35729", 0, seconds("2019-11-12 18:11:30"))
    assert rows(log)[-1] == ("U91836", "N35729", 0, seconds("2019-11-15 08:00:00"))
    assert len(log.frame) == 7
    assert (log.defaults.positive, log.defaults.negative, log.defaults.duplicates) == (">= 1", "<= 0", "sum")
    done = prepare(log)
    assert len(done.interactions) == 5
    assert int(done.interactions.positive.sum()) == 3  # U13740 clicked N35729 when it was shown again
    assert done.titles[1:] == ["Porsche", 'Charles Rogers, "star" receiver']


@pytest.mark.parametrize("wrong", ["N55689", "N55689-2", "N55689-1 N2"])
def test_impression_without_clicks_is_refused_with_its_line(write, opened, wrong):
    text = BEHAVIORS + f"4\tU1\t11/14/2019 9:00:00 AM\tN1\t{wrong}\n"
    write("mind-small", {"MINDsmall_train/behaviors.tsv": text})
    with pytest.raises(DataError, match=r"behaviors.tsv:4: not an impression as published"):
        opened("mind-small")


def test_impression_with_another_kind_of_time_is_refused_with_its_line(write, opened):
    text = BEHAVIORS + "4\tU1\t2019-11-14 09:00\tN1\tN2-0\n"
    write("mind-small", {"MINDsmall_train/behaviors.tsv": text})
    with pytest.raises(DataError, match=r"behaviors.tsv:4: .* 11/15/2019 10:22:32 AM"):
        opened("mind-small")


# KuaiRec

MATRIX = (
    "user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio\n"
    "0,3649,13838,10867,2020-07-05 00:08:23.438,20200705,1593878903.438,1.2733965\n"
    "0,9598,30000,10000,2020-07-05 00:13:41.297,20200705,1593879221.297,3.0\n"
    "1,3649,0,10867,2020-07-05 00:16:06.687,20200705,1593879366.687,0.0\n"
    "1,3649,50000,10000,2020-07-06 00:16:06.687,20200706,1593965766.687,5.0\n"
)


@pytest.mark.parametrize(("name", "file"), [("kuairec", "big_matrix"), ("kuairec-small", "small_matrix")])
def test_kuairec_is_how_much_was_watched_and_twice_the_length_is_a_like(write, opened, name, file):
    tags = 'video_id,feat\n3649,"[27, 9]"\n9598,[8]\n'
    write(name, {f"data/{file}.csv": MATRIX, "data/item_categories.csv": tags})
    log = opened(name)
    assert log.frame["value"].tolist() == [1.2733965, 3.0, 0.0, 5.0]
    assert seconds_of(log)[0] == 1593878903.438
    done = prepare(log)
    assert len(done.interactions) == 3
    assert ratings(done) == pytest.approx([1.2733965, 3.0, 2.5])
    assert done.interactions.positive.tolist() == [False, True, True]
    assert done.item_table["tags"].tolist() == ["27|9", "8"]


def test_two_data_sets_of_one_folder_are_told_apart_by_their_files(write):
    folder = write("kuairec", {"data/small_matrix.csv": MATRIX})
    assert find_layout(folder) is KNOWN["kuairec-small"].layout


# Book-Crossing

BX_RATINGS = (
    '"User-ID";"ISBN";"Book-Rating"\r\n"276725";"034545104X";"0"\r\n"276726";"0155061224";"5"\r\n'
    '"276726";"0 \\"1\\";2";"10"\r\n"276725";"0155061224";"0"\r\n'
)
BX_BOOKS = (
    '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"Image-URL-S"\r\n'
    '"034545104X";"Flesh Tones: A \\"Novel\\"; Part 1";"M. J. Rose";"2002";"Ballantine &amp; Co";"http://i"\r\n'
    '"0155061224";"Rites of Passagé";"Judith Rae";"0";"Heinle";"http://i"\r\n'
)
BX_USERS = (
    '"User-ID";"Location";"Age"\r\n"276725";"tyler, texas, usa";NULL\r\n'
    '"276726";"málaga, andalucía, spain";"27"\r\n", milan, italy";;\r\n'
)


@pytest.fixture
def crossing(write):
    """The files of Book-Crossing: Latin-1, semicolons, quotes, backslashes."""
    files = {"BX-Book-Ratings.csv": BX_RATINGS, "BX-Books.csv": BX_BOOKS, "BX-Users.csv": BX_USERS}
    return write("book-crossing", {name: text.encode("latin-1") for name, text in files.items()})


def test_book_crossing_keeps_isbns_as_text_and_unrated_books_as_likes(crossing, opened):
    log = opened("book-crossing")
    assert rows(log) == [
        (276725, "034545104X", 0),
        (276726, "0155061224", 5),
        (276726, '0 "1";2', 10),
        (276725, "0155061224", 0),
    ]
    assert log.scale is None
    done = prepare(log)
    assert done.interactions.positive.all()
    assert done.titles == ['0 "1";2', "Rites of Passagé", 'Flesh Tones: A "Novel"; Part 1']
    assert done.user_table["country"].tolist() == ["usa", "spain"]
    years = done.item_table["year"]
    assert np.isnan(years.iloc[1])  # 0 stands for unknown
    assert years.iloc[2] == 2002


def test_explicit_ratings_of_book_crossing_are_on_a_scale_without_zeros(crossing, opened):
    log = opened("book-crossing-explicit")
    assert log.frame["value"].tolist() == [5, 10]
    assert log.scale == (1.0, 10.0)


def test_book_crossing_with_other_columns_is_refused(write, opened):
    write("book-crossing", {"BX-Book-Ratings.csv": "user,isbn,rating\n1,2,3\n"})
    with pytest.raises(DataError, match=r"BX-Book-Ratings.csv: not as published"):
        opened("book-crossing")


# RetailRocket

EVENTS = (
    "timestamp,visitorid,event,itemid,transactionid\n"
    "1433221332117,257597,view,355908,\n1433224214164,992329,addtocart,248676,\n"
    "1433222276276,257597,transaction,355908,4000\n"
)


def test_events_of_retailrocket_have_types_and_milliseconds(write):
    layout = KNOWN["retailrocket"].layout
    folder = write("retailrocket", {"events.csv": EVENTS, "category_tree.csv": "categoryid,parentid\n1,\n"})
    assert find_layout(folder) is layout
    frame = layout.read(folder).frame
    assert frame["event"].tolist() == ["view", "addtocart", "transaction"]
    assert frame["user"].tolist() == [257597, 992329, 257597]
    assert frame["item"].tolist() == [355908, 248676, 355908]
    assert frame["time"].tolist() == [1433221332117, 1433224214164, 1433222276276]
    said = layout.defaults()
    assert (layout.log.value, said.positive) == ("event", ("addtocart", "transaction"))
    assert (said.pairs, said.seen) == ("repeat", "allow")


def test_purchases_and_carts_of_retailrocket_are_likes_and_views_are_not(write, opened):
    write("retailrocket", {"events.csv": EVENTS, "category_tree.csv": "categoryid,parentid\n1,\n"})
    ready = prepare(opened("retailrocket"))
    assert ready.interactions.positive.tolist() == [False, True, True]
    assert (ready.pairs, ready.seen) == ("repeat", "allow")
    views_too = PrepareSpec(positive=("view", "addtocart", "transaction"))
    assert prepare(opened("retailrocket"), views_too).interactions.positive.all()


def test_folder_with_any_events_csv_is_not_taken_for_retailrocket(tmp_path):
    (tmp_path / "events.csv").write_text("user,item\n1,2\n")
    with pytest.raises(DataError, match="not a folder in a known layout"):
        find_layout(tmp_path)


# LFM-2b

PLAYS = "user_id\ttrack_id\tcount\n2\t361\t3\n2\t9879\t1\n3\t361\t120\n"


@pytest.mark.parametrize("name", ["listening-counts.tsv.bz2", "listening-counts.tsv"])
def test_plays_of_lfm_2b_are_counts_packed_by_bzip2_or_not(write, opened, name):
    write("lfm-2b", {name: bz2.compress(PLAYS.encode()) if name.endswith("bz2") else PLAYS})
    log = opened("lfm-2b")
    assert rows(log) == [(2, 361, 3), (2, 9879, 1), (3, 361, 120)]
    assert log.scale is None


def test_plays_of_lfm_2b_that_are_damaged_are_refused(write, opened):
    write("lfm-2b", {"listening-counts.tsv.bz2": bz2.compress(PLAYS.encode() * 999)[:-20]})
    with pytest.raises(DataError, match=r"listening-counts.tsv.bz2: "):
        opened("lfm-2b")


# Netflix

PARTS = {
    "combined_data_1.txt": "1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n2:\n1488844,4,2005-10-19\n",
    "combined_data_2.txt": "4500:\n2532865,4,2005-07-26\n",
    "combined_data_3.txt": "9211:\n1277134,1,2003-12-02\n",
    "combined_data_4.txt": "13368:\n2385003,4,2004-07-08\n",
    "movie_titles.csv": "1,2003,Dinosaur Planet\n2,2004,Isle of Man, The: Part 2\n4500,NULL,Pokémon\n",
}


def test_parts_of_netflix_have_a_line_for_each_movie_above_its_ratings(write, opened, monkeypatch):
    write("netflix", {name: text.encode("latin-1") for name, text in PARTS.items()})
    for block in (BLOCK, 2):  # a movie's ratings may begin in one block and go on in the next
        monkeypatch.setattr("benchmark.datasets.sources.netflix.BLOCK", block)
        log = opened("netflix")
        assert rows(log)[:4] == [
            (1488844, 1, 3, seconds("2005-09-06")),
            (822109, 1, 5, seconds("2005-05-13")),
            (1488844, 2, 4, seconds("2005-10-19")),
            (2532865, 4500, 4, seconds("2005-07-26")),
        ]
        assert len(log.frame) == 6
    assert prepare(log).titles == ["Dinosaur Planet", "Isle of Man, The: Part 2", "Pokémon", "9211", "13368"]


def test_netflix_with_some_of_its_parts_is_read_and_it_is_said(write, opened):
    write("netflix", {"combined_data_1.txt": PARTS["combined_data_1.txt"]})
    said = []
    log = opened("netflix", said.append)
    assert any("1 of the 4 parts" in line for line in said)
    assert any(note.startswith("netflix: 3 rows, 2 users, 2 items are here") for note in log.notes)


@pytest.mark.parametrize(
    ("text", "line"),
    [("8,3,2005-09-06\n1:\n", 1), ("1:\n5,3,2005-09-06\nnonsense\n", 3), ("1:\n5,3\n", 2), ("1:\n\n", 2)],
)
def test_line_of_netflix_that_is_no_movie_and_no_rating_is_refused(write, opened, text, line):
    write("netflix", {"combined_data_1.txt": text})
    with pytest.raises(DataError, match=rf"combined_data_1.txt:{line}: .*neither a movie"):
        opened("netflix")


def test_netflix_with_another_kind_of_date_is_refused(write, opened):
    write("netflix", {"combined_data_1.txt": "1:\n5,3,06.09.2005\n"})
    with pytest.raises(DataError, match=r"combined_data_1.txt: not as published"):
        opened("netflix")


# LightGCN and SASRec

ITEMS_OF = {user: [str((user + n) % 30) for n in range(20)] for user in range(10)}
TRAIN = "".join(f"{user} {' '.join(items)}\n" for user, items in ITEMS_OF.items()) + "10 \n"
TEST = "".join(f"{user} {(user + 25) % 30}\n" for user in range(9)) + "9\n"


def test_lists_of_lightgcn_are_a_user_and_its_items_a_line(write, opened):
    write("lightgcn-gowalla", {"train.txt": TRAIN, "test.txt": TEST})
    log = opened("lightgcn-gowalla")
    assert log.frame["part"].tolist() == [0] * 200 + [2] * 9  # a user alone on a line has no item there
    assert rows(log)[0] == (0, 0, 0)
    assert rows(log)[200] == (0, 25, 2)


def test_published_split_takes_the_papers_test_and_draws_validation_from_train(write, opened):
    write("lightgcn-gowalla", {"train.txt": TRAIN, "test.txt": TEST})
    prepared = prepare(opened("lightgcn-gowalla"))
    done = split(prepared, SplitSpec(by="published", valid=0.1))
    assert done.prepared.user_ids[done.test.users].tolist() == list(range(9))
    assert done.prepared.item_ids[done.test.items].tolist() == [(user + 25) % 30 for user in range(9)]
    assert np.bincount(done.valid.users).tolist() == [2] * 10
    assert len(done.train) + len(done.valid) == 200
    again = split(prepared, SplitSpec(by="published", valid=0.1))
    other = split(prepared, SplitSpec(by="published", valid=0.1, seed=1))
    assert done.manifest.hash == again.manifest.hash != other.manifest.hash


def test_log_that_was_published_split_can_be_split_by_another_rule(write, opened):
    write("lightgcn-gowalla", {"train.txt": TRAIN, "test.txt": TEST})
    done = split(prepare(opened("lightgcn-gowalla")), SplitSpec())
    assert len(done.test) > 9


def test_published_split_of_a_log_without_one_is_refused(write, opened):
    write("steam", {"steam_reviews.json": STEAM_REVIEWS})
    with pytest.raises(SplitError, match="needs a split that was published with the log"):
        split(prepare(opened("steam")), SplitSpec(by="published"))


def test_lists_of_lightgcn_with_words_or_without_test_are_refused(write, opened):
    folder = write("lightgcn-gowalla", {"train.txt": TRAIN + "11 a b\n", "test.txt": TEST})
    with pytest.raises(DataError, match=r"train.txt:12: column 'item' has 'a' where other ids are"):
        opened("lightgcn-gowalla")
    (folder / "test.txt").unlink()
    with pytest.raises(DataError, match=r"test.txt: no such file"):
        opened("lightgcn-gowalla")


def test_sequences_of_sasrec_are_split_by_their_order_as_in_the_paper(write, opened):
    write("sasrec-games", {"Video.txt": "1 9\n1 3\n1 7\n1 1\n2 3\n2 1\n2 9\n"})
    log = opened("sasrec-games")
    assert log.clock.unit == "order"
    done = split(prepare(log), SplitSpec(by="leave_last_out"))
    assert done.prepared.item_ids[done.test.items].tolist() == [1, 9]
    assert done.prepared.item_ids[done.valid.items].tolist() == [7, 1]


# All of them

NEW = [name for name, known in KNOWN.items() if not name.startswith(("movielens", "lastfm"))]


def test_every_data_set_that_was_asked_for_is_known():
    wanted = {
        "amazon-2023-beauty", "amazon-2023-beauty-raw", "yelp", "gowalla", "steam", "mind-small", "kuairec",
        "book-crossing", "retailrocket", "lfm-2b", "netflix", "lightgcn-gowalla", "lightgcn-yelp2018",
        "lightgcn-amazon-book", "sasrec-beauty", "sasrec-games", "sasrec-steam",
    }  # fmt: skip
    assert wanted <= set(KNOWN)


@pytest.mark.parametrize("name", NEW)
def test_every_data_set_has_terms_a_shape_and_either_an_address_or_how_to_get_it(name):
    known = KNOWN[name]
    assert known.licence
    assert 0 < known.items <= known.rows
    assert bool(known.url) != bool(known.by_hand)
    assert (known.main_md5, known.archive_md5) == (None, None)  # none could be read on its publisher's page


@pytest.mark.parametrize("name", [name for name in NEW if KNOWN[name].by_hand])
def test_data_set_that_nobody_may_fetch_says_where_to_get_it_and_what_goes_where(name, tmp_path):
    known = KNOWN[name]
    with pytest.raises(SourceError) as caught:
        open_log(LogSpec(name=name), DataFolders(cache=tmp_path))
    message = str(caught.value)
    assert f"Make a folder {known.folder} under $BENCH_DATA" in message
    assert known.main.split("/")[0] in message
    assert known.licence in message


def test_plan_expects_neither_values_nor_features_of_a_log_that_has_none(tmp_path):
    folders = DataFolders(cache=tmp_path)
    bare = expected_log(LogSpec(name="lightgcn-gowalla"), folders)
    rated = expected_log(LogSpec(name="yelp"), folders)
    assert (bare.rated, bare.described) == (False, ())
    assert (rated.rated, rated.described) == (True, ("items",))


def test_entry_of_the_suite_wins_over_what_the_layout_says(write, opened):
    write("kuairec", {"data/big_matrix.csv": MATRIX})
    folders = opened("kuairec", positive="> 1")
    assert folders.defaults.positive == "> 2"
    mine = PrepareSpec().for_log(LogSpec(name="kuairec", positive="> 1"))
    assert prepare(folders, mine).interactions.positive.tolist() == [True, True, True]
