"""Run one study until its budget is spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.budget import PROBE, Account
from benchmark.errors import AdapterError, Interrupted
from benchmark.executors.executor import Executor, ExecutorLost, Limits
from benchmark.executors.slots import Slot
from benchmark.ledger import best_trial
from benchmark.records import (
    DOES_NOT_FIT,
    LOST,
    MACHINE,
    Cost,
    Ending,
    Params,
    StudyClosed,
    StudyOpened,
    StudyStatus,
    TrialOpened,
    TrialRecord,
)
from benchmark.runner.context import RunContext, fit_request
from benchmark.runner.first_look import first_look, hopeless
from benchmark.runner.no_result import why_no_result
from benchmark.runner.ready import ReadyStudy, smaller_part
from benchmark.runner.room import Room, log_in, never_fits, rows_of, shortfall
from benchmark.runner.trial_listener import TrialListener
from benchmark.tuner import FinishedTrial, Proposal, Tuner, derived_seed

MISFITS = 3
"""Where so many configurations do not fit, the default and two more, and none has run: a study ends."""


@dataclass(frozen=True)
class StudyEnding:
    """Why a study ended, and the status that it has without a result; None where it was out of time."""

    reason: str
    status: StudyStatus | None = None


class StudyRun:
    """The loop over the trials of one study.

    Attributes:
        step_rows: rows that a step of its trials may train, by its first look; None for a whole pass.
    """

    def __init__(self, context: RunContext, ready: ReadyStudy, slot: Slot) -> None:
        """Go on where the ledger and the journal stopped."""
        self.context, self.slot = context, slot
        self.study, self.data, self.key, self.policy = ready.study, ready.data, ready.key, ready.policy
        self.log = log_in(self.study, self.data.manifest, context.suite.finals.train_on)
        self.room = Room.of_slot(slot)
        self.account = Account(self.policy)
        self.earlier = self.opened(ready)
        looked = context.ledger.probe(self.key)
        self.step_rows = None if looked is None else looked.step_rows
        for probe in context.ledger.probes(self.key):
            self.account.charge(PROBE, probe.charged_s, probe.outcome)
        for trial in self.trials:
            self.account.charge(trial.trial, trial.charged_s, trial.outcome)
            self.learn(trial)
        self.tuner = Tuner(
            context.journal,
            context.journal.name_of(self.study.name, self.key),
            self.study.space,
            self.study.first,
            seed=derived_seed(context.suite.seed, self.study.name),  # not of the key: new code tries the same
            maximise=context.maximise,
        )
        if self.earlier is not None:
            self.tuner.go_on_from(
                context.journal.name_of(self.study.name, self.earlier), [one.config for one in self.cut]
            )
        self.tuner.reconcile(self.told)

    def opened(self, ready: ReadyStudy) -> str | None:
        """Write down that the study begins, once; return the key of the one from which it goes on, if any."""
        ledger = self.context.ledger
        for one in ledger.records(StudyOpened):
            if one.study_key == self.key:
                return one.goes_on
        earlier = smaller_part(ready, ledger)
        entry = StudyOpened(
            dataset=self.study.dataset,
            model=self.study.model,
            study_key=self.key,
            search_key=ready.search_key,
            budget_s=self.policy.budget_s,
            max_trials=self.policy.max_trials,
            goes_on=None if earlier is None else earlier.study_key,
        )
        ledger.append(entry)
        return entry.goes_on

    @property
    def cut(self) -> list[TrialRecord]:
        """The trials of earlier parts that the budget of then cut: the default's first, then the best."""
        sign = 1 if self.context.maximise else -1
        cut = [one for one in self.trials if one.study_key != self.key and one.was_cut]
        return sorted(
            cut,
            key=lambda one: (
                one.config != self.study.default,
                one.value is None,
                -sign * (one.value or 0.0),
            ),
        )

    @property
    def trials(self) -> list[TrialRecord]:
        """Its closed trials, lost ones included."""
        return self.context.ledger.trials(self.key)

    def learn(self, trial: TrialRecord) -> None:
        """Take from a closed trial what the next one needs at the least."""
        if trial.first_step_s:
            self.account.saw_first_step(trial.first_step_s)
        elif trial.outcome == "timeout":
            self.account.saw_no_step(trial.charged_s)

    def told(self, number: int) -> FinishedTrial | None:
        """Return what the ledger recorded of a trial whose end Optuna never heard."""
        closed = [trial for trial in self.trials if trial.trial == number]
        if not closed or not closed[-1].counts:
            return None
        return FinishedTrial(closed[-1].value, closed[-1].steps, closed[-1].outcome != "complete")

    def run(self) -> None:
        """Run trials until the budget or the space is used up, and write down how it ended."""
        context = self.context
        try:
            misfit = never_fits(self.study, self.log, self.room)
            ending = (
                StudyEnding(misfit, "does-not-fit")
                if misfit
                else context.retries.run(
                    lambda: context.fork_servers.lend(self.study, self.data, self.slot, keep=True),
                    self.run_trials,
                    context.stop,
                )
            )
        except AdapterError as error:
            ending = StudyEnding(str(error), "failed")
        best = best_trial(self.trials, maximise=context.maximise)
        status: StudyStatus = "ok"
        reason = ending.reason
        if best is None and ending.status is not None:
            status = ending.status
        elif best is None:
            status, reason = "no-result", self.why_no_result(reason)
        context.ledger.append(
            StudyClosed(
                dataset=self.study.dataset,
                model=self.study.model,
                study_key=self.key,
                status=status,
                reason=reason,
                unused_s=round(self.account.left_s, 4),
                space=self.study.space,
            )
        )
        context.watcher.study_closed(self.study.name, status, best.value if best else None, reason)

    def run_trials(self, executor: Executor) -> StudyEnding:
        """Run trials; return why there are no more."""
        policy, space = self.policy, self.study.space
        if (verdict := self.look(executor)) is not None:
            return StudyEnding(verdict, "no-result")
        while True:
            trials = [trial for trial in self.trials if trial.outcome != LOST]
            failure = self.context.retries.reason_to_abort(trials, tuned=bool(space))
            if failure is not None:
                return StudyEnding(failure, "failed")
            started = [trial for trial in trials if trial.outcome != DOES_NOT_FIT]
            if len(trials) >= min(MISFITS, policy.max_trials) and not started:
                return StudyEnding(trials[0].reason, "does-not-fit")
            first = self.is_first(started)
            if not space and not first:
                return StudyEnding("nothing to tune")
            if len(trials) - len(self.cut) >= policy.max_trials:  # what was cut is run again, and counts then
                return StudyEnding(f"{len(trials)} trials")
            hold_s = self.account.affordable(policy.cap_s(first=first, only=not space))
            if hold_s is None:
                left = f"{max(self.account.left_s, 0.0):.2g} s"
                return StudyEnding(f"the remaining {left} are too short for another training step")
            proposal = self.tuner.ask()
            params = self.study.config(proposal.params)
            if (misfit := shortfall(self.study, params, self.log, self.room)) is not None:
                self.decline(proposal.number, params, misfit)
                continue
            self.account.hold(proposal.number, hold_s)
            self.run_trial(executor, proposal, hold_s)

    def why_no_result(self, ending: str) -> str:
        """Return why no trial has a value, and how many seconds would do."""
        return why_no_result(
            self.trials,
            self.context.ledger.probe(self.key),
            self.policy,
            judged=self.data.manifest.validated_users,
            only=not self.study.space,
            ending=ending,
        )

    def is_first(self, started: Sequence[TrialRecord]) -> bool:
        """Return whether the next trial is the default configuration's, which may hold the most.

        Args:
            started: trials that were started.
        """
        own = [trial for trial in started if trial.study_key == self.key]
        again = len(own) == len(started) or any(one.config == self.study.default for one in self.cut)
        return again and all(trial.outcome == MACHINE for trial in own)

    def look(self, executor: Executor) -> str | None:
        """Look at the model first, where the log is large; return why it cannot have a result, if so.

        Once: what a look has found is in the ledger. None without a trial to come, or where the default
        configuration does not fit.

        Raises:
            ExecutorLost: the executor is gone.
            Interrupted: the run was stopped.
        """
        context, study, key = self.context, self.study, self.key
        if any(trial.outcome != LOST for trial in self.trials):
            return None
        rows = rows_of(study, self.data.manifest)
        hold_s = self.account.affordable(self.policy.probe_s)
        record = context.ledger.probe(key)
        fits = shortfall(study, study.default, self.log, self.room) is None
        if record is None and rows > self.policy.probe_from_rows and hold_s is not None and fits:
            self.account.hold(PROBE, hold_s)
            try:
                record, report = first_look(
                    context, study, executor, key=key, rows=rows, slot=self.slot, hold_s=hold_s
                )
            except ExecutorLost:
                self.account.charge(PROBE, 0.0, LOST)
                raise
            context.ledger.append(record)
            self.step_rows = record.step_rows
            self.account.charge(PROBE, record.charged_s, record.outcome)
            context.watcher.spent(study.name, self.account.charged_s)
            context.log(f"[{study.name}] timed on samples: {record.text}")
            if report.ended_by == "stopped":
                raise Interrupted
        there_s = self.account.affordable(self.policy.cap_s(first=True, only=not study.space))
        if record is None or there_s is None:
            return None
        return hopeless(
            record, streams=study.adapter.traits.streams, there_s=there_s, factor=self.policy.hopeless
        )

    def decline(self, number: int, params: Params, reason: str) -> None:
        """Write down a configuration that does not fit: no process is started, nothing is charged."""
        entry = self.entry(number, params, device="", hold_s=0.0)
        self.context.ledger.append(entry)
        self.close(entry.closed(Ending(DOES_NOT_FIT, reason), Cost()))

    def entry(self, number: int, params: Params, *, device: str, hold_s: float) -> TrialOpened:
        """Return the opening line of a trial."""
        return TrialOpened(
            entry=f"{self.study.name}@{self.key}#{number}",
            dataset=self.study.dataset,
            model=self.study.model,
            study_key=self.key,
            trial=number,
            config=params,
            device=device,
            hold_s=hold_s,
        )

    def run_trial(self, executor: Executor, proposal: Proposal, hold_s: float) -> None:
        """Fit one configuration, write down how that ended, and tell the tuner.

        Raises:
            ExecutorLost: the executor is gone.
            Interrupted: the run was stopped.
        """
        context, number = self.context, proposal.number
        context.watcher.trial(self.study.name, number)
        params = self.study.config(proposal.params)
        request = fit_request(
            context.suite,
            self.study,
            params,
            context.suite.seed + number,
            self.slot,
            step_rows=self.step_rows,
        )
        limits = Limits(hold_s, self.slot.memory_mb, context.policy.ready_s)
        listener = TrialListener(
            ledger=context.ledger,
            entry=self.entry(number, params, device=request.device, hold_s=hold_s),
            policy=self.policy,
            primary=context.suite.metrics.primary,
            maximise=context.maximise,
            tuner=self.tuner,
            watcher=context.watcher,
            spent_before_s=self.account.charged_s,
            step_rows=request.step_rows,
        )
        try:
            running = executor.start("benchmark.trial:run", request, limits, listener)
        except ExecutorLost:
            self.account.charge(number, 0.0, LOST)
            self.tuner.fail(number, again=True)
            raise
        report = running.wait()
        ending = context.retries.fault(report, listener.error, limits, unexplained="crash")
        self.close(listener.record(self.charged_to(ending or listener.ending(report)), report))
        if listener.error is not None and listener.error.traceback:
            context.log(f"[{self.study.name} trial {number}] {listener.error.traceback}")
        if report.ended_by == "stopped":
            raise Interrupted

    def charged_to(self, ending: Ending) -> Ending:
        """Return the ending; a fault of the machine is put down to the model once there were too many."""
        faults = sum(trial.outcome == MACHINE for trial in self.trials)
        if ending.outcome == MACHINE and faults >= self.context.retries.refunds:
            return Ending("crash", ending.reason)
        return ending

    def close(self, trial: TrialRecord) -> None:
        """Commit a trial to the ledger, charge it, and tell the tuner."""
        self.context.ledger.append(trial)
        self.account.charge(trial.trial, trial.charged_s, trial.outcome)
        self.learn(trial)
        self.context.watcher.spent(self.study.name, self.account.charged_s)
        if trial.counts:
            self.tuner.tell(trial.trial, trial.value, pruned=trial.outcome != "complete")
            return
        faults = [other for other in self.trials if other.outcome == MACHINE]
        repeated = sum(other.config == trial.config for other in faults) > 1
        self.tuner.fail(trial.trial, again=trial.outcome == LOST or not repeated)
