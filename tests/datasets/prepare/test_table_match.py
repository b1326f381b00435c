"""How well tables of users and items fit: ids that almost match, columns that are not what they are named."""

from __future__ import annotations

import pytest

from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.read import read_table
from benchmark.errors import DataError

USERS = 8


@pytest.fixture
def tables(tmp_path):
    """Return what a table's findings are, given the log's item ids and the lines of the table."""

    def matched(item_ids, lines, **keys):
        rows = [f"{user},{item}" for user in range(USERS) for item in item_ids]
        (tmp_path / "log.csv").write_text("\n".join(["user,item", *rows]) + "\n")
        (tmp_path / "items.csv").write_text("\n".join(lines) + "\n")
        spec = LogSpec.model_validate({"name": "shop", "path": "log.csv", **keys})
        (table,) = prepare(open_log(spec, DataFolders(suite=tmp_path))).tables
        return table

    return matched


TITLES = {"titles": {"path": "items.csv"}}


def test_a_table_that_knows_all_ids_says_so_and_nothing_else(tables):
    table = tables(["a", "b"], ["item,title", "a,One", "b,Two"], **TITLES)
    assert (table.audit.known, table.audit.of, table.findings) == (2, 2, ())
    assert table.audit.text == "knows 2 of 2 items"


@pytest.mark.parametrize(
    ("log_ids", "table_ids", "how"),
    [
        (
            ["0012", "0034", "x5"],
            ["12", "34", "x5"],
            "2 more would match with leading zeros (0012 in the log",
        ),
        (
            ["12", "34", "x5"],
            ["0012", "0034", "x5"],
            "2 more would match without leading zeros (12 in the log",
        ),
        (["ab1", "cd2", "x5"], ["AB1", "CD2", "x5"], "2 more would match without regard to capital letters"),
        (["p12", "p34", "x5"], ["12", "34", "x5"], "2 more would match with the letters before the number"),
        (["1-2x", "3-4x", "x5"], ["12x", "34x", "x5"], "2 more would match with hyphens and other signs"),
        (["12a", "34a", "x5"], ["12a ", "34a ", "x5"], "2 more would match without blanks around them"),
        (["caf\u00e9", "x5"], ["cafe\u0301", "x5"], "1 more would match"),
    ],
)
def test_ids_that_another_writing_would_match_get_a_hint_with_an_example(tables, log_ids, table_ids, how):
    lines = ["item,title", *(f'"{one}",T{number}' for number, one in enumerate(table_ids))]
    (finding,) = tables(log_ids, lines, ids="text", **TITLES).findings
    assert finding.is_warning
    assert finding.found.startswith(f"titles knows 1 of {len(log_ids)} items; {how}")


def test_another_column_that_knows_more_ids_is_named_with_its_key(tables):
    ids = [str(number) for number in range(1, 21)]
    lines = ["id,book_id,title", *(f"{one},{int(one) * 7},T{one}" for one in ids)]
    keys = {"titles": {"path": "items.csv", "item": "book_id", "title": "title"}}
    (finding,) = tables(ids, lines, **keys).findings
    assert finding.found == "titles knows 2 of 20 items; its column 'id' knows 20"
    assert "titles: {item: id}" in finding.cure
    keys = {"items": {"path": "items.csv", "id": "book_id", "title": "title"}}
    (finding,) = tables(ids, lines, **keys).findings
    assert "items: {id: id}" in finding.cure


def test_a_table_that_knows_no_id_is_refused_with_the_same_hint(tables):
    with pytest.raises(DataError, match=r"no item of the log is in the table of titles.*2 more would match"):
        tables(["0012", "0034"], ["item,title", "12,One", "34,Two"], **TITLES)


def test_a_table_that_fits_for_no_visible_reason_is_still_a_warning(tables):
    (finding,) = tables(["a", "b", "c"], ["item,title", "a,One", "x,Two"], **TITLES).findings
    assert finding.found == "titles knows 1 of 3 items (not b, for example)"


@pytest.mark.parametrize(
    ("role", "entries", "said"),
    [
        ("text", ["red", "blue", "red"], "the text column 'c' has one word a row, such as 'red'"),
        ("list", ["7", "8", "9"], "the list column 'c' is given as numbers, such as 7"),
        (
            "list",
            ["a,b", "b,c", "a"],
            "no row of the list column 'c' has its separator, and 67% have ',', such as 'a,b'",
        ),
        ("list", ["a", "b", "a"], "the list column 'c' has one value a row, such as 'a'"),
        ("category", ["p", "q", "r"], "the category 'c' has another value in every row, such as 'p'"),
        ("number", ["4", "4", "4"], "the number 'c' is 4 in every row that has it"),
        ("category", ["p", "", ""], "column 'c' is empty in 2 of 3 rows"),
        ("text", ["a red one", "a blue one", "plain"], None),
        ("list", ["a|b", "c", "7"], None),
        ("category", ["p", "q", "p"], None),
        ("number", ["1", "2", "3"], None),
    ],
)
def test_a_column_that_does_not_fit_its_role_is_said(tables, role, entries, said):
    key = {"text": "texts", "list": "lists", "category": "categories", "number": "numbers"}[role]
    lines = ["id,c", *(f'{number},"{entry}"' for number, entry in enumerate(entries))]
    table = tables([str(number) for number in range(3)], lines, items={"path": "items.csv", key: ["c"]})
    assert [one.found for one in table.findings] == ([f"shop: items: {said}"] if said else [])


def test_lines_that_repeat_an_id_or_lack_one_are_said(tmp_path):
    (tmp_path / "items.csv").write_text("item,title\na,One\na,Two\n,Three\nb,Four\n")
    spec = LogSpec.model_validate({"name": "shop", **TITLES}).item_table
    told = []
    table = read_table(tmp_path / "items.csv", spec, "item", say=told.append)
    assert table["title"].tolist() == ["One", "Four"]
    assert [text.split(": ", 1)[1] for text in told] == [
        "1 lines without an id are left out",
        "1 of 3 lines repeat the id of an earlier one, such as a; the first counts",
    ]


@pytest.mark.parametrize("key", ["titles", "items", "users"])
def test_a_missing_table_is_refused_by_its_key_before_the_log_is_read(tmp_path, key):
    (tmp_path / "log.csv").write_text("not,a\nlog,at all\n")
    table = {"path": "gone.csv"} if key == "titles" else {"path": "gone.csv", "texts": ["about"]}
    spec = LogSpec.model_validate({"name": "shop", "path": "log.csv", key: table})
    with pytest.raises(DataError, match=rf"shop: {key}: .*gone.csv: no such file"):
        open_log(spec, DataFolders(suite=tmp_path))


def test_a_folder_in_place_of_a_table_is_refused_without_a_traceback(tmp_path):
    (tmp_path / "log.csv").write_text("user,item\n1,2\n2,3\n")
    (tmp_path / "items").mkdir()
    spec = LogSpec.model_validate({"name": "shop", "path": "log.csv", "titles": {"path": "items"}})
    with pytest.raises(DataError, match="items"):
        open_log(spec, DataFolders(suite=tmp_path))
