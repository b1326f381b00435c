"""Run a suite of fake adapters into a directory: what the kill tests start and kill.

With a third argument, a lock file, they run in the environment that it is of.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmark import runner
from benchmark.environments import Environments
from benchmark.registry import Registry
from benchmark.suite import load_suite

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parent))
    environments = Environments(dict.fromkeys(["tiny"] if sys.argv[3:] else [], Path(sys.argv[-1])))
    targets = {"fake/fixed": "fakes:Fixed", "fake/steady": "fakes:Steady"}
    fakes = Registry(targets, environments=environments)
    if environments:
        for adapter in fakes.values():
            adapter.cls.environment = "tiny"  # type: ignore[attr-defined]
    runner.run(load_suite(Path(sys.argv[1]), fakes), fakes, runner.RunOptions(out=Path(sys.argv[2])))
