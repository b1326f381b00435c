"""One study to the end of its budget: hold, launch, listen, charge, tell."""

from __future__ import annotations

import itertools
import math
import signal
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from benchmark.budget import LOST, Account, Line, Policy, grace_s
from benchmark.errors import AdapterError, Interrupted
from benchmark.executors.channel import Closed, Message
from benchmark.executors.local import ExitReport, ForkServer, Limits, supervise
from benchmark.executors.slots import Slot
from benchmark.runner.context import RunContext, note_open
from benchmark.runner.plan import Study
from benchmark.runner.splits import StoredSplit
from benchmark.tuner import FinishedTrial, Proposal, Tuner, derived_seed

FAILURES_BEFORE_GIVING_UP = 3
REFUNDS = 2
"""Faults of the machine that a study gets back; more of them are the model's own doing."""
NEARLY_ALL = 0.9
FAILED_BECAUSE = "failed: "


@dataclass
class TrialListener:
    """A trial as its supervisor hears it: validated values, and when to ask for no more."""

    context: RunContext
    study: Study
    entry: dict[str, Any]
    tuner: Tuner
    hold_s: float
    spent_before_s: float
    steps: dict[int, float] = field(default_factory=dict)
    best_step: int | None = None
    at_best: dict[str, float] = field(default_factory=dict)
    first_step_s: float | None = None
    fit_s: float = 0.0
    error: Message | None = None
    stopped_by: str | None = None
    _last_s: float = 0.0
    _step_s: float = 0.0
    _validation_s: float = 0.0

    @property
    def value(self) -> float | None:
        """The best validated value so far."""
        return None if self.best_step is None else self.steps[self.best_step]

    def hear(self, message: Message, charged_s: float) -> Message | None:
        """Take a validated step or a complaint; answer a step with whether to go on, and how far."""
        if message["event"] == "error":
            self.error = message
        if message["event"] != "step":
            return None
        value = message["values"].get(self.context.suite.metrics.primary, math.nan)
        if not math.isfinite(value):
            primary = self.context.suite.metrics.primary
            self.error = {"kind": "nan", "message": f"{primary} on validation is not finite", "traceback": ""}
            return {"go": False}
        self._time(message, charged_s)
        self._note(message, value, charged_s)
        self.stopped_by = self._reason_to_stop(message["step"], value, charged_s)
        return {"go": self.stopped_by is None, "steps": self._steps_to_the_next(charged_s)}

    def tick(self, lease_s: float, charged_s: float) -> None:
        """Write the spending down."""
        self.context.ledger.append(
            "spend", entry=self.entry["entry"], lease_s=round(lease_s, 3), charged_s=round(charged_s, 3)
        )
        self.context.watcher.spent(self.study.name, self.spent_before_s + charged_s)

    def _note(self, message: Message, value: float, charged_s: float) -> None:
        number = message["step"]
        self.steps[number] = value
        self.fit_s = message["fit_s"]
        self.first_step_s = self.first_step_s or charged_s
        best = self.value
        if best is None or (value > best if self.context.maximise else value < best):
            self.best_step, self.at_best = number, message["values"]
        self.context.ledger.append(
            "spend",
            entry=self.entry["entry"],
            lease_s=None,
            charged_s=round(charged_s, 3),
            step=number,
            value=value,
        )
        self.context.watcher.step(self.study.name, self.entry["trial"], value)

    def _reason_to_stop(self, number: int, value: float, charged_s: float) -> str | None:
        assert self.best_step is not None
        if self.tuner.report(self.entry["trial"], number, value):
            return "pruned"
        if sum(step > self.best_step for step in self.steps) >= self.context.policy.patience:
            return "patience"
        if self._step_s + self._validation_s > self._left_s(charged_s):
            return "hold"
        return None

    def _time(self, message: Message, charged_s: float) -> None:
        """Note the least that training and validating a step took; the first says nothing, it may compile."""
        if self.steps:
            trained_s = message["fit_s"] - self.fit_s
            each_s = trained_s / (message["step"] - max(self.steps))
            judged_s = charged_s - self._last_s - trained_s
            self._step_s = min(each_s, self._step_s or each_s)
            self._validation_s = min(judged_s, self._validation_s or judged_s)
        self._last_s = charged_s

    def _steps_to_the_next(self, charged_s: float) -> int:
        """Return how many steps to train before the next is validated; see ``Policy.costly_validation``."""
        policy = self.context.policy
        if self._validation_s <= max(policy.costly_validation * self._step_s, self.hold_s / 100):
            return 1
        carried = (self._left_s(charged_s) - self._validation_s) / max(self._step_s, 1e-3)
        return max(1, min(policy.validate_every, int(carried)))

    def _left_s(self, charged_s: float) -> float:
        return self.hold_s - grace_s(self.hold_s) - charged_s


