"""Bundles of models that are trained a little on the planted log, without a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from training_logs import fitted

from adapters import ADAPTERS
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
from benchmark.records import Provenance
from benchmark.registry import Registry
from benchmark.testing import planted_parts
from benchmark.traits import traits

REGISTRY = Registry(ADAPTERS)


def exported(name: str, folder: Path):
    """Return a model trained two steps on the planted data, and its bundle."""
    adapter, (train, _) = REGISTRY[name].cls, planted_parts()
    rows = train.positives() if traits(adapter).feedback == "implicit" else train
    model = fitted(adapter(), rows, steps=2)
    counts = np.bincount(train.items, minlength=train.n_items).astype(np.float32)
    ids = list(range(100, 100 + train.n_users)), [f"item {i}" for i in range(train.n_items)]
    titles = [None] * train.n_items
    golden = GoldenLists(np.empty(0, dtype=np.int32), np.empty((0, 0), dtype=np.int32))
    cold = Cold.from_log(rows, traits(adapter).from_features), np.zeros(train.n_items, dtype=np.bool_)
    manifest = about(name, train)
    contents = Contents(manifest, packed_state(model), *ids, titles, train, counts, *cold, golden, {})
    return model, assemble(contents, folder)


def about(name: str, train) -> BundleManifest:
    return BundleManifest(
        model=name,
        origin=ModelOrigin(
            adapter=name, library="any", feedback="implicit", train_on="train", seed=0, steps=2
        ),
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
