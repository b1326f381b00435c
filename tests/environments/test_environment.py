"""Environments are made, checked and removed; nothing that is not ours is ever deleted."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import needed, offline, tiny
from wheels import wheel

from benchmark.environments import Environment, environment
from benchmark.environments.environment import MARKER
from benchmark.environments.making import make
from benchmark.errors import EnvError


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offline(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def made(tiny_environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A copy, which tests may change: what is in it does not say where it lies."""
    folder = tmp_path_factory.mktemp("copied") / "tiny"
    shutil.copytree(tiny_environment.folder, folder, symlinks=True)
    return replace(tiny_environment, folder=folder)


def in_it(made: Environment, code: str) -> str:
    return subprocess.run(
        [str(made.python), "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_what_the_lock_file_names_can_be_imported_there_and_not_here(made: Environment) -> None:
    assert in_it(made, "import tinyone, tinytwo; print(tinyone.VERSION, tinytwo.VERSION)") == "1.0 2.1"
    with pytest.raises(ModuleNotFoundError):
        __import__("tinyone")


def test_a_made_environment_is_ready_also_when_every_file_is_looked_at(made: Environment) -> None:
    assert made.state(thorough=True) == ("ready", "")
    assert made.installed()["tinytwo"] == "2.1"


def test_making_it_again_does_nothing(made: Environment) -> None:
    said: list[str] = []
    before = (made.folder / MARKER).stat().st_mtime_ns
    make(made, said.append)
    assert (said, (made.folder / MARKER).stat().st_mtime_ns) == ([f"tiny: is ready in {made.folder}"], before)


def test_another_lock_file_makes_it_outdated_and_is_another_hash(made: Environment) -> None:
    other = replace(made, lock=replace(made.lock, sha256="0" * 64))
    assert other.state()[0] == "outdated"
    assert other.hash != made.hash


def test_a_package_changed_by_hand_is_found(made: Environment) -> None:
    assert made.packages_folder is not None
    module = made.packages_folder / "tinytwo.py"
    text = module.read_text()
    try:
        module.write_text(text.replace("2.1", "9.9"))  # of the same size
        assert made.state()[0] == "ready"  # the quick look trusts what pip noted
        state, reason = made.state(thorough=True)
        assert (state, "tinytwo.py is not the file that was installed" in reason) == ("changed", True)
        module.unlink()
        assert made.state(thorough=True)[0] == "changed"
    finally:
        module.write_text(text)


def test_bytecode_that_a_wheel_brought_and_pip_compiled_anew_is_no_change(made: Environment) -> None:
    assert made.packages_folder is not None
    (record,) = made.packages_folder.glob("tinytwo-*.dist-info/RECORD")
    text = record.read_text()
    try:
        record.write_text(
            f"{text}__pycache__/tinytwo.cpython-311.pyc,sha256=other,1\nnothing.py,sha256=other,1\n"
        )
        assert list(made.changed_files()) == ["nothing.py"]
    finally:
        record.write_text(text)


def test_a_package_installed_or_removed_by_hand_is_named_by_the_quick_look(made: Environment) -> None:
    assert made.packages_folder is not None
    added = made.packages_folder / "other-3.0.dist-info"
    added.mkdir()
    try:
        state, reason = made.state()
        assert (state, "other is 3.0, where nothing was installed" in reason) == ("changed", True)
    finally:
        added.rmdir()


def test_one_that_was_interrupted_is_half_made_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = tiny(tmp_path, *needed(tmp_path))

    def power_cut(command: list[str], *_: object) -> None:
        (half.folder / "rubbish").write_text(command[1])
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmark.environments.making.run", power_cut)
    with pytest.raises(KeyboardInterrupt):
        make(half, lambda _: None)
    assert half.state()[0] == "half made"
    said: list[str] = []
    (half.folder / "older").write_text("x")
    with pytest.raises(KeyboardInterrupt):
        make(half, said.append)
    assert "was interrupted" in said[0]
    assert not (half.folder / "older").exists()
    half.remove()
    assert [path.name for path in half.folder.parent.iterdir()] == [".tiny.lock"]


def test_a_step_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.environments.making.PIP_S", 0.0)
    with pytest.raises(EnvError, match=r"cannot be installed \(it took longer than 0 s"):
        make(tiny(tmp_path, *needed(tmp_path)), lambda _: None)


@pytest.mark.slow
def test_a_file_of_another_hash_is_refused_and_pips_words_are_shown(tmp_path: Path) -> None:
    wrong = tiny(tmp_path, *needed(tmp_path))
    wheel(tmp_path / "wheels", "tinytwo", "2.1", code="EVIL = 1\n")
    with pytest.raises(EnvError, match=r"tiny: the packages of tiny.txt cannot be installed .*(?i:hash)"):
        make(wrong, lambda _: None)
    assert wrong.state()[0] == "half made"


@pytest.mark.slow
def test_a_package_that_is_not_at_hand_is_one_message_that_says_where_the_log_is(tmp_path: Path) -> None:
    lacking = tiny(tmp_path, *needed(tmp_path))
    (tmp_path / "wheels" / "tinytwo-2.1-py3-none-any.whl").unlink()
    with pytest.raises(EnvError, match=r"making\.log, then try again: bench env create tiny"):
        make(lacking, lambda _: None)


def test_no_python_that_fits_names_those_at_hand_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # ours alone: starting others takes seconds
    future = tiny(tmp_path, head="# python: >=4\n")
    here = ".".join(map(str, sys.version_info[:3]))
    with pytest.raises(EnvError, match=rf"needs Python >=4, and here are .*{here}"):
        make(future, lambda _: None)
    assert not future.folder.exists()


def test_lock_file_without_what_bench_imports_is_refused_before_anything_is_installed(tmp_path: Path) -> None:
    with pytest.raises(EnvError, match=r"tiny.txt: names no llvmlite, numba, numpy, safetensors, scipy"):
        make(tiny(tmp_path), lambda _: None)
    assert not (tmp_path / "data" / "recsys-bench" / "environments" / "tiny").exists()


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".", "Tiny", "tiny ", "tiny\n"])
def test_a_name_that_could_lead_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(EnvError, match="no name of an environment"):
        environment(name, tiny(tmp_path).lock)


