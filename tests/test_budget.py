"""The budget's arithmetic and the ledger's promise: whole lines, closed orphans."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.budget import Account, Ledger, Policy, spent_s


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


@pytest.mark.parametrize("outcome", ["lost", "infrastructure"])
def test_account_does_not_count_what_is_refunded(outcome: str) -> None:
    account = Account(Policy(10.0))
    account.charge(0, 4.0, outcome)
    assert account.left_s == 10.0


@pytest.mark.parametrize("outcome", ["complete", "pruned", "timeout", "oom", "nan", "crash"])
def test_account_counts_every_other_outcome(outcome: str) -> None:
    account = Account(Policy(10.0))
    account.charge(0, 4.0, outcome)
    assert account.left_s == 6.0
    assert spent_s([{"charged_s": 4.0, "outcome": outcome}]) == 4.0


def test_final_may_take_three_times_its_trial_but_never_less_than_the_floor() -> None:
    policy = Policy(60.0)
    assert policy.final_s(30.0) == 90.0
    assert policy.final_s(0.01) == policy.final_floor_s


def test_ledger_cut_in_the_middle_of_a_line_keeps_every_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.append("open", entry="a")
    ledger.append("spend", entry="a", charged_s=1.0)
    ledger.shut()
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        again = Ledger(path)
        assert [line["event"] for line in again.lines()] == ["open", "spend"][: whole[:cut].count(b"\n")]
        again.append("close", entry="a")
        again.shut()
        assert all(json.loads(line) for line in path.read_text("utf-8").splitlines())


def test_orphan_is_closed_as_lost_at_its_last_spend_line(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for entry, trial in (("a", 0), ("b", 1)):
        ledger.append("open", entry=entry, study="s", key="k", role="trial", trial=trial)
    ledger.append("close", entry="a", study="s", role="trial", trial=0, outcome="complete", charged_s=1.0)
    ledger.append("spend", entry="b", lease_s=2.0, charged_s=1.5)
    ledger.append("spend", entry="b", lease_s=2.5, charged_s=2.0)
    (closed,) = ledger.close_orphans()
    assert (closed["entry"], closed["outcome"], closed["charged_s"], closed["trial"]) == ("b", "lost", 2.0, 1)
    assert ledger.close_orphans() == []
    assert spent_s(ledger.lines("close")) == 1.0
    ledger.shut()


def test_orphan_that_never_spent_is_closed_at_zero(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append("open", entry="a", study="s", role="final")
    assert ledger.close_orphans()[0]["charged_s"] == 0.0
    ledger.shut()
