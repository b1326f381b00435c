"""Models beside other packages: time to a validation NDCG@10, full scoring, memory (``perf/models.py``).

Race: BPR, iALS, LightGCN and NeuMF on the split of ``suites/movielens-p1.yaml`` (all interactions are likes,
a tenth of each user's is validation), against implicit, cornac and RecBole. Ours runs with its default
configuration; a peer with each of the settings listed here, of which the quickest counts, so a later one may
take no longer than the quickest before it. What takes under ten seconds is run five times, and the median
counts; thirty passes without a better value end a run. The clock is the core seconds of one thread, so that
other work on the machine does not matter; conversion of the log counts, imports and validation do not. Of a
larger log a thousand users are evaluated, the same for all. Peers are installed in environments of their own:

    python -m venv /tmp/peers && /tmp/peers/bin/pip install implicit cornac torch tqdm
    python -m venv /tmp/recbole
    /tmp/recbole/bin/pip install torch 'numpy<2' 'scipy<1.12' 'pandas<2.3' scikit-learn tensorboard psutil
    /tmp/recbole/bin/pip install --no-deps recbole tqdm colorlog colorama pyyaml texttable tabulate thop
    python perf/models.py --peers /tmp/peers/bin/python --recbole /tmp/recbole/bin/python

cornac's LightGCN also needs dgl, which has no build for a recent torch: where it cannot be imported its row
says so. RecBole 1.2.1 needs older numpy, scipy and pandas, and of its requirements not ray.

Cost: every adapter, a process each: core seconds of one step and of scoring all users, peak memory. The step
is one pass over the data where an adapter has ``max_epochs``, the whole fit where not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from adapters import ADAPTERS
from benchmark import api
from benchmark.datasets.sources.folders import data_directory
from benchmark.datasets.store.parts import load_parts
from benchmark.errors import BenchError
from benchmark.fit import Fit, batches
from benchmark.messages import FitRequest
from benchmark.registry import Adapter, Registry
from benchmark.runner.splits import store_all

DATA = ("movielens-100k", "movielens-1m")
RACE = Path(__file__).with_name("race.py")
OURS: dict[str, str] = {
    "bpr": "native/bpr",
    "ials": "native/ials",
    "lightgcn": "torch/lightgcn",
    "neumf": "torch/neumf",
    "neumf-keras": "keras/neumf",
}
JUDGED = 1_000
TARGETS: dict[str, dict[str, float]] = {
    "movielens-100k": {"bpr": 0.19, "ials": 0.25, "lightgcn": 0.19, "neumf": 0.18, "neumf-keras": 0.18},
    "movielens-1m": {"bpr": 0.19, "ials": 0.22, "lightgcn": 0.19, "neumf": 0.18, "neumf-keras": 0.18},
}
"""Validation NDCG@10 that ends a race: above popularity on both logs, within reach of ours and of a rival."""

SETTINGS: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("bpr", "implicit"): [
        {"factors": 64, "learning_rate": lr, "regularization": l2}
        for lr, l2 in ((0.1, 0.01), (0.05, 0.001), (0.03, 0.03), (0.03, 0.01), (0.01, 0.01))
    ],
    ("bpr", "cornac"): [
        {"k": 64, "learning_rate": lr, "lambda_reg": l2} for lr in (0.1, 0.03) for l2 in (0.01, 0.03)
    ],
    ("ials", "implicit"): [
        {"factors": dim, "regularization": l2, "alpha": 3.0}
        for dim, l2 in ((32, 15.0), (64, 15.0), (32, 5.0))
    ],
    ("lightgcn", "cornac"): [
        {"emb_size": 64, "num_layers": 3, "learning_rate": lr, "batch_size": 1024} for lr in (0.01, 0.001)
    ],
    ("neumf", "cornac"): [
        {"num_factors": 16, "layers": (64, 32, 16), "lr": lr, "batch_size": size, "backend": "pytorch"}
        for lr, size in ((0.001, 256), (0.003, 1024))
    ],
    ("bpr", "recbole"): [{"embedding_size": 64, "learning_rate": lr} for lr in (0.005, 0.001)],
    ("lightgcn", "recbole"): [{"embedding_size": 64, "learning_rate": lr} for lr in (0.005, 0.001)],
    ("neumf", "recbole"): [{"learning_rate": lr} for lr in (0.003, 0.001)],
}
SETTINGS |= {
    ("neumf-keras", package): found for (model, package), found in SETTINGS.items() if model == "neumf"
}
SHORT, RUNS = 10.0, 5
LIMIT_S = 1800


def split_of(name: str, data: Path | None, scratch: Path) -> Path:
    """Return the folder of a data set, split as ``suites/movielens-p1.yaml`` says."""
    suite = api.check("movielens-p1", {"datasets": [name]}, changed_by="perf/models.py")
    (stored,) = store_all(suite, scratch / name, data_directory(data), Path(), lambda _: None)
    return stored.directory


def log_of(folder: Path) -> Path:
    """Return the split as plain arrays, which a Python without bench can read."""
    train, valid = load_parts(folder, "train"), load_parts(folder, "valid")
    judged = np.unique(valid.users)
    judged = np.random.default_rng(0).permutation(judged)[:JUDGED]
    path = folder / "race.npz"
    np.savez(
        path,
        users=train.users,
        items=train.items,
        shape=np.array([train.n_users, train.n_items]),
        valid_users=valid.users,
        valid_items=valid.items,
        judged=np.sort(judged),
    )
    return path


def answer(command: list[str]) -> dict[str, Any]:
    """Return the last line that a process prints, as JSON, or why there is none."""
    threads = ("OMP", "MKL", "OPENBLAS", "NUMBA")
    alone = os.environ | {f"{name}_NUM_THREADS": "1" for name in threads}
    alone |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=alone, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return {"error": f"not done within {LIMIT_S} s"}
    if done.returncode or not done.stdout.strip():
        return {"error": (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1][:300]}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def raced(package: str, python: str, log: Path, model: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return the quickest of a package's settings: seconds to the target, None where it was not reached.

    What took less than ``SHORT`` is run ``RUNS`` times in all, and its median counts.
    """
    runs, limit = [], options.seconds
    for setting in [{}] if package == "ours" else SETTINGS[model, package]:
        runs.append(run_of(package, python, log, model, setting, limit))
        limit = min(limit, runs[-1]["seconds"] or limit)
    quick = [run for run in runs if run["seconds"] is not None]
    if not quick:
        return max(runs, key=lambda run: run["best"] or 0.0)
    best = min(quick, key=lambda run: run["seconds"])
    if best["seconds"] < SHORT:
        again = (
            run_of(package, python, log, model, best["setting"], options.seconds) for _ in range(RUNS - 1)
        )
        best["runs"] = [best["seconds"], *(run["seconds"] for run in again)]
        median = float(np.median([np.inf if run is None else run for run in best["runs"]]))
        best["seconds"] = median if np.isfinite(median) else None
    return best


