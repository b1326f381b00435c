"""The documentation: every link leads somewhere, every page is found, and what it says of the code is so."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from repository import ROOT

from benchmark import api
from benchmark.cli import COMMANDS
from benchmark.suite import shipped_suites

DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
PAGES = [
    *sorted(DOCS.rglob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "results/README.md")),
    ROOT / "examples" / "adapter-package" / "README.md",
    ROOT / "examples" / "environment-package" / "README.md",
]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```|^    .*?$", flags=re.MULTILINE | re.DOTALL)


def of(path: Path) -> str:
    """Return a readable name of a page for the list of tests."""
    return path.relative_to(ROOT).as_posix()


@cache
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def as_built(path: Path) -> str:
    """Return a page with its generated parts filled in."""
    return generator().MARKER.sub(lambda found: generator().generated(found[1]), path.read_text("utf-8"))


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors of a page, as the site's generator and GitHub make them of its headings."""
    found = set()
    for line in FENCE.sub("", as_built(path)).splitlines():
        if heading := re.match(r"#+ (.*?)(?: \{#([\w-]+)\})?$", line):
            words = re.sub(r"[^\w\s-]", "", heading[1]).strip().lower()
            found.add(heading[2] or re.sub(r"[\s]+", "-", words))
    return frozenset(found)


def links(path: Path) -> Iterator[str]:
    """Yield every link of a page that does not leave the repository."""
    yield from (link for link in LINK.findall(FENCE.sub("", as_built(path))) if "://" not in link)


def prose(path: Path) -> str:
    """Return a page without its code, inline code and tables."""
    text = re.sub(r"`[^`]*`", "", FENCE.sub("", path.read_text("utf-8")))
    return "\n".join(line for line in text.splitlines() if not line.startswith("|"))


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{of(page)}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{of(page)}: {link} has no such heading"


def test_a_link_to_a_heading_that_does_not_exist_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One\n\n## `two.three` {#two}\n\n    # code\n\n[a](#one) [b](https://example.org) [c](other.md#x)\n"
    )
    assert anchors(page) == {"one", "two"}
    assert list(links(page)) == ["#one", "other.md#x"]


def test_every_page_is_in_the_navigation_of_the_site_once() -> None:
    def pages(entry: object) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        else:
            for inner in entry.values() if isinstance(entry, dict) else entry:  # type: ignore[attr-defined]
                yield from pages(inner)

    listed = list(pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]))
    assert sorted(listed) == sorted(generator().pages())


def test_decisions_are_numbered_in_sequence_dated_and_listed() -> None:
    index = (DOCS / "decisions" / "index.md").read_text("utf-8")
    numbers = []
    for path in DECISIONS:
        head = re.match(
            r"# (\d{4}) (.+)\n\n- Status: (.+)\n- Date: (\d{4}-\d{2}-\d{2})\n\n", path.read_text("utf-8")
        )
        assert head, f"{of(path)}: must begin with number, title, status and date"
        number, title, status, date = head.groups()
        assert path.name.startswith(f"{number}-")
        assert f"| [{number}]({path.name}) | {title} | {date} | {status} |\n" in index
        numbers.append(int(number))
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_decision_that_code_names_exists() -> None:
    numbers = {path.name[:4] for path in DECISIONS}
    listed = subprocess.run(
        ["git", "grep", "-ohE", r"docs/decisions/[0-9]{4}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    named = {line.rpartition("/")[2] for line in listed.stdout.split()}
    assert named - numbers == set()


def test_readme_is_short_and_its_lines_fit_a_screen() -> None:
    page = (ROOT / "README.md").read_text("utf-8")
    assert len(page.split()) <= 1150
    assert [line for line in page.splitlines() if len(line) > 120 and not line.startswith("|")] == []


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_numbers_are_written_with_their_zero(page: Path) -> None:
    assert (
        re.findall(r"(?<![\w.)\]])\.\d+", re.sub(r"`[^`]*`", "", FENCE.sub("", page.read_text("utf-8"))))
        == []
    )


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_pages_name_no_command_that_does_not_exist(page: Path) -> None:
    named = re.findall(
        r"^\s*(?:\$ )?(?:[A-Z_]+=\S+ )?bench ([a-z][a-z-]*)|`bench ([a-z][a-z-]*)",
        page.read_text("utf-8"),
        re.MULTILINE,
    )
    assert {first or second for first, second in named} <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_suites_that_pages_show_are_valid(page: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for block in (block for block in blocks if block.startswith("name:")):
        path = tmp_path / "shown.yaml"
        path.write_text(block)
        api.check(path)


def test_every_suite_that_ships_has_its_protocol_explained() -> None:
    index = (DOCS / "benchmarks" / "index.md").read_text("utf-8")
    assert [name for name in shipped_suites() if f"`{name}`" not in index] == []


def test_every_model_and_metric_is_on_its_page() -> None:
    models, metrics = as_built(DOCS / "models.md"), as_built(DOCS / "metrics.md")
    assert [
        name for name in (model.name for model in api.models()) if f"\n### {name} {{#" not in models
    ] == []
    assert [one.label for one in api.metrics() if f"\n| `{one.label}` | {one.formula}" not in metrics] == []


KEYS = DOCS / "suite-keys.md"


def yaml_blocks(page: Path) -> list[str]:
    """Return the YAML examples of a page."""
    return re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def keys_of_schema() -> set[str]:
    """Return every key that a suite may have, its path joined by dots; places in lists do not count."""
    found: set[str] = set()
    defs = api.schema()["$defs"]

    def walk(node: dict[str, Any], path: str) -> None:
        if "$ref" in node:
            walk(defs[node["$ref"].rpartition("/")[2]], path)
        for kind in ("anyOf", "oneOf", "allOf"):
            for one in node.get(kind, []):
                walk(one, path)
        if isinstance(node.get("items"), dict):
            walk(node["items"], path)
        for key, inner in node.get("properties", {}).items():
            found.add(f"{path}.{key}".lstrip("."))
            walk(inner, f"{path}.{key}".lstrip("."))
        if isinstance(node.get("additionalProperties"), dict):
            walk(node["additionalProperties"], f"{path}.*")

    walk(api.schema(), "")
    return found


def keys_used(value: object, path: str = "") -> Iterator[str]:
    """Yield the paths of the keys that a document uses; a hyperparameter below ``tune`` is a star."""
    if isinstance(value, list):
        for one in value:
            yield from keys_used(one, path)
    if isinstance(value, dict):
        for key, inner in value.items():
            below = f"{path}.{'*' if path.endswith('.tune') else key}".lstrip(".")
            yield below
            yield from keys_used(inner, below)


def test_every_key_of_a_suite_stands_in_an_example() -> None:
    used = {key for text in yaml_blocks(KEYS) for key in keys_used(yaml.safe_load(text))}

    refused = {"datasets.users.title"}  # of the table that it shares with items
    assert sorted(keys_of_schema() - used - {"extends"} - refused) == []
    assert "extends: base.yaml" in KEYS.read_text("utf-8")
