"""Does the sample of validation's users order models as all users do? Short fits on a planted log.

    python perf/sample_agreement.py [--rows 5000000] [--seeds 5] [--users N] [--json FILE]

Each model is fitted with each seed in a process of its own, for a fixed number of steps, and measured on all
users of validation; the sample's values are those of its users among them. Two models differ on all users
where their difference is larger than its 95 % interval over users and seeds; such a pair is swapped where the
sample has the other one first, and no pair may be. The sample is the stored one, or the first N of the
users in a drawn order.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from planted_split import sampled_users, stored_split, validation, values_of
from platformdirs import user_cache_path
from scipy import stats

from adapters import ADAPTERS
from benchmark.datasets.store.parts import load_parts
from benchmark.fit import handed_to
from benchmark.protocol import FitContext
from benchmark.registry import Adapter, load
from benchmark.traits import traits

FITS: dict[str, tuple[str, dict[str, Any], int]] = {
    "random": ("baselines/random", {}, 1),
    "popularity": ("baselines/popularity", {}, 1),
    "ials-16": ("native/ials", {"dim": 16}, 6),
    "ials-32": ("native/ials", {"dim": 32}, 6),
    "ials-64": ("native/ials", {"dim": 64}, 6),
    "ials-64-light": ("native/ials", {"dim": 64, "l2": 0.003}, 4),
    "bpr-32": ("native/bpr", {"dim": 32}, 6),
    "bpr-64": ("native/bpr", {"dim": 64}, 6),
    "item-knn-20": ("native/item-knn", {"neighbours": 20}, 1),
    "item-knn-100": ("native/item-knn", {"neighbours": 100}, 1),
    "rp3beta": ("native/rp3beta", {}, 1),
    "warp-32": ("lightfm/warp", {"dim": 32}, 3),
    "multvae": ("torch/multvae", {}, 2),
    "mf": ("torch/mf", {}, 2),
}
"""Adapter, hyperparameters and steps of each model; several are near each other on purpose."""

Means = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """Two models: by how much the first is better, with the half width of the interval on all users."""

    first: str
    second: str
    difference: float
    half_width: float
    on_sample: float

    @property
    def differs(self) -> bool:
        """Whether the difference on all users is larger than its interval."""
        return abs(self.difference) > self.half_width

    @property
    def swapped(self) -> bool:
        """Whether the sample has the other one first."""
        return self.difference * self.on_sample < 0


def fit(folder: Path, name: str, seed: int, out: Path) -> None:
    """Fit a model, and store the NDCG@10 of every user of validation, (E,), nan without anything to find."""
    target, params, steps = FITS[name]
    adapter = Adapter(target, ADAPTERS[target])
    for module in adapter.preload:
        __import__(module)
    context = FitContext(seed=seed, threads=1)
    cls = load(adapter.target)
    if hasattr(cls, "open_device"):
        cls.open_device(context)
    train, evaluator = validation(folder, sampled=False)
    epochs = {"max_epochs": steps} if "max_epochs" in adapter.defaults else {}
    model = cls(**params | epochs)
    for _ in itertools.islice(model.fit_steps(handed_to(traits(cls), train), context), steps):
        pass
    np.save(out, values_of(evaluator, train.n_items, model))


def pair_of(names: tuple[str, str], values: tuple[Means, Means], sample: NDArray[np.bool_]) -> Pair:
    """Return how two models compare, given their values (S, U) of users with something to find.

    The variance of a difference is that over users of the difference of the two means over seeds, and of
    each model that over its seeds: s²_users / U + s²_A / S_A + s²_B / S_B, with Welch's degrees of freedom.
    """
    first, second = values
    per_user = first.mean(axis=0) - second.mean(axis=0)
    parts, freedoms = [per_user.var(ddof=1) / len(per_user)], [len(per_user) - 1]
    for rows in values:
        if len(rows) > 1:
            parts.append(rows.mean(axis=1).var(ddof=1) / len(rows))
            freedoms.append(len(rows) - 1)
    variance = sum(parts)
    freedom = (
        variance**2 / sum(part**2 / n for part, n in zip(parts, freedoms, strict=True)) if variance else 1
    )
    half_width = float(stats.t.ppf(0.975, freedom) * np.sqrt(variance))
    return Pair(*names, float(per_user.mean()), half_width, float(per_user[sample].mean()))


def measured(folder: Path, options: argparse.Namespace, scratch: Path) -> dict[str, Means]:
    """Return the values (S, U) of each model; a deterministic one has one row."""
    values = {}
    for name in options.models or FITS:
        deterministic = traits(load(Adapter(FITS[name][0], ADAPTERS[FITS[name][0]]).target)).deterministic
        rows = []
        start = time.monotonic()
        for seed in range(1 if deterministic else options.seeds):
            out = scratch / f"{name}-{seed}.npy"
            command = [sys.executable, __file__, "--fit", str(folder), name, str(seed), str(out)]
            subprocess.run(command, check=True)
            rows.append(np.load(out))
        values[name] = np.stack(rows)
        took = time.monotonic() - start
        print(f"{name:<16}{len(rows)} seeds, {took:.0f} s, {np.nanmean(values[name]):.4f}", flush=True)
    return values


def show(values: dict[str, Means], pairs: list[Pair], sample: NDArray[np.bool_]) -> bool:
    """Print the tables; return whether no pair that differs is swapped."""
    print(f"\n{len(sample):,} users with something to find, {sample.sum():,} of them in the sample")
    print(f"{'model':<16}{'seeds':>6}{'all users':>11}{'seed sd':>9}{'sample':>9}")
    for name, rows in sorted(values.items(), key=lambda pair: -pair[1].mean()):
        sd = rows.mean(axis=1).std(ddof=1) if len(rows) > 1 else 0.0
        print(f"{name:<16}{len(rows):>6}{rows.mean():>11.4f}{sd:>9.4f}{rows[:, sample].mean():>9.4f}")
    near = sorted((pair for pair in pairs if pair.differs), key=lambda pair: abs(pair.difference))
    print(f"\n{'nearest pairs that differ':<34}{'all users':>10}{'+-':>9}{'sample':>9}")
    for pair in near[:10]:
        print(
            f"{pair.first + ' - ' + pair.second:<34}{pair.difference:>10.4f}{pair.half_width:>9.4f}"
            f"{pair.on_sample:>9.4f}{'  SWAPPED' if pair.swapped else ''}"
        )
    swapped = sum(pair.swapped for pair in near)
    print(
        f"{len(pairs)} pairs, {len(near)} differ, {swapped} of them swapped: {'MISSED' if swapped else 'met'}"
    )
    return not swapped


def main() -> int:
    """Fit, compare, print the tables, and return 1 if a pair that differs is swapped."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows of the planted log")
    parser.add_argument("--seeds", type=int, default=5, help="of each stochastic model")
    parser.add_argument("--models", nargs="+", choices=tuple(FITS), metavar="NAME", help="only these")
    parser.add_argument("--users", type=int, metavar="N", help="of the sample (default: the stored one)")
    parser.add_argument("--cache", type=Path, default=user_cache_path("recsys-bench") / "scale")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    parser.add_argument("--fit", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        folder, name, seed, out = options.fit
        fit(Path(folder), name, int(seed), Path(out))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-sample-", dir=options.cache) as scratch:
        folder = stored_split(options.rows, options.cache, Path(scratch))
        valid = load_parts(folder, "valid")
        everybody = np.unique(valid.users)
        chosen = sampled_users(folder, valid)
        if options.users:
            chosen = np.random.default_rng(0).permutation(everybody)[: options.users]
        values = measured(folder, options, Path(scratch))
    judged = np.isfinite(next(iter(values.values()))[0])
    values = {name: rows[:, judged] for name, rows in values.items()}
    sample = np.isin(everybody[judged], chosen)
    pairs = [
        pair_of(names, (values[names[0]], values[names[1]]), sample)
        for names in itertools.combinations(values, 2)
    ]
    met = show(values, pairs, sample)
    if options.json:
        numbers = {
            "users": len(sample),
            "sample": int(sample.sum()),
            "pairs": [asdict(pair) for pair in pairs],
        }
        options.json.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
