"""The HTML page: complete, escaped, and without a way to the network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import boards
import pytest

from benchmark.leaderboard import Board
from benchmark.records import Note, warning
from benchmark.reporting.html import html


class Seen(HTMLParser):
    """Collects the tags, their attributes and the text of a page; the data of its charts apart."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.charts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        last, attributes = self.tags[-1] if self.tags else ("", {})
        if last == "script" and attributes.get("type") == "application/json" and data.startswith("{"):
            self.charts.append(data)
        else:
            self.text += data


def seen(board: Board) -> Seen:
    parser = Seen()
    parser.feed(html(board))
    return parser


@pytest.fixture(scope="module")
def hostile() -> Seen:
    return seen(boards.hostile())


@pytest.mark.parametrize("name", boards.HOSTILE)
def test_html_hostile_name_is_shown_as_text(hostile: Seen, name: str) -> None:
    assert name in hostile.text


def test_html_hostile_names_add_no_element(hostile: Seen) -> None:
    tags = [tag for tag, _ in hostile.tags]
    scripts = [attributes.get("type") for tag, attributes in hostile.tags if tag == "script"]

    assert scripts.count(None) == 1  # ours; the others are data that nothing runs
    assert set(scripts) == {None, "application/json"}
    assert not {"img", "iframe", "object", "i", "u", "b"} & set(tags)


def test_html_hostile_names_add_no_event_handler(hostile: Seen) -> None:
    assert not [name for _, attributes in hostile.tags for name in attributes if name.startswith("on")]


def test_html_loads_nothing(hostile: Seen) -> None:
    links = [
        value
        for _, attributes in hostile.tags
        for name, value in attributes.items()
        if name in {"src", "href"}
    ]

    assert all(link is not None and link.startswith(("#", "data:")) for link in links)
    assert "url(http" not in hostile.text
    assert "@import" not in hostile.text


def test_html_policy_allows_this_script_alone_and_no_network() -> None:
    page = html(boards.board(boards.table(boards.row("a/b", 0.3, 1))))
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)
    assert script is not None
    assert policy is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()

    assert "default-src &#39;none&#39;" in policy[1]
    assert f"script-src &#39;sha256-{digest}&#39;" in policy[1]
    assert "connect-src" not in policy[1]


def test_html_every_figure_has_its_numbers_in_words() -> None:
    page = seen(boards.board(boards.table(boards.row("native/ease", 0.3, 1), boards.row("a/b", 0.2, 2))))
    drawings = [
        attributes for tag, attributes in page.tags if tag == "svg" and attributes.get("role") == "img"
    ]
    marks = [attributes for tag, attributes in page.tags if tag == "svg" and "aria-hidden" in attributes]

    assert (len(drawings), len(marks)) == (4, 2)
    assert "native/ease 0.3000 [0.2800, 0.3200]" in (drawings[0]["aria-label"] or "")


def test_html_figures_take_their_ink_from_the_theme() -> None:
    page = html(boards.board(boards.table(boards.row("a/b", 0.3, 1))))
    start = page.index('<div class="picture"><svg')
    drawing = page[start : page.index("</svg>", start)]

    assert "currentColor" in drawing
    assert "var(--c0)" in drawing
    assert "#111111" not in drawing


def test_html_warnings_stand_apart_from_notes() -> None:
    table = boards.table(boards.row("a/b", 0.3, 1), notes=(warning("mind this."), Note("A plain note.")))
    page = html(boards.board(table))

    assert '<p class="warn"><bdi>WARNING: mind this.</bdi></p>' in page
    assert "<li><bdi>A plain note.</bdi></li>" in page


def test_html_without_results_still_says_why() -> None:
    table = boards.table(
        boards.row("a/b", None), notes=(Note("a/b: failed: its process crashed"),), searches=()
    )
    page = seen(boards.board(table))

    assert "its process crashed" in page.text
    assert not [tag for tag, _ in page.tags if tag == "svg"]


