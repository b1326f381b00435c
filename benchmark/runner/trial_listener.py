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

PRUNE_AFTER_SMALL_STEPS = 4
"""Steps smaller than a pass before a trial may be pruned.

As a step with its validation is made to last a twentieth to a fortieth of the shortest hold, these are a
tenth to a fifth of a trial: what two passes are of a trial of ten to twenty.
"""
ROUNDING = 1e-6
VALIDATION_RESERVE = 1.5
"""How many times what a validation took is kept free for the last one within a hold."""


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
        step_rows: rows that a step was asked to train; None for a whole pass.
        steps: value after each validated step.
        passes: over the model's rows after each validated step.
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
    step_rows: int | None = None
    steps: dict[int, float] = field(default_factory=dict)
    passes: dict[int, float] = field(default_factory=dict)
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
        self.steps[step.step], self.passes[step.step] = value, step.passes
        self.fit_s = step.fit_s
        self.user_s, self.pair_s = max(step.user_s, self.user_s), max(step.pair_s, self.pair_s)
        self.first_step_s = self.first_step_s or charged_s
        if self.value is None or (value > self.value if self.maximise else value < self.value):
            self.best_step, self.at_best = step.step, dict(step.values)
        entry = self.entry.entry
        self.ledger.append(Spent(entry=entry, charged_s=round(charged_s, 3), step=step.step, value=value))
        self.watcher.step(self.entry.study, self.entry.trial, value)
        self.stopped_by = self.reason_to_stop(step.step, value, charged_s)
        return Answer(
            go=self.stopped_by is None,
            steps=self.steps_until_validation(step.step, charged_s),
            within_s=self.seconds_until_validation(charged_s),
        )

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
        too_early = self.step_rows is not None and number < PRUNE_AFTER_SMALL_STEPS
        if self.tuner.report(self.entry.trial, number, value) and not too_early:
            return "pruned"
        since_best = sum(step > self.best_step for step in self.steps)
        passes = self.passes[number] - self.passes[self.best_step]
        if min(since_best, passes + ROUNDING) >= self.policy.patience:
            return "patience"
        if self._train_s + self._validate_s > self.left_s(charged_s):
            return "hold"
        return None

    def steps_until_validation(self, number: int, charged_s: float) -> int:
        """Return how many steps to train before the next is validated.

        See ``Policy.costly_validation``; for steps smaller than a pass ``Policy.validation_share``. These are
        validated at multiples of a power of two, so that the trials of a study meet at the same rows, where
        they are compared; after step 1 and at the end of the hold apart.
        """
        policy, train_s = self.policy, max(self._train_s, 1e-3)
        affordable = int((self.left_s(charged_s) - self._validate_s) / train_s)
        if self.step_rows is None:
            costly_s = max(policy.costly_validation * self._train_s, self.entry.hold_s / 100)
            every = 1 if self._validate_s <= costly_s else min(policy.validate_every, affordable)
            return max(1, every)
        wanted = self._validate_s * (1 / policy.validation_share - 1) / train_s
        furthest = policy.validate_every * number / self.passes[number]
        every = 1
        while every < min(wanted, furthest):
            every *= 2
        return max(1, min(every - number % every, affordable))

    def seconds_until_validation(self, charged_s: float) -> float | None:
        """Return the seconds after which the trial is validated though it has trained fewer steps.

        A step may take longer than those that were seen, and what is trained and not validated is lost with
        the hold. None until a validation was timed.
        """
        if not self._validate_s:
            return None
        return max(0.0, self.left_s(charged_s) - VALIDATION_RESERVE * self._validate_s)

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
            given = f"{self.entry.hold_s:.0f} s"
            return Ending("timeout", f"its first training step had not ended after the {given} it was given")
        return Ending("crash", "it ended without a training step")

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
            step_rows=self.step_rows,
            passes={} if self.step_rows is None else self.passes,
            user_s=self.user_s or None,
            pair_s=self.pair_s or None,
        )
