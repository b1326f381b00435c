"""The picks that a run holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmark.results import RunDirectory, stored_picks


def record(folder: Path, name: str, **more: Any) -> None:
    content = {
        "dataset": "shop",
        "winner": "a/b",
        "made": "2026-12-01T10:00:00+00:00",
        "summary": "Picked: a/b.",
        "rule": {"text": "non-inferior"},
        "limits": ["size_mb ≤ 5"],
        "warnings": [],
        "models": [{"model": "a/b", "reason": "picked"}, {"model": "c/d", "reason": "larger"}],
    }
    (folder / name).write_text(json.dumps(content | more), encoding="utf-8")


def test_last_pick_of_each_data_set_is_found(tmp_path: Path) -> None:
    record(tmp_path, "pick-shop-1.json", winner="c/d", made="2026-11-30T10:00:00+00:00")
    record(tmp_path, "pick-shop.json")
    record(tmp_path, "pick-other.json", dataset="other", winner="e/f")
    found = stored_picks(RunDirectory(tmp_path))

    assert {name: pick.winner for name, pick in found.items()} == {"shop": "a/b", "other": "e/f"}
    assert found["shop"].limits == ("size_mb ≤ 5",)
    assert found["shop"].reasons == (("a/b", "picked"), ("c/d", "larger"))


def test_of_two_picks_in_one_second_the_one_without_a_number_is_the_last(tmp_path: Path) -> None:
    record(tmp_path, "pick-1.json", winner="c/d")
    record(tmp_path, "pick.json")

    assert stored_picks(RunDirectory(tmp_path))["shop"].winner == "a/b"


def test_file_that_is_no_record_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pick.json").write_text("{")
    record(tmp_path, "pick-1.json", models="none")
    record(tmp_path, "pick-2.json", limits=3)

    assert stored_picks(RunDirectory(tmp_path)) == {}
