"""Users ranked and measured per second, ours beside other tools: ``python perf/evaluate.py``.

Dense float32 scores, 10 seen and 5 relevant items per user, all ranking metrics at 10: precision, recall,
hit, F1, NDCG, MRR, MAP. Ours also hides seen items and breaks ties by chance; "checked" includes the check
that scores are finite, which the engine makes once where it receives them. Each tool runs in a process of its
own with the same number of threads, after one warm-up; the median of the rounds counts. Memory is the growth
of the process's peak over scores and target.

ranx measures lists and leaves ranking dense scores to its user: its row is numpy's ranking and then
``evaluate`` on arrays, its quickest input. implicit ranks from factors, not from scores: its row is its
batched product of 32 factors with top-k, without any metric. numpy and torch rank with argpartition and
topk, ignore finiteness and ties, and measure with our formulas.

ranx and implicit are not among our requirements. To include them, make an environment and name its Python:

    python -m venv /tmp/peers && /tmp/peers/bin/pip install ranx implicit
    python perf/evaluate.py --peers /tmp/peers/bin/python
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

TOOLS = ("ours", "checked", "numpy", "torch", "ranx", "implicit")
PEERS = ("ranx", "implicit")
SIZES = ((943, 1_682), (20_000, 20_000))
BATCH = 4_000_000
RELEVANT, SEEN, K = 5, 10, 10
BASES = ("precision", "recall", "hit", "f1", "ndcg", "mrr", "map")
GOAL_USERS_PER_S, GOAL_TIMES_RANX, GOAL_COLD_START_S = 100_000, 10.0, 1.0


@dataclass(frozen=True)
class Speed:
    """What was measured of one tool at one size; memory in MiB."""

    tool: str
    users: int
    items: int
    users_per_s: float
    best_users_per_s: float
    memory_mb: float
    first_s: float


def scores_of(users: int, items: int) -> np.ndarray:
    """Return (U, I) float32, filled in place."""
    scores = np.empty((users, items), dtype=np.float32)
    rng = np.random.default_rng(0)
    for start in range(0, users, 1000):
        rng.standard_normal(out=scores[start : start + 1000], dtype=np.float32)
    return scores


def pairs_of(users: int, items: int) -> np.ndarray:
    """Return distinct items (U, seen + relevant) of each user."""
    rng = np.random.default_rng(1)
    first = rng.integers(0, items, (users, 1))
    return (first + np.arange(SEEN + RELEVANT) * (items // 17)) % items


def ours(users: int, items: int, scores: np.ndarray, _: int) -> Callable[[], object]:
    """Return a whole evaluation as the engine makes it; the environment says how many threads it takes."""
    from benchmark.metrics.evaluator import Evaluator
    from benchmark.metrics.register import parse_metric
    from benchmark.protocol import Interactions

    def log(part: np.ndarray) -> Interactions:
        n = part.size
        who = np.repeat(np.arange(users, dtype=np.int32), part.shape[1])
        ones, likes = np.ones(n, np.float32), np.ones(n, bool)
        columns = (who, part.ravel().astype(np.int32), ones, np.empty(0, np.int64), likes)
        return Interactions(*columns, users, items)

    pairs = pairs_of(users, items)
    train, target = log(pairs[:, :SEEN]), log(pairs[:, SEEN:])
    metrics = [parse_metric(f"{base}@{K}") for base in BASES]
    evaluator = Evaluator(target, [train], metrics, train)

    def run() -> object:
        evaluator.reset()
        evaluator.add(evaluator.users, scores)  # read where they lie: batches would save no memory
        return evaluator.result().values

    return run


def checked(users: int, items: int, scores: np.ndarray, threads: int) -> Callable[[], object]:
    """Return the same with the check of scores that comes before it."""
    from benchmark.score_check import checked_scores

    everybody, evaluation = np.arange(users, dtype=np.int32), ours(users, items, scores, threads)
    return lambda: (checked_scores(scores, everybody, items, "scores"), evaluation())


def _measured(users: int, items: int, ranked: Callable[[int, int], np.ndarray]) -> Callable[[], object]:
    """Return batches ranked by a tool and measured with our formulas."""
    from benchmark.metrics.inputs import HitInputs
    from benchmark.metrics.register import parse_metric

    metrics = [parse_metric(f"{base}@{K}") for base in BASES]
    pairs = pairs_of(users, items)
    relevant, step = np.full(users, RELEVANT), max(1, BATCH // items)

    def run() -> object:
        starts = range(0, users, step)
        lists = np.concatenate([ranked(start, min(start + step, users)) for start in starts])
        hits = (lists[:, :, None] == pairs[:, None, SEEN:]).any(axis=2)
        return {metric.name: metric.compute(HitInputs(hits, relevant, K)).mean() for metric in metrics}

    return run


def ranker(items: int, scores: np.ndarray, seen: np.ndarray) -> Callable[[int, int], np.ndarray]:
    """Return argpartition on a copy of each batch with the seen taken out."""

    def ranked(start: int, end: int) -> np.ndarray:
        batch = scores[start:end].copy()
        np.put_along_axis(batch, seen[start:end], -np.inf, axis=1)
        best = np.argpartition(batch, items - K, axis=1)[:, items - K :]
        order = np.argsort(-np.take_along_axis(batch, best, axis=1), axis=1)
        return np.take_along_axis(best, order, axis=1)

    return ranked


def numpy(users: int, items: int, scores: np.ndarray, _: int) -> Callable[[], object]:
    """Return numpy's ranking, measured with our formulas."""
    return _measured(users, items, ranker(items, scores, pairs_of(users, items)[:, :SEEN]))


