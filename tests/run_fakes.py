"""Run a suite of fake adapters into a directory: what the kill tests start and kill."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmark import runner
from benchmark.registry import Registry
from benchmark.suite import load_suite

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parent))
    fakes = Registry({"fake/fixed": "fakes:Fixed", "fake/steady": "fakes:Steady"})
    runner.run(load_suite(Path(sys.argv[1]), fakes), fakes, runner.RunOptions(out=Path(sys.argv[2])))
