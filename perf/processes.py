"""Reading process trees: our /proc files beside psutil, in one run.

    python perf/processes.py [--json FILE]

A tree of three processes, as a trial with a helper; the supervisor polls it every 0.1 s. Needs psutil:
pip install psutil.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmark.executors.processes import start_ticks
from benchmark.executors.tree_memory import tree_memory_mb

POLLS = 200
TREE = """
import subprocess, sys, time
helpers = [subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) for _ in range(2)]
print("up", flush=True)
time.sleep(60)
"""


def median_us(poll: Callable[[], object]) -> float:
    """Return the median of POLLS calls in microseconds."""
    took = []
    for _ in range(POLLS):
        began = time.perf_counter()
        poll()
        took.append(time.perf_counter() - began)
    return 1e6 * statistics.median(took)


def import_ms(module: str) -> float:
    """Return the median of five fresh interpreters that import a module, in milliseconds."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        took.append(time.perf_counter() - began)
    return 1e3 * statistics.median(took)


def main() -> None:
    """Print both, and their ratio."""
    import psutil

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with subprocess.Popen([sys.executable, "-c", TREE], stdout=subprocess.PIPE, text=True) as tree:
        assert tree.stdout is not None
        tree.stdout.readline()

        def by_psutil() -> float:
            root = psutil.Process(tree.pid)
            every = [root, *root.children(recursive=True)]
            return sum(float(one.memory_info().rss) for one in every) / 2**20

        figures = {
            "memory of a tree, ours, us": median_us(lambda: tree_memory_mb(tree.pid)),
            "memory of a tree, psutil, us": median_us(by_psutil),
            "start of a process, ours, us": median_us(lambda: start_ticks(tree.pid)),
            "start of a process, psutil, us": median_us(lambda: psutil.Process(tree.pid).create_time()),
            "import, ours, ms": import_ms("benchmark.executors.processes"),
            "import, psutil, ms": import_ms("psutil"),
            "processes on this machine": float(len(psutil.pids())),
        }
        tree.kill()
    for name, value in figures.items():
        print(f"{name:35} {value:10.1f}")
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
