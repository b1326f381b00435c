"""One test for each thing that the protocol promises, on a small planted log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar
from unittest import SkipTest

import numpy as np

from benchmark.fit import handed_to
from benchmark.protocol import Array, Hyperparameter, Ids, Interactions, Range, Scores
from benchmark.testing.in_environment import run_where_it_belongs, tests_of
from benchmark.testing.planted import UNSEEN, described, planted_parts, unseen_changed
from benchmark.testing.ranking_quality import assert_better_than_chance, disorder, rise_at
from benchmark.testing.serving_contract import ServingContract
from benchmark.testing.soundness import (
    assert_close,
    assert_defaults_inside,
    assert_finite_scores,
    assert_inside,
    assert_needs,
    assert_products,
)
from benchmark.testing.subject import Subject, all_users, fault, fitted
from benchmark.traits import traits


class AdapterContract(ServingContract):
    """Inherit, name the class under test, and pytest checks what the engine relies on.

    Attributes:
        adapter: the class under test.
        config: fields that differ from their defaults.
        steps: how many steps to train at most before the model is judged by its quality.
        learns: False for a floor such as a random ranking, which beats nothing.
        from_history: False where ``score`` knows more of a user than the history that ``fold_in`` is given,
            such as a vector of the user's own.
        lock_files: of environments that no installed package publishes, by name. The tests of an adapter with
            an environment run there; those that a class has of its own run here.
    """

    adapter: ClassVar[type]
    lock_files: ClassVar[Mapping[str, Path]] = {}
    config: ClassVar[Mapping[str, Hyperparameter]] = {}
    steps: ClassVar[int] = 30
    learns: ClassVar[bool] = True
    from_history: ClassVar[bool] = True

    def __init_subclass__(cls, **named: Any) -> None:
        """Have inherited tests of an adapter with an environment run there."""
        super().__init_subclass__(**named)
        for name in tests_of(cls):
            if getattr(cls, name) is getattr(AdapterContract, name, None):
                setattr(cls, name, run_where_it_belongs(getattr(cls, name)))

    @property
    def subject(self) -> Subject:
        """The adapter with its configuration.

        Raises:
            SkipTest: its space, its steps or its scores are not sound; the tests of these say so.
        """
        return self._sound(self.steps)

    def _sound(self, steps: int | None) -> Subject:
        subject = Subject(self.adapter, tuple(sorted(self.config.items())))
        if what := fault(subject, steps):
            raise SkipTest(f"not looked at before this is mended: {what}")
        return subject

    def test_defaults_lie_in_the_space(self) -> None:
        """Trial 0 is the default configuration, so the sampler must be able to suggest it."""
        assert_defaults_inside(self.adapter(), traits(self.adapter).space)

    def test_published_configuration_lies_in_the_space(self) -> None:
        """Trial 1 is the published configuration: the sampler must be able to suggest it too."""
        for name, value in self.subject.traits.published.items():
            assert_inside(name, value, self.subject.traits.space[name])

    def test_defaults_and_space_lie_within_the_limits(self) -> None:
        """A suite's value outside the limits is refused, so nothing that is tried may lie there."""
        model, own = self.adapter(), self._sound(None).traits
        for name, limit in own.limits.items():
            domain = own.space.get(name)
            tried = [getattr(model, name), own.published.get(name, getattr(model, name))]
            if isinstance(domain, Range):
                tried += [domain.low, domain.high]
            elif domain is not None:
                tried += domain.options
            for value in tried:
                assert value in limit, f"{name} = {value} must be {limit}, by limits"

    def test_scores_have_a_row_per_user_and_a_column_per_item(self) -> None:
        """For any users, those without rows included: (B, I) float32, all finite."""
        subject = self._sound(None)
        model, _ = fitted(subject, self.steps)
        assert_finite_scores(model, subject.train.n_users, subject.train.n_items)

    def test_batch_size_does_not_change_a_score(self) -> None:
        """The engine chooses the batches, so a row must depend on its user alone."""
        model, scores = self._trained()
        users = np.random.default_rng(0).permutation(all_users(self.subject.train))
        batches = [model.score(batch) for batch in np.split(users, [1, 8, 100])]
        assert_close(np.concatenate(batches), scores[users], "in other batches, score()")

    def test_vectors_multiply_to_the_scores(self) -> None:
        """A model that hands over ``vectors`` is ranked by them, without its ``score``."""
        model, scores = self._trained()
        if hasattr(model, "vectors"):
            assert_products(model.vectors(), scores)

    def test_same_seed_gives_the_same_scores(self) -> None:
        """On one thread; the seed is the only source of randomness."""
        first, second = (self.subject.fit(steps=2).score(self._some_users()) for _ in range(2))
        assert np.array_equal(first, second, equal_nan=True), (
            "two fits with seed 0 score differently: some randomness is not seeded"
        )

    def test_seed_matters_unless_declared_deterministic(self) -> None:
        """A model whose seed changes nothing gets one final; any other gets several."""
        first, second = (self.subject.fit(steps=1, seed=seed).score(self._some_users()) for seed in (1, 2))
        same = np.array_equal(first, second, equal_nan=True)
        declared = self.subject.traits.deterministic
        assert same == declared, (
            f"deterministic is {declared}, yet seeds 1 and 2 score {'the same' if same else 'differently'}"
        )

    def test_scores_work_after_every_step(self) -> None:
        """A yield means that the device is idle and ``score`` works."""
        train = self.subject.train
        model, walk = self.subject.begin(train)
        for step, _ in enumerate(islice(walk, 3), start=1):
            scores = model.score(self._some_users())
            assert scores.shape == (5, train.n_items), f"after step {step} score() has shape {scores.shape}"
            assert np.isfinite(scores).all(), f"after step {step} score() is not finite"

    def test_small_steps_make_up_what_a_pass_does(self) -> None:
        """With ``step_rows`` a class that ``streams`` yields within a pass, and scores the same after it."""
        if not self.subject.traits.streams:
            return
        subject = self.subject.in_small_batches()
        train, users = subject.train, all_users(subject.train)
        whole, walk = subject.begin(train)
        wanted = next(walk)
        wanted = len(train) if wanted is None else wanted
        model, walk = subject.begin(train, step_rows=len(train) // 3)
        trained = 0
        while trained < wanted:
            rows = next(walk)
            assert rows is not None, "a step within a pass yielded None, expected the rows that it trained"
            assert 0 < rows < len(train), f"a step trained {rows} of {len(train)} rows, asked for a third"
            assert np.isfinite(model.score(users)).all(), "within a pass score() is not finite"
            trained += rows
        assert trained == wanted, f"small steps add up to {trained} rows, expected {wanted}"
        same = np.array_equal(model.score(users), whole.score(users))
        assert same, "small steps that make up a pass score otherwise than the pass"

    def test_inputs_stay_as_they_were(self) -> None:
        """Training data and the users asked for belong to the engine."""
        train, users = self.subject.train.rows(np.arange(len(self.subject.train))), self._some_users()
        inputs = _columns(train) | {"matrix": train.matrix().data, "batch": users}
        if train.item_features is not None:
            inputs |= {"item_features": train.item_features.matrix.data}
        if train.graph is not None:
            inputs |= {
                "heads": train.graph.heads,
                "relations": train.graph.relations,
                "tails": train.graph.tails,
            }
        before = {name: np.array(column) for name, column in inputs.items()}
        model, walk = self.subject.begin(train)
        next(walk)
        model.score(users)
        changed = [name for name, column in inputs.items() if not np.array_equal(before[name], column)]
        assert not changed, f"fit_steps() or score() changed its inputs: {', '.join(changed)}"

    def test_state_brings_a_model_back(self) -> None:
        """Named arrays without objects, from which a new instance scores and rates the same."""
        if not self.subject.traits.keeps_state:
            return
        model, scores = self._trained()
        state = model.state()
        loose = [
            name
            for name, array in state.items()
            if not isinstance(array, np.ndarray) or array.dtype.hasobject
        ]
        assert not loose, f"state() holds {loose}, which are not plain arrays"
        copy = self.subject.new()
        copy.restore({name: np.array(array) for name, array in state.items()})
        asked: list[tuple[str, tuple[Array, ...]]] = [("score", (all_users(self.subject.train),))]
        if self.subject.traits.rates:
            asked.append(("rate", _pairs(planted_parts()[1])[:2]))
        if self.subject.traits.folds_in:
            asked.append(("fold_in", (np.array([3, 5], dtype=np.int32),)))
        for method, arguments in asked:
            try:
                found = getattr(copy, method)(*arguments)
            except Exception as error:
                raise AssertionError(
                    f"a model restored from state() cannot {method}: {type(error).__name__}: {error}; "
                    f"state() must hold every array that {method} needs"
                ) from error
            expected = scores if method == "score" else getattr(model, method)(*arguments)
            assert_close(found, expected, f"after restore(), {method}()")

    def test_fold_in_scores_every_item_from_any_history(self) -> None:
        """From one item or from all of them: (I,) float32, all finite; the history stays as it was."""
        if not self.subject.traits.folds_in:
            return
        model, n_items = self._trained()[0], self.subject.train.n_items
        for history in ([n_items - 1], [7, 2, 9], range(n_items)):
            items = np.array(history, dtype=np.int32)
            scores, where = model.fold_in(items), f"fold_in() of {len(items)} items"
            assert scores.shape == (n_items,), f"{where} has shape {scores.shape}, expected {(n_items,)}"
            assert scores.dtype == np.float32, f"{where} is {scores.dtype}, expected float32"
            assert np.isfinite(scores).all(), f"{where} has values that are nan or infinite"
            assert np.array_equal(items, history), f"{where} changed the history that it was given"

    def test_fold_in_ranks_as_score_does(self) -> None:
        """A known user's history, in the order of time, gives the user's own order of unseen items."""
        if not (self.subject.traits.folds_in and self.from_history):
            return
        model, scores = self._trained()
        for user, history in islice(_histories(self.subject.train), 20):
            unseen = np.setdiff1d(np.arange(len(scores[user])), history)
            apart = disorder(model.fold_in(history)[unseen], scores[user][unseen])
            assert apart < 1e-3, (
                f"user {user}: fold_in() of the user's own history ranks unlike score(): an item that it "
                f"puts below another scores higher by {apart:.2g} of their span"
            )

    def test_fold_in_learns_the_planted_structure(self) -> None:
        """Rankers beat a random ranking in NDCG@10 for users who are known by their history alone."""
        if not (self.learns and self.subject.traits.folds_in and self.subject.traits.feedback == "implicit"):
            return
        model, scores = self._trained()
        folded = np.array(scores)
        for user, history in _histories(self.subject.train):
            folded[user] = model.fold_in(history)
        assert_better_than_chance(folded, "of fold_in()")

    def test_features_speak_for_rows_without_an_event(self) -> None:
        """What ``from_features`` names is scored by features: other features, other scores."""
        if not self.learns:  # chance scores everything without any features
            return
        train = described(self.subject.train)
        for side in self.subject.traits.from_features:
            logs = train, unseen_changed(train, side)
            before, after = (self._unseen(self.subject.fit(2, train=log), side) for log in logs)
            assert np.isfinite(after).all(), f"scores of {side} without a row are nan or infinite"
            assert not np.array_equal(before, after), (
                f"from_features names {side!r}, yet those without a row score the same with other features"
            )

    def test_graph_speaks_for_items_without_an_event(self) -> None:
        """With ``from_graph`` items are scored by their triples: other triples, other scores."""
        if not self.subject.traits.from_graph:
            return
        logs = self.subject.train, unseen_changed(self.subject.train, "graph")
        before, after = (self._unseen(self.subject.fit(2, train=log), "items") for log in logs)
        assert np.isfinite(after).all(), "scores of items without a row are nan or infinite"
        assert not np.array_equal(before, after), (
            "from_graph, yet items without a row score the same with other triples"
        )

    def test_log_without_times_and_features_can_be_learned(self) -> None:
        """Most logs have neither; a model that cannot do without features says so in ``needs_features``."""
        train = replace(self.subject.train, times=np.array([], dtype=np.int64))
        if not self.subject.traits.needs_features:
            train = replace(train, item_features=None)
        if not self.subject.traits.needs_graph:
            train = replace(train, graph=None)
        scores = self.subject.fit(1, train=train).score(self._some_users())
        assert np.isfinite(scores).all(), "without times and features score() is not finite"

    def test_log_whose_items_come_again_can_be_learned(self) -> None:
        """With ``pairs: repeat`` a pair has a row for each time: finite scores, ratings within the scale."""
        n_rows = len(self.subject.train)
        train = self.subject.train.rows(np.append(np.arange(n_rows), np.arange(0, n_rows, 3)))
        later = np.arange(len(train)) >= n_rows
        model = self.subject.fit(2, train=replace(train, times=train.times + 86_400 * later))
        assert np.isfinite(model.score(self._some_users())).all(), "with repeated pairs score() is not finite"
        if self.subject.traits.rates:
            users, items, _ = _pairs(planted_parts()[1])
            ratings, scale = model.rate(users, items), train.scale
            assert scale is not None
            assert scale[0] <= ratings.min() <= ratings.max() <= scale[1], (
                f"with repeated pairs rate() spans {ratings.min()} to {ratings.max()}; the scale is {scale}"
            )
        if self.subject.traits.folds_repeats:
            history = np.array([3, 5, 3], dtype=np.int32)
            scores = model.fold_in(history)
            assert np.isfinite(scores).all(), "fold_in() of a history with repeats is not finite"

    def test_weights_lift_and_known_dislikes_sink(self) -> None:
        """What ``uses`` names changes a user's order in the right direction, compared with a fit without."""
        own, (log, _), train = self.subject.traits, planted_parts(), self.subject.train
        if "weights" in own.uses:
            heavy = train.items % 2 == 0
            weighted = replace(train, weights=np.where(heavy, np.float32(9), np.float32(1)))
            assert self._rise(weighted, train.rows(heavy)) > 0, "likes of nine times the weight score lower"
        if "negatives" in own.uses and own.feedback == "implicit":
            disliked = replace(log, negative=log.values <= 2)
            change = self._rise(handed_to(own, disliked), disliked.rows(disliked.negative))
            assert change < 0, "known dislikes score higher"

    def test_needs_rest_on_counts_alone(self) -> None:
        """Bytes that are said before the data are read: finite, the same for a log with the same counts."""
        assert_needs(self.subject.new(), self.subject.train)

    def test_order_of_time_matters_to_a_model_of_sequences(self) -> None:
        """A field ``history`` says that the last items count: the reversed log scores differently."""
        if "history" not in {field.name for field in fields(self.adapter)}:
            return
        train, users = self.subject.train, self._some_users()[:3]
        reversed_log = replace(train, times=train.times.max() - train.times)
        first, second = (self.subject.fit(1, train=log).score(users) for log in (train, reversed_log))
        assert not np.array_equal(first, second), "the log reversed in time scores the same"

    def test_ratings_are_on_the_scale_of_the_data(self) -> None:
        """One finite rating a pair, users and items without rows included."""
        if not self.subject.traits.rates:
            return
        model, _ = self._trained()
        users, items, _ = _pairs(planted_parts()[1])
        new_user, new_item = self.subject.train.n_users - 1, self.subject.train.n_items - 1
        users = np.append(users, [0, new_user, new_user]).astype(np.int32)
        items = np.append(items, [new_item, 0, new_item]).astype(np.int32)
        ratings, scale = model.rate(users, items), self.subject.train.scale
        assert scale is not None
        assert ratings.shape == users.shape, (
            f"rate() of {len(users)} pairs has shape {ratings.shape}, expected {users.shape}"
        )
        low, high = ratings.min(), ratings.max()  # nan fails the comparison too
        assert scale[0] <= low <= high <= scale[1], f"rate() spans {low} to {high}; the scale is {scale}"

    def test_model_learns_the_planted_structure(self) -> None:
        """Rankers beat a random ranking in NDCG@10, rating models the global mean in RMSE."""
        if not self.learns:
            return
        model, scores = self._trained()
        train, test = planted_parts()
        if self.subject.traits.feedback == "implicit":
            assert_better_than_chance(scores, "of score()")
        else:
            users, items, values = _pairs(test)
            error = np.sqrt(np.mean((model.rate(users, items) - values) ** 2))
            floor = np.sqrt(np.mean((train.values.mean() - values) ** 2))
            assert error < floor, f"RMSE is {error:.4f}, expected below the global mean's {floor:.4f}"

    def _trained(self) -> tuple[Any, Scores]:
        return fitted(self.subject, self.steps)

    def _unseen(self, model: Any, side: str) -> Scores:
        """Return the scores of the users, or of the items, that have no row."""
        scores: Scores = model.score(all_users(self.subject.train))
        return scores[-UNSEEN:] if side == "users" else scores[:, -UNSEEN:]

    def _rise(self, train: Interactions, pairs: Interactions) -> float:
        plain, fitted = (self.subject.fit(10, train=log) for log in (self.subject.train, train))
        return rise_at(plain.score(all_users(train)), fitted.score(all_users(train)), pairs)

    def _some_users(self) -> Ids:
        users = all_users(self.subject.train)[-5:]
        users.setflags(write=False)  # the engine's arrays may be
        return users


def _columns(log: Interactions) -> dict[str, Array]:
    return {name: getattr(log, name) for name in ("users", "items", "values", "times", "positive")}


def _pairs(log: Interactions) -> tuple[Ids, Ids, Scores]:
    return log.users, log.items, log.values


def _histories(log: Interactions) -> Iterator[tuple[int, Ids]]:
    """Yield each user who has a row, with the items in the order of time."""
    starts, rows = log.histories()
    for user in np.flatnonzero(np.diff(starts)):
        yield int(user), log.items[rows[starts[user] : starts[user + 1]]].copy()
