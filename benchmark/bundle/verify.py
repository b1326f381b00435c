"""Verify a bundle: files by their hashes, lists and latency by what the run stored and measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.bundle.format import GOLDEN_K, SUMS, Files, open_bundle
from benchmark.bundle.restoring import other_versions
from benchmark.bundle.serving import Bundle, load
from benchmark.errors import BenchError, BundleError
from benchmark.latency import latency
from benchmark.leaderboard.formatting import interval_ms
from benchmark.metrics.topk import top_k
from benchmark.protocol import Ids
from benchmark.registry import Registry

SCORE_TOLERANCE = 1e-5
"""Items whose scores are closer than this may swap ranks: another machine sums in another order."""
TOLERANCE = 1.5
"""How many times the upper end of the run's interval the lower end of today's may be."""


@dataclass(frozen=True)
class Check:
    """The result of one check."""

    name: str
    ok: bool
    detail: str


def verify(path: str | Path, registry: Registry) -> list[Check]:
    """Return what was checked; a check is made only if the earlier ones passed."""
    try:
        files = open_bundle(Path(path))
        faults = files.faults()
    except BundleError as error:
        return [Check("files", ok=False, detail=str(error))]
    if faults:
        return [Check("files", ok=False, detail=f"{name}: {fault}") for name, fault in faults.items()]
    checks = [Check("files", ok=True, detail=f"{len(files.sums)} files match {SUMS}")]
    try:
        bundle = load(path, registry)
        packages = check_packages(bundle, registry)
        return [*checks, *packages, check_lists(bundle), check_latency(bundle)]
    except BenchError as error:
        return [*checks, Check("model", ok=False, detail=str(error))]


def check_packages(bundle: Bundle, registry: Registry) -> list[Check]:
    """Return how the adapter's package and libraries differ from the run's; nothing where they do not.

    Another version is no fault: whether it matters is what the lists show.
    """
    others = other_versions(registry[bundle.files.manifest.origin.adapter], bundle.files)
    return [Check("packages", ok=True, detail="; ".join(others))] if others else []


def check_lists(bundle: Bundle) -> Check:
    """Return whether the bundle recommends the lists that the run stored."""
    users, lists = golden_lists(bundle.files, len(bundle.item_ids))
    if not len(users):
        return Check("lists", ok=True, detail="the run ranked nothing, so there are no lists to compare with")
    if users.max() >= len(bundle.user_ids):
        raise BundleError(f"{bundle.files.path / 'golden.json'}: names users that the bundle does not have")
    scores = bundle.candidates(users)
    found = top_k(scores, lists.shape[1], users, bundle.files.manifest.tie_seed)
    equal = (found == lists).all(axis=1)
    # Lists are near where they differ only by items whose scores are as good as equal.
    mine, its = (np.take_along_axis(scores, np.maximum(one, 0), axis=1) for one in (found, lists))
    same = (np.abs(mine - its) <= SCORE_TOLERANCE * np.maximum(1.0, np.abs(mine))) | (found == lists)
    near = (same & ((found < 0) == (lists < 0))).all(axis=1)
    detail = f"{int(equal.sum())} of {len(users)} lists are those that the run stored"
    if (near & ~equal).any():
        detail += f", {int((near & ~equal).sum())} but for scores within {SCORE_TOLERANCE:g}"
    wrong = [str(bundle.user_ids[user]) for user in users[~(near | equal)].tolist()]
    if wrong:
        detail += f"; those of users {', '.join(wrong)} differ"
    return Check("lists", not wrong, detail)


def golden_lists(files: Files, n_items: int) -> tuple[Ids, Ids]:
    """Return the dense users (G,) and stored lists (G, k) of golden.json.

    Raises:
        BundleError: it holds something else.
    """
    content = files.json("golden.json")
    try:
        users = np.array(content["users"], dtype=np.int32)
        lists = np.array(content["lists"], dtype=np.int32).reshape(len(users), -1 if len(users) else 0)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BundleError(
            f"{files.path / 'golden.json'}: does not hold lists ({error}); export the bundle again"
        ) from error
    if users.ndim != 1 or (users < 0).any() or (lists < -1).any() or (lists >= n_items).any():
        raise BundleError(f"{files.path / 'golden.json'}: names items or users that do not exist")
    return users, lists[:, :GOLDEN_K]


def check_latency(bundle: Bundle) -> Check:
    """Return whether one user is scored about as quickly here as in the run, where that can be said.

    It fails where the 95th percentile is surely higher than what the run measured on the same processor, by
    more than the ``TOLERANCE`` that two quiet runs need.
    """
    from benchmark.runner.hardware import processor

    measured = bundle.files.manifest.measured
    here = latency(bundle.model, len(bundle.user_ids))
    run_ends = interval_ms(measured.latency_ms_p95_low, measured.latency_ms_p95_high)
    detail = (
        f"95th percentile {here.p95.value:.3f} ms {interval_ms(here.p95.low, here.p95.high)} for one user "
        f"here; the run measured {measured.latency_ms_p95:.3f} ms {run_ends} on {measured.device}, "
        f"{measured.processor}"
    )
    if measured.device != "cpu" or measured.processor != processor():
        return Check("latency", ok=True, detail=f"{detail}: another machine, so not compared")
    if not here.is_steady:
        return Check("latency", ok=True, detail=f"{detail}: this machine is too busy to compare")
    most = TOLERANCE * (measured.latency_ms_p95_high or measured.latency_ms_p95)
    return Check("latency", here.p95.low <= most, f"{detail}; allowed: {most:.3f} ms")
