"""What an adapter must do before the rest of the contract says anything: a space, steps, finite scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmark.modelkit.footprints import counts_alone
from benchmark.protocol import (
    Array,
    Choice,
    Hyperparameter,
    Interactions,
    Needs,
    Range,
    Scores,
    Space,
    Vectors,
)


def assert_inside(name: str, value: Hyperparameter, allowed: Range | Choice) -> None:
    """Refuse a value that the sampler cannot suggest."""
    if isinstance(allowed, Choice):
        assert value in allowed.options, f"{name} = {value!r} is not one of {allowed}"
    else:
        assert not isinstance(value, str)
        assert allowed.low <= value <= allowed.high, f"{name} = {value} is outside {allowed}"


def assert_defaults_inside(model: object, space: Space) -> None:
    """Refuse a field whose default lies outside its range."""
    for name, allowed in space.items():
        assert_inside(name, getattr(model, name), allowed)


def assert_close(found: Array, expected: Array, what: str) -> None:
    """Refuse arrays that differ by more than rounding."""
    worst = np.abs(found - expected).max(initial=0)
    close = np.allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert close, f"{what} differs by up to {worst:.2g}, expected at most 1e-5"


def assert_steps(walk: object) -> None:
    """Refuse what ``fit_steps`` returned if nothing can be taken from it."""
    assert isinstance(walk, Iterator), (
        f"fit_steps() returned {type(walk).__name__}, expected an iterator: fit_steps must yield"
    )


def assert_needs(model: Any, train: Interactions) -> None:
    """Refuse what ``needs`` returns if it is not finite, or rests on more than the counts of a log."""
    if not hasattr(model, "needs"):
        return
    needs = model.needs(train)
    assert isinstance(needs, Needs), f"needs() returned {type(needs).__name__}, expected Needs"
    for count in (needs.host_bytes, needs.device_bytes):
        assert np.isfinite(count), f"needs() says {count} bytes, expected a finite number"
        assert count >= 0, f"needs() says {count} bytes, expected 0 or more"
    alone = model.needs(counts_alone(train.n_users, train.n_items, len(train)))
    assert needs == alone, "needs() rests on more than n_users, n_items and len(train), which is all there is"


def assert_finite_scores(model: Any, n_users: int, n_items: int) -> None:
    """Refuse scores of any users that are not (B, I) float32, all finite."""
    for users in ([0], [n_users - 1, 3, n_users - 2], range(n_users), []):
        scores = model.score(np.array(users, dtype=np.int32))
        where = f"score() of {len(users)} users"
        assert isinstance(scores, np.ndarray), f"{where} returned {type(scores).__name__}, expected an array"
        expected = (len(users), n_items)
        assert scores.shape == expected, (
            f"{where} has shape {scores.shape}, expected {expected}: one row per user, one column per item"
        )
        assert scores.dtype == np.float32, f"{where} is {scores.dtype}, expected float32"
        assert np.isfinite(scores).all(), f"{where} has values that are nan or infinite"


def assert_products(vectors: Vectors, scores: Scores) -> None:
    """Refuse vectors of all users and items whose products are not the scores (U, I)."""
    found = len(vectors.users), len(vectors.items)
    assert found == scores.shape, f"vectors() has {found} users and items, expected {scores.shape}"
    products = vectors.users @ vectors.items.T
    if vectors.bias is not None:
        products = products + vectors.bias
    if vectors.offset is not None:
        products = products + vectors.offset[:, None]
    worst = np.abs(products - scores).max()
    assert np.allclose(products, scores, rtol=1e-4, atol=1e-5), (
        f"the products of vectors() differ from score() by up to {worst:.2g}, expected at most 1e-5"
    )