def raced_once(package: str, log: Path, model: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return what :func:`raced` does; a peer of two models of ours runs once."""
    key = (log, package, named(package, model), TARGETS[log.parent.name][model])
    if key not in options.raced:
        options.raced[key] = raced(package, pythons(options)[package], log, model, options)
    found: dict[str, Any] = options.raced[key]
    return found


def named(package: str, model: str) -> str:
    """Return what a package calls a model of :data:`OURS`."""
    return OURS[model] if package == "ours" else model.removesuffix("-keras")


def pythons(options: argparse.Namespace) -> dict[str, str | None]:
    """Return the interpreter of each package, None where it is not raced."""
    peers = options.peers
    return {"ours": sys.executable, "implicit": peers, "cornac": peers, "recbole": options.recbole}


def run_of(
    package: str, python: str, log: Path, model: str, setting: dict[str, Any], limit: float
) -> dict[str, Any]:
    """Return one run of one setting: its curve, and seconds to the target or None."""
    target = TARGETS[log.parent.name][model]
    words = [str(log), package, named(package, model), json.dumps(setting), str(target), str(limit)]
    found = answer([python, str(RACE), *words])
    curve = found.get("curve", [])
    reached = next((seconds for seconds, value in curve if value >= target), None)
    best = max((value for _, value in curve), default=None)
    return {"setting": setting, "seconds": reached, "best": best, "passes": len(curve), **found}


def races(log: Path, options: argparse.Namespace) -> None:
    """Run and print every race on one log."""
    print(f"\n{log.parent.name}: core seconds to a validation NDCG@10")
    print(f"{'model':<14}{'target':>8}{'package':>10}{'seconds':>10}{'passes':>8}{'best':>8}")
    for model in options.models or OURS:
        seconds: dict[str, float] = {}
        peers = [package for kind, package in SETTINGS if kind == model and pythons(options)[package]]
        for package in ("ours", *peers):
            found = raced_once(package, log, model, options)
            options.found.append({"data": log.parent.name, "model": model, "package": package, **found})
            print(race_line(model, TARGETS[log.parent.name][model], package, found), flush=True)
            if found["seconds"] is not None:
                seconds[package] = found["seconds"]
        rivals = [value for package, value in seconds.items() if package != "ours"]
        if rivals and "ours" in seconds:
            print(f"{'':<14}{min(rivals) / seconds['ours']:.1f} times faster than the quickest peer")


def race_line(model: str, target: float, package: str, found: dict[str, Any]) -> str:
    """Return one row."""
    seconds = "-" if found["seconds"] is None else f"{found['seconds']:.2f}"
    best = "-" if found["best"] is None else f"{found['best']:.4f}"
    why = f"  {found['error']}" if "error" in found else ""
    return f"{model:<14}{target:>8.3f}{package:>10}{seconds:>10}{found['passes']:>8}{best:>8}{why}"


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Return core seconds of a step and of scoring all users, and peak memory of this process."""
    adapter: Adapter = Registry(ADAPTERS)[name]
    for module in adapter.preload:
        __import__(module)
    request = FitRequest(
        target=adapter.target,
        name=name,
        params={"max_epochs": 1} if "max_epochs" in adapter.defaults else {},
        seed=0,
        threads=1,
        device="cpu",
        metrics=(),
        rates=False,
    )
    fit = Fit.begin(request, load_parts(folder, "train"))
    start = time.process_time()
    fit.step()
    step_s = time.process_time() - start
    rounds = []
    for _ in range(3):  # the first compiles, where a framework does
        start = time.process_time()
        for users in batches(fit.train.n_users, fit.train.n_items):
            fit.scores(users)
        rounds.append(time.process_time() - start)
        if rounds[0] > SHORT:  # what a framework compiles is lost in it
            break
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak_mb = int(status.split("VmHWM:")[1].split()[0]) / 1024
    return {"step_s": step_s, "score_s": float(np.median(rounds)), "peak_mb": peak_mb}


def costs(folder: Path, options: argparse.Namespace) -> None:
    """Measure and print every adapter on one split."""
    print(f"\n{folder.name}: a step, scoring all users (core seconds), peak memory")
    print(f"{'adapter':<26}{'step s':>10}{'score s':>10}{'MB':>8}")
    for name in options.adapters or ADAPTERS:
        found = answer([sys.executable, __file__, "--measure", name, str(folder)])
        options.found.append({"data": folder.name, "adapter": name, **found})
        if "error" in found:
            print(f"{name:<26}{found['error']}", flush=True)
            continue
        cells = f"{found['step_s']:>10.2f}{found['score_s']:>10.2f}{found['peak_mb']:>8.0f}"
        print(f"{name:<26}{cells}", flush=True)


def main() -> int:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of data sets (default $BENCH_DATA)")
    parser.add_argument("--logs", nargs="+", choices=DATA, default=DATA, help="which data sets")
    parser.add_argument("--only", choices=("races", "costs"), help="one half")
    parser.add_argument("--models", nargs="+", choices=tuple(OURS), help="only these races")
    parser.add_argument(
        "--adapters", nargs="+", choices=tuple(ADAPTERS), metavar="NAME", help="only these costs"
    )
    parser.add_argument("--peers", metavar="PYTHON", help="a Python that has implicit and cornac")
    parser.add_argument("--recbole", metavar="PYTHON", help="a Python that has recbole")
    parser.add_argument("--seconds", type=float, default=300.0, help="core seconds after which a race ends")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    parser.add_argument("--measure", nargs=2, metavar=("ADAPTER", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args(namespace=argparse.Namespace(found=[], raced={}))
    if options.measure:
        print(json.dumps(measure(options.measure[0], Path(options.measure[1]))))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-perf-") as scratch:
        for name in options.logs:
            folder = split_of(name, options.data, Path(scratch))
            if options.only != "costs":
                races(log_of(folder), options)
            if options.only != "races":
                costs(folder, options)
    if options.json:
        options.json.write_text(json.dumps(options.found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as complaint:
        print(complaint, file=sys.stderr)
        sys.exit(2)
