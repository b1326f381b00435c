"""The HTML page: complete, escaped, and without a way to the network."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import boards
import pytest

from benchmark.leaderboard import Board
from benchmark.records import Note, warning
from benchmark.reporting.html import html


class Seen(HTMLParser):
    """Collects the tags, their attributes and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
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

    assert tags.count("script") == 1
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
    drawings = [attributes for tag, attributes in page.tags if tag == "svg"]

    assert len(drawings) == 4
    assert all(drawing["role"] == "img" for drawing in drawings)
    assert "native/ease 0.3000 [0.2800, 0.3200]" in (drawings[0]["aria-label"] or "")


def test_html_figures_take_their_ink_from_the_theme() -> None:
    page = html(boards.board(boards.table(boards.row("a/b", 0.3, 1))))
    drawing = page[page.index("<svg") : page.index("</svg>")]

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

    assert "bench run results/shop/1/suite.yaml --fresh" in page.text
    assert "abcdef0123456789" in page.text


def test_html_importance_is_left_out_below_twenty_trials() -> None:
    few = boards.table(boards.row("a/b", 0.3, 1))
    trials = tuple(boards.trial(n, n / 100, config={"dim": 8 + n}) for n in range(20))
    many = boards.table(boards.row("a/b", 0.3, 1), searches=(boards.search("a/b", trials=trials),))

    assert "Importance of hyperparameters" not in html(boards.board(few))
    assert "Importance of hyperparameters" in html(boards.board(many))
