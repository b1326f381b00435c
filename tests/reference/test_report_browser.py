"""The report in a real browser, from disk, with the network off."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import boards
import pytest

from benchmark.reporting import html

pytestmark = [pytest.mark.slow, pytest.mark.alone]

MOST_BYTES = 6_000_000
MOST_SECONDS = 2.0
WIDTHS = {"laptop": 1400, "desktop": 1920, "phone": 390}


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


def opened(browser: object, page: Path, width: int = 1400, *, script: bool = True) -> object:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
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
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_page_opens_quickly_without_a_word_on_the_console(
    browser: object, page: str, width: int, script: bool, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(page)
    browser.get_log("browser")
    start = time.monotonic()
    opened(browser, path, width, script=script)
    seconds = time.monotonic() - start

    assert browser.get_log("browser") == []
    assert seconds < MOST_SECONDS
    assert path.stat().st_size < MOST_BYTES
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_answer_is_read_without_scrolling(browser: object, real: Path, width: int, script: bool) -> None:
    opened(browser, real, width, script=script)
    answer = browser.find_element("css selector", ".answer")

    assert answer.text.startswith("native/ease")
    assert answer.rect["y"] + answer.rect["height"] < 900
    if width >= 1400:
        board = browser.find_element("css selector", ".board .scroll")
        assert browser.execute_script("return arguments[0].scrollWidth <= arguments[0].clientWidth", board)


@pytest.mark.parametrize("page", ["real", "hostile"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390], ids=["laptop", "phone"])
def test_page_has_no_serious_finding_of_accessibility(
    browser: object, page: str, theme: str, width: int, request: pytest.FixtureRequest
) -> None:
    feature = {"name": "prefers-color-scheme", "value": theme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    opened(browser, request.getfixturevalue(page), width)
    drawn(browser)
    browser.execute_script((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    found = browser.execute_async_script("axe.run().then(arguments[0])")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    serious = [one for one in found["violations"] if one["impact"] in {"serious", "critical"}]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in serious] == []
    assert len(found["passes"]) > 20


def drawn(browser: object) -> list[object]:
    """Scroll through the page until every figure is drawn; return the charts."""
    for figure in browser.find_elements("css selector", "figure"):
        browser.execute_script("arguments[0].scrollIntoView()", figure)
    count = "return document.querySelectorAll('figure:has(.chart):not(.drawn)').length"
    for _ in range(200):
        if not browser.execute_script(count):
            break
        time.sleep(0.05)
    browser.execute_script("scrollTo(0, 0)")
    return browser.find_elements("css selector", ".chart svg")


@pytest.mark.parametrize("page", ["real", "hostile"])
def test_figures_are_drawn_under_the_policy_and_take_the_place_of_the_pictures(
    browser: object, page: str, request: pytest.FixtureRequest
) -> None:
    browser.get_log("browser")
    opened(browser, request.getfixturevalue(page))
    charts = drawn(browser)

    assert len(charts) == 5
    assert not any(one.is_displayed() for one in browser.find_elements("css selector", ".picture"))
    assert browser.get_log("browser") == []


def test_pictures_stand_where_there_is_no_script(browser: object, real: Path) -> None:
    opened(browser, real, script=False)

    assert all(one.is_displayed() for one in browser.find_elements("css selector", ".picture"))
    assert not any(one.is_displayed() for one in browser.find_elements("css selector", ".chart"))


def test_figure_answers_to_the_pointer_with_names_as_text(browser: object, hostile: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    opened(browser, hostile)
    drawn(browser)
    marks = browser.find_elements("css selector", ".chart svg .mark-symbol path")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", marks[0])
    ActionChains(browser).move_to_element(marks[0]).perform()
    tip = browser.find_element("id", "tip")

    assert tip.is_displayed()
    assert boards.HOSTILE[0] in tip.text
    assert tip.find_elements("css selector", "script, img") == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_column_is_added_by_choice(browser: object, real: Path, script: bool) -> None:
    opened(browser, real, script=script)
    before = heads(browser)
    browser.find_element("css selector", ".chooser summary").click()
    label = next(
        one for one in browser.find_elements("css selector", ".chooser label") if one.text == "validation"
    )
    label.click()

    assert "validation" not in before
    assert heads(browser) == [*before, "validation"]


def heads(browser: object) -> list[str]:
    """Return the headings of the board that are shown."""
    found = browser.find_elements("css selector", ".board th[scope=col]")
    return [head.text for head in found if head.is_displayed()]


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