def torch(users: int, items: int, scores: np.ndarray, threads: int) -> Callable[[], object]:
    """Return torch.topk on a copy of each batch with the seen taken out."""
    import torch as library

    library.set_num_threads(threads)
    tensor, seen = library.from_numpy(scores), library.from_numpy(pairs_of(users, items)[:, :SEEN])

    def ranked(start: int, end: int) -> np.ndarray:
        batch = tensor[start:end].clone().scatter_(1, seen[start:end], -np.inf)
        return batch.topk(K).indices.numpy()

    return _measured(users, items, ranked)


def ranx(users: int, items: int, scores: np.ndarray, threads: int) -> Callable[[], object]:
    """Return numpy's ranking and ranx.evaluate on arrays of (item, score), its quickest input."""
    import numba
    from ranx import evaluate

    numba.set_num_threads(threads)
    pairs, step = pairs_of(users, items), max(1, BATCH // items)
    relevant = np.sort(pairs[:, SEEN:], axis=1).astype(np.float64)
    qrels = np.stack([relevant, np.ones_like(relevant)], axis=2)
    metrics = [f"{base}@{K}" for base in ("precision", "recall", "hit_rate", "f1", "ndcg", "mrr", "map")]
    ranked = ranker(items, scores, pairs[:, :SEEN])
    falling = np.tile(np.arange(K, 0, -1.0), (users, 1))

    def run() -> object:
        starts = range(0, users, step)
        lists = np.concatenate([ranked(start, min(start + step, users)) for start in starts])
        return evaluate(qrels, np.stack([lists.astype(np.float64), falling], axis=2), metrics)

    return run


def implicit(users: int, items: int, _: np.ndarray, threads: int) -> Callable[[], object]:
    """Return implicit's batched top-k from 32 factors."""
    from implicit.cpu.topk import topk
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(0)
    factors = [rng.standard_normal((n, 32), dtype=np.float32) for n in (items, users)]
    pairs = pairs_of(users, items)[:, :SEEN]
    rows = np.repeat(np.arange(users), SEEN)
    seen = csr_matrix((np.ones(len(rows), np.float32), (rows, pairs.ravel())), shape=(users, items))
    return lambda: topk(factors[0], factors[1], K, filter_query_items=seen, num_threads=threads)


def one(tool: str, users: int, items: int, threads: int, rounds: int) -> Speed:
    """Measure one tool in this process."""
    scores = scores_of(users, items)
    run = globals()[tool](users, items, scores, threads)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        run()
        took.append(time.perf_counter() - start)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    per_s = users / float(np.median(took[1:]))
    return Speed(tool, users, items, per_s, users / min(took), memory, took[0])


def cold_start(threads: int) -> float:
    """Return the seconds of a new process's first ranking, its imports of numpy and scipy excluded."""
    code = (
        "import time, numpy as np, scipy.sparse; s = time.perf_counter();"
        "from benchmark.metrics.topk import top_k;"
        "top_k(np.zeros((9, 99), np.float32), 10, np.arange(9, dtype=np.int32), 0);"
        "print(time.perf_counter() - s)"
    )
    command, environment = [sys.executable, "-c", code], os.environ | {"NUMBA_NUM_THREADS": str(threads)}
    took = [
        float(subprocess.run(command, capture_output=True, check=True, text=True, env=environment).stdout)
        for _ in range(4)
    ]
    return float(np.median(took[1:]))


def apart(tool: str, size: tuple[int, int], options: argparse.Namespace) -> Speed | None:
    """Measure one tool in a process of its own; None, with a line saying why, where it is absent."""
    python = options.peers if tool in PEERS and options.peers else sys.executable
    caps = dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"),
        str(options.threads),
    )
    command = [python, __file__, "--one", tool, *map(str, size)]
    command += ["--threads", str(options.threads), "--rounds", str(options.rounds)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=os.environ | caps)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        print(f"{tool:10}{size[0]:>8} x {size[1]:<8} skipped: {last[0]}")
        return None
    speed = Speed(**json.loads(done.stdout.splitlines()[-1]))
    print(
        f"{tool:10}{size[0]:>8} x {size[1]:<8}{speed.users_per_s:>12,.0f}"
        f"{speed.best_users_per_s:>12,.0f}{speed.memory_mb:>10,.0f}{speed.first_s:>10.2f}",
        flush=True,
    )
    return speed


