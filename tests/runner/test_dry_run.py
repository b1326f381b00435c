"""One step of every model: what is broken is found before anything is spent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmark.registry import Registry
from benchmark.runner import DryRun, RunOptions, dry_run
from benchmark.suite import Suite, parse_suite

Make = Callable[..., Suite]


def test_one_step_of_each_model_is_trained_and_validated(suite: Make, fakes: Registry) -> None:
    found = dry_run(suite(), fakes, RunOptions())
    assert [(one.study, one.ok) for one in found] == [
        ("planted/fake/fixed", True),
        ("planted/fake/steady", True),
    ]
    assert all(one.what == "one step trained and validated" for one in found)
    assert all(one.first_step_s is not None and one.first_step_s > 0.0 for one in found)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("fake/crashing", "ZeroDivisionError: the planted crash"),
        ("fake/misshapen", "one column per item"),
        ("fake/killed", "exit code -9"),
        ("fake/endless", "no training step ended within the "),
    ],
)
def test_broken_model_is_named_with_its_reason_and_the_next_one_still_tried(
    suite: Make, fakes: Registry, model: str, words: str
) -> None:
    budget = {"per_model": "1s" if model == "fake/endless" else "10m"}
    broken, fixed = dry_run(suite(models=[model, "fake/fixed"], budget=budget), fakes, RunOptions())
    assert not broken.ok
    assert words in broken.what
    assert broken.first_step_s is None
    assert fixed.study == "planted/fake/fixed"


def test_model_that_cannot_be_imported_says_what_it_lacks() -> None:
    lacking = Registry({"fake/lacking": "fakes:Lacking"})
    text = """
name: lacking
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400, seed: 3}}]
metrics: {primary: ndcg@5}
models: [fake/lacking]
"""
    (found,) = dry_run(parse_suite(text, "lacking.yaml", lacking), lacking, RunOptions())
    assert not found.ok
    assert "no_such_library" in found.what


def test_model_that_does_not_apply_is_no_fault(suite: Make, fakes: Registry) -> None:
    rated = suite(models=["fake/fixed"], metrics={"primary": "rmse", "also": ["ndcg@5"]})
    assert dry_run(rated, fakes, RunOptions()) == [
        DryRun("planted/fake/fixed", ok=True, what="predicts no ratings, so it has no rmse")
    ]
