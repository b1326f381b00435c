"""Lock files: read, and refused line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import ENVIRONMENTS
from benchmark.environments import LockFile
from benchmark.errors import EnvError

HASH = "--hash=sha256:" + "0" * 64
GOOD = f"""\
# made by a tool
# python: >=3.11,<3.14
# first: torch==2.13.0
# from source: thop
Tiny_Package==1.0 \\
    {HASH} \\
    {HASH}
old==1 ; python_full_version < '3.12' {HASH}
old==2 ; python_full_version >= '3.12' {HASH}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "lock.txt"
    path.write_text(text)
    return path


def test_a_lock_file_says_which_python_what_comes_first_and_what_is_built(tmp_path: Path) -> None:
    lock = LockFile.read(written(tmp_path, GOOD))
    assert "3.11.7" in lock.python
    assert "3.14.0" not in lock.python
    assert [str(one) for one in lock.first] == ["torch==2.13.0"]
    assert lock.from_source == ("thop",)


def test_each_python_gets_the_versions_that_are_meant_for_it(tmp_path: Path) -> None:
    lock = LockFile.read(written(tmp_path, GOOD))
    assert lock.wanted("3.11.7") == {"torch": "2.13.0", "tiny-package": "1.0", "old": "1"}
    assert lock.wanted("3.13.0")["old"] == "2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no package"),
        ("tiny==1\n", r"lock.txt, line 1: tiny has no sha256 hash"),
        (f"tiny==1 {HASH}\n\nother==2 --hash=md5:00\n", "line 3: other has no sha256 hash"),
        (f"tiny>=1 {HASH}\n", "line 1: 'tiny>=1' must name one version"),
        (f"tiny==1.* {HASH}\n", "must name one version"),
        (f"-r other.txt {HASH}\n", "is no requirement"),
        (f"# python: three\ntiny==1 {HASH}\n", "no range of versions"),
        (f"# first: torch\ntiny==1 {HASH}\n", "must name one version"),
    ],
)
def test_a_line_that_does_not_pin_is_refused_with_its_number(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(EnvError, match=said):
        LockFile.read(written(tmp_path, text))


def test_a_lock_file_that_is_not_there_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(EnvError, match=r"nothing\.txt: the lock file cannot be read"):
        LockFile.read(tmp_path / "nothing.txt")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_lock_file_that_ships_fits_every_python_of_ours_and_has_the_one_torch_if_any(name: str) -> None:
    lock = LockFile.read(ENVIRONMENTS[name])
    assert [str(one) for one in lock.first] == ["torch==2.13.0"] * (name != "implicit")
    assert not {"torch", "triton"} & {one.name for one in lock.packages}
    assert all(
        f"3.{minor}.4" in lock.python and lock.wanted(f"3.{minor}.4")["numpy"] for minor in (11, 12, 13)
    )
