"""The contract that third parties inherit: a sound adapter keeps it, each kind of breach fails a test."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from benchmark.protocol import Range, Space
from benchmark.testing import AdapterContract


@dataclass
class Sound:
    """Item counts and a little seeded noise per user."""

    noise: float = 1.0
    space: ClassVar[Space] = {"noise": Range(0.5, 2.0)}

    def fit_steps(self, train, context):
        rng = np.random.default_rng(context.seed)
        noise = self.noise * rng.random((train.n_users, train.n_items))
        self._scores = (np.bincount(train.items, minlength=train.n_items) + noise).astype(np.float32)
        yield

    def score(self, users):
        return self._scores[users]

    def state(self):
        return {"scores": self._scores}

    def restore(self, state):
        self._scores = state["scores"]


@dataclass
class SoundRatings(Sound):
    """Item means, and the scale they are on."""

    feedback: ClassVar[str] = "explicit"

    def fit_steps(self, train, context):
        yield from super().fit_steps(train, context)
        sums = np.bincount(train.items, train.values, minlength=train.n_items)
        counts = np.bincount(train.items, minlength=train.n_items)
        self._means = (sums + 3 * train.values.mean()) / (counts + 3)

    def rate(self, users, items):
        return self._means[items]

    def state(self):
        return {"scores": self._scores, "means": self._means}

    def restore(self, state):
        self._scores, self._means = state["scores"], state["means"]


class TestSound(AdapterContract):
    adapter = Sound


class TestSoundRatings(AdapterContract):
    adapter = SoundRatings
    config: ClassVar = {"noise": 0.5}


class DefaultOutOfSpace(Sound):
    space: ClassVar[Space] = {"noise": Range(2.0, 3.0)}


class DoublePrecision(Sound):
    def score(self, users):
        return super().score(users).astype(np.float64)


class MissingColumn(Sound):
    def score(self, users):
        return super().score(users)[:, 1:]


class NotANumber(Sound):
    def score(self, users):
        return np.where(users[:, None] == 0, np.float32(np.nan), super().score(users))


class BatchDependent(Sound):
    def score(self, users):
        return super().score(users) - np.float32(len(users))


class Unseeded(Sound):
    def fit_steps(self, train, context):
        yield from super().fit_steps(train, context)
        self._scores += np.random.default_rng().random(self._scores.shape, dtype=np.float32)


class SeedIgnored(Sound):
    def fit_steps(self, train, context):
        yield from super().fit_steps(train, type(context)(seed=0))


class DeterministicInName(Sound):
    deterministic: ClassVar[bool] = True


class StepsOfNothing(Sound):
    def fit_steps(self, train, context):
        list(super().fit_steps(train, context))
        yield from ()


class InputsChanged(Sound):
    def fit_steps(self, train, context):
        train.matrix().data[:] += 1
        yield from super().fit_steps(train, context)


class StateIncomplete(Sound):
    def restore(self, state):
        self._scores = np.zeros_like(state["scores"])


class StateOfObjects(Sound):
    def state(self):
        return {"scores": self._scores, "names": np.array([{}], dtype=object)}


class NothingLearned(Sound):
    def fit_steps(self, train, context):
        self._scores = np.random.default_rng(context.seed).random((train.n_users, train.n_items), np.float32)
        yield


class OffTheScale(SoundRatings):
    def rate(self, users, items):
        return super().rate(users, items) * 2


class RatesTheMean(SoundRatings):
    def rate(self, users, items):
        return np.full(len(users), 1.0)


BREACHES = {
    DefaultOutOfSpace: "test_defaults_lie_in_the_space",
    DoublePrecision: "test_scores_have_a_row_per_user_and_a_column_per_item",
    MissingColumn: "test_scores_have_a_row_per_user_and_a_column_per_item",
    NotANumber: "test_scores_have_a_row_per_user_and_a_column_per_item",
    BatchDependent: "test_batch_size_does_not_change_a_score",
    Unseeded: "test_same_seed_gives_the_same_scores",
    SeedIgnored: "test_seed_matters_unless_declared_deterministic",
    DeterministicInName: "test_seed_matters_unless_declared_deterministic",
    StepsOfNothing: "test_scores_work_after_every_step",
    InputsChanged: "test_inputs_stay_as_they_were",
    StateIncomplete: "test_state_brings_a_model_back",
    StateOfObjects: "test_state_brings_a_model_back",
    NothingLearned: "test_model_learns_the_planted_structure",
    OffTheScale: "test_ratings_are_on_the_scale_of_the_data",
    RatesTheMean: "test_model_learns_the_planted_structure",
}


@pytest.mark.parametrize(
    ("breach", "test"), BREACHES.items(), ids=lambda value: getattr(value, "__name__", "")
)
def test_contract_names_the_breach_of_a_bad_adapter(breach, test):
    contract = type("Contract", (AdapterContract,), {"adapter": breach})()
    with pytest.raises(AssertionError, match=r"\w"):
        getattr(contract, test)()


def test_contract_imports_without_pytest():
    code = "import sys; sys.modules['pytest'] = None; import benchmark.testing"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