def test_html_over_two_data_sets_says_why_there_is_no_diagram() -> None:
    rows = [boards.row("a/b", 0.3, 1), boards.row("c/d", 0.2, 2)]
    page = seen(boards.board(boards.table(*rows), boards.table(*rows, dataset="other")))

    assert "No critical-difference diagram" in page.text


def test_html_tells_how_to_run_the_suite_again() -> None:
    page = seen(boards.board(boards.table(boards.row("a/b", 0.3, 1))))

    assert f"bench run {Path('results/shop/1/suite.yaml').absolute()} --fresh" in page.text
    assert "abcdef0123456789" in page.text


def test_html_importance_is_left_out_below_twenty_trials() -> None:
    few = boards.table(boards.row("a/b", 0.3, 1))
    trials = tuple(boards.trial(n, n / 100, config={"dim": 8 + n}) for n in range(20))
    many = boards.table(boards.row("a/b", 0.3, 1), searches=(boards.search("a/b", trials=trials),))

    assert "Importance of hyperparameters" not in html(boards.board(few))
    assert "Importance of hyperparameters" in html(boards.board(many))


VENDORED = {
    "vega.min.js": "8f6a3587cf8d4f42c7e08120e3eb05d067e746d554e39d2dcf52acc0bd5ba28f",
    "vega-lite.min.js": "35a9821df838825b05a6a73e9414b58747a1b18321583858ed903c66393a5c7e",
    "vega-interpreter.js": "c0bdb735a63f9276f136e8d90d7fdf5d8e9df8031eb069048fc9975c876fd7f9",
}


@pytest.mark.parametrize("name", VENDORED)
def test_script_of_others_is_what_its_registry_has(name: str) -> None:
    """The files of vega 6.4.0, vega-lite 6.4.3 and vega-interpreter 2.3.2, as npm serves them."""
    content = (files("benchmark.reporting") / "page" / "vendor" / name).read_bytes()

    assert hashlib.sha256(content).hexdigest() == VENDORED[name]
    assert b"</script" not in content.lower()


def test_html_has_a_chart_for_each_figure_with_hostile_names_as_data(hostile: Seen) -> None:
    charts = [json.loads(chart) for chart in hostile.charts]
    named = {row["model"] for chart in charts for row in chart["data"]["values"]}

    assert len(charts) == 5  # cost has one for latency and one for memory
    assert {name for name in boards.HOSTILE if any(name in model for model in named)}
    assert not [letter for chart in hostile.charts for letter in "<>&" if letter in chart]


def test_html_says_the_answer_before_the_board() -> None:
    rows = [boards.row("native/ease", 0.3, 1), boards.row("baselines/popularity", 0.1, 2)]
    page = html(boards.board(boards.table(*rows)))

    assert page.index('<div class="answer">') < page.index('class="board"')


def test_html_shows_the_columns_that_decide_and_hides_the_others_behind_a_choice() -> None:
    page = seen(boards.board(boards.table(boards.row("a/b", 0.3, 1), boards.row("c/d", 0.2, 2))))
    heads = [attributes for tag, attributes in page.tags if tag == "th" and attributes.get("scope") == "col"]
    boxes = [attributes["id"] for tag, attributes in page.tags if attributes.get("type") == "checkbox"]
    hidden = [head["class"].split() for head in heads if "more" in (head.get("class") or "")]

    assert [f"data-0-{name}" for classes in hidden for name in classes if name[1:].isdigit()] == boxes
    assert boxes


def test_html_of_a_run_that_runs_says_so() -> None:
    made = boards.board(boards.table(boards.row("a/b", 0.3, 1)))
    origin = made.origins[0]
    unfinished = replace(origin, manifest=replace(origin.manifest, state="running"))

    running = replace(made, origins=(replace(unfinished, is_running=True),))
    assert "running since" in html(running)
    assert "stopped before its end" in html(replace(made, origins=(unfinished,)))
    assert not [said for said in ("running since", "stopped before") if said in html(made)]
