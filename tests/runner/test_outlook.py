"""What a run says it will do before anything is spent, against what it then spends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from records_made import closed_trial

from benchmark import runner
from benchmark.budget import Policy, spent_s
from benchmark.executors.slots import Slots
from benchmark.ledger import Ledger, Records
from benchmark.records import FinalRecord, LedgerRecord, StudyClosed, StudyOpened, TrialRecord
from benchmark.registry import Registry
from benchmark.results import RunDirectory
from benchmark.runner import RunOptions
from benchmark.runner.outlook import Outlook, outlook_of
from benchmark.runner.ready import ReadyStudy, Studies
from benchmark.runner.splits import store_all
from benchmark.suite import Suite

Make = Callable[..., Suite]

SLOW = {"use": "fake/steady", "name": "slow", "set": {"pause_s": 0.2, "max_epochs": 40}}


@pytest.fixture
def ready(suite: Make, fakes: Registry, tmp_path: Path) -> ReadyStudy:
    """A study of 60 s whose key is "key"."""
    own = suite(models=["fake/steady"])
    (data,) = store_all(own, tmp_path, None, tmp_path, lambda _: None)
    (found,) = Studies.of(own, fakes, [data], "cpu").ready
    return replace(found, key="key", search_key="search", policy=Policy(60.0))


def begun(key: str, budget_s: float, **more: Any) -> StudyOpened:
    """Return the first line of a study."""
    return StudyOpened(
        dataset="planted",
        model="fake/steady",
        study_key=key,
        search_key="search",
        budget_s=budget_s,
        max_trials=100,
        **more,
    )


def ended(key: str, unused_s: float) -> StudyClosed:
    """Return the last line of a study."""
    return StudyClosed(
        dataset="planted",
        model="fake/steady",
        study_key=key,
        status="ok",
        reason="",
        unused_s=unused_s,
        space={},
    )


def trial(key: str, charged_s: float) -> TrialRecord:
    """Return a trial of a study."""
    made = closed_trial(f"planted/fake/steady@{key}#0", charged_s=charged_s, value=0.5)
    return replace(made, study_key=key, dataset="planted", model="fake/steady")


@pytest.mark.parametrize(
    ("records", "tuning", "seconds"),
    [
        ([], "new", 60.0),
        ([begun("key", 60.0), trial("key", 59.0), ended("key", 1.0)], "kept", 0.0),
        ([begun("key", 60.0), trial("key", 25.0)], "continued", 35.0),
        ([begun("old", 30.0), trial("old", 29.0), ended("old", 1.0)], "continued", 31.0),
        ([begun("old", 30.0), trial("old", 9.0), ended("old", 21.0)], "continued", 0.0),
        ([begun("old", 90.0), trial("old", 89.0), ended("old", 1.0)], "new", 60.0),
        ([begun("old", 90.0), trial("old", 9.0), ended("old", 81.0)], "new", 9.0),
    ],
    ids=["nothing", "done", "stopped", "smaller", "out of trials", "larger", "larger, out of trials"],
)
def test_study_is_kept_goes_on_or_begins(
    suite: Make,
    ready: ReadyStudy,
    tmp_path: Path,
    records: list[LedgerRecord],
    tuning: str,
    seconds: float,
) -> None:
    found = outlook_of(suite(models=["fake/steady"]), ready, Records(records), RunDirectory(tmp_path))
    assert (found.tuning, found.tuning_s) == (tuning, pytest.approx(seconds))


def test_lines_name_what_is_kept_and_what_is_new(suite: Make, ready: ReadyStudy, tmp_path: Path) -> None:
    other = replace(ready, key="other", search_key="elsewhere")
    records = [begun("key", 60.0), trial("key", 59.0), ended("key", 1.0)]
    own = suite(models=["fake/steady"])
    outlook = Outlook.of(own, [ready, other], Records(records), RunDirectory(tmp_path))
    assert list(outlook.lines()) == [
        "tuned already, kept: planted/fake/steady",
        "new, or changed: planted/fake/steady, about 60s of tuning",
        "finals fitted for what is tuned already: 4, about 3m56s",
        "finals of the others: each about as long as its best trial",
    ]


def test_plan_says_what_run_then_says(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    before, after = suite(models=["fake/fixed"]), suite(models=["fake/fixed", "fake/steady"])
    options = RunOptions(out=tmp_path / "run")
    runner.run(before, fakes, options)
    earlier = runner.earlier_run(after, fakes, options)
    planned = runner.plan_suite(after, fakes, None, tmp_path, earlier)
    assert planned.outlook is not None
    said: list[str] = []
    watcher = runner.Silent()
    watcher.said = said.append  # type: ignore[method-assign]
    runner.run(after, fakes, options, watcher)
    for line in planned.outlook.lines():
        assert f"run: {line}" in said
    assert runner.earlier_run(suite(name="other"), fakes, RunOptions(results=tmp_path)) is None


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize(
    "changes",
    [
        {"models": [SLOW, {**SLOW, "name": "more", "set": {"pause_s": 0.21, "max_epochs": 40}}]},
        {"models": [{**SLOW, "set": {"pause_s": 0.19, "max_epochs": 40}}]},
        {"budget": {"per_model": "12s", "max_trials": 100}},
        {"finals": {"seeds": 4}},
        {"metrics": {"primary": "ndcg@5", "also": ["ndcg@9"]}},
        {"metrics": {"primary": "ndcg@5", "also": ["recall@5", "coverage@5", "mrr@3"]}},
    ],
    ids=["model added", "model changed", "budget", "seeds", "longer lists", "metric"],
)
def test_announced_seconds_are_those_of_the_ledger(
    suite: Make, fakes: Registry, tmp_path: Path, changes: dict[str, Any]
) -> None:
    base = {"models": [SLOW], "budget": {"per_model": "6s", "max_trials": 100}, "finals": {"seeds": 1}}
    options = RunOptions(out=tmp_path / "run")
    run_dir = runner.run(suite(**base), fakes, options)
    before = len(run_dir.records())
    after = suite(**{**base, **changes})
    (data,) = store_all(after, tmp_path / "splits", None, tmp_path, lambda _: None)
    slot = after.budget.slot
    studies = Studies.of(after, fakes, [data], Slots(slot.cores, slot.memory, slot.gpu, 1).device)
    outlook = Outlook.of(after, studies.ready, Records(run_dir.records()), run_dir)
    runner.run(after, fakes, options)
    new = Ledger.read(run_dir / "ledger.jsonl")[before:]
    trials = spent_s([one for one in new if isinstance(one, TrialRecord)])
    finals = spent_s([one for one in new if isinstance(one, FinalRecord)])
    assert trials == pytest.approx(outlook.tuning_s, rel=0.2)
    if not outlook.tuning_s:
        assert finals == pytest.approx(outlook.finals.expected_s, rel=0.2)
