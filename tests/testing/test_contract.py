"""The contract that third parties inherit: a sound adapter keeps it, each kind of breach fails a test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import ClassVar
from unittest import SkipTest

import numpy as np
import pytest
from repository import ROOT

from benchmark.errors import NotOffered
from benchmark.modelkit.serving_traits import Contributions
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


@dataclass
class SoundSums(Sound):
    """Sums over a history of how often two items are liked together; the seed decides nothing."""

    deterministic: ClassVar[bool] = True

    def fit_steps(self, train, context):
        likes = train.matrix().toarray()
        self._together, self._scores = likes.T @ likes, likes @ (likes.T @ likes)
        yield

    def fold_in(self, items):
        return self._together[items].sum(axis=0)

    def state(self):
        return {"scores": self._scores, "together": self._together}

    def restore(self, state):
        self._scores, self._together = state["scores"], state["together"]


@dataclass
class SoundFeatures(Sound):
    """Likes of each feature, those of users among users like them; rows without an event included."""

    from_features: ClassVar[tuple[str, ...]] = ("users", "items")

    def fit_steps(self, train, context):
        list(super().fit_steps(train, context))
        likes = train.matrix()
        for side, features in (("users", train.user_features), ("items", train.item_features)):
            if features is not None and side in self.from_features:
                own = features.matrix.toarray()
                liked = own.T @ likes if side == "users" else likes @ own
                self._scores = self._scores + (own @ liked if side == "users" else liked @ own.T)
        yield


@dataclass
class SoundLast(Sound):
    """Follows the last item with those that came next to it."""

    history: int = 1

    def fit_steps(self, train, context):
        list(super().fit_steps(train, context))
        starts, places = train.histories()
        items = train.items[places]
        self._next = np.zeros((train.n_items, train.n_items), dtype=np.float32)
        np.add.at(self._next, (items[:-1], items[1:]), 1)
        self._last = np.where(np.diff(starts) > 0, np.append(items, 0)[starts[1:] - 1], 0)
        yield

    def score(self, users):
        return self._scores[users] + self._next[self._last[users]]

    def state(self):
        return super().state() | {"next": self._next, "last": self._last}

    def restore(self, state):
        super().restore(state)
        self._next, self._last = state["next"], state["last"]


class TestSoundSums(AdapterContract):
    adapter = SoundSums


class TestSoundFeatures(AdapterContract):
    adapter = SoundFeatures


class TestSoundLast(AdapterContract):
    adapter = SoundLast


class DefaultOutOfSpace(Sound):
    space: ClassVar[Space] = {"noise": Range(2.0, 3.0)}


class PublishedOutOfSpace(Sound):
    published: ClassVar[dict[str, float]] = {"noise": 3.0}


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


class NoStepsAtAll(Sound):
    def fit_steps(self, train, context):
        list(super().fit_steps(train, context))


class NanAfterTheFirstStep(Sound):
    def fit_steps(self, train, context):
        self._scores = np.full((train.n_users, train.n_items), np.nan, dtype=np.float32)
        yield
        yield from super().fit_steps(train, context)


class InputsChanged(Sound):
    def fit_steps(self, train, context):
        train.matrix().data[:] += 1
        yield from super().fit_steps(train, context)


class StateIncomplete(Sound):
    def restore(self, state):
        self._scores = np.zeros_like(state["scores"])


class StateFilledByTheFit(Sound):
    """Leaves out of its state what the first lines of ``fit_steps`` keep."""

    def fit_steps(self, train, context):
        self._shift = np.float32(train.n_items)
        return super().fit_steps(train, context)

    def score(self, users):
        return super().score(users) + self._shift


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


class FoldInOfTheWrongShape(SoundSums):
    def fold_in(self, items):
        return super().fold_in(items)[None]


class FoldInChangesTheHistory(SoundSums):
    def fold_in(self, items):
        items.sort()
        return super().fold_in(items)


class FoldInKnowsTheLastItemAlone(SoundSums):
    def fold_in(self, items):
        return super().fold_in(items[-1:])


class FoldInOfNothing(SoundSums):
    def fold_in(self, items):
        return np.zeros_like(super().fold_in(items))


class FoldInForgotten(SoundSums):
    def restore(self, state):
        super().restore(state)
        self._together = np.zeros_like(self._together)


@dataclass
class SoundReasons(SoundSums):
    """Sums that say what they consist of, which items are liked together, and what each user likes."""

    def fit_steps(self, train, context):
        yield from super().fit_steps(train, context)
        self._likes = train.matrix().toarray()

    def explain(self, user, items):
        return self.explain_history(np.flatnonzero(self._likes[user]).astype(np.int32), items)

    def explain_history(self, history, items):
        return Contributions(history, self._together[np.ix_(history, items)], np.zeros(len(items)))

    def similar_items(self, item):
        return self._together[item]

    def history_of(self, user):
        return np.flatnonzero(self._likes[user]).astype(np.int32)

    def state(self):
        return super().state() | {"likes": self._likes}

    def restore(self, state):
        super().restore(state)
        self._likes = state["likes"]


class TestSoundReasons(AdapterContract):
    adapter = SoundReasons


class ReasonsOfHalfTheScore(SoundReasons):
    def explain_history(self, history, items):
        found = super().explain_history(history, items)
        return replace(found, values=found.values / 2)


class ReasonsTheWrongWayRound(SoundReasons):
    def explain_history(self, history, items):
        found = super().explain_history(history, items)
        return replace(found, values=-found.values, rest=2 * found.values.sum(axis=0))


class ReasonsOutsideTheHistory(SoundReasons):
    def explain_history(self, history, items):
        found = super().explain_history(history, items)
        return replace(found, history=(found.history + 1) % len(self._together))


class AlikeInDoublePrecision(SoundReasons):
    def similar_items(self, item):
        return super().similar_items(item).astype(np.float64)


class HistoryOfSomebodyElse(SoundReasons):
    def history_of(self, user):
        return super().history_of(user + 1)


class RefusalWithoutReason(SoundReasons):
    def similar_items(self, item):
        raise NotOffered


class UserFeaturesUnused(SoundFeatures):
    def fit_steps(self, train, context):
        yield from super().fit_steps(replace(train, user_features=None), context)


class ItemFeaturesUnused(SoundFeatures):
    def fit_steps(self, train, context):
        yield from super().fit_steps(replace(train, item_features=None), context)


class FeaturesNeededInSilence(Sound):
    def fit_steps(self, train, context):
        assert train.item_features is not None
        yield from super().fit_steps(train, context)


class OrderIgnored(SoundLast):
    def fit_steps(self, train, context):
        yield from super().fit_steps(replace(train, times=np.array([], dtype=np.int64)), context)


BREACHES = {
    DefaultOutOfSpace: "test_defaults_lie_in_the_space",
    PublishedOutOfSpace: "test_published_configuration_lies_in_the_space",
    DoublePrecision: "test_scores_have_a_row_per_user_and_a_column_per_item",
    MissingColumn: "test_scores_have_a_row_per_user_and_a_column_per_item",
    NotANumber: "test_scores_have_a_row_per_user_and_a_column_per_item",
    BatchDependent: "test_batch_size_does_not_change_a_score",
    Unseeded: "test_same_seed_gives_the_same_scores",
    SeedIgnored: "test_seed_matters_unless_declared_deterministic",
    DeterministicInName: "test_seed_matters_unless_declared_deterministic",
    StepsOfNothing: "test_scores_have_a_row_per_user_and_a_column_per_item",
    NoStepsAtAll: "test_scores_have_a_row_per_user_and_a_column_per_item",
    NanAfterTheFirstStep: "test_scores_work_after_every_step",
    InputsChanged: "test_inputs_stay_as_they_were",
    StateIncomplete: "test_state_brings_a_model_back",
    StateFilledByTheFit: "test_state_brings_a_model_back",
    StateOfObjects: "test_state_brings_a_model_back",
    NothingLearned: "test_model_learns_the_planted_structure",
    OffTheScale: "test_ratings_are_on_the_scale_of_the_data",
    RatesTheMean: "test_model_learns_the_planted_structure",
    FoldInOfTheWrongShape: "test_fold_in_scores_every_item_from_any_history",
    FoldInChangesTheHistory: "test_fold_in_scores_every_item_from_any_history",
    FoldInKnowsTheLastItemAlone: "test_fold_in_ranks_as_score_does",
    FoldInOfNothing: "test_fold_in_learns_the_planted_structure",
    FoldInForgotten: "test_state_brings_a_model_back",
    ReasonsOfHalfTheScore: "test_contributions_and_rest_add_up_to_the_score",
    ReasonsTheWrongWayRound: "test_leaving_an_item_out_changes_the_score_as_its_contribution_says",
    ReasonsOutsideTheHistory: "test_contributions_and_rest_add_up_to_the_score",
    AlikeInDoublePrecision: "test_similar_items_are_one_finite_number_for_each_item",
    HistoryOfSomebodyElse: "test_histories_are_those_that_it_was_trained_with",
    RefusalWithoutReason: "test_similar_items_are_one_finite_number_for_each_item",
    UserFeaturesUnused: "test_features_speak_for_rows_without_an_event",
    ItemFeaturesUnused: "test_features_speak_for_rows_without_an_event",
    FeaturesNeededInSilence: "test_log_without_times_and_features_can_be_learned",
    OrderIgnored: "test_order_of_time_matters_to_a_model_of_sequences",
}


@pytest.mark.parametrize(
    ("breach", "test"), BREACHES.items(), ids=lambda value: getattr(value, "__name__", "")
)
def test_contract_names_the_breach_of_a_bad_adapter(breach, test):
    contract = type("Contract", (AdapterContract,), {"adapter": breach})()
    with pytest.raises(AssertionError, match=r"\w"):
        getattr(contract, test)()


def outcomes(adapter):
    """Return what each test of the contract says of an adapter: "" where it passes."""
    contract, said = type("Contract", (AdapterContract,), {"adapter": adapter})(), {}
    for name in (name for name in vars(AdapterContract) if name.startswith("test_")):
        try:
            getattr(contract, name)()
            said[name] = ""
        except SkipTest as skipped:
            said[name] = f"skipped: {skipped}"
        except Exception as error:  # noqa: BLE001 - whatever a test raises is its outcome
            said[name] = str(error)
    return said


class NanDeclaredDeterministic(NotANumber):
    deterministic: ClassVar[bool] = True


class Undecorated(Sound):
    depth: int = 3
    space: ClassVar[Space] = {"depth": Range(1, 5)}


@pytest.mark.parametrize(
    ("adapter", "message"),
    [
        (MissingColumn, r"score\(\) of 1 users has shape \(1, 121\), expected \(1, 122\)"),
        (NanDeclaredDeterministic, "score.* of 1 users has values that are nan"),
        (NoStepsAtAll, r"fit_steps\(\) returned NoneType, .*: fit_steps must yield"),
        (Undecorated, r"space names \['depth'\], .*; is the class decorated with @dataclass\?"),
        (DefaultOutOfSpace, "noise = 1.0 is outside"),
    ],
)
def test_what_every_test_would_stumble_over_fails_one_and_the_others_are_skipped(adapter, message):
    said = {name: text for name, text in outcomes(adapter).items() if text}
    failed = [text for text in said.values() if not text.startswith("skipped")]
    assert len(failed) == 1
    assert re.search(message, failed[0])
    skipped = [text for text in said.values() if text.startswith("skipped")]
    assert len(skipped) >= 12
    assert all(failed[0] in text for text in skipped)


def test_pytest_shows_what_is_not_looked_at_as_skipped(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "from testing.test_contract import AdapterContract, MissingColumn\n"
        "class TestMine(AdapterContract):\n    adapter = MissingColumn\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path / "test_mine.py"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stdout.splitlines()[-1]
    assert re.match(r"1 failed, \d passed, \d\d skipped", last), done.stdout


def test_state_that_misses_something_is_named_with_the_rule():
    said = outcomes(StateFilledByTheFit)["test_state_brings_a_model_back"]
    assert said == (
        "a model restored from state() cannot score: AttributeError: 'StateFilledByTheFit' object has no "
        "attribute '_shift'; state() must hold every array that score needs"
    )


def test_device_is_opened_on_the_class_before_there_is_a_model_as_the_engine_does():
    class OpensByItself(Sound):
        def open_device(self, context):
            self.noise = 1.0

    said = outcomes(OpensByItself)["test_scores_have_a_row_per_user_and_a_column_per_item"]
    assert "open_device() missing 1 required positional argument" in said


def test_contract_imports_without_pytest():
    code = "import sys; sys.modules['pytest'] = None; import benchmark.testing"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
