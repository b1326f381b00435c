"""The report in a real browser, from disk, with the network off."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boards
import pytest

from benchmark.reporting import html

pytestmark = [pytest.mark.slow, pytest.mark.alone]

MOST_BYTES = 6_000_000
MOST_SECONDS = 2.0
WIDTHS = {"desktop": 1280, "phone": 390}


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    programs = [shutil.which("chromium"), shutil.which("chromedriver")]
    if not all(programs) and not os.environ.get("CI"):
        pytest.skip("no chromium and chromedriver here: run .ci/setup")
    assert all(programs), "no chromium and chromedriver: .ci/setup installs them"
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(programs[0])
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(programs[1])))
    driver.set_network_conditions(offline=True, latency=0, throughput=0)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def real(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a short run on real MovieLens-100K."""
    run = tmp_path_factory.mktemp("movielens") / "run"
    words = ["run", "movielens", "--budget", "4s", "--seeds", "2", "--quiet", "--data", str(data_dir)]
    models = ["--models", "baselines/random,baselines/popularity,native/ease"]
    command = [sys.executable, "-m", "benchmark.cli", *words, *models, "--out", str(run)]
    subprocess.run(command, check=True, timeout=300, stdout=subprocess.DEVNULL)
    return run / "leaderboard.html"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("hostile") / "page.html"
    page.write_text(html(boards.hostile()), encoding="utf-8")
    return page


def opened(browser: object, page: Path, width: int = 1280) -> object:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(page.as_uri())
    return browser


def models(browser: object) -> list[str]:
    rows = browser.find_elements("css selector", ".board tbody tr")
    return [row.find_element("tag name", "th").text for row in rows if row.is_displayed()]


def press(browser: object, title: str) -> None:
    from selenium.webdriver.common.keys import Keys

    heads = browser.find_elements("css selector", ".board th button")
    next(head for head in heads if head.text == title).send_keys(Keys.ENTER)


@pytest.mark.parametrize("page", ["real", "hostile"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_page_opens_quickly_without_a_word_on_the_console(
    browser: object, page: str, width: int, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(page)
    browser.get_log("browser")
    start = time.monotonic()
    opened(browser, path, width)
    seconds = time.monotonic() - start

    assert browser.get_log("browser") == []
    assert seconds < MOST_SECONDS
    assert path.stat().st_size < MOST_BYTES
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("page", ["real", "hostile"])
def test_page_asks_for_nothing_but_itself(browser: object, page: str, request: pytest.FixtureRequest) -> None:
    opened(browser, request.getfixturevalue(page))
    asked = browser.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)")

    assert [name for name in asked if not name.startswith("data:")] == []


def test_policy_stops_a_script_from_reaching_out(browser: object, real: Path) -> None:
    opened(browser, real)
    script = """
        const done = arguments[0];
        document.addEventListener("securitypolicyviolation", (event) => done(event.violatedDirective));
        fetch("https://example.org/").catch(() => {});
    """

    assert browser.execute_async_script(script) == "connect-src"
    browser.get_log("browser")


def test_sorting_by_keyboard_turns_the_order_around(browser: object, real: Path) -> None:
    opened(browser, real)
    press(browser, "ndcg@10")
    rising = models(browser)
    press(browser, "ndcg@10")

    assert rising == ["baselines/random", "baselines/popularity", "native/ease (reference)"]
    assert models(browser) == rising[::-1]
    assert browser.find_element("css selector", "th[aria-sort=descending]").text.startswith("ndcg@10")


def test_sorting_keeps_rows_without_a_value_below(browser: object, hostile: Path) -> None:
    opened(browser, hostile)
    press(browser, "ndcg@10")
    rising = models(browser)
    press(browser, "ndcg@10")

    assert rising[-1] == models(browser)[-1] == "lost/<b>model</b>"


def test_filtering_hides_other_models_and_says_how_many_are_left(browser: object, real: Path) -> None:
    opened(browser, real)
    browser.find_element("css selector", "input[type=search]").send_keys("baselines pop")

    assert models(browser) == ["baselines/popularity"]
    assert browser.find_element("css selector", "output").text == "1 of 3 models"


def test_all_columns_are_shown_on_request(browser: object, real: Path) -> None:
    opened(browser, real)
    before = len(
        [
            head
            for head in browser.find_elements("css selector", ".board th[scope=col]")
            if head.is_displayed()
        ]
    )
    browser.find_element("css selector", "input[type=checkbox]").click()
    after = [
        head for head in browser.find_elements("css selector", ".board th[scope=col]") if head.is_displayed()
    ]

    assert len(after) > before
    assert "validation" in [head.text for head in after]


@pytest.mark.parametrize(("wish", "dark"), [("light", False), ("dark", True)])
def test_theme_follows_the_system_and_then_the_button(
    browser: object, real: Path, wish: str, dark: bool
) -> None:
    feature = {"name": "prefers-color-scheme", "value": wish}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    opened(browser, real)

    assert (paper(browser) < 128) is dark
    browser.find_element("id", "theme").click()
    assert (paper(browser) < 128) is not dark


def paper(browser: object) -> int:
    """Return how light the page is, 0 to 255."""
    colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    return int(colour.removeprefix("rgb(").split(",")[0])
