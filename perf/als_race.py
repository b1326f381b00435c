"""native/ials beside implicit's ALS on the planted log: validation NDCG@10 after as many core seconds.

    python -m pip install --target /tmp/implicit --no-deps implicit==0.7.3
    python perf/als_race.py --implicit /tmp/implicit [--rows 25000000] [--seconds 120] [--json FILE]

Same train rows, same users (the sample that trials are validated on), same metric code. Each race is two
processes side by side, a core each, one thread. Ours runs as a study begins: its default configuration, then
its published one, each until it has had no better value for ``PATIENCE`` passes, its clock also while it is
validated, as the budget's does. implicit's runs only while it fits, the whole time with each of the settings
listed here, of which the best counts. A value is the best after a pass that ended within the time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from planted_split import stored_split, validation, values_of
from platformdirs import user_cache_path

from benchmark.protocol import FitContext, Ids, Interactions, Scores

PASSES = 100_000  # more than any clock allows
PATIENCE = 5  # of a study, in passes
SETTINGS: tuple[dict[str, Any], ...] = (
    {"factors": 64, "regularization": 0.01, "alpha": 1.0},  # its own default but for the size
    {"factors": 64, "regularization": 15.0, "alpha": 3.0},  # the best of perf/models.py on MovieLens
    {"factors": 64, "regularization": 3.0, "alpha": 10.0},
)


@dataclass
class Clock:
    """Core seconds of this process, and the values that were measured on the way."""

    seconds: float
    spent: float = 0.0
    curve: list[tuple[float, float]] = field(default_factory=list)
    mark: float = field(default_factory=time.process_time)

    def passed(self, value: Callable[[], float], *, charged: bool) -> bool:
        """Measure after a pass, which is charged or not; return whether there is time for another."""
        before = time.process_time()
        measured = value()
        self.spent += (time.process_time() if charged else before) - self.mark
        self.curve.append((self.spent, measured))
        self.mark = time.process_time()
        return self.spent < self.seconds


class Over(Exception):  # noqa: N818 - the time is used up, nothing went wrong
    """Ends implicit's fit from its callback."""


@dataclass
class Products:
    """Dot products of implicit's vectors, as a model."""

    users: Any
    items: Any

    def score(self, users: Ids) -> Scores:
        """Return scores (B, I)."""
        scores: Scores = self.users[users] @ self.items.T
        return scores


def race(folder: Path, package: str, setting: dict[str, Any], seconds: float) -> Clock:
    """Run one package on the split until its time is used up."""
    train, evaluator = validation(folder, sampled=True)
    likes: Interactions = train.positives()

    def value(model: Any) -> float:
        return float(np.nanmean(values_of(evaluator, train.n_items, model)))

    if package == "ours":
        from adapters.native.ials import Ials
        from adapters.native.kernels import als  # noqa: F401 - imports are not counted

        clock = Clock(seconds)
        for configuration in ({}, Ials.published):
            trial_of(Ials(**configuration, max_epochs=PASSES), likes, clock, value)
        return clock
    from implicit.cpu.als import AlternatingLeastSquares

    peer = AlternatingLeastSquares(**setting, iterations=PASSES, num_threads=1, random_state=0)
    clock = Clock(seconds)

    def passed(*_: object) -> None:
        if not clock.passed(lambda: value(Products(peer.user_factors, peer.item_factors)), charged=False):
            raise Over

    with contextlib.suppress(Over):
        peer.fit(likes.matrix(), show_progress=False, callback=passed)
    return clock


def trial_of(model: Any, likes: Interactions, clock: Clock, value: Callable[[Any], float]) -> None:
    """Fit a model pass by pass until it gets no better, or until the clock's time is used up."""
    start = len(clock.curve)
    for _ in model.fit_steps(likes, FitContext(seed=0, threads=1)):
        in_time = clock.passed(lambda: value(model), charged=True)
        values = [measured for _, measured in clock.curve[start:]]
        if not in_time or len(values) - 1 - int(np.argmax(values)) >= PATIENCE:
            return


def side_by_side(folder: Path, setting: dict[str, Any], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the curves of ours and of implicit with this setting, run at the same time on a core each."""
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
    paths = [str(options.implicit), os.environ.get("PYTHONPATH", "")]
    alone = os.environ | threads | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    cores = sorted(os.sched_getaffinity(0))
    racers = []
    for place, (package, own) in enumerate((("ours", {}), ("implicit", setting))):
        words = [str(folder), package, json.dumps(own), str(options.seconds)]
        command = [
            "taskset",
            "-c",
            str(cores[place % len(cores)]),
            sys.executable,
            __file__,
            "--racer",
            *words,
        ]
        racers.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=alone))
    answers = [racer.communicate()[0] for racer in racers]
    if any(racer.returncode for racer in racers):
        sys.exit("a racer failed; what it printed is above")
    return [json.loads(answer.splitlines()[-1]) for answer in answers]


def best(curve: list[list[float]], seconds: float) -> float:
    """Return the best value of a pass that ended in time; 0 where none did."""
    return max((value for spent, value in curve if spent <= seconds), default=0.0)


def main() -> int:
    """Race, print the table, and return 1 if implicit is ahead."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=25_000_000, help="rows of the planted log")
    parser.add_argument("--seconds", type=float, default=120.0, help="core seconds of each")
    parser.add_argument("--implicit", type=Path, metavar="DIR", help="folder that implicit is installed in")
    parser.add_argument("--settings", type=int, default=len(SETTINGS), metavar="N", help="only the first N")
    parser.add_argument("--cache", type=Path, default=user_cache_path("recsys-bench") / "scale")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    parser.add_argument("--racer", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.racer:
        folder, package, setting, seconds = options.racer
        print(json.dumps(race(Path(folder), package, json.loads(setting), float(seconds)).curve))
        return 0
    if not options.implicit or not (options.implicit / "implicit").is_dir():
        parser.error(
            "--implicit must name the folder that implicit is installed in: python -m pip install "
            "--target /tmp/implicit --no-deps implicit==0.7.3"
        )
    found = []
    with tempfile.TemporaryDirectory(prefix="bench-als-", dir=options.cache) as scratch:
        folder = stored_split(options.rows, options.cache, Path(scratch))
        print(f"{'setting of implicit':<58}{'package':>10}{'passes':>8}{'NDCG@10':>9}", flush=True)
        for setting in SETTINGS[: options.settings]:
            for package, curve in zip(
                ("ours", "implicit"), side_by_side(folder, setting, options), strict=True
            ):
                value = best(curve, options.seconds)
                found.append({"package": package, "against": setting, "curve": curve, "best": value})
                print(f"{json.dumps(setting):<58}{package:>10}{len(curve):>8}{value:>9.4f}", flush=True)
    least = min(one["best"] for one in found if one["package"] == "ours")
    most = max(one["best"] for one in found if one["package"] == "implicit")
    print(f"ours {least:.4f}, implicit {most:.4f}: {'met' if least >= most else 'MISSED'}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if least >= most else 1


if __name__ == "__main__":
    sys.exit(main())
