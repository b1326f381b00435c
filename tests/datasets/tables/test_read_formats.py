"""One log in every form in which it is handed over: each reads as the plain file does, or names its cure."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.sources.source_files import source_paths
from benchmark.datasets.specs import FilesSpec, LogSpec, TableSpec, TitlesSpec
from benchmark.datasets.tables.read import read_log, read_table
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.errors import DataError

ROWS = [
    (f"u{user}", f"i{(7 * user + 5 * k) % 60}", 1 + k % 5, 1_700_000_000 + 60 * k)
    for user in range(8)
    for k in range(6)
]
HEADER = ("user", "item", "stars", "at")
SPEC = LogSpec(name="mine", value="stars", time="at")
BODY = "\n".join(",".join(map(str, row)) for row in [HEADER, *ROWS]) + "\n"


def table():
    return pd.DataFrame(ROWS, columns=list(HEADER))


def body(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def same(frame):
    assert frame["user"].tolist() == [row[0] for row in ROWS]
    assert frame["item"].tolist() == [row[1] for row in ROWS]
    assert frame["value"].tolist() == [row[2] for row in ROWS]
    assert frame["time"].tolist() == [row[3] for row in ROWS]


def opened(path, **keys):
    """Return the log and what was said of it."""
    said: list[str] = []
    log = open_log(LogSpec.model_validate({"name": "mine", "path": str(path), **keys}), say=said.append)
    assert log.notes == tuple(said)
    return log.frame, said


def refused(path, **keys):
    with pytest.raises(DataError) as caught:
        opened(path, **keys)
    return str(caught.value)


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, BODY)
    return file.getvalue()


def aligned():
    return "".join("".join(f"{cell!s:<12}" for cell in row).rstrip() + "\n" for row in [HEADER, *ROWS])


TYPED = "user:token\titem:token\tstars:float\tat:float\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("body.csv.bz2", bz2.compress(BODY.encode())),
        ("two-streams.bz2", bz2.compress(BODY[:99].encode()) + bz2.compress(BODY[99:].encode())),
        ("body.csv.zst", pa.compress(BODY.encode(), codec="zstd", asbytes=True)),
        ("body.csv.xz", lzma.compress(BODY.encode())),
        ("gzip-without-suffix.csv", gzip.compress(BODY.encode())),
        ("body.zip", zipped("body.csv")),
        ("of-a-mac.zip", zipped("body.csv", "__MACOSX/._body.csv")),
        ("gzip-in-zip.gz", gzip.compress(BODY.encode())),
        ("utf16.csv", BODY.encode("utf-16")),
        ("utf16-of-a-mac.csv", b"\xfe\xff" + BODY.encode("utf-16-be")),
        ("utf32.csv", BODY.encode("utf-32")),
        ("marked.csv", BODY.encode("utf-8-sig")),
        ("old-mac.csv", BODY.replace("\n", "\r")),
        ("aligned.txt", aligned()),
        ("spaced.csv", BODY.replace("\n", "\n\n") + "   \n"),
        ("typed.inter", TYPED + BODY.replace(",", "\t").partition("\n")[2]),
        ("dos.csv", BODY.replace("\n", "\r\n") + "\x1a"),
        ("all-quoted.csv", table().to_csv(index=False, quoting=1)),
    ],
)
def test_text_in_any_usual_form_reads_as_the_plain_file(tmp_path, name, content):
    same(read_log(body(tmp_path / name, content), SPEC))


def write_parts(folder, kind):
    folder.mkdir()
    for part in range(12):
        rows = table().iloc[4 * part : 4 * part + 4]
        name = folder / f"part-{part}.{kind}"
        rows.to_csv(name, index=False) if kind == "csv" else rows.to_parquet(name)
    (folder / "_SUCCESS").touch()
    (folder / f".part-0.{kind}.crc").write_bytes(b"crc")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_folder_of_parts_is_one_table_in_the_order_of_their_numbers(tmp_path, kind):
    write_parts(tmp_path / "log", kind)
    frame, _ = opened(tmp_path / "log", value="stars", time="at")
    same(frame)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("log.feather", lambda path: table().to_feather(path)),
        ("log.orc", lambda path: orc.write_table(pa.Table.from_pandas(table()), path)),
        ("named-wrongly.csv", lambda path: table().to_parquet(path)),
        ("log.jsonl", lambda path: table().to_json(path, orient="records", lines=True)),
        ("log.jsonl.gz", lambda path: table().to_json(path, orient="records", lines=True)),
    ],
)
def test_tables_of_other_kinds_read_as_the_plain_file(tmp_path, name, write):
    write(tmp_path / name)
    same(read_log(tmp_path / name, SPEC))


# --- quotes

STRAY = 'user,item,title\n1,1,"a stray quote\n2,2,b\n3,3,"another\n4,4,d\n'


def test_a_quoted_field_that_runs_over_lines_is_refused_with_its_first_line_and_every_cure(tmp_path):
    path = body(tmp_path / "log.csv", 'user,item,title\n1,1,a\n2,2,"two\nlines"\n')
    message = refused(path)
    assert f"{path}:3: a quoted field runs over lines: '2,2,\"two'" in message
    assert "multiline: true reads on to the closing quote (2 rows)" in message
    assert "quoted: false" not in message  # a line would have one column
    frame, said = opened(path, multiline=True)
    assert frame["user"].tolist() == [1, 2]
    assert said == [f"{path}: 3 lines make 2 rows; fields in quotes run over lines"]


def test_stray_quotes_swallow_no_row(tmp_path):
    path = body(tmp_path / "log.csv", STRAY)
    message = refused(path)
    assert f"{path}:2: a quoted field runs over lines" in message
    assert "quoted: false takes quotes as characters (4 rows)" in message
    assert opened(path, quoted=False)[0]["user"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("multiline", [False, True])
@pytest.mark.parametrize("last", ['2,2,"open\n', '2,2,"open'])
def test_a_quote_that_the_last_line_leaves_open_is_refused(tmp_path, last, multiline):
    path = body(tmp_path / "log.csv", f"user,item,title\n1,1,a\n{last}")
    assert f"{path}:3: a quoted field" in refused(path, multiline=multiline)


def test_an_id_that_goes_on_after_its_quote_is_refused(tmp_path):
    path = body(tmp_path / "log.csv", 'user,item\n"a "b" c",1\n')
    assert f'{path}:2: column \'user\' has "a "b" c", which goes on after its closing quote' in refused(path)


def test_quotes_within_a_field_without_quotes_are_characters(tmp_path):
    path = body(tmp_path / "log.csv", 'user,item\nu1,5" disk\nu2,say "hi" now\n')
    assert opened(path)[0]["item"].tolist() == ['5" disk', 'say "hi" now']


def test_quotes_after_a_backslash_are_read_as_spark_writes_them(tmp_path):
    path = body(tmp_path / "log.csv", 'user,item\n"a \\"b\\" c",1\n"x, \\"y",2\n')
    frame, said = opened(path)
    assert frame["user"].tolist() == ['a "b" c', 'x, "y']
    assert said == [f'{path}: \\" read as a quote within a field in quotes']


def test_blanks_between_separator_and_quote_belong_to_no_id(tmp_path):
    frame, said = opened(body(tmp_path / "log.csv", 'user, item\n"a", "b"\n"c", "d, e"\n'))
    assert frame["item"].tolist() == ["b", "d, e"]
    assert len(said) == 1


def test_a_line_that_was_cut_off_is_refused(tmp_path):
    path = body(tmp_path / "log.csv", "user,item,stars\n1,1,5\n2,12")
    assert "Expected 3 fields in line 3, saw 2: '2,12'; a line may be cut off" in refused(path)


# --- encodings


def test_other_encodings_are_proposed_with_what_a_word_would_read(tmp_path):
    path = body(tmp_path / "log.csv", b"user,item\n" + b"x,1\n" * 3 + "José,1\n".encode("latin-1"))
    message = refused(path)
    assert f"{path}:5: byte 0xe9 is not text in UTF-8" in message
    assert "encoding: latin-1 reads 'José'" in message
    assert opened(path, encoding="latin-1")[0]["user"].iloc[3] == "José"


@pytest.mark.parametrize(
    ("encoding", "word"),
    [("cp1252", "“Ann”"), ("cp1251", "Иван"), ("gb18030", "用户一"), ("shift_jis", "ユーザ")],
)
def test_the_encoding_of_a_word_is_among_those_proposed(tmp_path, encoding, word):
    path = body(tmp_path / "log.csv", f"user,item\n{word},1\n".encode(encoding))
    assert f"encoding: {encoding} reads {word!r}" in refused(path)
    assert opened(path, encoding=encoding)[0]["user"].tolist() == [word]


def test_utf16_without_a_mark_is_proposed(tmp_path):
    path = body(tmp_path / "log.csv", "user,item\nu1,i1\n".encode("utf-16-le"))
    assert "with encoding: utf-16-le it begins 'user,item'" in refused(path)
    assert opened(path, encoding="utf-16-le")[0]["user"].tolist() == ["u1"]


def test_a_mark_that_contradicts_the_suite_is_refused(tmp_path):
    path = body(tmp_path / "log.csv", "user,item\nu1,i1\n".encode("utf-16"))
    assert "byte order mark of UTF-16, and the suite says encoding: latin-1" in refused(
        path, encoding="latin-1"
    )


def test_utf8_that_the_suite_reads_otherwise_is_said(tmp_path):
    _, said = opened(body(tmp_path / "log.csv", "user,item\nJosé,1\n"), encoding="latin-1")
    assert "reads 'JosÃ©', but the file is UTF-8 throughout, which reads 'José'" in said[0]


# --- first lines, comments, lists


def test_comments_are_left_out_and_the_key_is_proposed(tmp_path):
    path = body(tmp_path / "log.csv", "# made today\nuser,item\n1,1\n# more\n2,5\n")
    assert "say comment: '#'" in refused(path)
    assert opened(path, comment="#")[0]["user"].tolist() == [1, 2]
    body(path, "# made today\nuser,item\n1,1\n# more\nx,\n2,2,2\n")
    assert "in line 6, saw 3" in refused(path, comment="#")


def test_a_file_without_header_is_read_by_the_numbers_of_its_columns(tmp_path):
    path = body(tmp_path / "u.data", BODY.partition("\n")[2].replace(",", "\t"))
    message = refused(path)
    assert "columns: [user, item, ...] with a name for each of the 4 columns" in message
    assert "user: 1, item: 2" in message
    frame, said = opened(path, user="1", item="2", value="3", time="4")
    same(frame)
    assert "no header line; 1, 2, 3, 4 are numbers of columns, from 1" in said[0]


def test_numbers_that_may_be_names_or_places_of_columns_are_refused(tmp_path):
    path = body(tmp_path / "log.csv", "2,1\n5,6\n")
    assert "may be a header or a row; say columns: []" in refused(path, user="1", item="2")
    assert opened(path, user="1", item="2", columns=[])[0].to_numpy().tolist() == [[2, 1], [5, 6]]
    frame, said = opened(body(path, "0,1,2\n7,8,9\n"), user="1", item="2")
    assert frame.to_numpy().tolist() == [[8, 9]]
    assert "its header line has the columns 1, 2; if it is a row, say columns: []" in said[0]


def test_a_header_line_is_not_taken_for_a_row(tmp_path):
    path = body(tmp_path / "log.csv", "userId,movieId\nann,x\n")
    for keys in ({"user": "1", "item": "2"}, {"columns": ["user", "item"]}):
        assert f"{path}:1: 'userId,movieId' looks like a header line" in refused(path, **keys)


def test_rows_that_begin_like_comments_are_said(tmp_path):
    _, said = opened(body(tmp_path / "log.csv", "user,item\nann,1\n#bob,2\n"))
    assert len(said) == 1
    assert "log.csv: 1 lines begin with '#' and are read as rows; say comment: '#'" in said[0]


def test_a_header_over_two_lines_needs_its_key(tmp_path):
    path = body(tmp_path / "log.csv", '"user\nid",item\n1,2\n')
    assert f"{path}:1: a quoted field runs over lines" in refused(path, user="user\nid")
    assert opened(path, user="user\nid", multiline=True)[0]["user"].tolist() == [1]


def test_typed_headers_name_the_columns_without_any_key(tmp_path):
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    frame, said = opened(body(tmp_path / "ml.inter", header + BODY.replace(",", "\t").partition("\n")[2]))
    same(frame)
    assert "user: user_id, item: item_id, value: rating, time: timestamp" in said[0]


def test_typed_headers_of_tables_name_the_id_and_separate_lists_by_blanks(tmp_path):
    path = body(tmp_path / "ml.item", "item_id:token\tgenre:token_seq\n1\tDrama Comedy\n")
    read = read_table(path, TableSpec(path="ml.item", lists=("genre",)), "item")
    assert read.to_dict("records") == [{"item": 1, "genre": "Drama|Comedy"}]


LISTS = "0 5 3 9\n1 3\n2\n3 9 5 \n"


def test_lists_are_a_user_and_all_of_its_items_a_line_in_order(tmp_path):
    path = body(tmp_path / "train.txt", LISTS)
    assert "layout: lists" in refused(path)
    frame, said = opened(path, layout="lists")
    assert frame.to_numpy().tolist() == [[0, 5], [0, 3], [0, 9], [1, 3], [3, 9], [3, 5]]
    assert said == [f"{path}: 1 users without an item, left out"]
    timed, _ = opened(path, layout="lists", time_unit="order")
    assert timed["time"].tolist() == [1, 2, 3, 1, 1, 2]


def test_a_fault_in_lists_is_named_by_its_line(tmp_path):
    path = body(tmp_path / "train.txt", "0 5\n1 3 4 unknown\n")
    assert f"{path}:2: column 'item' has 'unknown'" in refused(path, layout="lists")


def test_split_files_and_tables_are_read_with_the_keys_of_the_entry(tmp_path):
    for name, rows in (("a", "José;1;4,5\nAnn;2;1,0"), ("b", "José;2;2,5"), ("c", "Ann;1;3,5")):
        body(tmp_path / f"{name}.csv", f"# x\nuser;item;stars\n{rows}\n".encode("latin-1"))
    body(tmp_path / "items.csv", "# x\nid;title;price\n1;Café;2,5\n".encode("latin-1"))
    spec = LogSpec(
        name="mine",
        value="stars",
        encoding="latin-1",
        decimal=",",
        comment="#",
        items=TableSpec(path="items.csv", title="title", numbers=("price",)),
    )
    files = FilesSpec(train="a.csv", valid="b.csv", test="c.csv")
    log = open_log(spec, DataFolders(suite=tmp_path), parts=files)
    assert log.frame["user"].tolist() == ["José", "Ann", "José", "Ann"]
    assert log.frame["value"].tolist() == [4.5, 1.0, 2.5, 3.5]
    assert log.items.to_dict("records") == [{"item": 1, "title": "Café", "price": 2.5}]


# --- rows

EVENTS = (
    "user,item,event,price,at\n1,1,view,3,2024-01-01\n2,2,buy,5,2024-02-01\n"
    "3,3,,7,2024-03-01\nx,4, view ,,2024-03-02\n"
)


@pytest.mark.parametrize(
    ("rows", "items"),
    [
        ('event == "buy"', [2]),
        ('event != "view"', [2, 3]),
        ('event == ""', [3]),
        ('event == "buy" or event == "" and price > 6', [2, 3]),
        ('not event in ["view", "buy"]', [3]),
        ("price > 4 and price <= 7", [2, 3]),
        ("price != 5", [1, 3, 4]),
        ('price == "5"', [2]),
        ('at >= "2024-02-01" and event == "view"', [4]),
        ('user == "x" or item == 1', [1, 4]),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_rows_are_chosen_by_any_column(tmp_path, rows, items, kind):
    path = body(tmp_path / "log.csv", EVENTS)
    if kind != "csv":
        table = pd.read_csv(path, dtype={"user": str, "price": float})
        path = tmp_path / f"log.{kind}"
        table.to_parquet(path) if kind == "parquet" else table.to_json(path, orient="records", lines=True)
    if kind != "csv" and '"5"' in rows:
        assert "compares column 'price' with \"5\", but it contains numbers" in refused(
            path, rows=rows, ids="text"
        )
        return
    frame, said = opened(path, rows=rows, ids="text")
    assert frame["item"].tolist() == [str(item) for item in items]
    assert said[-1] == f"{path}: rows: {rows} keeps {len(items)} of 4 rows"


def test_ids_of_rows_left_out_decide_nothing_about_those_kept(tmp_path):
    path = body(tmp_path / "log.csv", EVENTS)
    assert "has 'x' where other ids are whole numbers" in refused(path)
    assert opened(path, rows='user != "x"')[0]["user"].tolist() == [1, 2, 3]


def test_faults_in_rows_that_were_kept_are_named_by_their_line(tmp_path):
    path = body(tmp_path / "log.csv", "user,item,event,stars\n1,1,view,5\n\n2,2,buy,good\n")
    assert f"{path}:4: column 'stars' contains words" in refused(path, rows='event == "buy"', value="stars")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ('event == "Buy"', "column 'event' has 'view', 'buy'"),
        ("event > 3", "compares column 'event' with 3, but it has 'view', which is not a number"),
        ('event > "a"', "text is ordered only if it is a date"),
        ('evnt == "buy"', "no column 'evnt'; did you mean 'event'?"),
        ("price == true", "compares column 'price' with true"),
    ],
)
def test_conditions_that_do_not_fit_the_file_are_refused(tmp_path, rows, words):
    assert words in refused(body(tmp_path / "log.csv", EVENTS), rows=rows)


def test_a_word_that_no_row_has_is_said(tmp_path):
    _, said = opened(body(tmp_path / "log.csv", EVENTS), rows='event in ["buy", "cart"]')
    assert "rows: 'cart' does not occur in column 'event', which has 'view', 'buy'" in said[0]


# --- parts


def hive(folder):
    days = pa.table({"user": [1, 2, 3], "item": [1, 2, 3], "day": ["2024-05-31", "2024-06-01", "2024-06-01"]})
    pq.write_to_dataset(days, folder, partition_cols=["day"])
    return folder


def test_columns_that_folders_name_are_read_as_columns(tmp_path):
    frame, _ = opened(hive(tmp_path / "log"), time="day")
    assert frame["time"].tolist() == [1_717_113_600, 1_717_200_000, 1_717_200_000]
    assert opened(tmp_path / "log", rows='day == "2024-06-01"')[0]["user"].tolist() == [2, 3]


def test_a_part_without_a_wanted_column_is_refused(tmp_path):
    folder = tmp_path / "log"
    write_parts(folder, "parquet")
    table().drop(columns="stars").to_parquet(folder / "part-5.parquet")
    assert "part-5.parquet: there is no column 'stars'" in refused(folder, value="stars")


def test_parts_of_two_tables_are_not_one(tmp_path):
    for name in ("train-00000-of-00001", "test-00000-of-00001"):
        table().to_parquet(tmp_path / f"{name}.parquet")
    assert "one table or two tables" in refused(tmp_path)


def test_parts_with_two_kinds_of_ids_are_refused(tmp_path):
    pd.DataFrame({"user": [1], "item": [1]}).to_parquet(tmp_path / "part-0.parquet")
    pd.DataFrame({"user": ["a"], "item": [1]}).to_parquet(tmp_path / "part-1.parquet")
    assert "column 'user' contains int64 in part-0.parquet and" in refused(tmp_path)


def test_a_fault_in_a_part_is_named_by_that_part(tmp_path):
    for part, user in enumerate(("1", "2", "x")):
        body(tmp_path / f"part-{part}.csv", f"user,item\n{user},1\n")
    assert f"{tmp_path}/part-2.csv:2: column 'user' has 'x'" in refused(tmp_path)


def test_a_part_more_changes_the_hash_and_is_a_file_of_the_log(tmp_path):
    write_parts(tmp_path / "log", "parquet")
    spec = LogSpec(name="mine", path=str(tmp_path / "log"))
    before, paths = open_log(spec).provenance.sha256, source_paths(spec, DataFolders())
    table().head(1).to_parquet(tmp_path / "log" / "part-12.parquet")
    assert open_log(spec).provenance.sha256 != before
    assert {*source_paths(spec, DataFolders())} - {*paths} == {"log/part-12.parquet"}
    assert len(paths) == 12


# --- columns of Parquet, JSON


def test_bytes_that_are_text_are_read_and_others_refused(tmp_path):
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({"user": pa.array([b"a", b"b"]), "item": [1, 2]}), path)
    assert opened(path)[0]["user"].tolist() == ["a", "b"]
    pq.write_table(pa.table({"user": pa.array([b"\xff\xfe", b"b"]), "item": [1, 2]}), path)
    assert "column 'user' contains bytes that are not text, such as fffe" in refused(path)


def test_decimals_are_whole_ids_and_values(tmp_path):
    path = tmp_path / "log.parquet"
    ids = pa.array([1, 2]).cast(pa.decimal128(20, 0))
    pq.write_table(
        pa.table({"user": ids, "item": [1, 2], "v": pa.array(["1.5", "2"]).cast(pa.decimal128(5, 2))}), path
    )
    frame, _ = opened(path, value="v")
    assert frame["user"].tolist() == [1, 2]
    assert frame["value"].tolist() == [1.5, 2]


def test_booleans_are_values_and_no_ids(tmp_path):
    path = tmp_path / "log.parquet"
    pd.DataFrame({"user": [1, 2], "item": [1, 2], "liked": [True, False]}).to_parquet(path)
    assert opened(path, value="liked")[0]["value"].tolist() == [1, 0]
    assert "column 'liked' contains bool" in refused(path, user="liked")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"user": "007", "item": 1}\n{"user": 8, "item": 2}\n',
            ":2: 'user' is 8, which is a number, and text in line 1",
        ),
        ('{"user": 1, "item": 1}\n{"user": 8,\n', ":2: not a JSON object"),
        ('[{"user": 1, "item": 1}]', "a JSON array; write one object a line"),
        ('{"user": 1, "item": 1}{"user": 2, "item": 2}\n', ":1: not a JSON object"),
        (
            '{"user": 9007199254740993, "item": 1}\n{"user": 5.5, "item": 2}\n',
            ":1: 'user' is 9007199254740993, which is not exact",
        ),
        ('{"user": [1], "item": 1}\n', "column 'user' contains list"),
        ('{"usr": 1, "item": 1}\n', "no column 'user'; did you mean 'usr'?"),
    ],
)
def test_json_that_is_not_one_object_a_line_is_refused(tmp_path, text, words):
    assert words in refused(body(tmp_path / "log.jsonl", text))


def test_text_in_json_stays_text_whatever_it_looks_like(tmp_path):
    path = body(tmp_path / "log.jsonl", '{"user": "2024-05-31", "item": "007"}\n{"user": "x", "item": "7"}\n')
    frame, _ = opened(path)
    assert frame.to_numpy().tolist() == [["2024-05-31", "007"], ["x", "7"]]


# --- what is no table of rows


def matrix(columns, rows=3, cell="3"):
    header = ",".join(["", *(f"item{column}" for column in range(columns))])
    return "\n".join([header, *(",".join([f"u{row}", *[cell] * columns]) for row in range(rows))])


@pytest.mark.parametrize(("columns", "cell"), [(20, "3"), (20, ""), (20_000, "1")])
def test_a_matrix_is_recognised_and_melting_proposed(tmp_path, columns, cell):
    path = body(tmp_path / "log.csv", matrix(columns, cell=cell))
    message = refused(path)
    assert f"{columns + 1:,} columns, all numbers but the first: this looks like a matrix" in message
    assert f"bench data melt {path}" in message


def test_a_matrix_in_parquet_is_recognised(tmp_path):
    pd.DataFrame(np.ones((3, 20))).rename(columns=str).to_parquet(tmp_path / "log.parquet")
    assert "this looks like a matrix" in refused(tmp_path / "log.parquet")


NOISE = b"user,item\n" + b"".join(b"%d,%d\n" % (k * k % 9973, k**3 % 9973) for k in range(5000))


def tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("log.csv"), io.BytesIO())
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped("a.csv", "b.csv"), "a zip with 2 files: a.csv, b.csv; it must have one"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"),
        (tar(), "a tar archive"),
        (b"SQLite format 3\x00" + bytes(100), "an SQLite database"),
        (b"<!DOCTYPE html><html>", "a web page and not the data"),
        (b"version https://git-lfs.github.com/spec/v1\noid x\n", "git lfs pull"),
        (b"\x80\x04\x95" + bytes(50), "a Python pickle"),
        (bz2.compress(NOISE)[:-500], "damaged or cut off"),
        (pa.compress(NOISE, codec="zstd", asbytes=True)[:-500], "damaged or cut off"),
        (lzma.compress(NOISE)[:-500], "damaged or cut off"),
        (zipped("a.csv")[:-60], "damaged or cut off"),
        (b"x" * (1 << 25), "a line of over 16,777,216 characters"),
        (b"user,item\n1,\x002\n", "byte 13 is zero"),
    ],
    ids=lambda given: given if isinstance(given, str) else "file",  # an archive holds the time of its making
)
def test_what_is_no_table_is_refused_by_what_it_is(tmp_path, content, words):
    assert words in refused(body(tmp_path / "log.csv", content))


@pytest.mark.parametrize("key", ["titles", "items", "users"])
def test_a_missing_table_is_a_message_with_its_key(tmp_path, key):
    body(tmp_path / "log.csv", "user,item\n1,1\n")
    body(tmp_path / "films.csv", "id,brand\n1,x\n")
    given = (
        TitlesSpec(path="film.csv") if key == "titles" else TableSpec(path="film.csv", categories=("brand",))
    )
    spec = LogSpec.model_validate({"name": "mine", "path": "log.csv", key: given})
    with pytest.raises(DataError, match=rf"mine: {key}: .*film\.csv: no such file; did you mean .films"):
        open_log(spec, DataFolders(suite=tmp_path))


@pytest.mark.parametrize("key", ["path", "titles"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path, key):
    os.mkfifo(tmp_path / "pipe")
    body(tmp_path / "log.csv", "user,item\n1,1\n")
    keys = {"path": "pipe"} if key == "path" else {"path": "log.csv", "titles": {"path": "pipe"}}
    with pytest.raises(DataError, match="neither a file nor a folder"):
        open_log(LogSpec.model_validate({"name": "mine", **keys}), DataFolders(suite=tmp_path))


def test_a_device_is_refused_and_not_read() -> None:
    with pytest.raises(DataError, match="neither a file nor a folder"):
        open_log(LogSpec(name="mine", path="/dev/zero"))


def test_a_path_that_is_too_long_or_leads_to_itself_is_refused(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for path in ("x" * 300, "nul\0x", str(tmp_path / "loop")):
        with pytest.raises(DataError, match=r"no such file|cannot be a file"):
            open_log(LogSpec(name="mine", path=path), DataFolders(suite=Path(tmp_path)))


def test_the_format_of_a_table_is_that_of_its_log() -> None:
    spec = LogSpec(name="mine", separator="tab", encoding="cp1252", decimal=",", quoted=False, comment="#")
    of_table = TextFormat.of(spec, TableSpec(path="x", separator="|", categories=("a",)))
    assert of_table == TextFormat(separator="|", encoding="cp1252", decimal=",", quoted=False, comment="#")


def test_a_file_without_a_header_that_two_separators_cut_alike_is_refused(tmp_path):
    path = body(tmp_path / "log.csv", "u1;x,i1;x,t1\nu2;x,i2;x,t2\n")
    message = refused(path, columns=("user", "item", "title"))
    assert f"{path}:1: 'u1;x,i1;x,t1' has 3 columns by each of the separators ';' and ','" in message
    assert "say which it is with separator" in message
    frame = read_log(
        path, LogSpec(name="x", path=str(path), columns=("user", "item", "title"), separator=",")
    )
    assert frame["user"].tolist() == ["u1;x", "u2;x"]


def test_a_later_line_tells_which_separator_cuts_a_file_without_a_header(tmp_path):
    path = body(tmp_path / "log.csv", "u1;x,i1;x,t1\nu2,i2,t2\n")
    frame = read_log(path, LogSpec(name="x", path=str(path), columns=("user", "item", "title")))
    assert frame["item"].tolist() == ["i1;x", "i2"]


def test_ids_that_all_begin_with_a_hash_are_no_comments(tmp_path):
    frame, said = opened(body(tmp_path / "log.csv", "user,item\n#1001,a\n#1002,b\n"))
    assert frame["user"].tolist() == ["#1001", "#1002"]
    assert said == []


def test_a_header_line_in_the_middle_is_no_user_and_no_item(tmp_path):
    path = body(tmp_path / "log.csv", "user,item\nu1,i1\nuser,item\nu2,i2\n")
    assert f"{path}:3: repeats the header line; remove it, or say rows: '`user` != \"user\"'" in refused(path)
    frame = read_log(path, LogSpec(name="x", path=str(path), rows='`user` != "user"'))
    assert frame["user"].tolist() == ["u1", "u2"]
    path = body(tmp_path / "other.csv", "user,item\nu1,i1\nitem,user\ni2,u2\n")
    assert f"{path}:3: repeats the header line with the columns in another order" in refused(path)


def test_marks_of_windows_read_as_latin_1_are_refused_with_the_encoding_that_has_them(tmp_path):
    path = body(tmp_path / "log.csv", "user,item\nJörg,“i1”\n".encode("cp1252"))
    assert "encoding: cp1252 reads 'Jörg'" in refused(path)
    message = refused(path, encoding="latin-1")
    assert f"{path}:2: " in message
    assert "encoding: cp1252 reads '“i1”'" in message
    frame = read_log(path, LogSpec(name="x", path=str(path), encoding="cp1252"))
    assert (frame["user"].tolist(), frame["item"].tolist()) == (["Jörg"], ["“i1”"])


def test_one_line_of_another_source_does_not_propose_to_read_all_others_wrongly(tmp_path):
    lines = ["user,item\n", *(f"Jörg{n},i{n}\n" for n in range(9))]
    path = body(tmp_path / "log.csv", "".join(lines).encode() + "Zoë,i1\n".encode("latin-1"))
    message = refused(path)
    assert f"{path}:11: byte 0xeb is not text in UTF-8, and 9 of 10 lines" in message
    assert "encoding:" not in message


def test_points_between_thousands_are_no_decimal_points(tmp_path):
    path = body(tmp_path / "log.csv", "user;item;plays\nu1;i1;2.321\nu2;i2;980\nu1;i3;1.500\n")
    message = refused(path, value="plays")
    assert f"{path}:2: column 'plays' has '2.321'" in message
    spec = LogSpec(name="x", path=str(path), value="plays", decimal=".")
    assert read_log(path, spec)["value"].tolist() == [2.321, 980.0, 1.5]


def test_times_that_a_spreadsheet_rounded_are_refused(tmp_path):
    path = body(tmp_path / "log.csv", "user,item,at\nu1,i1,1.70928E+09\nu2,i2,1.7093E+09\n")
    assert f"{path}:2: column 'at' has '1.70928E+09', a number that a spreadsheet has" in refused(
        path, time="at"
    )


def test_parts_without_a_suffix_are_one_table(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    for number in range(2):
        (folder / f"part-0000{number}").write_text(f"user,item\nu{number},i1\nu{number},i2\n")
    frame = open_log(LogSpec(name="x", path=str(folder))).frame
    assert frame["user"].tolist() == ["u0", "u0", "u1", "u1"]
