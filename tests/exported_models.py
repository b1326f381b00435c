"""Bundles of models that are trained a little on the planted log, without a run."""

from __future__ import annotations

from pathlib import Path

from bundles_made import made_bundle
from training_logs import fitted

from adapters import ADAPTERS
from benchmark.bundle.format import ModelOrigin
from benchmark.cold_start import Cold
from benchmark.registry import Registry
from benchmark.testing import planted_parts
from benchmark.traits import traits

REGISTRY = Registry(ADAPTERS)


def exported(name: str, folder: Path):
    """Return a model trained two steps on the planted data, and its bundle."""
    adapter, (train, _) = REGISTRY[name].cls, planted_parts()
    rows = train.positives() if traits(adapter).feedback == "implicit" else train
    model = fitted(adapter(), rows, steps=2)
    origin = ModelOrigin(adapter=name, library="any", feedback="implicit", train_on="train", seed=0, steps=2)
    cold = Cold.from_log(rows, traits(adapter).from_features)
    return model, made_bundle(model, origin, train, folder, cold)
