"""Bundles made by hand, without a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.bundle.export import Contents, GoldenLists, assemble
from benchmark.bundle.format import (
    BoardExcerpt,
    BundleManifest,
    DataOrigin,
    MeasuredCost,
    ModelOrigin,
    RunReference,
    Score,
)
from benchmark.cold_start import Cold
from benchmark.measure import packed_state
from benchmark.protocol import Interactions, Recommender
from benchmark.records import Provenance


def made_bundle(
    model: Recommender, origin: ModelOrigin, train: Interactions, folder: Path, cold: Cold | None = None
) -> Path:
    """Return the bundle of a model, trained on planted data: users 100, 101, ... and items "item 0", ..."""
    counts = np.bincount(train.items, minlength=train.n_items).astype(np.float32)
    ids = list(range(100, 100 + train.n_users)), [f"item {i}" for i in range(train.n_items)]
    golden = GoldenLists(np.empty(0, dtype=np.int32), np.empty((0, 0), dtype=np.int32))
    contents = Contents(
        about(origin, train),
        packed_state(model),
        *ids,
        [None] * train.n_items,
        train,
        counts,
        cold or Cold.from_log(train, ()),
        np.zeros(train.n_items, dtype=np.bool_),
        golden,
        {},
    )
    return assemble(contents, folder)


def about(origin: ModelOrigin, train: Interactions) -> BundleManifest:
    return BundleManifest(
        model=origin.adapter,
        origin=origin,
        params={},
        data=DataOrigin(
            dataset="planted",
            provenance=Provenance(
                dataset="planted", origin="generated", licence="ours", synthetic=True, sha256="0" * 64
            ),
            rule={"by": "random"},
            split_sha256="0" * 63 + "1",
            prepared_sha256="0" * 63 + "2",
            positive=None,
            n_users=train.n_users,
            n_items=train.n_items,
        ),
        versions={},
        environment_sha256="0" * 64,
        scores={},
        board=BoardExcerpt(
            reference=None, primary="ndcg@10", score=Score(0.1, 0.1, 0.2), seeds=1, level=0.95
        ),
        measured=MeasuredCost(
            latency_ms_p50=1.0,
            latency_ms_p95=2.0,
            memory_mb=1.0,
            size_mb=1.0,
            params=1,
            device="cpu",
            processor="any",
        ),
        tie_seed=0,
        hidden="every row of train",
        run=RunReference(suite="any", suite_sha256="0" * 64, final_key="0" * 64),
    )
