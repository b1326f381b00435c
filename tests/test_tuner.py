"""The tuner: the default first, the same proposals after any interruption, failures told as pruned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from benchmark.protocol import Choice, Range, Space
from benchmark.tuner import (
    PRUNE_AFTER_STEPS,
    PRUNE_AFTER_TRIALS,
    RANDOM_TRIALS,
    FinishedTrial,
    Journal,
    Proposal,
    Tuner,
)

SPACE: Space = {
    "dim": Range(8, 256, log=True),
    "lr": Range(1e-3, 0.3, log=True),
    "dropout": Range(0.0, 0.8),
    "kind": Choice("cosine", "msd"),
}
DEFAULT = {"dim": 64, "lr": 0.05, "dropout": 0.0, "kind": "msd"}


def tuner(path: Path, *, name: str = "study", seed: int = 0, maximise: bool = True) -> Tuner:
    return Tuner(Journal(path), name, SPACE, [DEFAULT], seed=seed, maximise=maximise)


def states(path: Path, name: str = "study") -> list[TrialState]:
    return [trial.state for trial in optuna.load_study(study_name=name, storage=Journal(path).storage).trials]


def value_of(asked: Proposal) -> float:
    """Return what a made-up model is worth: best at lr 0.1."""
    return -abs(float(asked.params["lr"]) - 0.1)


def drive(own: Tuner, trials: int) -> list[dict[str, Any]]:
    proposed = []
    for _ in range(trials):
        asked = own.ask()
        own.tell(asked.number, value_of(asked), pruned=False)
        proposed.append(asked.params)
    return proposed


def test_trial_1_is_the_published_configuration(tmp_path: Path) -> None:
    published = DEFAULT | {"dim": 200, "lr": 0.001}
    own = Tuner(Journal(tmp_path / "j"), "study", SPACE, [DEFAULT, published], seed=0, maximise=True)
    assert drive(own, 2) == [DEFAULT, published]


def test_default_that_was_lost_is_tried_again_before_the_published_configuration(tmp_path: Path) -> None:
    published = DEFAULT | {"dim": 200}

    def opened() -> Tuner:
        return Tuner(Journal(tmp_path / "j"), "study", SPACE, [DEFAULT, published], seed=0, maximise=True)

    for _ in range(2):
        opened().ask()  # the supervisor dies here
        resumed = opened()
        assert len(resumed.reconcile(lambda _: None)) == 1
    assert drive(resumed, 2) == [DEFAULT, published]


def test_trial_0_is_the_default_configuration(tmp_path: Path) -> None:
    first = tuner(tmp_path / "j").ask()
    assert (first.number, first.params) == (0, DEFAULT)


def test_proposals_stay_in_their_ranges_and_types(tmp_path: Path) -> None:
    for params in drive(tuner(tmp_path / "j"), RANDOM_TRIALS + 6):
        assert isinstance(params["dim"], int)
        assert 8 <= params["dim"] <= 256
        assert 1e-3 <= params["lr"] <= 0.3
        assert 0.0 <= params["dropout"] <= 0.8
        assert params["kind"] in {"cosine", "msd"}


def test_same_seed_proposes_the_same_and_another_seed_does_not(tmp_path: Path) -> None:
    one, two, other = (drive(tuner(tmp_path / str(n), seed=n // 2), 8) for n in (0, 1, 2))
    assert one == two
    assert one[1:] != other[1:]


def test_proposals_depend_on_the_seed_alone_not_on_the_name_that_holds_the_key(tmp_path: Path) -> None:
    journal = tmp_path / "j"
    first = drive(tuner(journal, name="a", seed=1), 4)
    assert drive(tuner(journal, name="b", seed=1), 4) == first
    assert drive(tuner(journal, name="c", seed=2), 4)[1:] != first[1:]


def test_resumed_study_proposes_what_an_uninterrupted_one_would(tmp_path: Path) -> None:
    whole = drive(tuner(tmp_path / "whole"), 9)
    parts = drive(tuner(tmp_path / "parts"), 3) + drive(tuner(tmp_path / "parts"), 6)
    assert parts == whole


def test_configuration_that_failed_is_told_as_pruned_never_as_fail(tmp_path: Path) -> None:
    own = tuner(tmp_path / "j")
    own.tell(own.ask().number, None, pruned=False)
    own.tell(own.ask().number, 0.3, pruned=True)
    own.tell(own.ask().number, 0.3, pruned=False)
    assert states(tmp_path / "j") == [TrialState.PRUNED, TrialState.PRUNED, TrialState.COMPLETE]


def test_trial_that_the_machine_ended_is_failed_and_asked_again(tmp_path: Path) -> None:
    own = tuner(tmp_path / "j")
    drive(own, 2)
    lost = own.ask()
    own.fail(lost.number, again=True)
    again = own.ask()
    assert again.params == lost.params
    assert again.number == lost.number + 1
    own.fail(again.number, again=False)
    assert own.ask().params != lost.params


def test_reconcile_tells_what_the_ledger_closed_and_the_journal_did_not_hear(tmp_path: Path) -> None:
    drive(tuner(tmp_path / "j"), 1)
    number = tuner(tmp_path / "j").ask().number  # the supervisor dies here
    own = tuner(tmp_path / "j")
    assert own.reconcile(lambda _: FinishedTrial(0.7, {1: 0.5, 2: 0.7}, pruned=False)) == []
    trial = optuna.load_study(study_name="study", storage=Journal(tmp_path / "j").storage).trials[number]
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.7)
    assert trial.intermediate_values == {1: 0.5, 2: 0.7}


def test_reconcile_runs_a_lost_trial_again_with_its_own_configuration(tmp_path: Path) -> None:
    drive(tuner(tmp_path / "j"), 2)
    lost = tuner(tmp_path / "j").ask()
    own = tuner(tmp_path / "j")
    assert own.reconcile(lambda _: None) == [lost.number]
    assert own.ask().params == lost.params
    assert states(tmp_path / "j")[lost.number] == TrialState.FAIL


def test_trial_lost_twice_is_queued_once(tmp_path: Path) -> None:
    lost = tuner(tmp_path / "j").ask()
    for _ in range(2):
        own = tuner(tmp_path / "j")
        own.reconcile(lambda _: None)
        assert own.ask().params == lost.params
    assert states(tmp_path / "j").count(TrialState.WAITING) == 0


def test_line_torn_by_a_crash_is_cut_and_the_study_goes_on(tmp_path: Path) -> None:
    whole = drive(tuner(tmp_path / "whole"), 5)
    first = drive(tuner(tmp_path / "j"), 3)
    with (tmp_path / "j").open("ab") as journal:
        journal.write(b'{"op_code": 5, "worker')
    assert first + drive(tuner(tmp_path / "j"), 2) == whole


def test_trial_far_below_the_others_is_given_up_after_its_first_steps(tmp_path: Path) -> None:
    own = tuner(tmp_path / "j")
    steps = range(1, PRUNE_AFTER_STEPS + 3)
    for _ in range(PRUNE_AFTER_TRIALS):
        number = own.ask().number
        assert not any(own.report(number, step, 0.5) for step in steps)
        own.tell(number, 0.5, pruned=False)
    bad = own.ask().number
    assert [own.report(bad, step, 0.1) for step in steps][-1]


@pytest.mark.parametrize(("maximise", "worse"), [(True, 0.1), (False, 0.9)])
def test_median_pruning_knows_which_way_is_better(tmp_path: Path, maximise: bool, worse: float) -> None:
    own = tuner(tmp_path / "j", maximise=maximise)
    for _ in range(PRUNE_AFTER_TRIALS):
        number = own.ask().number
        for step in (1, 2, 3, 4):
            own.report(number, step, 0.5)
        own.tell(number, 0.5, pruned=False)
    good, bad = own.ask().number, own.ask().number
    assert not any(own.report(good, step, 1.0 - worse) for step in (1, 2, 3, 4))
    assert any(own.report(bad, step, worse) for step in (1, 2, 3, 4))
