"""The audit of a log on a board, in Markdown and on the page."""

from __future__ import annotations

from dataclasses import replace

import boards
from written_run import split_manifest

from benchmark.datasets.manifest import StepCounts
from benchmark.leaderboard.log_table import log_table
from benchmark.leaderboard.notes import judged_note, log_notes
from benchmark.records import (
    Busiest,
    Finding,
    JudgedUsers,
    LogAudit,
    NotJudged,
    TableAudit,
    from_json,
    to_json,
)
from benchmark.reporting.html import html
from benchmark.reporting.markdown import markdown

LOG = LogAudit(
    rows=1000,
    users=50,
    items=40,
    missing={"value": 3},
    repeats=7,
    first="2024-01-01",
    last="2024-03-01",
    tied_share=0.25,
    lowest_value=1.0,
    highest_value=5.0,
    likes_share=0.5,
    busiest_user=Busiest(id="None", rows=100, share=0.1),
    busiest_item=Busiest(id="7", rows=50, share=0.05),
    density=0.5,
    gini_items=0.25,
    gini_users=0.125,
    tables=(TableAudit(table="titles", path="t.csv", known=20, of=40, lines=30),),
    judged=JudgedUsers(
        users=40,
        of=50,
        others=(NotJudged(users=10, why="have no row in test"),),
        tuned_on=45,
        cold=2,
        rows=100,
        likes=50,
        most_candidates=30,
        most_irrelevant=29,
        most_relevant=4,
    ),
    findings=(
        Finding(found="a remark", cure="do nothing", level="note"),
        Finding(found="user 'None' has 10%", cure="set <missing_values>"),
    ),
)
STEPS = (
    StepCounts(step="read", rows=1000, users=50, items=40),
    StepCounts(step="duplicate pairs", rows=993, users=50, items=40, note="last"),
    StepCounts(step="positives", rows=500, users=50, items=40),
    StepCounts(step="k-core", rows=900, users=45, items=40),
)
SPLIT = split_manifest(log_audit=LOG, prepare=STEPS, reading_notes=("trimmed blanks of 4 ids",))


def test_the_table_says_every_number_and_what_each_step_dropped() -> None:
    table = log_table(SPLIT)
    assert table is not None
    facts = dict(table.rows)
    assert facts["as read"] == "1,000 rows, 50 users, 40 items"
    assert facts["missing entries"] == "value 3"
    assert facts["times"] == "2024-01-01 to 2024-03-01"
    assert facts["busiest user"] == "None: 100 rows (10.00%)"
    assert facts["table of titles"] == "knows 20 of 40 items (t.csv)"
    assert facts["judged"] == (
        "40 of 50 users can be judged; 10 have no row in test; 2 of those judged have no training row"
    )
    assert facts["prepare: duplicate pairs"] == "rows 993, users 50, items 40, 7 dropped, last"
    assert facts["prepare: positives"] == "rows 500, users 50, items 40"
    assert facts["prepare: k-core"] == "rows 900, users 45, items 40, 93 dropped"


def test_warnings_come_first_and_what_was_made_of_the_files_last() -> None:
    table = log_table(SPLIT)
    assert table is not None
    assert [(note.text, note.is_warning) for note in table.notes] == [
        ("user 'None' has 10%; set <missing_values>", True),
        ("a remark; do nothing", False),
        ("trimmed blanks of 4 ids", False),
    ]


def test_the_board_says_whom_the_split_judges_and_warns_of_what_stands_out() -> None:
    (note,) = judged_note(SPLIT)
    assert note.text.startswith("By this split (random) 40 of 50 users can be judged;")
    (warned,) = log_notes(SPLIT)
    assert warned.is_warning
    assert warned.text == "Log: user 'None' has 10%; set <missing_values>."


def test_markdown_and_page_have_the_audit_escaped() -> None:
    facts = replace(boards.table().facts, split=SPLIT)
    made = boards.board(boards.table(boards.row("a/b", 0.5, 1), facts=facts))
    text, page = markdown(made), html(made)
    assert "## toy: the log" in text
    assert "| busiest user | None: 100 rows (10.00%) |" in text
    assert "- trimmed blanks of 4 ids" in text
    assert "<h3>The log</h3>" in page
    assert "set &lt;missing_values&gt;" in page


def test_manifests_of_before_have_no_audit_and_boards_of_them_no_table() -> None:
    content = to_json(split_manifest())
    del content["log_audit"]
    before = from_json(type(SPLIT), content)
    assert before.log_audit is None
    assert log_table(before) is None
    assert [*judged_note(before), *log_notes(before)] == []
    assert "The log" not in html(boards.board(boards.table(boards.row("a/b", 0.5, 1))))


def test_an_audit_comes_back_from_json_as_itself() -> None:
    assert from_json(LogAudit, to_json(LOG)) == LOG
