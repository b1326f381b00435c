"""One core beside two: seconds of a step of the main models, and of ranking: ``python perf/cores.py``.

Each is measured in a process of its own that is pinned to as many cores and capped to as many threads as a
slot of that size would be, the two in turn, ``--rounds`` times; the quickest counts. The log is generated. Of
a model the first step is timed, of ranking the lists of all users from vectors. "busy" says how many cores
were used: core-seconds over seconds. The machine should be idle: on a busy one no ratio means anything.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from large_log import Shape, distinct_pairs

from adapters import ADAPTERS
from benchmark.cold_start import Cold
from benchmark.executors.interpreter import THREAD_CAPS
from benchmark.fit import Fit, batches
from benchmark.messages import FitRequest
from benchmark.metrics.ranker import Ranker
from benchmark.modelkit.dot_product import DotProduct
from benchmark.protocol import FitContext, Interactions
from benchmark.registry import Registry

RANKING = "ranking"
MODELS = (
    *("native/ials", "native/bpr", "native/item-knn", "native/slim", "native/ease"),
    *("lightfm/warp", "torch/multvae", "torch/neumf"),
)


@dataclass(frozen=True)
class Took:
    """What a step took: seconds of a clock, and of all cores together."""

    wall_s: float
    core_s: float


def log_of(shape: Shape) -> Interactions:
    """Return a generated log of likes."""
    users, items = np.divmod(distinct_pairs(shape, np.random.default_rng(0)), shape.items)
    ones = np.ones(len(users), dtype=np.float32)
    columns = users.astype(np.int32), items.astype(np.int32), ones, np.arange(len(users)), ones > 0
    return Interactions(*columns, shape.users, shape.items, scale=(0.5, 5.0))


def timed(work: object) -> Took:
    """Return what a call takes."""
    assert callable(work)
    wall, cores = time.monotonic(), time.process_time()
    work()
    return Took(time.monotonic() - wall, time.process_time() - cores)


def one(name: str, threads: int, shape: Shape) -> Took:
    """Measure in this process."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    train = log_of(shape)
    if name != RANKING:
        adapter = Registry(ADAPTERS)[name]
        for module in adapter.preload:
            __import__(module)
        request = FitRequest(
            target=adapter.target,
            name=name,
            params={},
            seed=0,
            threads=threads,
            device="cpu",
            metrics=(),
            rates=False,
        )
        return timed(Fit.begin(request, train).step)
    model, rng = DotProduct(), np.random.default_rng(0)
    users, items = (rng.standard_normal((n, 64), dtype=np.float32) for n in (shape.users, shape.items))
    model.restore({"users": users, "items": items})
    fit = Fit(model, train, FitContext(), name, Cold.from_log(train))  # type: ignore[arg-type]
    ranker = Ranker(train.matrix(), None, 10)
    some = list(batches(shape.users, shape.items))
    fit.lists(some[0], ranker)
    return timed(lambda: [fit.lists(few, ranker) for few in some])


def apart(name: str, threads: int, shape: Shape) -> Took:
    """Measure in a process with as many threads as a slot of so many cores."""
    words = [name, threads, shape.users, shape.items, shape.interactions]
    done = subprocess.run(
        [sys.executable, __file__, "--one", *map(str, words)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        env=os.environ | dict.fromkeys(THREAD_CAPS, str(threads)),
    )
    return Took(**json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=[*MODELS, RANKING], metavar="NAME")
    parser.add_argument("--cores", type=int, default=2, help="compared with one")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    parser.add_argument("--one", nargs=5, metavar=("NAME", "THREADS", "USERS", "ITEMS", "ROWS"))
    options = parser.parse_args()
    if options.one:
        name, threads, *shape = options.one
        print(json.dumps(asdict(one(name, int(threads), Shape(*map(int, shape))))))
        return 0
    shape, n = Shape(options.users, options.items, options.rows), options.cores
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':<18}{'1 core s':>10}{f'{n} cores s':>11}{'times':>8}{'busy':>8}")
    rows = []
    for name in options.models:
        found = [(apart(name, 1, shape), apart(name, n, shape)) for _ in range(options.rounds)]
        single, several = (min(side, key=lambda took: took.wall_s) for side in zip(*found, strict=True))
        times, busy = single.wall_s / several.wall_s, several.core_s / several.wall_s
        print(f"{name:<18}{single.wall_s:>10.2f}{several.wall_s:>11.2f}{times:>8.2f}{busy:>8.2f}", flush=True)
        rows.append({"name": name, "one": asdict(single), "several": asdict(several), "cores": n})
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