def main() -> int:
    """Measure, print, and write what was asked for; return 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=TOOLS)
    parser.add_argument("--peers", metavar="PYTHON", help="interpreter that has ranx and implicit")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    parser.add_argument("--one", nargs=3, metavar=("TOOL", "USERS", "ITEMS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        tool, users, items = options.one[0], int(options.one[1]), int(options.one[2])
        print(json.dumps(asdict(one(tool, users, items, options.threads, options.rounds))))
        return 0
    print(f"{options.threads} threads, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'tool':10}{'users x items':>19}{'users/s':>12}{'at best':>12}{'MB':>10}{'first s':>10}")
    speeds = [found for size in SIZES for tool in options.tools if (found := apart(tool, size, options))]
    cold = cold_start(options.threads)
    print(f"cold start of ours: {cold:.2f} s   goal at most {GOAL_COLD_START_S:g} s")
    if options.json:
        kept = ("tool", "users", "items", "users_per_s", "memory_mb")
        written = [{name: getattr(speed, name) for name in kept} for speed in speeds]
        options.json.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    large = {speed.tool: speed.users_per_s for speed in speeds if speed.users == SIZES[-1][0]}
    times = large.get("ours", 0.0) / large["ranx"] if "ranx" in large else None
    print(
        f"ours at {SIZES[-1]}: goal {GOAL_USERS_PER_S:,} users/s"
        + (f"; {times:.1f} x ranx, goal {GOAL_TIMES_RANX:g}" if times else "")
    )
    met = large.get("ours", 0.0) >= GOAL_USERS_PER_S and cold <= GOAL_COLD_START_S
    return 0 if met and (times is None or times >= GOAL_TIMES_RANX) else 1


if __name__ == "__main__":
    sys.exit(main())
