"""Where the repository and the real data lie, whatever folder a test is in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmark.datasets.sources.known import KNOWN

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"


def real_data() -> Path:
    """Return the folder of real data sets: $BENCH_DATA, or shared/data beside the repository."""
    return Path(os.environ.get("BENCH_DATA") or ROOT.parent / "shared" / "data")


def skip_without(data: Path, *names: str) -> None:
    """Skip the test if one of these known data sets is not in the folder of real data sets."""
    if missing := [name for name in names if not (data / KNOWN[name].folder).is_dir()]:
        pytest.skip(f"{', '.join(missing)}: not in {data}; set BENCH_DATA to a folder that has it")
