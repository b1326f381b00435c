"""A trial as its supervisor hears it: validated values, and when to ask for no more."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from benchmark.budget import Policy, grace_s
from benchmark.executors.executor import ExitReport
from benchmark.messages import Answer, Error, Step
from benchmark.records import Ending, Spent, StoppedBy, TrialOpened, TrialRecord
from benchmark.runner.child import EntryListener, cost
from benchmark.runner.watcher import Watcher
from benchmark.tuner import Tuner


@dataclass(kw_only=True)
class TrialListener(EntryListener[TrialOpened]):
    """Hears one trial.

    Attributes:
        policy: patience, and when validation is costly.
        primary: the metric that decides.
        maximise: whether a higher value is better.
        tuner: says when the median of the other trials is out of reach.
        watcher: hears it too.
        spent_before_s: charged to the study before this trial.
        steps: value after each validated step.
        best_step: with the best value.
        at_best: every metric after it.
        first_step_s: charged seconds until the first validated step.
        fit_s: seconds of training alone.
        user_s: the most seconds that scoring and ranking a user took.
        pair_s: likewise of rating a pair.
        stopped_by: the rule that asked for no more.
    """

    policy: Policy
    primary: str
    maximise: bool
    tuner: Tuner
    watcher: Watcher
    spent_before_s: float = 0.0
    steps: dict[int, float] = field(default_factory=dict)
    best_step: int | None = None
    at_best: dict[str, float] = field(default_factory=dict)
    first_step_s: float | None = None
    fit_s: float = 0.0
    user_s: float = 0.0
    pair_s: float = 0.0
    stopped_by: StoppedBy | None = None
    _heard_s: float = 0.0
    _train_s: float = 0.0
    _validate_s: float = 0.0

    @property
    def value(self) -> float | None:
        """The best validated value so far."""
        return None if self.best_step is None else self.steps[self.best_step]

    def tick(self, lease_s: float, charged_s: float) -> None:
        """Write the spending down, and show it."""
        super().tick(lease_s, charged_s)
        self.watcher.spent(self.entry.study, self.spent_before_s + charged_s)

    def step(self, step: Step, charged_s: float) -> Answer:
        """Take a validated step; answer whether to go on, and how many steps until the next."""
        value = step.values.get(self.primary, math.nan)
        if not math.isfinite(value):
            self.error = Error("nan", f"{self.primary} on validation is not finite")
            return Answer(go=False)
        self.time(step, charged_s)
        self.steps[step.step] = value
        self.fit_s = step.fit_s
        self.user_s, self.pair_s = max(step.user_s, self.user_s), max(step.pair_s, self.pair_s)
        self.first_step_s = self.first_step_s or charged_s
        if self.value is None or (value > self.value if self.maximise else value < self.value):
            self.best_step, self.at_best = step.step, dict(step.values)
        entry = self.entry.entry
        self.ledger.append(Spent(entry=entry, charged_s=round(charged_s, 3), step=step.step, value=value))
        self.watcher.step(self.entry.study, self.entry.trial, value)
        self.stopped_by = self.reason_to_stop(step.step, value, charged_s)
        return Answer(go=self.stopped_by is None, steps=self.steps_until_validation(charged_s))

    def time(self, step: Step, charged_s: float) -> None:
        """Note the least that training and validating a step took; the first says nothing, it may compile."""
        if self.steps:
            trained_s = step.fit_s - self.fit_s
            each_s = trained_s / (step.step - max(self.steps))
            validated_s = charged_s - self._heard_s - trained_s
            self._train_s = min(each_s, self._train_s or each_s)
            self._validate_s = min(validated_s, self._validate_s or validated_s)
        self._heard_s = charged_s

    def reason_to_stop(self, number: int, value: float, charged_s: float) -> StoppedBy | None:
        """Return the rule by which no further step is asked for; None if one is."""
        assert self.best_step is not None
        if self.tuner.report(self.entry.trial, number, value):
            return "pruned"
        if sum(step > self.best_step for step in self.steps) >= self.policy.patience:
            return "patience"
        if self._train_s + self._validate_s > self.left_s(charged_s):
            return "hold"
        return None

    def steps_until_validation(self, charged_s: float) -> int:
        """Return how many steps to train before the next is validated; see ``Policy.costly_validation``."""
        costly_s = max(self.policy.costly_validation * self._train_s, self.entry.hold_s / 100)
        if self._validate_s <= costly_s:
            return 1
        affordable = (self.left_s(charged_s) - self._validate_s) / max(self._train_s, 1e-3)
        return max(1, min(self.policy.validate_every, int(affordable)))

    def left_s(self, charged_s: float) -> float:
        """Return the seconds until the engine stops asking for steps."""
        return self.entry.hold_s - grace_s(self.entry.hold_s) - charged_s

    def ending(self, report: ExitReport) -> Ending:
        """Return how a trial ended that no fault ended."""
        if self.value is not None:
            return Ending(
                "pruned" if self.stopped_by == "pruned" else "complete", self.stopped_by or "finished"
            )
        if report.ended_by == "hold":
            return Ending("timeout", "no validated step within the hold")
        return Ending("crash", "it trained no step")

    def record(self, ending: Ending, report: ExitReport) -> TrialRecord:
        """Return the trial as it ended; its value counts only if it is complete or pruned."""
        return replace(
            self.entry.closed(ending, cost(report)),
            value=self.value if ending.outcome in {"complete", "pruned"} else None,
            best_step=self.best_step,
            truncated=ending.outcome == "complete" and "hold" in {self.stopped_by, report.ended_by},
            stopped_by=self.stopped_by,
            steps=self.steps,
            at_best=self.at_best,
            first_step_s=self.first_step_s,
            fit_s=self.fit_s,
            user_s=self.user_s or None,
            pair_s=self.pair_s or None,
        )
