"""What a model is handed of a log: its rows, and weights and known dislikes only if it uses them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
from builders import interactions

from benchmark.errors import AdapterError
from benchmark.fit import Fit, handed_to
from benchmark.messages import FitRequest
from benchmark.protocol import KnowledgeGraph
from benchmark.traits import Traits, traits

LOG = replace(
    interactions([0, 0, 1, 1], [0, 1, 1, 2]),
    positive=np.array([True, False, True, False]),
    negative=np.array([False, True, False, False]),
    weights=np.array([2, 1, 3, 1], dtype=np.float32),
)


def own(uses: Any = (), feedback: str = "implicit") -> Traits:
    """The traits of an adapter that says this of itself."""

    @dataclass
    class Model:
        space: ClassVar[dict[str, Any]] = {}

        def fit_steps(self, train: Any, context: Any) -> Any: ...
        def score(self, users: Any) -> Any: ...

    Model.uses, Model.feedback = uses, feedback  # type: ignore[attr-defined]
    return traits(Model)


def test_ranker_that_uses_neither_is_handed_its_likes_and_nothing_else() -> None:
    train = handed_to(own(), LOG)
    assert (train.items.tolist(), len(train.weights), len(train.negative)) == ([0, 1], 0, 0)
    assert train.dislikes is None


def test_ranker_is_handed_the_weights_of_its_likes() -> None:
    train = handed_to(own(("weights",)), LOG)
    assert (train.weights.tolist(), train.dislikes) == ([2, 3], None)


def test_ranker_is_handed_known_dislikes_apart_from_its_rows() -> None:
    train = handed_to(own(("weights", "negatives")), LOG)
    assert train.items.tolist() == [0, 1]
    assert train.dislikes is not None
    assert (train.dislikes.users.tolist(), train.dislikes.items.tolist()) == ([0], [1])


def test_pair_that_is_liked_elsewhere_is_no_known_dislike() -> None:
    again = replace(LOG, items=np.array([1, 1, 1, 2], dtype=np.int32))
    assert handed_to(own(("negatives",)), again).dislikes is None


def test_rating_model_trains_on_all_values_and_sees_marks_only_if_it_uses_them() -> None:
    plain = handed_to(own(feedback="explicit"), LOG)
    assert (len(plain), len(plain.negative), len(plain.weights)) == (4, 0, 0)
    marked = handed_to(own(("negatives",), "explicit"), LOG)
    assert (len(marked), marked.negative.tolist(), len(marked.weights)) == (4, [False, True, False, False], 0)


def test_log_without_the_keys_is_handed_on_as_it_is() -> None:
    plain = replace(LOG, negative=LOG.negative[:0], weights=LOG.weights[:0])
    assert handed_to(own(("weights", "negatives"), "explicit"), plain) is plain


@pytest.mark.parametrize("uses", ["weights", ("dislikes",)])
def test_adapter_that_uses_something_unknown_is_refused(uses: Any) -> None:
    with pytest.raises(AdapterError, match=r"uses is .*'weights' and 'negatives'"):
        own(uses)


def begun(name: str, step_rows: int | None, **params: Any) -> Fit:
    """A fake adapter on the log, none of its steps taken."""
    request = FitRequest(
        target=f"fakes:{name}",
        name=name,
        params={"pause_s": 0.0, **params},
        seed=0,
        threads=1,
        device="cpu",
        metrics=(),
        rates=False,
        step_rows=step_rows,
    )
    return Fit.begin(request, interactions(np.arange(12) % 4, np.arange(12) % 3))


def test_step_that_does_not_say_its_rows_is_a_pass() -> None:
    fit = begun("Fixed", None)
    assert [(step, fit.rows, fit.passes) for step in fit.train_passes(2)] == [(1, 12, 1.0), (2, 24, 2.0)]


def test_small_steps_count_their_rows() -> None:
    fit = begun("Streaming", 4)
    assert [(step, fit.rows) for step in fit.train_passes(1)] == [(1, 4), (2, 8), (3, 12)]


def test_passes_are_trained_to_the_nearest_step() -> None:
    """Steps of a third of a pass: one pass and a quarter are four of them."""
    assert list(begun("Streaming", 4).train_passes(1.25))[-1] == 4


def test_training_ends_with_the_last_step_of_the_model() -> None:
    assert list(begun("Streaming", 4, max_epochs=1).train_passes(9))[-1] == 3


def test_graph_is_handed_to_models_that_use_or_need_one_and_to_no_other() -> None:
    ids = [np.zeros(1, dtype=np.int32) for _ in range(3)]
    known = replace(LOG, graph=KnowledgeGraph(*ids, n_entities=3, relation_names=("by",)))
    assert handed_to(own(), known).graph is None
    assert handed_to(own(("graph",)), known).graph is known.graph
    assert handed_to(replace(own(), uses=("graph",)), known).graph is known.graph
