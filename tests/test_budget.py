"""The budget's arithmetic: who may hold how much, and what counts against it."""

from __future__ import annotations

from typing import get_args

import pytest
from records_made import closed_trial

from benchmark.budget import Account, Policy, spent_s, step_rows
from benchmark.records import REFUNDED, Outcome


def test_first_trial_may_hold_half_the_budget_and_later_ones_a_quarter() -> None:
    policy = Policy(40.0)
    assert policy.cap_s(first=True) == 20.0
    assert policy.cap_s(first=False) == 10.0
    assert policy.cap_s(first=True, only=True) == 40.0


def test_account_grants_no_more_than_is_left_beside_open_holds() -> None:
    account = Account(Policy(10.0))
    account.hold(0, 7.0)
    assert account.affordable(5.0) == pytest.approx(3.0)
    account.charge(0, 2.0, "complete")
    assert account.affordable(5.0) == 5.0
    assert account.left_s == 8.0


def test_account_refuses_a_trial_that_cannot_validate_one_step() -> None:
    account = Account(Policy(10.0))
    account.saw_first_step(2.0)
    account.charge(0, 8.5, "complete")
    assert account.affordable(5.0) is None
    assert account.left_s == pytest.approx(1.5)


def test_account_lets_a_model_with_slow_steps_hold_more_than_the_cap() -> None:
    account = Account(Policy(10.0))
    account.saw_first_step(3.0)
    account.charge(0, 3.5, "complete")
    assert account.affordable(2.5) == pytest.approx(6.5)
    account.charge(1, 3.3, "complete")
    assert account.affordable(2.5) is None


def test_account_does_not_try_again_in_less_than_what_was_too_short() -> None:
    account = Account(Policy(10.0))
    account.charge(0, 5.0, "timeout")
    account.saw_no_step(5.0)
    assert account.affordable(2.5) is None
    account.saw_first_step(1.0)
    assert account.affordable(2.5) == 2.5


def test_account_takes_the_quickest_first_step_as_what_a_trial_needs() -> None:
    account = Account(Policy(10.0))
    account.saw_first_step(2.0)
    account.saw_first_step(0.5)
    account.saw_first_step(3.0)
    assert account.one_step_s == 0.5


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_outcome_counts_but_those_of_the_machine_and_of_a_dead_supervisor(outcome: Outcome) -> None:
    account = Account(Policy(10.0))
    account.charge(0, 4.0, outcome)
    spent = 0.0 if outcome in {"lost", "machine"} else 4.0
    assert account.left_s == 10.0 - spent
    assert spent_s([closed_trial(outcome=outcome, charged_s=4.0)]) == spent


def test_outcomes_that_are_refunded_are_two() -> None:
    assert sorted(REFUNDED) == ["lost", "machine"]


def test_final_may_take_three_times_its_trial_but_never_less_than_the_floor() -> None:
    policy = Policy(60.0)
    assert policy.final_s(30.0) == 90.0
    assert policy.final_s(0.01) == policy.final_floor_s


@pytest.mark.parametrize("noise", [0.8, 0.9, 1.0, 1.1, 1.2])
def test_rows_of_a_step_seldom_change_with_the_noise_of_a_measurement(noise: float) -> None:
    found = step_rows(1_000_000, noise * 1e-4, 1.0, 60.0)
    assert found in {32_768, 65_536}


def test_pass_that_is_short_beside_the_hold_is_one_step() -> None:
    assert step_rows(10_000, 1e-4, 1.0, 60.0) is None
