"""Time and memory of the board's statistics beside a plain loop over scipy: ``python perf/verdict.py``.

20 models × 6,040 users × 3 seeds (MovieLens-1M's users): all 190 pairs by joint sign flips (max-T) with
seeds counted as chance, and the best set that they leave; the BCa intervals of all models; the bounds that a
pick is made by; 10,000 draws each. The plain loop calls scipy.stats.permutation_test for every pair and
bootstrap for every model; a few of each are timed and the rest extrapolated, since each takes as long as the
next.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmark.statistics.best_set import separated
from benchmark.statistics.intervals import bootstrap_intervals
from benchmark.statistics.noninferiority import noninferiority
from benchmark.statistics.permutation import joint_permutation
from benchmark.statistics.seeds import seed_variance

DRAWS = 10_000
GOAL_S, GOAL_MB, GOAL_RATIO = 10.0, 1024.0, 50.0


@dataclass(frozen=True)
class Measured:
    """All that is printed; times in seconds, memory in MiB."""

    models: int
    users: int
    seeds: int
    pairs: int
    draws: int
    cores: int
    parts_s: dict[str, float]
    seconds: float
    mb_before: float
    peak_mb: float
    plain_pair_s: float
    plain_model_s: float
    plain_timed: int
    plain_s_extrapolated: float
    ratio: float


def planted(models: int, users: int, seeds: int) -> NDArray[np.float64]:
    """Return values (M, S, U) like NDCG: many zeros, models correlated over users, small true differences."""
    rng = np.random.default_rng(0)
    taste = rng.beta(1.0, 2.5, (1, 1, users))
    values = taste + rng.normal(0.0, 0.15, (models, seeds, users)) + 0.01 * rng.random((models, 1, 1))
    return np.clip(values, 0.0, 1.0)


def ours(values: NDArray[np.float64]) -> dict[str, float]:
    """Return seconds of each part."""
    means = values.mean(axis=1)
    chance = [seed_variance(rows) for rows in values]
    variances, freedoms = (np.array(column) for column in zip(*chance, strict=True))
    parts: dict[str, Callable[[], object]] = {
        "all pairs, max-T, best set": lambda: separated(
            means, joint_permutation(means, draws=DRAWS, seed_variances=variances, seed_df=freedoms)
        ),
        "intervals of models, BCa": lambda: bootstrap_intervals(means, draws=DRAWS),
        "bounds of a pick": lambda: noninferiority(
            values[0], list(values[1:]), deterministic=[False] * len(values), draws=DRAWS
        ),
    }
    return {name: timed(part) for name, part in parts.items()}


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that it takes."""
    start = time.monotonic()
    work()
    return time.monotonic() - start


def plain_pair(values: NDArray[np.float64], pair: int) -> float:
    """Return seconds of scipy's permutation test of one pair of models."""
    differences = values[pair].mean(axis=0) - values[pair + 1].mean(axis=0)
    options: dict[str, Any] = {"vectorized": True, "batch": 500, "rng": np.random.default_rng(0)}
    return timed(
        lambda: stats.permutation_test(
            (differences,), np.mean, permutation_type="samples", n_resamples=DRAWS, **options
        )
    )


def plain_model(values: NDArray[np.float64], model: int) -> float:
    """Return seconds of scipy's bootstrap interval of one model."""
    means, options = values[model].mean(axis=0), {"vectorized": True, "batch": 500}
    rng = np.random.default_rng(0)
    return timed(
        lambda: stats.bootstrap((means,), np.mean, n_resamples=DRAWS, method="BCa", rng=rng, **options)
    )


def measure(models: int, users: int, seeds: int, plain: int) -> Measured:
    """Return all that is printed; ``plain`` pairs and models are timed in the plain loop."""
    values = planted(models, users, seeds)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = ours(values)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pairs = models * (models - 1) // 2
    pair_s = float(np.median([plain_pair(values, pair) for pair in range(plain)]))
    model_s = float(np.median([plain_model(values, model) for model in range(plain)]))
    extrapolated = pairs * pair_s + models * model_s
    return Measured(
        models=models,
        users=users,
        seeds=seeds,
        pairs=pairs,
        draws=DRAWS,
        cores=len(os.sched_getaffinity(0)),
        parts_s=spent,
        seconds=sum(spent.values()),
        mb_before=before,
        peak_mb=peak,
        plain_pair_s=pair_s,
        plain_model_s=model_s,
        plain_timed=plain,
        plain_s_extrapolated=extrapolated,
        ratio=extrapolated / sum(spent.values()),
    )


def show(found: Measured) -> None:
    """Print the table."""
    print(f"{found.models} models x {found.users} users x {found.seeds} seeds, ", end="")
    print(f"{found.pairs} pairs, {found.draws} draws, {found.cores} cores")
    for name, seconds in found.parts_s.items():
        print(f"  {name:28}{seconds:9.2f} s")
    print(f"  {'together':28}{found.seconds:9.2f} s   goal at most {GOAL_S:g} s")
    print(f"  {'peak memory':28}{found.peak_mb:9.0f} MB  goal at most {GOAL_MB:g} MB")
    few = f"{found.plain_timed} of {found.pairs} pairs and of {found.models} models timed"
    print(f"  {'plain loop over scipy':28}{found.plain_s_extrapolated:9.0f} s   {few}, extrapolated")
    print(f"  {'ratio':28}{found.ratio:9.0f} x   goal at least {GOAL_RATIO:g} x")


def main() -> int:
    """Measure, print, and write what was asked for; return 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--users", type=int, default=6_040)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--plain", type=int, default=3, help="pairs and models timed in the plain loop")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    options = parser.parse_args()
    found = measure(options.models, options.users, options.seeds, options.plain)
    show(found)
    if options.json:
        options.json.write_text(json.dumps(asdict(found), indent=2) + "\n", encoding="utf-8")
    met = found.seconds <= GOAL_S and found.peak_mb <= GOAL_MB and found.ratio >= GOAL_RATIO
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
