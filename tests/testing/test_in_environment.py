"""The contract of an adapter whose framework is in an environment: its tests run there."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from tiny_adapters import Counts, Shapeless

from benchmark.environments import Environment
from benchmark.testing import AdapterContract

pytestmark = pytest.mark.slow


class Kept(AdapterContract):
    adapter = Counts
    learns = False
    lock_files: ClassVar[dict[str, Path]] = {}


class Broken(Kept):
    adapter = Shapeless


@pytest.fixture(autouse=True)
def _there(tiny_environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tiny_environment.folder.parents[2]))
    monkeypatch.setitem(Kept.lock_files, "tiny", tiny_environment.lock.path)


def test_tests_of_a_contract_pass_here_as_they_do_in_the_environment() -> None:
    contract = Kept()
    for name in dir(contract):
        if name.startswith("test_"):
            getattr(contract, name)()


def test_what_breaks_the_contract_in_the_environment_fails_here_with_its_traceback() -> None:
    with pytest.raises(AssertionError, match=r"in the environment of tiny:(.|\n)*shape"):
        Broken().test_scores_have_a_row_per_user_and_a_column_per_item()


def test_environment_that_is_not_there_fails_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(AssertionError, match="bench env create tiny"):
        Kept().test_defaults_lie_in_the_space()