@dataclass
class StudyRun:
    """The loop over the trials of one study."""

    context: RunContext
    study: Study
    key: str
    data: StoredSplit
    slot: Slot

    def __post_init__(self) -> None:
        suite = self.context.suite
        self.account = Account(self.context.policy)
        for line in self._closed():
            self.account.charge(line["trial"], line["charged_s"], line["outcome"])
            self._learn(line)
        self.tuner = Tuner(
            self.context.journal,
            f"{self.study.name}@{self.key}",
            self.study.space,
            self.study.first,
            seed=derived_seed(suite.seed, self.study.name),  # not of the key: new code tries the same
            maximise=self.context.maximise,
        )
        self.tuner.reconcile(self._told)

    def _learn(self, closed: Line) -> None:
        """Take from a closed trial what the next one needs at the least."""
        if closed.get("first_step_s"):
            self.account.saw_first_step(closed["first_step_s"])
        elif closed["outcome"] == "timeout":
            self.account.saw_no_step(closed["charged_s"])

    def run(self) -> None:
        """Run trials until the budget or the space is used up, and write down how it ended."""
        try:
            reason = self._attempts()
        except AdapterError as error:
            reason = f"{FAILED_BECAUSE}{error}"
        best = best_of(self._closed(), maximise=self.context.maximise)
        if best is not None:
            self._settle("ok", reason)
        elif reason.startswith(FAILED_BECAUSE):
            self._settle("failed", reason.removeprefix(FAILED_BECAUSE))
        else:
            spent = f"no validated step in {self.account.charged_s:.1f} s"
            self._settle("no-result", f"{spent}; give it a larger budget ({reason})")

    def _attempts(self) -> str:
        """Run trials; if the process that forks them dies or never gets ready, once more with a new one."""
        problem: Exception | None = None
        for _ in range(2):
            try:
                with self.context.fork_servers.lend(
                    self.study, self.data, self.slot, keep=True
                ) as fork_server:
                    return self._trials(fork_server)
            except (AdapterError, Closed) as error:
                if self.context.stop.is_set():
                    raise Interrupted from error
                problem = error
        raise AdapterError(str(problem) or "the process that forks its trials died twice")

    def _trials(self, fork_server: ForkServer) -> str:
        """Run trials; return why there are no more."""
        while True:
            closed = [line for line in self._closed() if line["outcome"] != LOST]
            tries = FAILURES_BEFORE_GIVING_UP if self.study.space else 1
            if (failure := reason_to_abort(closed, tries)) is not None:
                return f"{FAILED_BECAUSE}{failure}"
            if not self.study.space and any(line["outcome"] != "infrastructure" for line in closed):
                return "nothing to tune"
            if len(closed) >= self.context.policy.max_trials:
                return f"{len(closed)} trials"
            first = all(line["outcome"] == "infrastructure" for line in closed)
            cap = self.context.policy.cap_s(first=first, only=not self.study.space)
            hold_s = self.account.affordable(cap)
            if hold_s is None:
                return "what is left of the budget carries no further step"
            asked = self.tuner.ask()
            self.account.hold(asked.number, hold_s)
            self._trial(fork_server, asked, hold_s)

    def _trial(self, fork_server: ForkServer, asked: Proposal, hold_s: float) -> None:
        self.context.watcher.trial(self.study.name, asked.number)
        entry = self._identity(asked.number)
        params = self.study.config(asked.params)
        request = self.context.request(self.study, params, self.context.suite.seed + asked.number, self.slot)
        curve = TrialListener(self.context, self.study, entry, self.tuner, hold_s, self.account.charged_s)
        limits = Limits(hold_s, self.slot.memory_mb, self.context.policy.ready_s)
        try:
            child = fork_server.launch("benchmark.trial:run", request)
        except Closed:
            self.account.charge(asked.number, 0.0, LOST)
            self.tuner.fail(asked.number, again=True)
            raise
        with closing(child):
            facts = {"config": params, "device": request["device"]}
            opened = note_open(self.context.ledger, child, entry, hold_s=hold_s, **facts)
            ending = supervise(child, limits, curve)
        self._close(asked, opened, curve, ending)
        if ending.ended_by == "stopped":
            raise Interrupted

    def _close(self, asked: Proposal, opened: Line, curve: TrialListener, ending: ExitReport) -> None:
        outcome, reason = classify(curve, ending, self.context.policy, self.slot.memory_mb)
        faults = sum(line["outcome"] == "infrastructure" for line in self._closed())
        if outcome == "infrastructure" and faults >= REFUNDS:
            outcome = "crash"
        usable = outcome in {"complete", "pruned"}
        closed = self.context.ledger.append(
            "close",
            **self._identity(asked.number),
            outcome=outcome,
            reason=reason,
            lease_s=round(ending.lease_s, 4),
            charged_s=round(ending.charged_s, 4),
            value=curve.value if usable else None,
            best_step=curve.best_step,
            truncated=outcome == "complete" and (curve.stopped_by == "hold" or ending.ended_by == "hold"),
            stopped_by=curve.stopped_by,
            steps={str(number): value for number, value in curve.steps.items()},
            at_best=curve.at_best,
            first_step_s=curve.first_step_s,
            fit_s=curve.fit_s,
            memory_mb=round(ending.memory_mb, 1),
            config=opened["config"],
            device=opened["device"],
        )
        if curve.error and curve.error["traceback"]:
            self.context.log(f"[{self.study.name} trial {asked.number}] {curve.error['traceback']}")
        self.account.charge(asked.number, ending.charged_s, outcome)
        self._learn(closed)
        self.context.watcher.spent(self.study.name, self.account.charged_s)
        if outcome in {LOST, "infrastructure"}:
            self.tuner.fail(asked.number, again=outcome == LOST or not self._failed_before(asked))
        else:
            self.tuner.tell(asked.number, curve.value if usable else None, pruned=outcome != "complete")

    def _failed_before(self, asked: Proposal) -> bool:
        faults = [line for line in self._closed() if line["outcome"] == "infrastructure"]
        repeats: int = sum(line["config"] == self.study.config(asked.params) for line in faults)
        return repeats > 1

    def _identity(self, trial: int) -> dict[str, Any]:
        study, key = self.study, self.key
        return {
            "entry": f"{study.name}@{key}#{trial}",
            "study": study.name,
            "key": key,
            "dataset": study.dataset,
            "model": study.model,
            "role": "trial",
            "trial": trial,
        }

    def _closed(self) -> list[Line]:
        return self.context.ledger.lines("close", study=self.study.name, key=self.key, role="trial")

    def _told(self, number: int) -> FinishedTrial | None:
        """Return what the ledger recorded of a trial that Optuna never heard the end of."""
        lines = [line for line in self._closed() if line["trial"] == number]
        if not lines or lines[-1]["outcome"] in {LOST, "infrastructure"}:
            return None
        steps = {int(step): value for step, value in lines[-1]["steps"].items()}
        return FinishedTrial(lines[-1]["value"], steps, lines[-1]["outcome"] != "complete")

    def _settle(self, status: str, reason: str) -> None:
        best = best_of(self._closed(), maximise=self.context.maximise)
        identity = {
            key: value for key, value in self._identity(0).items() if key not in {"entry", "trial", "role"}
        }
        self.context.ledger.append(
            "settled",
            **identity,
            status=status,
            reason=reason,
            unused_s=round(self.account.left_s, 4),
            space={name: str(domain) for name, domain in self.study.space.items()},
        )
        self.context.watcher.settled(self.study.name, status, best["value"] if best else None)


