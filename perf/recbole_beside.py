"""RecBole's own program beside our adapter: the same rows, seed and batches, each with its own evaluation.

    python perf/recbole_beside.py EASE ml-1m --set l2=1000.0
    python perf/recbole_beside.py BPR ml-100k --set max_epochs=20

All rows count as likes; 8:1:1 of them at random are train, validation and test. ``recbole_own_program.py``
fits both in RecBole's environment. RecBole's figures on test are by its own evaluation, ours by our own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmark import api
from benchmark.metrics.evaluator import Evaluator
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Array, Interactions, Scores

ROOT = Path(__file__).parents[1]
FILES = {"ml-100k": ("u.data", "\t"), "ml-1m": ("ratings.dat", "::")}
METRICS = ("recall@10", "ndcg@10", "mrr@10", "precision@10")
SEED = 2020


@dataclass(frozen=True)
class Beside:
    """What both programs say of test.

    Attributes:
        recbole: RecBole's figures, by its own evaluation.
        adapter: the adapter's, by ours.
        recbole_s: seconds that RecBole took, its reading of files and its evaluation included.
        adapter_s: seconds that the adapter took to fit and to score all.
    """

    recbole: dict[str, float]
    adapter: dict[str, float]
    recbole_s: float
    adapter_s: float

    @property
    def apart(self) -> float:
        """The most by which a figure differs."""
        return max(abs(self.recbole[metric] - self.adapter[metric]) for metric in METRICS)


def pairs(folder: Path) -> Array:
    """Return all rows (N, 2) in a random order; ids count from the first that appears, as in RecBole."""
    name, separator = FILES[folder.name]
    text = (folder / name).read_text("latin-1").replace(separator, "\t")
    table = np.loadtxt(text.splitlines(), dtype=np.int64, delimiter="\t", usecols=(0, 1))
    table = np.random.default_rng(SEED).permutation(table)
    for column in table.T:
        _, first, ids = np.unique(column, return_index=True, return_inverse=True)
        column[:] = np.argsort(np.argsort(first))[ids]
    return table.astype(np.int32)


def log(rows: Array, whole: Array) -> Interactions:
    """Return a part of all rows as the engine has it."""
    ones = np.ones(len(rows), dtype=np.float32)
    return Interactions(
        users=rows[:, 0].copy(),
        items=rows[:, 1].copy(),
        values=ones,
        times=np.empty(0, dtype=np.int64),
        positive=ones > 0,
        n_users=int(whole[:, 0].max()) + 1,
        n_items=int(whole[:, 1].max()) + 1,
    )


def figures(scores: Scores, train: Interactions, valid: Interactions, test: Interactions) -> dict[str, float]:
    """Return what our evaluation says of scores (U, I) on test."""
    evaluator = Evaluator(test, [train, valid], [parse_metric(one) for one in METRICS], train)
    evaluator.add(evaluator.users, scores[evaluator.users])
    return {metric: float(value) for metric, value in evaluator.result().values.items()}


def beside(model: str, data: Path, fields: dict[str, object]) -> Beside:
    """Fit a model with RecBole's own program and with the adapter, in RecBole's environment."""
    whole = pairs(data)
    cuts = [int(share * len(whole)) for share in (0.8, 0.9)]
    train, valid, test = parts = np.split(whole, cuts)
    logs = [log(part, whole) for part in parts]
    (environment,) = api.env("recbole")
    with TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "parts.npz", train=train, valid=valid, test=test)
        asked = {"model": model, "fields": fields, "seed": SEED}
        counts = {"n_users": logs[0].n_users, "n_items": logs[0].n_items}
        (folder / "asked.json").write_text(json.dumps({**asked, **counts}))
        program = [environment.python, ROOT / "perf" / "recbole_own_program.py", folder]
        one_thread = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        subprocess.run(program, check=True, cwd=folder, env={**os.environ, **one_thread})
        said = json.loads((folder / "figures.json").read_text())
        ours = figures(np.load(folder / "scores.npy"), *logs)
    return Beside(said["figures"], ours, said["recbole_s"], said["adapter_s"])


def main() -> None:
    """Print both programs' figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="RecBole's name of it")
    parser.add_argument("data", choices=sorted(FILES), help="a folder below $BENCH_DATA")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="a hyperparameter")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    given = parser.parse_args()
    fields = {name: json.loads(value) for name, _, value in (one.partition("=") for one in given.set)}
    found = beside(given.model, Path(os.environ["BENCH_DATA"]) / given.data, fields)
    print(f"{'metric':12} {'RecBole':>10} {'adapter':>10} {'apart':>10}")
    for metric in METRICS:
        theirs, ours = found.recbole[metric], found.adapter[metric]
        print(f"{metric:12} {theirs:10.6f} {ours:10.6f} {abs(theirs - ours):10.6f}")
    print(f"{'seconds':12} {found.recbole_s:10.1f} {found.adapter_s:10.1f}")
    if given.json:
        given.json.write_text(
            json.dumps({"recbole": found.recbole, "adapter": found.adapter}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