def test_nothing_is_removed_through_a_link(tmp_path: Path) -> None:
    linked = tiny(tmp_path)
    target = tmp_path / "precious"
    target.mkdir()
    (target / MARKER).write_text(json.dumps({"name": "tiny"}))
    linked.folder.parent.mkdir(parents=True)
    linked.folder.symlink_to(target)
    with pytest.raises(EnvError, match="is a link"):
        linked.remove()
    with pytest.raises(EnvError, match="is a link"):
        make(linked, lambda _: None)
    assert (target / MARKER).exists()


def test_a_folder_without_our_marker_is_nobodys_to_delete(tmp_path: Path) -> None:
    foreign = tiny(tmp_path)
    foreign.folder.mkdir(parents=True)
    (foreign.folder / "thesis.txt").write_text("x")
    assert foreign.state()[0] == "broken"
    for act in (foreign.remove, lambda: make(foreign, lambda _: None)):
        with pytest.raises(EnvError, match="bench deletes nothing there"):
            act()
    assert (foreign.folder / "thesis.txt").exists()


def test_two_processes_do_not_make_one_environment_at_once(tmp_path: Path) -> None:
    one = tiny(tmp_path)
    with one.locked(), pytest.raises(EnvError, match="another `bench env`"):
        make(one, lambda _: None)


def test_what_is_not_there_cannot_be_removed(tmp_path: Path) -> None:
    with pytest.raises(EnvError, match="no such environment"):
        tiny(tmp_path).remove()