def best_of(lines: list[Line], *, maximise: bool) -> Line | None:
    """Return the close line with the best value, the earliest among equals; None if none has one."""
    valued = [line for line in lines if line.get("value") is not None]
    choose = max if maximise else min
    return choose(valued, key=lambda line: line["value"]) if valued else None


def default_of(lines: list[Line], study: Study, *, maximise: bool) -> Line | None:
    """Return the close line of the default configuration; None if it has no value, or nothing is tuned."""
    same = [line for line in lines if study.space and line.get("config") == study.default]
    return best_of(same, maximise=maximise)


def reason_to_abort(closed: list[Line], tries: int) -> str | None:
    """Return why a study should not go on: a broken adapter, or ``tries`` failures and nothing else."""
    if any(line["outcome"] == "broken" for line in closed):
        return str(next(line["reason"] for line in closed if line["outcome"] == "broken"))
    failed = list(itertools.takewhile(lambda line: line["outcome"] in FAILED, reversed(closed)))
    never = all(line.get("value") is None for line in closed)
    faults = sum(line["outcome"] == "infrastructure" for line in failed)
    enough = len(failed) - faults >= tries or faults > 1
    return str(failed[0]["reason"]) if never and enough else None


FAILED = frozenset({"crash", "oom", "nan", "infrastructure"})


def classify(  # noqa: PLR0911 - a line for each outcome
    curve: TrialListener, ending: ExitReport, policy: Policy, slot_mb: float
) -> tuple[str, str]:
    """Return a trial's outcome and its reason in words."""
    if ending.ended_by == "stopped":
        return LOST, "the run was stopped"
    if ending.ended_by == "not-ready":
        return "infrastructure", f"not ready after {policy.ready_s:.0f} s"
    if curve.error is not None:
        return curve.error["kind"], curve.error["message"]
    if ending.ended_by == "memory":
        return "oom", f"its processes took {ending.memory_mb:.0f} MB, more than the slot"
    if not ending.done and ending.ended_by == "itself":
        if ending.code == -signal.SIGKILL and ending.memory_mb > NEARLY_ALL * slot_mb:
            return "oom", f"killed from outside at {ending.memory_mb:.0f} MB"
        fault = "infrastructure" if ending.code == -signal.SIGKILL else "crash"
        return fault, f"its process ended without a word (exit code {ending.code})"
    if curve.value is None:
        why = "no validated step within the hold" if ending.ended_by == "hold" else "it trained no step"
        return ("timeout" if ending.ended_by == "hold" else "crash"), why
    return ("pruned" if curve.stopped_by == "pruned" else "complete"), curve.stopped_by or "finished"
