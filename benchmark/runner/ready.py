"""The studies of a suite on stored splits, each with the keys by which its results are found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmark.budget import Policy
from benchmark.ledger import Records, best_trial
from benchmark.records import StudyOpened, StudyRecord, TrialRecord
from benchmark.registry import Registry
from benchmark.runner.context import policy_for
from benchmark.runner.hardware import engine_versions
from benchmark.runner.plan import Study, StudyKeys, plan
from benchmark.runner.splits import StoredSplit
from benchmark.suite import Suite


@dataclass(frozen=True)
class ReadyStudy:
    """A study with its data: what can be run.

    Attributes:
        study: as planned.
        data: the stored split.
        key: hash of everything that its results depend on.
        search_key: hash of the same but what it may spend.
        policy: how its budget is handed out.
    """

    study: Study
    data: StoredSplit
    key: str
    search_key: str
    policy: Policy


@dataclass(frozen=True)
class Studies:
    """All studies of a suite on its stored splits, data set by data set.

    Attributes:
        planned: every one, those that do not apply included.
        ready: those that can be run.
    """

    planned: tuple[tuple[Study, StoredSplit], ...]
    ready: tuple[ReadyStudy, ...]

    @classmethod
    def of(cls, suite: Suite, registry: Registry, splits: Sequence[StoredSplit], device: str) -> Studies:
        """Plan every study.

        Args:
            suite: what is run.
            registry: where its adapters are.
            splits: every split.
            device: that a slot holds; it belongs to the keys of the models that can use it.
        """
        planned = tuple(
            (study, data)
            for data in splits
            for study in plan(
                suite,
                registry,
                data.label,
                rated=data.rated,
                described=data.described,
                repeats=data.repeats,
            )
        )
        ready: list[ReadyStudy] = []
        for study, data in planned:
            if study.excluded is None:
                keys = keys_of(suite, study, data, device).numbered([one.key for one in ready])
                ready.append(ReadyStudy(study, data, keys.result, keys.search, policy_for(suite, study)))
        return cls(planned, tuple(ready))

    def records(self) -> list[StudyRecord]:
        """Return what the manifest says about them."""
        keys = {one.study.name: one.key for one in self.ready}
        return [replace(study.record(), key=keys.get(study.name, "")) for study, _ in self.planned]


def keys_of(suite: Suite, study: Study, data: StoredSplit, device: str) -> StudyKeys:
    """Return the keys of a study's results; the device that is really held belongs to them."""
    held = device if device in study.adapter.traits.devices else "cpu"
    identity = {"split": data.hash, **data.key_inputs}
    return study.keys(suite, policy_for(suite, study), data=identity, device=held, engine=engine_versions())


def smaller_part(ready: ReadyStudy, found: Records) -> StudyOpened | None:
    """Return the study from which one goes on when it begins; None if there is none.

    That is the one with the most to spend of those that differ in that alone and had less.
    """
    policy = ready.policy
    before = [
        one
        for one in found.records(StudyOpened)
        if one.search_key == ready.search_key and one.study_key != ready.key
        if one.budget_s <= policy.budget_s and one.max_trials <= policy.max_trials
        if found.trials(one.study_key) or found.probes(one.study_key)
    ]
    return max(before, key=lambda one: (one.budget_s, one.max_trials), default=None)


def default_trial(trials: Sequence[TrialRecord], study: Study, *, maximise: bool) -> TrialRecord | None:
    """Return the trial of the default configuration; None if it has no value, or nothing is tuned."""
    if not study.space:
        return None
    return best_trial([trial for trial in trials if trial.config == study.default], maximise=maximise)
