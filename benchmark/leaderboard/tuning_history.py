"""How a model was tuned, from the ledger alone: was the search fair, and had it converged?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from benchmark.protocol import Array, Choice, Hyperparameter, Range, Space, Values
from benchmark.records import DOES_NOT_FIT, LOST, Params, ProbeRecord, StudyClosed, StudyRecord, TrialRecord

FEW_TRIALS = 10
"""With fewer the search has hardly begun: Optuna gives its sampler ten random trials by default."""

ENOUGH_FOR_IMPORTANCE = 20
EDGE = 0.01
"""A value within this share of the width of its range, on its scale, is at the boundary."""


@dataclass(frozen=True)
class TuningHistory:
    """All trials of one model on one data set.

    Attributes:
        model: its name on the board.
        space: what is tuned.
        default: the configuration of trial 0.
        maximise: whether a higher validation value is better.
        trials: in the order they ended, lost ones left out.
        unused_s: what was left of the budget; None if the study did not end.
        ended: why it ended.
        probe: its first look; None where it had none.
    """

    model: str
    space: Space
    default: Params
    maximise: bool
    trials: tuple[TrialRecord, ...] = ()
    unused_s: float | None = None
    ended: str = ""
    probe: ProbeRecord | None = None

    @classmethod
    def from_records(
        cls,
        study: StudyRecord,
        trials: Sequence[TrialRecord],
        closed: StudyClosed | None,
        *,
        maximise: bool,
        probe: ProbeRecord | None = None,
    ) -> TuningHistory:
        """Return the history of a study as planned, with what the ledger says of it."""
        kept = tuple(trial for trial in trials if trial.outcome != LOST)
        if closed is None:
            return cls(study.model, study.space, study.default, maximise, kept, probe=probe)
        space, unused_s, ended = closed.space, closed.unused_s, closed.reason
        return cls(study.model, space, study.default, maximise, kept, unused_s, ended, probe)

    @property
    def sign(self) -> int:
        """1 where a higher validation value is better, else -1."""
        return 1 if self.maximise else -1

    @property
    def scored(self) -> list[tuple[TrialRecord, float]]:
        """The trials with a validation value, each beside it."""
        return [(trial, trial.value) for trial in self.trials if trial.value is not None]

    @property
    def best(self) -> TrialRecord | None:
        """The first trial with the best validation value."""
        trial, _ = max(self.scored, key=lambda pair: self.sign * pair[1], default=(None, None))
        return trial

    @property
    def device(self) -> str | None:
        """What the last trial held; None where none was started."""
        return next((trial.device for trial in reversed(self.trials) if trial.device), None)

    @property
    def started(self) -> int:
        """How many trials were started: what does not fit is not."""
        return sum(trial.outcome != DOES_NOT_FIT for trial in self.trials)

    @property
    def charged_s(self) -> float:
        """Device-seconds that count against the budget, those of the first look included."""
        return self.probe_s + sum(trial.charged_s for trial in self.trials if trial.counts)

    @property
    def probe_s(self) -> float:
        """Device-seconds of the first look."""
        return self.probe.charged_s if self.probe is not None and self.probe.counts else 0

    @property
    def core_s(self) -> float | None:
        """CPU time of what counts, first look included, in seconds of one core; None if not recorded."""
        closed = self.trials if self.probe is None else (*self.trials, self.probe)
        recorded = [one.core_s for one in closed if one.counts and one.core_s is not None]
        return round(sum(recorded), 3) if recorded else None

    def curve(self) -> Iterator[tuple[float, float]]:
        """Yield (device-seconds charged so far, best validation value so far) after each scored trial."""
        spent, best, better = self.probe_s, None, max if self.maximise else min
        for trial in self.trials:
            spent += trial.charged_s if trial.counts else 0.0
            if trial.value is not None:
                best = trial.value if best is None else better(best, trial.value)
                yield spent, best

    def is_default(self, config: Params) -> bool:
        """Return whether a configuration is the default; trial 0 may be lost, and tried again as another."""
        return all(config.get(name) == value for name, value in self.default.items())

    @property
    def gain_over_default(self) -> float | None:
        """What tuning gained on validation, biased upwards: the best of all trials against one of them.

        None where nothing is tuned, or the default has no value.
        """
        best = self.best
        default = next((value for trial, value in self.scored if self.is_default(trial.config)), None)
        if not self.space or default is None or best is None or best.value is None:
            return None
        return self.sign * (best.value - default)

    @property
    def still_improving(self) -> bool:
        """Whether the best trial was stopped by its budget at its best step, or at the last of several."""
        best = self.best
        if best is None or len(best.steps) < 2:
            return False
        return best.best_step == max(best.steps) and best.stopped_by != "patience"


def at_edge(space: Space, config: Params) -> list[str]:
    """Return the tuned hyperparameters whose value lies at an end of its range, with that end.

    A choice has no edge; a range of two whole numbers is nothing but edges.

    >>> space = {"dim": Range(8, 256, log=True), "lr": Range(0.01, 1.0, log=True)}
    >>> at_edge(space, {"dim": 8, "lr": 0.1})
    ['dim=8']
    """
    found = []
    for name, domain in space.items():
        value = config.get(name)
        position = None if value is None else position_in(domain, value)
        if position is not None and not EDGE < position < 1 - EDGE:
            found.append(f"{name}={value:g}")
    return found


def position_in(domain: Range | Choice, value: Hyperparameter) -> float | None:
    """Return where a value lies in its range, 0 to 1 on its scale; None for a choice, or two whole numbers.

    >>> position_in(Range(1, 100, log=True), 10), position_in(Range(0, 4), 3)
    (0.5, 0.75)
    """
    if isinstance(domain, Choice) or isinstance(value, bool | str):
        return None
    if isinstance(value, int) and domain.high - domain.low < 2:
        return None
    scale = math.log if domain.log else float
    return (scale(value) - scale(domain.low)) / (scale(domain.high) - scale(domain.low))


def importance(history: TuningHistory) -> Mapping[str, float]:
    """Return how strongly each tuned hyperparameter goes with the validation value, 0 to 1.

    For a number the absolute rank correlation (Spearman 1904) over the scored trials, for a choice the
    correlation ratio of ranks. One at a time: interactions stay unseen, and TPE's trials lie close to the
    best. Empty under 20 scored trials.
    """
    scored = history.scored
    ranks = rankdata([value for _, value in scored])
    if len(scored) < ENOUGH_FOR_IMPORTANCE or np.ptp(ranks) == 0:
        return {}
    strength = {}
    for name, domain in history.space.items():
        values = [trial.config[name] for trial, _ in scored]
        if isinstance(domain, Choice):
            strength[name] = correlation_ratio(values, ranks)
        else:
            other = rankdata(values)
            strength[name] = 0.0 if np.ptp(other) == 0 else float(abs(np.corrcoef(other, ranks)[0, 1]))
    return strength


def correlation_ratio(options: Sequence[Hyperparameter], values: Values) -> float:
    """Return the square root of the share of the variance of values (N,) that lies between options.

    >>> correlation_ratio(["a", "a", "b", "b"], np.array([1.0, 1.0, 2.0, 2.0]))
    1.0
    """
    group: Array
    _, group = np.unique([str(option) for option in options], return_inverse=True)
    sizes = np.bincount(group)
    means = np.bincount(group, values) / sizes
    between = (sizes * (means - values.mean()) ** 2).sum()
    return float(np.sqrt(between / ((values - values.mean()) ** 2).sum()))
