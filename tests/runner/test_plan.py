"""The plan of a study: which configurations come first, and what a suite's own bounds make of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from adapters import ADAPTERS
from benchmark import api
from benchmark.errors import AdapterError
from benchmark.protocol import Range, Space
from benchmark.registry import Registry
from benchmark.runner.plan import Study, plan
from benchmark.traits import traits


def ials(**own: Any) -> Study:
    """Return the study of native/ials, with what a suite says of it."""
    suite = api.check("movielens-p1", {"models": [{"use": "native/ials", **own}]})
    (study,) = plan(suite, Registry(ADAPTERS), "any")
    return study


def test_published_configuration_follows_the_default() -> None:
    default, published = ials().first
    assert (default["l2"], default["alpha"]) == (0.01, 0.3)
    assert published == default | {"l2": 0.003, "alpha": 0.1}


def test_hyperparameter_that_the_suite_sets_is_set_in_the_published_configuration_too() -> None:
    _, published = ials(set={"alpha": 1.0}).first
    assert (published["l2"], published["alpha"]) == (0.003, 1.0)


def test_published_value_outside_the_suites_bounds_moves_to_the_nearest() -> None:
    _, published = ials(tune={"alpha": {"low": 0.2, "high": 0.5}}).first
    assert (published["l2"], published["alpha"]) == (0.003, 0.2)


def test_published_configuration_that_is_the_default_is_not_tried_twice() -> None:
    assert len(ials(set={"l2": 0.003, "alpha": 0.1}).first) == 1


def test_published_value_of_what_is_not_tuned_is_refused() -> None:
    @dataclass
    class Wrong:
        space: ClassVar[Space] = {"l2": Range(1.0, 2.0)}
        published: ClassVar[dict[str, float]] = {"dim": 8}
        l2: float = 1.0
        fit_steps = score = None

    with pytest.raises(AdapterError, match=r"published names \['dim'\], which space does not tune"):
        traits(Wrong)


def test_field_that_is_no_hyperparameter_is_refused_before_anything_is_written() -> None:
    @dataclass
    class Wrong:
        space: ClassVar[Space] = {}
        _model: object = None
        fit_steps = score = None

    with pytest.raises(AdapterError, match=r"_model is a field with the default None; fields are hyperparam"):
        traits(Wrong)


def test_model_of_a_graph_is_refused_where_the_data_set_has_none_and_is_told_both_cures() -> None:
    suite = api.check("movielens-p1", {"models": ["torch/kgin"]})
    (without,), (there,) = (
        plan(suite, Registry(ADAPTERS), "any", described=described) for described in ((), ("graph",))
    )
    assert without.excluded is not None
    assert without.excluded.status == "n/a"
    assert "graph: {path: FILE}" in without.excluded.reason
    assert "graph: from_items" in without.excluded.reason
    assert there.excluded is None
