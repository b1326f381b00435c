"""The files of a record: the newest has no number, earlier ones are kept, whatever interrupts or competes."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ranked import results_of

from benchmark.errors import RunError
from benchmark.selection import Decision, pick, refuse_taken, write_record


@pytest.fixture
def decision(tmp_path: Path) -> Decision:
    users = np.random.default_rng(0).beta(2, 4, 60)
    return pick(results_of(tmp_path / "run", {"big": users, "small": users * 0.5}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "records").mkdir()
    return tmp_path / "records"


def write(decision: Decision, folder: Path, made: str, stem: str = "pick") -> None:
    write_record(replace(decision, made=f"2026-12-{made}T00:00:00+00:00"), folder, stem)


def days(folder: Path) -> dict[str, str]:
    """Return the day of each record, by the name of its file."""
    return {
        path.stem: json.loads(path.read_text("utf-8"))["made"][8:10] for path in sorted(folder.glob("*.json"))
    }


def test_a_number_that_somebody_deleted_is_not_given_to_a_later_record(
    decision: Decision, folder: Path
) -> None:
    for day in ("01", "02", "03"):
        write(decision, folder, day)
    for suffix in (".md", ".json"):
        (folder / f"pick-1{suffix}").unlink()
    write(decision, folder, "04")

    assert days(folder) == {"pick-2": "02", "pick-3": "03", "pick": "04"}


def test_a_record_that_was_half_renamed_when_its_process_was_killed_stays_one_record(
    decision: Decision, folder: Path
) -> None:
    write(decision, folder, "01")
    write(decision, folder, "02")
    text = (folder / "pick.md").read_text("utf-8")
    (folder / "pick.md").rename(folder / "pick-2.md")  # and no further
    write(decision, folder, "03")

    assert days(folder) == {"pick-1": "01", "pick-2": "02", "pick": "03"}
    assert (folder / "pick-2.md").read_text("utf-8") == text
    assert not (folder / "pick-3.md").exists()


def test_a_record_that_was_half_written_when_its_process_was_killed_is_kept(
    decision: Decision, folder: Path
) -> None:
    write(decision, folder, "01")
    write(decision, folder, "02")
    (folder / "pick.json").unlink()  # the Markdown is written first
    write(decision, folder, "03")

    assert days(folder) == {"pick-1": "01", "pick": "03"}
    assert {path.name for path in folder.glob("*.md")} == {"pick.md", "pick-1.md", "pick-2.md"}


def test_of_records_written_at_once_none_is_lost(decision: Decision, folder: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda day: write(decision, folder, f"{day:02}"), range(1, 25)))

    assert sorted(days(folder).values()) == [f"{day:02}" for day in range(1, 25)]
    assert {path.suffix for path in folder.iterdir()} == {".md", ".json"}
    assert len(list(folder.glob("*.md"))) == 24


def test_records_of_data_sets_whose_names_look_like_numbers_are_kept_apart(
    decision: Decision, folder: Path
) -> None:
    for day, stem in (("01", "pick-shop"), ("02", "pick-shop"), ("03", "pick-shop-1"), ("04", "pick-shop")):
        write(decision, folder, day, stem)

    assert sorted(days(folder).values()) == ["01", "02", "03", "04"]
    assert days(folder)["pick-shop"] == "04"


@pytest.mark.parametrize("name", ["pick.md", "pick.json"])
def test_folder_of_ones_own_that_has_a_record_is_refused(folder: Path, name: str) -> None:
    refuse_taken(folder)
    (folder / name).write_text("earlier")
    with pytest.raises(RunError, match="has a record already"):
        refuse_taken(folder)
