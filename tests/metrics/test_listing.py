"""The list of metrics."""

from __future__ import annotations

import json

from benchmark.cli import main
from benchmark.metrics.register import listing


def test_bench_metrics_lists_name_formula_direction_range_and_source(capsys):
    assert main(["metrics"]) == 0
    shown = capsys.readouterr().out
    assert all(row["name"] in shown for row in listing())
    assert all(title in shown for title in ("formula", "better", "range", "source"))


def test_bench_metrics_as_json_is_the_rows(capsys):
    assert main(["metrics", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == listing()
