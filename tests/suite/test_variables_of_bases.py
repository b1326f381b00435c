"""A base that is named with a variable: the variable stays in what a run keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import ADAPTERS
from benchmark.registry import Registry
from benchmark.suite import load_suite

BASE = "datasets: [{name: shop, path: events.csv}]\nmodels: [baselines/popularity]\n"


def test_path_of_a_base_named_with_a_variable_keeps_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "vault" / "inner"
    secret.mkdir(parents=True)
    (secret / "base.yaml").write_text(BASE, encoding="utf-8")
    (secret / "events.csv").write_text("user,item\n1,2\n", encoding="utf-8")
    (tmp_path / "shop.yaml").write_text("extends: ${VAULT}/inner/base.yaml\nname: shop\n", encoding="utf-8")
    monkeypatch.setenv("VAULT", str(tmp_path / "vault"))
    suite = load_suite(tmp_path / "shop.yaml", Registry(ADAPTERS))

    assert suite.datasets[0].path == "${VAULT}/inner/events.csv"
    assert suite.bases == ("${VAULT}/inner/base.yaml",)


def test_path_of_a_base_without_a_variable_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "base.yaml").write_text(BASE, encoding="utf-8")
    (tmp_path / "below" / "events.csv").write_text("user,item\n1,2\n", encoding="utf-8")
    (tmp_path / "shop.yaml").write_text("extends: below/base.yaml\nname: shop\n", encoding="utf-8")

    assert load_suite(tmp_path / "shop.yaml", Registry(ADAPTERS)).datasets[0].path == "below/events.csv"
