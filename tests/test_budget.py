"""The budget's arithmetic: who may hold how much, and what counts against it."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records_made import closed_trial

from benchmark.budget import LEAST_STEP_ROWS, Account, Policy, rescaled, spent_s, step_rows
from benchmark.modelkit.pace import Pace
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


def test_pass_that_ends_validated_within_a_tenth_of_the_hold_is_a_step() -> None:
    assert step_rows(1_000_000, 6e-6, 1.5, hold_s=75.0) is None
    assert step_rows(1_000_000, 6e-6, 1.6, hold_s=75.0) is not None


@given(
    rows=st.integers(1_000_000, 30_000_000),
    pass_s=st.floats(1.0, 1000.0),
    validate_s=st.floats(0.0, 3.0),
    hold_s=st.floats(75.0, 1000.0),
)
def test_first_validation_comes_within_a_twentieth_of_the_hold_unless_a_pass_is_short_enough(
    rows: int, pass_s: float, validate_s: float, hold_s: float
) -> None:
    """Where validation alone takes less than a twentieth; unless no smaller step is allowed."""
    found = step_rows(rows, pass_s / rows, validate_s, hold_s)
    if found is None:
        assert pass_s + validate_s <= hold_s / 10
    else:
        steps = Pace(rows, found).steps
        smallest = rows < 2 * steps * LEAST_STEP_ROWS
        assert smallest or found / rows * pass_s + validate_s <= hold_s / 20 + 1e-3
        assert steps & (steps - 1) == 0, "a power of two"


def test_step_has_a_few_thousand_rows_at_least() -> None:
    assert step_rows(1_000_000, 1.0, 0.0, hold_s=75.0) == 7813
    assert step_rows(2 * LEAST_STEP_ROWS - 1, 1.0, 0.0, hold_s=75.0) is None


def test_steps_beside_a_slow_validation_are_no_smaller_than_matters() -> None:
    """A pass takes a tenth of what validation takes: cutting it would gain nothing."""
    assert step_rows(1_000_000, 1e-6, 10.0, hold_s=75.0) is None
    assert step_rows(1_000_000, 1e-5, 10.0, hold_s=75.0) == 125_000


@given(rows=st.integers(100_000, 16_000_000), power=st.integers(1, 8), more=st.floats(1.0, 1.5))
def test_pass_over_more_rows_has_as_many_steps(rows: int, power: int, more: float) -> None:
    asked, others = -(-rows // 2**power), int(rows * more)
    assert Pace(others, rescaled(asked, rows, others)).steps == Pace(rows, asked).steps == 2**power


@pytest.mark.parametrize("noise", [0.8, 0.9, 1.0, 1.1, 1.2])
def test_rows_of_a_step_seldom_change_with_the_noise_of_a_measurement(noise: float) -> None:
    assert step_rows(1_000_000, noise * 1e-4, 1.0, 60.0) in {15_625, 31_250}


def test_pass_that_is_short_beside_the_hold_is_one_step() -> None:
    assert step_rows(10_000, 1e-4, 1.0, 60.0) is None
