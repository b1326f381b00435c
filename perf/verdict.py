"""Time and memory of the board's statistics beside a plain loop over scipy: ``python perf/verdict.py``.

20 models × 6,040 users × 3 seeds (MovieLens-1M's users): all 190 pairs by joint sign flips (max-T) with
seeds counted as chance, and the set of the best that they leave; the BCa intervals of all models and of
all differences; the bounds that a pick is made by; 10,000 draws each. The plain
loop calls scipy.stats.permutation_test and bootstrap once a pair; a few pairs are timed and the rest
extrapolated, since each takes as long as the next.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmark.statistics.best_set import separated
from benchmark.statistics.intervals import bootstrap_intervals, bootstrap_pair_intervals
from benchmark.statistics.noninferiority import noninferiority
from benchmark.statistics.permutation import joint_permutation
from benchmark.statistics.seeds import seed_variance

DRAWS = 10_000
GOALS = {"seconds": 10.0, "megabytes": 1024.0, "ratio": 50.0}


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
    parts: dict[str, Callable[[], Any]] = {
        "all pairs, max-T, best set": lambda: separated(
            means, joint_permutation(means, draws=DRAWS, seed_variances=variances, seed_df=freedoms)
        ),
        "intervals of models, BCa": lambda: bootstrap_intervals(means, draws=DRAWS),
        "intervals of all pairs, BCa": lambda: bootstrap_pair_intervals(means, draws=DRAWS),
        "bounds of a pick": lambda: noninferiority(
            values[0], list(values[1:]), deterministic=[False] * len(values), draws=DRAWS
        ),
    }
    spent = {}
    for name, part in parts.items():
        start = time.monotonic()
        part()
        spent[name] = time.monotonic() - start
    return spent


def plain_pair(values: NDArray[np.float64], pair: int) -> float:
    """Return seconds of scipy's permutation test and bootstrap interval of one pair of models."""
    differences = values[pair].mean(axis=0) - values[pair + 1].mean(axis=0)
    start = time.monotonic()
    options: dict[str, Any] = {"vectorized": True, "batch": 500, "rng": np.random.default_rng(0)}
    stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=DRAWS, **options)
    stats.bootstrap((differences,), np.mean, n_resamples=DRAWS, method="BCa", **options)
    return time.monotonic() - start


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return all that is printed."""
    values = planted(options.models, options.users, options.seeds)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = ours(values)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pairs = options.models * (options.models - 1) // 2
    each = float(np.median([plain_pair(values, pair) for pair in range(options.plain_pairs)]))
    seconds = sum(spent.values())
    return {
        "models": options.models,
        "users": options.users,
        "seeds": options.seeds,
        "pairs": pairs,
        "draws": DRAWS,
        "cores": len(os.sched_getaffinity(0)),
        "parts_s": spent,
        "seconds": seconds,
        "peak_mb": peak,
        "mb_before": before,
        "plain_pair_s": each,
        "plain_pairs_timed": options.plain_pairs,
        "plain_s_extrapolated": each * pairs,
        "ratio": each * pairs / seconds,
        "goals": GOALS,
    }


def show(found: dict[str, Any]) -> None:
    """Print the table."""
    print(f"{found['models']} models x {found['users']} users x {found['seeds']} seeds, ", end="")
    print(f"{found['pairs']} pairs, {found['draws']} draws, {found['cores']} cores")
    for name, seconds in found["parts_s"].items():
        print(f"  {name:28}{seconds:9.2f} s")
    print(f"  {'together':28}{found['seconds']:9.2f} s   goal at most {GOALS['seconds']:g} s")
    print(f"  {'peak memory':28}{found['peak_mb']:9.0f} MB  goal at most {GOALS['megabytes']:g} MB")
    timed = f"{found['plain_pairs_timed']} of {found['pairs']} pairs timed"
    print(f"  {'plain loop over scipy':28}{found['plain_s_extrapolated']:9.0f} s   {timed}, extrapolated")
    print(f"  {'ratio':28}{found['ratio']:9.0f} x   goal at least {GOALS['ratio']:g} x")


def main() -> int:
    """Measure, print, and write what was asked for; return 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--users", type=int, default=6_040)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--plain-pairs", type=int, default=3, help="pairs timed in the plain loop")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    options = parser.parse_args()
    found = measure(options)
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    met = found["seconds"] <= GOALS["seconds"] and found["peak_mb"] <= GOALS["megabytes"]
    return 0 if met and found["ratio"] >= GOALS["ratio"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
