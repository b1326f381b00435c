"""Compiled code: cached on disk where possible, compiled again where nothing may be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from repository import ROOT

from benchmark.jit import compiled, part

LOAD = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("copy", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
"""
KEPT = "print(module.nearest_opinions.stats.cache_path)"


@part
def double(x):
    return 2 * x


@compiled("i8(i8)")
def twice_and_one(x):
    return double(x) + 1


def printed(program: str, path: Path, **environment: str) -> str:
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_function_is_compiled_when_it_is_defined_with_the_parts_that_it_calls():
    assert len(twice_and_one.nopython_signatures) == 1
    assert twice_and_one(20) == 41


def test_machine_code_of_an_adapter_is_kept_in_the_folder_that_the_user_names(tmp_path):
    path = shutil.copy(ROOT / "adapters" / "surprise" / "training.py", tmp_path / "one.py")
    kept = Path(printed(LOAD + KEPT, path, NUMBA_CACHE_DIR=str(tmp_path / "cache")))
    assert kept.is_relative_to(tmp_path / "cache")
    assert list(kept.glob("one.nearest_opinions-*.nbi"))


def test_compiled_code_of_an_adapter_is_made_where_nothing_may_be_written(tmp_path):
    path = shutil.copy(ROOT / "adapters" / "surprise" / "training.py", tmp_path / "one.py")
    (tmp_path / "__pycache__").touch()  # a file: not even root can make a folder of this name
    nowhere = dict.fromkeys(("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"), os.devnull)
    shown = printed(LOAD + "print(module.nearest_opinions.nopython_signatures)", path, **nowhere)
    assert shown.startswith("[(")
