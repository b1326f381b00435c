"""Device-seconds: the rule that grants them and the account that keeps them, arithmetic alone.

A device-second is one slot held for one second. Every model gets the same budget B on a data set; what it
spends is in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmark.records import REFUNDED, Closed, Outcome

FIRST_VALIDATION = 0.1
"""The share of a hold by which a model that streams is validated for the first time."""
LEAST_STEP_ROWS = 4096
"""With fewer a step would be a handful of batches, and what surrounds it would count."""


@dataclass(frozen=True)
class Policy:
    """How a budget is handed out. Part of every study's key: another policy is another experiment.

    Attributes:
        budget_s: B, device-seconds of one study.
        max_trials: trials of one study, so that a model that fits in no time is not tuned forever.
        first_share: share of B that trial 0, the default configuration, may hold.
        trial_share: share of B that any later trial may hold.
        patience: validated steps, and passes, without a better value before a trial stops.
        costly_validation: where validating takes more than this many times the training of a step, and more
            than a hundredth of the hold, some steps are not validated; otherwise a model that is slow to
            score would spend its budget on validation.
        validate_every: of these steps one in so many is validated.
        validation_share: where a step is smaller than a pass, the most that validating may take of a
            trial's seconds; but a validation is never further away than ``validate_every`` passes,
            rounded up to a power of two of steps.
        final_factor: a final may take this many times the charged seconds of its trial.
        final_floor_s: and at least this long, because start-up noise swamps very short trials.
        ready_s: a process that is not ready by then is a fault of the machine, not of the model.
        rows_a_second: a model that is trained on more rows than these, for each second of its budget, is
            looked at before its first trial.
        probe_share: share of B that this first look may hold.
        hopeless: a model that cannot stop inside a pass is given up where one pass, by the first look, takes
            more than this many times what its first trial may hold.
    """

    budget_s: float
    max_trials: int = 100
    first_share: float = 0.5
    trial_share: float = 0.25
    patience: int = 5
    costly_validation: float = 3.0
    validate_every: int = 5
    validation_share: float = 0.25
    final_factor: float = 3.0
    final_floor_s: float = 20.0
    ready_s: float = 60.0
    rows_a_second: int = 5_000
    probe_share: float = 0.04
    hopeless: float = 3.0

    @property
    def probe_s(self) -> float:
        """The most seconds that a first look may hold."""
        return self.budget_s * self.probe_share

    def cap_s(self, *, first: bool, only: bool = False) -> float:
        """Return the most seconds that a trial may hold; the only trial of a study may hold B."""
        if only:
            return self.budget_s
        return self.budget_s * (self.first_share if first else self.trial_share)

    @property
    def probe_from_rows(self) -> float:
        """Above how many rows a model is looked at before its first trial."""
        return self.rows_a_second * self.budget_s

    def final_s(self, charged_s: float) -> float:
        """Return the most seconds for a final whose chosen trial was charged ``charged_s``."""
        return max(self.final_floor_s, self.final_factor * charged_s)


def grace_s(hold_s: float) -> float:
    """Return how long before the end of a hold the engine stops asking for steps.

    A second, because the kernel may take half of one to take back a process of some gigabytes; less
    where the hold is short.

    >>> grace_s(1.0), grace_s(60.0)
    (0.25, 1.0)
    """
    return min(1.0, hold_s / 4)


PROBE = -1
"""The number under which a first look holds seconds, beside those of trials."""


@dataclass
class Account:
    """What one study may still spend. Holds keep trials that run side by side inside B."""

    policy: Policy
    charged_s: float = 0.0
    holds: dict[int, float] = field(default_factory=dict)
    one_step_s: float | None = None
    too_short_s: float = 0.0

    @property
    def left_s(self) -> float:
        """Seconds neither charged nor held."""
        return self.policy.budget_s - self.charged_s - sum(self.holds.values())

    def affordable(self, cap_s: float) -> float | None:
        """Return the seconds a trial may hold; None if what is left is too little for one validated step.

        A model whose first step takes longer than the cap (tracing a graph, say) may hold two such steps.
        """
        needed = 1.1 * (self.too_short_s if self.one_step_s is None else self.one_step_s)
        granted = min(max(cap_s, 2 * needed), self.left_s)
        if granted <= 0 or granted - grace_s(granted) < needed:
            return None
        return granted

    def hold(self, trial: int, granted_s: float) -> None:
        """Reserve what :meth:`affordable` granted."""
        self.holds[trial] = granted_s

    def charge(self, trial: int, charged_s: float, outcome: Outcome) -> None:
        """Release the hold of a trial and charge what it spent, unless it is refunded."""
        self.holds.pop(trial, None)
        if outcome not in REFUNDED:
            self.charged_s += charged_s

    def saw_no_step(self, within_s: float) -> None:
        """Remember a hold too short for one validated step: until one is seen, a shorter one is pointless."""
        self.too_short_s = max(self.too_short_s, within_s)

    def saw_first_step(self, after_s: float) -> None:
        """Remember the quickest first validated step: what a trial needs at the least."""
        self.one_step_s = min(after_s, self.one_step_s or after_s)


def step_rows(rows: int, seconds_per_row: float, validate_s: float, hold_s: float) -> int | None:
    """Return how many rows a step may train; None where a pass is short enough to be a step.

    A pass is one where it ends, validated, within a tenth of the hold. Else it is halved until a step and its
    validation take no more than a twentieth: what was measured on a sample may be off by a factor of two.
    Where validation alone takes longer, a step is as small as no longer matters beside it.

    Args:
        rows: N, that a pass trains.
        seconds_per_row: of training, from a probe.
        validate_s: seconds of one validation.
        hold_s: the shortest hold of a trial.

    >>> [step_rows(1_000_000, 1e-5, 0.5, hold_s) for hold_s in (200, 75, 15)]
    [None, 250000, 15625]
    """
    first_s = FIRST_VALIDATION * hold_s
    pass_s = rows * seconds_per_row
    if pass_s + validate_s <= first_s:
        return None
    longest_s = max(first_s / 2 - validate_s, validate_s / 8)
    parts = 1
    while pass_s > parts * longest_s and rows >= 2 * parts * LEAST_STEP_ROWS:
        parts *= 2
    return -(-rows // parts) if parts > 1 else None


def rescaled(step_rows: int, rows: int, others: int) -> int:
    """Return how many of other rows a step may train, so that it is the same share of a pass over them.

    >>> rescaled(250, 1000, 1100), rescaled(250, 1001, 1101)
    (275, 221)
    """
    return -(-others // -(-rows // step_rows))


def spent_s(closed: Iterable[Closed]) -> float:
    """Return the seconds that count against a budget, of a study's closed trials."""
    return sum(record.charged_s for record in closed if record.counts)
