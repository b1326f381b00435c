"""Time of ``bench --help`` beside ``python -c pass``: ``python perf/startup.py``.

Both are started in turn, so that a busy moment of the machine falls on both; each run is a fresh process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

GOAL_S = 0.2
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "bench --help": [sys.executable, "-m", "benchmark.cli", "--help"],
}


def seconds(command: list[str]) -> float:
    """Return the seconds from start to end of one process."""
    start = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - start


def measured(runs: int) -> dict[str, Any]:
    """Return median and quartiles of each command over ``runs`` alternating runs, and their ratio."""
    for command in COMMANDS.values():
        seconds(command)  # compiled files and caches are filled once, uncounted
    took: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, command in COMMANDS.items():
            took[name].append(seconds(command))
    rows: dict[str, dict[str, Any]] = {}
    for name, values in took.items():
        first, median, third = (float(value) for value in np.quantile(values, (0.25, 0.5, 0.75)))
        rows[name] = {"median_s": median, "quartiles_s": [first, third]}
    plain, ours = (rows[name]["median_s"] for name in COMMANDS)
    facts = {"python": sys.version.split()[0], "cores": len(os.sched_getaffinity(0))}
    return {"runs": runs, "rows": rows, "ratio": ours / plain, "goal_s": GOAL_S, **facts}


def main() -> int:
    """Print the table; return 1 if ``bench --help`` takes longer than its goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="processes of each command")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    options = parser.parse_args()
    result = measured(options.runs)
    print(f"{'command':<16}{'median':>10}{'quartiles':>24}")
    for name, row in result["rows"].items():
        first, third = (1000 * value for value in row["quartiles_s"])
        print(f"{name:<16}{1000 * row['median_s']:>7.1f} ms{f'{first:.1f} to {third:.1f} ms':>24}")
    within = result["rows"]["bench --help"]["median_s"] <= GOAL_S
    print(f"ratio {result['ratio']:.1f}; goal {1000 * GOAL_S:.0f} ms: {'met' if within else 'MISSED'}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
