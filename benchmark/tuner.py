"""The only file that imports Optuna: ask, tell, prune.

The default configuration is trial 0, a published one trial 1. The sampler is made anew for each ask from
a seed of its own, because one seeded sampler re-made on resume would repeat itself. A configuration that
fails is told as PRUNED, never as FAIL: a sampler ignores FAIL and goes back there.
"""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.ledger import cut_torn_line
from benchmark.protocol import Choice, Hyperparameter, Range, Space
from benchmark.records import Params

with warnings.catch_warnings():  # tqdm, which Optuna imports, asks a notebook for widgets that nothing shows
    warnings.filterwarnings("ignore", message="IProgress not found")
    import optuna
    from optuna.distributions import (
        BaseDistribution,
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import FrozenTrial, TrialState

optuna.logging.set_verbosity(optuna.logging.ERROR)

RANDOM_TRIALS = 4
"""Trials before TPE models the space: few, because a study here may hold only a dozen."""
PRUNE_AFTER_TRIALS = 3
PRUNE_AFTER_STEPS = 2


@dataclass(frozen=True)
class Proposal:
    """One configuration to try."""

    number: int
    params: dict[str, Hyperparameter]


@dataclass(frozen=True)
class FinishedTrial:
    """What became of a trial, as the ledger recorded it."""

    value: float | None
    steps: Mapping[int, float]
    pruned: bool


class _RunLock:
    """The journal's lock: the run directory is held by one process, so threads are all there is.

    Optuna's own lock files outlive a killed process and would make a resume wait 30 s.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def acquire(self) -> bool:
        return self._lock.acquire()

    def release(self) -> None:
        self._lock.release()


class Journal:
    """The Optuna studies of a run in one file; readable by optuna-dashboard while the run goes on."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; a line torn by a crash would make it unreadable and is cut."""
        cut_torn_line(path)
        self.storage = JournalStorage(JournalFileBackend(str(path.resolve()), lock_obj=_RunLock()))

    def name_of(self, study: str, key: str) -> str:
        """Return the name of a study here: that under which its key was begun, whatever it is called now."""
        names = [study.study_name for study in self.storage.get_all_studies()]
        return next((name for name in names if name.endswith(f"@{key}")), f"{study}@{key}")


class Tuner:
    """One study: proposes configurations, hears how they did, says when to give one up."""

    def __init__(
        self,
        journal: Journal,
        name: str,
        space: Space,
        first: Sequence[Params],
        *,
        seed: int,
        maximise: bool,
    ) -> None:
        """Open the study called ``name``, or create it.

        Args:
            journal: where it is stored.
            name: of the study; the same name continues the same study.
            space: tuned hyperparameters.
            first: configurations to try first, each with a value for every one of them, inside its range.
            seed: from which each ask derives its own.
            maximise: whether a higher value is better.
        """
        self._distributions = {key: distribution(domain) for key, domain in space.items()}
        self._seed, self._storage = seed, journal.storage
        self._study = optuna.create_study(
            storage=journal.storage,
            study_name=name,
            direction="maximize" if maximise else "minimize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(PRUNE_AFTER_TRIALS, PRUNE_AFTER_STEPS),
        )
        self._open: dict[int, optuna.Trial] = {}
        self._first = [{key: config[key] for key in space} for config in first]

    def go_on_from(self, name: str, again: Sequence[Params]) -> None:
        """Take over the trials of an earlier study, and queue some of their configurations once more.

        Args:
            name: of the earlier study, in the same journal.
            again: configurations to try again, the first one first; those that were since are left out.
        """
        before = optuna.load_study(study_name=name, storage=self._storage).get_trials(deepcopy=True)
        cut = [{key: config[key] for key in self._distributions} for config in again]
        for trial in before[len(self._study.get_trials(deepcopy=False)) :]:
            if trial.state == TrialState.RUNNING:  # its supervisor died
                trial.state, trial.datetime_complete = TrialState.FAIL, trial.datetime_start
                cut.append(proposed_config(trial))
            self._study.add_trial(trial)
        since = [proposed_config(trial) for trial in self._study.get_trials(deepcopy=False)[len(before) :]]
        for config in cut:
            if config not in since:
                self._study.enqueue_trial(config)

    def reconcile(self, told: Callable[[int], FinishedTrial | None]) -> list[int]:
        """Close trials that a dead supervisor left running; return the numbers that were lost.

        Those that the ledger closed are told as they ended; the others are failed and queued again.
        """
        lost = []
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            finished = told(trial.number)
            if finished is None:
                self._queue_again(trial)
                self._study.tell(trial.number, state=TrialState.FAIL)
                lost.append(trial.number)
            else:
                self._open[trial.number] = optuna.Trial(self._study, trial._trial_id)  # noqa: SLF001 - Optuna has no public way back to a running trial
                for step in sorted(set(finished.steps) - set(trial.intermediate_values)):
                    self._open[trial.number].report(finished.steps[step], step)
                self.tell(trial.number, finished.value, pruned=finished.pruned)
        return lost

    def ask(self) -> Proposal:
        """Return the next configuration."""
        trials = self._study.get_trials(deepcopy=False)
        proposed = [proposed_config(trial) for trial in trials]
        new = next((config for config in self._first if config not in proposed), None)
        if new is not None and all(trial.state != TrialState.WAITING for trial in trials):
            self._study.enqueue_trial(new)  # after one that was lost, and waits to be tried again
        count = len(self._study.get_trials(deepcopy=False))
        self._study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=RANDOM_TRIALS, seed=derived_seed(self._seed, count)
        )
        trial = self._study.ask(fixed_distributions=self._distributions)
        self._open[trial.number] = trial
        return Proposal(trial.number, dict(trial.params))

    def report(self, number: int, step: int, value: float) -> bool:
        """Take the value of a validated step; return whether the median of the others says stop."""
        self._open[number].report(value, step)
        return bool(self._open[number].should_prune())

    def tell(self, number: int, value: float | None, *, pruned: bool) -> None:
        """Close a trial: with its best value, or as pruned when it was given up or has none."""
        self._open.pop(number, None)
        if value is None or pruned:
            self._study.tell(number, state=TrialState.PRUNED)
        else:
            self._study.tell(number, value)

    def fail(self, number: int, *, again: bool) -> None:
        """Close a trial that the machine, not its configuration, ended; queue it again if asked."""
        self._open.pop(number, None)
        trial = self._study.get_trials(deepcopy=False)[number]
        if again:
            self._queue_again(trial)
        self._study.tell(number, state=TrialState.FAIL)

    def _queue_again(self, trial: FrozenTrial) -> None:
        queued = self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        if all(proposed_config(other) != proposed_config(trial) for other in queued):
            self._study.enqueue_trial(proposed_config(trial))


def derived_seed(*parts: int | str) -> int:
    """Return a seed, 0 to 2³² - 1, that depends on all of these and on nothing else.

    >>> derived_seed(42, "shop/torch/mf") == derived_seed(42, "shop/torch/mf") != derived_seed(42)
    True
    """
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "big")


def proposed_config(trial: FrozenTrial) -> dict[str, Hyperparameter]:
    """Return the configuration of a trial, one that waits included."""
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}


def distribution(domain: Range | Choice) -> BaseDistribution:
    """Return a range or choice as Optuna has it."""
    if isinstance(domain, Choice):
        return CategoricalDistribution(domain.options)
    if domain.whole:
        return IntDistribution(int(domain.low), int(domain.high), log=domain.log)
    return FloatDistribution(domain.low, domain.high, log=domain.log)
