"""Do steps smaller than a pass change what is learned? Fits with and without, seed by seed.

    python perf/small_steps.py --data ../shared/data --json small-steps.json
    python perf/small_steps.py --models torch/neumf --seeds 2 --passes 1

Each model is trained with its default configuration for a few passes over train of MovieLens-1M (4 and more
stars are likes, a tenth of each user's rows is validation): pass by pass, and in steps of a sixteenth of a
pass. The table shows the validation value, its standard deviation over seeds, and the difference that the
steps make for the same seed, on average and at most: it should be nothing at all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from adapters import ADAPTERS
from benchmark import api
from benchmark.datasets.sources.folders import data_directory
from benchmark.errors import BenchError
from benchmark.fit import Fit, handed_to
from benchmark.messages import FitRequest
from benchmark.metrics.register import parse_metric
from benchmark.registry import Registry
from benchmark.runner.splits import store_all
from benchmark.trial import evaluator_for, load, validate

MODELS = {
    "native/bpr": 10,
    "native/ials": 3,
    "surprise/svd": 10,
    "torch/neumf": 3,
    "torch/multvae": 3,
    "torch/sasrec": 2,
    "keras/mlp": 3,
}
"""What is compared, and after how many passes."""
STEPS = 16


def split_folder(data: Path | None, scratch: Path) -> Path:
    """Return the folder of MovieLens-1M, split."""
    changes = {
        "datasets": ["movielens-1m"],
        "models": list(MODELS),
        "prepare": {"positive": ">= 4"},
        "split": {"by": "random", "test": 0.1, "valid": 0.1, "seed": 42},
        "metrics": {"primary": "ndcg@10", "also": ["rmse"]},
    }
    suite = api.check("movielens-p1", changes, changed_by="perf/small_steps.py")
    (stored,) = store_all(suite, scratch, data_directory(data), Path(), lambda _: None)
    return stored.directory


def values(name: str, folder: str, seeds: int, passes: int) -> list[tuple[float, float, int]]:
    """Return for each seed the value without small steps, with them, and how many steps these were."""
    adapter, parts = Registry(ADAPTERS)[name], load(folder)
    for module in adapter.preload:
        __import__(module)
    own = adapter.traits
    metric = "rmse" if own.rates else "ndcg@10"
    measured = [parse_metric(metric)]
    evaluator = evaluator_for(parts.valid, parts.train, measured, parts.train, parts.candidates, name)
    rows, found = len(handed_to(own, parts.train)), []
    for seed in range(seeds):
        pair, steps = [], 0
        for step_rows in (None, -(-rows // STEPS)):
            request = FitRequest(
                target=adapter.target,
                name=name,
                params={"max_epochs": passes},
                seed=seed,
                threads=1,
                device="cpu",
                metrics=(metric,),
                rates=own.rates,
                step_rows=step_rows,
            )
            fit = Fit.begin(request, parts.train)
            steps = sum(1 for _ in fit.train_passes(passes))
            pair.append(validate(fit, evaluator, rates=own.rates)[metric])
        found.append((pair[0], pair[1], steps))
    return found


def line(name: str, passes: int, found: list[tuple[float, float, int]]) -> str:
    """Return one row of the table."""
    whole, small, steps = map(np.array, zip(*found, strict=True))
    noise = whole.std(ddof=1) if len(whole) > 1 else np.nan
    metric = "rmse" if Registry(ADAPTERS)[name].traits.rates else "ndcg@10"
    apart = np.abs(small - whole).max()
    cells = f"{whole.mean():>9.5f}{noise:>9.5f}{small.mean() - whole.mean():>+11.6f}{apart:>10.6f}"
    return f"{name:<16}{metric:>8}{passes:>8}{int(steps[0]):>7}{len(found):>7}{cells}"


def main() -> None:
    """Compare, model by model, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of data sets; default: $BENCH_DATA")
    parser.add_argument("--models", nargs="+", default=list(MODELS), metavar="NAME")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--passes", type=int, help="instead of each model's own number")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value there")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, folder, seeds, passes = options.child
        print(json.dumps(values(name, folder, int(seeds), int(passes))))
        return
    alone = os.environ | {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
    alone |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    everything = {}
    with tempfile.TemporaryDirectory() as scratch:
        try:
            folder = split_folder(options.data, Path(scratch))
        except BenchError as error:
            sys.exit(str(error))
        titles = ("metric", "passes", "steps", "seeds", "value", "sd", "difference", "largest")
        widths = (8, 8, 7, 7, 9, 9, 11, 10)
        cells = (f"{title:>{width}}" for title, width in zip(titles, widths, strict=True))
        print(f"{'model':<16}{''.join(cells)}")
        for name in options.models:
            passes = options.passes or MODELS.get(name, 3)
            command = [
                sys.executable,
                __file__,
                "--child",
                name,
                str(folder),
                str(options.seeds),
                str(passes),
            ]
            done = subprocess.run(command, capture_output=True, text=True, env=alone, check=False)
            if done.returncode:
                print(f"{name:<16}{done.stderr.strip().splitlines()[-1]}", flush=True)
                continue
            everything[name] = json.loads(done.stdout.strip().splitlines()[-1])
            print(line(name, passes, everything[name]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
