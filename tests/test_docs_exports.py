"""The exports of docs/data.md: each is read by the entry beside it, with the rows and likes it states."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from repository import ROOT

from benchmark import api
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import PrepareSpec

EXAMPLE = re.compile(
    r'^### \d+\. (?P<title>.+?)\n.*?```\w+ title="(?P<file>[^"]+)"\n(?P<content>.*?)```\n+'
    r"```yaml\n(?P<entry>.*?)```\n+\*\*(?P<rows>\d+) rows, (?P<likes>\d+) likes",
    flags=re.MULTILINE | re.DOTALL,
)
EXAMPLES = {
    found["title"]: found
    for section in re.split(r"^(?=### )", (ROOT / "docs" / "data.md").read_text("utf-8"), flags=re.MULTILINE)
    if (found := EXAMPLE.match(section))
}


def test_the_page_starts_from_ten_exports() -> None:
    headings = re.findall(r"^### (\d+)\.", (ROOT / "docs" / "data.md").read_text("utf-8"), flags=re.MULTILINE)
    assert headings == [str(number) for number in range(1, 11)]
    assert (
        len(EXAMPLES) == 9
    )  # the tenth is made of other libraries' files: tests/datasets/tables/test_round_trip.py


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_export_reads_as_the_page_says(title: str, tmp_path: Path) -> None:
    example = EXAMPLES[title]
    (tmp_path / example["file"]).write_text(example["content"], encoding="utf-8")
    suite = tmp_path / "shown.yaml"
    suite.write_text(f"name: shown\nmodels: [baselines/popularity]\n{example['entry']}", encoding="utf-8")
    (spec,) = api.check(suite).datasets
    log = open_log(spec, DataFolders(suite=tmp_path))
    ready = prepare(log, PrepareSpec(missing="drop").for_log(spec))
    rows = ready.interactions
    assert (len(rows), int(rows.positive.sum())) == (int(example["rows"]), int(example["likes"]))
