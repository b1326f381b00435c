"""Small suites and a call of the command line, for the tests of its commands and complaints."""

from __future__ import annotations

from collections.abc import Callable

SMALL = """\
name: small
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400, seed: 3}}]
metrics: {primary: ndcg@5, also: [recall@5]}
budget: {per_model: 1s, max_trials: 2, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 1, train_on: train}
models: [baselines/popularity]
"""
OWN = """\
name: own
datasets: [{{name: shop, path: log.csv{keys}}}]
metrics: {{primary: ndcg@5, also: [recall@5]}}
{more}
models: [baselines/popularity]
"""
LOG = "user,item,rating\n" + "".join(f"u{u},i{i},{(u + i) % 5 + 1}\n" for u in range(12) for i in range(10))

Bench = Callable[..., tuple[int, str, str]]
