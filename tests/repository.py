"""Where the repository and the real data lie, whatever folder a test is in."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"


def real_data() -> Path:
    """Return the folder of real data sets: $BENCH_DATA, or shared/data beside the repository."""
    return Path(os.environ.get("BENCH_DATA") or ROOT.parent / "shared" / "data")
