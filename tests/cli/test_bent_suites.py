"""Suites bent on the command line: --set, names in any case, and what is said of where a suite comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from command_line import Bench

import benchmark


@pytest.mark.parametrize(
    "command", [("check",), ("plan",), ("data", "check"), ("run",), ("run", "--dry-run")]
)
def test_every_command_that_takes_a_suite_takes_single_keys(
    bench: Bench, small: Path, command: tuple[str, ...]
) -> None:
    code, _, said = bench(*command, small, "--set", "split.test=20%", "--set", "finals.seeds=none")
    assert code == 2
    assert said.startswith("bench: --set finals.seeds=none: finals.seeds: must be a valid integer")
    assert bench(*command, small, "--set", "finals.seeds")[2].startswith(
        "bench: --set finals.seeds: must be KEY=VALUE"
    )


def test_check_shows_the_bent_suite_and_where_it_comes_from(bench: Bench, small: Path) -> None:
    own = small.with_name("own.yaml")
    own.write_text("extends: small.yaml\nname: own\n")
    code, shown, _ = bench(
        "check", own, "--set", "split.test=20%", "--set", "models.Baselines/popularity.name=floor"
    )
    assert code == 0
    assert shown.splitlines()[:3] == [
        f"# extends {small}",
        "# --set split.test=20%",
        "# --set models.Baselines/popularity.name=floor",
    ]
    suite = yaml.safe_load(shown)
    assert (suite["name"], suite["split"]["test"], suite["models"][0]["name"]) == ("own", 0.2, "floor")
    assert "extends" not in suite


def test_data_check_judges_the_bent_split(bench: Bench, small: Path) -> None:
    shown = bench("data", "check", small, "--set", "split.by=k_fold", "--set", "split.folds=3")[1]
    assert "planted#3" in shown
    code, _, said = bench("data", "list", "--set", "split.test=20%")
    assert (code, said) == (2, "bench: bench data list reads no suite, so it takes no --set\n")


def test_models_are_chosen_in_any_case(bench: Bench, small: Path) -> None:
    assert "planted/baselines/popularity" in bench("plan", small, "--models", "BASELINES/Popularity")[1]
    assert "native/ease" in bench("models", "--detail", "Native/EASE")[1]


def test_the_version_is_output_and_the_package_is_the_command(bench: Bench) -> None:
    assert bench("--version") == (0, f"bench {benchmark.__version__}\n", "")
