"""What adapters say that they need, beside what a fit takes: ``python perf/needs.py``.

Each adapter that states its needs fits two steps of a made-up log (popularity by Zipf, activity log-normal)
and scores one batch, in a process of its own that has fitted a tiny log before. What it takes is the growth
of its anonymous memory (RssAnon) over that of the process with libraries and data, looked at every few
milliseconds from outside. A formula should be at most 1.3 times what is taken, and at least 0.9 times.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from adapters import ADAPTERS
from benchmark.fit import Fit, batches
from benchmark.messages import FitRequest
from benchmark.protocol import Interactions
from benchmark.registry import Registry

SIZES = ((4_000, 2_000, 300_000), (12_000, 5_000, 600_000))
"""Users, items and rows."""
MORE, LESS = 1.3, 0.9
EVERY_S = 0.002


def log_of(users: int, items: int, rows: int) -> Interactions:
    """Return a log in which a few items are in most rows, as ratings from 1 to 5 that are all liked."""
    rng = np.random.default_rng(0)
    active = rng.lognormal(sigma=1.0, size=users)
    popular = 1.0 / np.arange(1, items + 1) ** 0.8
    drawn = (
        rng.choice(count, rows, p=weights / weights.sum()).astype(np.int64)
        for count, weights in ((users, active), (items, popular))
    )
    of_users, of_items = drawn
    pairs = np.unique(of_users * items + of_items)
    return Interactions(
        (pairs // items).astype(np.int32),
        (pairs % items).astype(np.int32),
        rng.integers(1, 6, len(pairs)).astype(np.float32),
        np.arange(len(pairs)),
        np.ones(len(pairs), dtype=np.bool_),
        users,
        items,
        scale=(1.0, 5.0),
    )


def fit(name: str, params: dict[str, object], sizes: tuple[int, int, int]) -> None:
    """Fit and score in this process; say when that begins, and the formula at the end."""
    adapter = Registry(ADAPTERS)[name]
    for module in adapter.preload:
        importlib.import_module(module)
    request = FitRequest(
        target=adapter.target,
        name=name,
        params=params,
        seed=0,
        threads=1,
        device="cpu",
        metrics=(),
        rates=False,
    )
    warm = Fit.begin(request, log_of(300, 200, 3_000))  # what a library loads when first used is not counted
    warm.step()
    warm.scores(np.arange(8, dtype=np.int32))
    del warm
    fitted = Fit.begin(request, log_of(*sizes))
    needs = fitted.model.needs(fitted.train)  # type: ignore[attr-defined]
    print("begins", flush=True)
    sys.stdin.readline()
    fitted.step()
    fitted.step()
    fitted.scores(next(batches(fitted.train.n_users, fitted.train.n_items)))
    print(json.dumps({"host_bytes": needs.host_bytes, "why": needs.why}), flush=True)


def anonymous_mb(pid: int) -> float:
    """Return the anonymous memory of a process in MiB; 0 once it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return int(text.partition("RssAnon:")[2].split()[0]) / 1024 if "RssAnon:" in text else 0.0


def measured(name: str, params: dict[str, object], sizes: tuple[int, int, int]) -> dict[str, object]:
    """Return what a fit takes and what its adapter says, in MiB."""
    command = [sys.executable, __file__, "--fit", name, json.dumps(params), *map(str, sizes)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        before = peak = anonymous_mb(child.pid)
        child.stdin.write("\n")
        child.stdin.close()
        while child.poll() is None:
            peak = max(peak, anonymous_mb(child.pid))
            time.sleep(EVERY_S)
        said = json.loads(child.stdout.read())
    formula = said["host_bytes"] / 2**20
    return {"name": name, "params": params, "sizes": sizes, "formula_mb": formula, "taken_mb": peak - before}


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="adapters; all that state their needs if none is named")
    parser.add_argument("--params", type=json.loads, default={}, metavar="JSON", help="hyperparameters")
    parser.add_argument("--size", type=int, nargs=3, metavar=("USERS", "ITEMS", "ROWS"), help="one log alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    parser.add_argument("--fit", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        name, params, users, items, rows = options.fit
        fit(name, json.loads(params), (int(users), int(items), int(rows)))
        return 0
    registry = Registry(ADAPTERS)
    names = options.names or [name for name in ADAPTERS if hasattr(registry[name].cls, "needs")]
    found = []
    print(
        f"{'adapter':<26}{'users':>9}{'items':>8}{'rows':>11}{'formula MB':>12}{'taken MB':>10}{'ratio':>7}"
    )
    for name in names:
        for sizes in [tuple(options.size)] if options.size else SIZES:
            row = measured(name, options.params, sizes)
            found.append(row)
            formula, taken = float(str(row["formula_mb"])), float(str(row["taken_mb"]))
            ratio = formula / max(taken, 1.0)
            off = "" if LESS <= ratio <= MORE else "  OFF"
            users, items, rows = sizes
            print(
                f"{name:<26}{users:>9,}{items:>8,}{rows:>11,}{formula:>12.0f}{taken:>10.0f}{ratio:>7.2f}{off}",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
