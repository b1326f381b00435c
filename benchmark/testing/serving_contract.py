"""The tests of what a model may offer where it is served: why it scored so, items alike, histories."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

import numpy as np

from benchmark.errors import NotOffered
from benchmark.protocol import Scores
from benchmark.testing.explanations import (
    REFITS,
    TOLERANCE,
    agreement,
    assert_adds_up,
    explained,
    some_histories,
)
from benchmark.testing.subject import Subject

AGREEMENT = 0.9
"""How often at least a contribution must have the sign of what leaving its item out does."""


class ServingContract:
    """Part of the adapter contract; what a class does not have, or refuses to say, is not looked at."""

    adapter: ClassVar[type]
    steps: ClassVar[int]

    @property
    def subject(self) -> Subject:
        """The adapter with its configuration."""
        raise NotImplementedError

    def _trained(self) -> tuple[Any, Scores]:
        raise NotImplementedError

    def test_contributions_and_rest_add_up_to_the_score(self) -> None:
        """Of known users, after ``restore`` too, and of histories that are folded in."""
        if not self.subject.traits.explains:
            return
        model, _ = self._trained()
        restored = self._restored(model)
        try:
            for one in explained(model, self.subject.train, REFITS):
                assert_adds_up(one.found, one.scores, one.history, "explain()")
                if restored is not None:
                    again = restored.explain(one.user, one.items)
                    assert_adds_up(again, one.scores, one.history, "after restore(), explain()")
                if self.subject.traits.folds_in:
                    found, scores = model.explain_history(one.history, one.items), model.fold_in(one.history)
                    assert_adds_up(found, scores[one.items], one.history, "explain_history()")
        except NotOffered as refusal:
            assert_says_why(refusal)

    def test_leaving_an_item_out_changes_the_score_as_its_contribution_says(self) -> None:
        """In nine of ten, of the largest contributions to each item that is recommended."""
        if not self.subject.traits.explains:
            return
        found = agreement(self.subject, self._trained()[0], self.steps)
        assert found is None or found >= AGREEMENT, (
            f"leaving an item out of a history agrees in sign with its contribution in {found:.0%}, "
            f"expected at least {AGREEMENT:.0%}"
        )

    def test_similar_items_are_one_finite_number_for_each_item(self) -> None:
        """(I,) float32, the same after ``restore``."""
        if not hasattr(self.adapter, "similar_items"):
            return
        model, n_items = self._trained()[0], self.subject.train.n_items
        try:
            found = model.similar_items(3)
        except NotOffered as refusal:
            assert_says_why(refusal)
            return
        assert found.shape == (n_items,), f"similar_items() has shape {found.shape}, expected {(n_items,)}"
        assert found.dtype == np.float32, f"similar_items() is {found.dtype}, expected float32"
        assert np.isfinite(found).all(), "similar_items() has values that are nan or infinite"
        if (restored := self._restored(model)) is not None:
            assert np.allclose(restored.similar_items(3), found, atol=TOLERANCE), "after restore() it differs"

    def test_histories_are_those_that_it_was_trained_with(self) -> None:
        """All of a user's items, or the last ``history`` of them in the order of time."""
        if not self.subject.traits.keeps_histories:
            return
        model = self._restored(self._trained()[0]) or self._trained()[0]
        ordered = "history" in {field.name for field in fields(self.adapter)}
        for user, history in some_histories(self.subject.train, 20):
            found = model.history_of(user)
            assert found.dtype == np.int32, f"history_of() is {found.dtype}, expected int32"
            expected = history[-model.history :] if ordered else np.unique(history)
            found = found if ordered else np.unique(found)
            assert np.array_equal(found, expected), f"history_of({user}) is {found}, expected {expected}"

    def _restored(self, model: Any) -> Any | None:
        """Return a new instance with the state of a model; None if it keeps none."""
        if not self.subject.traits.keeps_state:
            return None
        copy = self.subject.new()
        copy.restore({name: np.array(array) for name, array in model.state().items()})
        return copy


def assert_says_why(refusal: NotOffered) -> None:
    """Refuse a refusal without a reason."""
    assert str(refusal), "NotOffered must say why"
