"""What is measured of a fitted model, and how its state is packed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmark.modelkit.stored_vectors import vectors_as_state
from benchmark.protocol import Array, Recommender


@dataclass(frozen=True)
class Footprint:
    """How large a model's stored state is: MiB and numbers in it; None if it keeps none."""

    size_mb: float | None
    params: int | None


def stored(model: Recommender) -> Mapping[str, Array] | None:
    """Return the arrays that serve a model: its state, or the vectors that its scores are products of.

    Vectors where it has no state, and where it runs in an environment of its own: what such a model makes of
    a state may need its framework, and bundles are served without. None if it has neither.
    """
    vectors, state = (getattr(model, name, None) for name in ("vectors", "state"))
    foreign = getattr(model, "environment", "") and not hasattr(model, "fold_in")
    if vectors is not None and (state is None or foreign):
        return vectors_as_state(vectors())
    found: Mapping[str, Array] | None = None if state is None else state()
    return found


def footprint(model: Recommender) -> Footprint:
    """Return how large the stored state is."""
    state = stored(model)
    if state is None:
        return Footprint(None, None)
    arrays = [np.asarray(array) for array in state.values()]
    return Footprint(sum(a.nbytes for a in arrays) / 2**20, int(sum(a.size for a in arrays)))


def packed_state(model: Recommender) -> bytes:
    """Return the state as safetensors: named arrays, readable without trust; empty if it keeps none."""
    state = stored(model)
    return b"" if state is None else packed(state)


def packed(arrays: Mapping[str, Array]) -> bytes:
    """Return named arrays as safetensors; an array without dimensions keeps having none."""
    from safetensors.numpy import save

    return save({name: np.asarray(array, order="C") for name, array in arrays.items()})
