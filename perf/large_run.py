"""A whole run over the planted log: who ends with a result, how long it takes, how much memory.

    python perf/large_run.py [--rows 25000000] [--budget 300] [--models A B] [--json FILE]

Two studies at a time in slots of one core and 10 GB; finals with one seed, trained on train. `bench run` is a
program of its own that is watched from outside: wall time from its start, reading and splitting included, and
the most that its processes held at one time, page cache apart. A result is a final scored on test; it must be
above popularity's, an rmse below that of the mean of all ratings. The goals are those of the full size.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml
from planted_log import planted_shape
from planted_split import PRIMARY, planted_suite
from platformdirs import user_cache_path
from run_results import Result, results_of
from watched import Watched, watch

from benchmark.datasets.store.parts import load_parts

JUDGED = (
    "baselines/popularity",
    "baselines/random",
    "native/ials",
    "native/bpr",
    "lightfm/warp",
    "native/item-knn",
    "native/rp3beta",
    "surprise/svd",
    "torch/neumf",
    "keras/mlp",
    "torch/multvae",
    "torch/sasrec",
)
QUADRATIC = ("native/ease", "native/slim")
"""They run, or say what they need at no charge."""
GOALS = {"results": 11, "random_s": 5.0, "wall_s": 75 * 60.0, "peak_mb": 20 * 1024.0}


@dataclass(frozen=True)
class Row:
    """One model: its result, and whether that is one."""

    model: str
    result: Result
    counts: bool
    beats: str


def suite_of(options: argparse.Namespace) -> dict[str, object]:
    """Return the suite."""
    shape = planted_shape(options.rows)
    finals: dict[str, object] = {"seeds": 1, "train_on": "train", "default": False}
    if options.finals_users:
        finals["users"] = min(options.finals_users, shape.users)
    return planted_suite(options.rows, options.cache) | {
        "budget": {
            "per_model": options.budget,
            "slot": {"cores": 1, "memory": options.memory, "gpu": False},
        },
        "finals": finals,
        "models": list(options.models or JUDGED + QUADRATIC),
    }


def mean_rmse(run: Path) -> float:
    """Return the rmse on test of the mean rating of train; nan where the run has no split."""
    for folder in sorted((run / "splits").glob("*")):
        train, test = load_parts(folder, "train"), load_parts(folder, "test")
        mean = train.values.mean(dtype=np.float64)
        return float(np.sqrt(np.mean((test.values - mean) ** 2)))
    return float("nan")


def row_of(model: str, result: Result, popularity: float, rmse: float) -> Row:
    """Return whether a model has a result that counts, and what it is compared with."""
    if not result.tests:
        free = model in QUADRATIC and result.outcome == "does-not-fit" and result.charged_s == 0
        return Row(model, result, free, "says what it needs" if free else "no result")
    test = result.tests[0]
    if model in {"baselines/popularity", "baselines/random"}:
        return Row(model, result, True, "-")
    if model.startswith("surprise/"):
        better = test["rmse"] < rmse
        return Row(model, result, better, f"rmse {test['rmse']:.4f}, mean's {rmse:.4f}")
    better = test[PRIMARY] > popularity
    return Row(model, result, better, "above popularity" if better else "NOT above popularity")


def rows_of(run: Path) -> list[Row]:
    """Return a row for each model of a run."""
    found = {model: result for (_, model), result in results_of(run, PRIMARY).items()}
    popular = found.get("baselines/popularity", Result()).tests
    popularity = popular[0][PRIMARY] if popular else float("nan")
    rmse = mean_rmse(run)
    return [row_of(model, result, popularity, rmse) for model, result in found.items()]


def show(rows: list[Row], watched: Watched) -> bool:
    """Print the table; return whether every goal is met."""
    print(
        f"{'model':<22}{'outcome':<14}{'trials':>7}{'charged':>9}{'first':>8}{'valid':>8}{'test':>8}  against"
    )
    for row in rows:
        result = row.result
        test = result.tests[0].get(PRIMARY) if result.tests else None
        print(
            f"{row.model:<22}{result.outcome:<14}{result.trials:>7}{result.charged_s:>8.1f}s"
            f"{cell(result.first_value_s, 1):>8}{cell(result.valid.get(PRIMARY)):>8}{cell(test):>8}"
            f"  {row.beats}"
        )
        if not row.counts and result.reason:
            print(f"{'':<22}{result.reason}")
    judged = sum(row.counts for row in rows if row.model in JUDGED)
    quadratic = [row for row in rows if row.model in QUADRATIC]
    random_s = next((row.result.first_trial_s for row in rows if row.model == "baselines/random"), None)
    checks = {
        f"{judged} of {len(JUDGED)} with a result, goal {GOALS['results']}": judged >= GOALS["results"],
        f"random's validation charged {cell(random_s, 1)} s, goal {GOALS['random_s']:g}": (
            random_s is not None and random_s <= GOALS["random_s"]
        ),
        "ease and slim run or say what they need at no charge": all(row.counts for row in quadratic),
        f"{watched.wall_s / 60:.1f} minutes, goal {GOALS['wall_s'] / 60:g}": watched.wall_s
        <= GOALS["wall_s"],
        f"{watched.peak_mb / 1024:.1f} GB, goal {GOALS['peak_mb'] / 1024:g}": watched.peak_mb
        <= GOALS["peak_mb"],
    }
    for what, met in checks.items():
        print(f"{what}: {'met' if met else 'MISSED'}")
    return all(checks.values()) and watched.exit_code == 0


def cell(number: float | None, digits: int = 4) -> str:
    """Return a number or a dash."""
    return "-" if number is None else f"{number:.{digits}f}"


def main() -> int:
    """Run the suite, print the table, and return 1 if a goal is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=25_000_000, help="rows of the planted log")
    parser.add_argument("--budget", default="300s", metavar="TIME", help="device-seconds a model")
    parser.add_argument("--memory", default="10GB", help="memory of a slot")
    parser.add_argument("--jobs", type=int, default=2, help="studies side by side")
    parser.add_argument("--models", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--finals-users", type=int, default=20_000, metavar="N", help="0: all of them")
    parser.add_argument("--cache", type=Path, default=user_cache_path("recsys-bench") / "scale")
    parser.add_argument("--out", type=Path, metavar="DIR", help="directory of the run (default: a new one)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    options = parser.parse_args()
    suite = suite_of(options)  # makes the log if it is not there
    folder = Path(tempfile.mkdtemp(prefix="planted-run-", dir=options.cache))
    path, run = folder / "planted.yaml", options.out or folder / "run"
    path.write_text(yaml.safe_dump(suite, sort_keys=False), encoding="utf-8")
    print(f"suite and run: {folder}", flush=True)
    words = ["run", str(path), "--out", str(run), "--jobs", str(options.jobs)]
    watched = watch([sys.executable, "-m", "benchmark.cli", *words], dict(os.environ))
    rows = rows_of(run)
    met = show(rows, watched)
    if options.json:
        found = {"suite": suite, **asdict(watched), "models": [asdict(row) for row in rows], "goals": GOALS}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
