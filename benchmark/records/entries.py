"""The lines of a ledger: trials, finals and probes as they open, spend and close; what becomes of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar

from benchmark.records.as_json import StoredSpace
from benchmark.records.measured import Measurements, TestScores
from benchmark.records.outcomes import (
    REFUNDED,
    ConfigSource,
    Cost,
    Ending,
    Outcome,
    Params,
    StoppedBy,
    StudyStatus,
    TrainOn,
)

Ended = TypeVar("Ended", bound="Closed")


@dataclass(frozen=True, kw_only=True)
class StudyEvent:
    """A line of the ledger about one study.

    Attributes:
        dataset: label of the data set.
        model: name on the board.
        study_key: hash of everything that the study's results depend on; a changed adapter makes another.
    """

    event: ClassVar[str]
    dataset: str
    model: str
    study_key: str

    @property
    def study(self) -> str:
        """The study's name."""
        return f"{self.dataset}/{self.model}"


@dataclass(frozen=True, kw_only=True)
class Opened(StudyEvent):
    """A process got its hold; how to find the process again.

    Attributes:
        entry: which attempt it is; spend and close lines bear the same.
        hold_s: seconds that it may be charged.
        trial: number of the trial that is run, or refitted.
        config: every hyperparameter.
        device: that it holds, "cpu" or "cuda".
        pid: of the process, and of its group; 0 while there is none.
        start_ticks: when it started, in clock ticks since boot.
        namespace: the boot and PID namespace in which the two mean something.
    """

    entry: str
    hold_s: float
    trial: int
    config: Params
    device: str
    pid: int = 0
    start_ticks: int | None = None
    namespace: str = ""

    def closed_as(self, kind: type[Ended], ending: Ending, cost: Cost) -> Ended:
        """Return the record of its end, without a result: what it shares with this line is taken over.

        Args:
            kind: of the record.
            ending: why it ended.
            cost: what its process cost.
        """
        own = {one.name for one in fields(self)}
        shared: dict[str, Any] = {
            one.name: getattr(self, one.name) for one in fields(kind) if one.name in own
        }
        return kind(
            **shared,
            outcome=ending.outcome,
            reason=ending.reason,
            lease_s=cost.lease_s,
            charged_s=cost.charged_s,
            memory_mb=cost.memory_mb,
            core_s=cost.core_s,
        )


@dataclass(frozen=True, kw_only=True)
class TrialOpened(Opened):
    """A trial began."""

    event: ClassVar[str] = "trial-opened"

    def closed(self, ending: Ending, cost: Cost) -> TrialRecord:
        """Return the record of its end, without a result."""
        return self.closed_as(TrialRecord, ending, cost)


@dataclass(frozen=True, kw_only=True)
class FinalOpened(Opened):
    """A final began: see :class:`FinalRecord`."""

    event: ClassVar[str] = "final-opened"
    final_key: str
    config_source: ConfigSource
    train_on: TrainOn
    seed: int
    fit_key: str = ""
    lists_of: str = ""

    def closed(self, ending: Ending, cost: Cost) -> FinalRecord:
        """Return the record of its end, without a result."""
        return self.closed_as(FinalRecord, ending, cost)


@dataclass(frozen=True, kw_only=True)
class ProbeOpened(Opened):
    """A first look at a model began, on a sample of the rows: see :class:`ProbeRecord`."""

    event: ClassVar[str] = "probe-opened"

    def closed(self, ending: Ending, cost: Cost) -> ProbeRecord:
        """Return the record of its end, without a finding."""
        return self.closed_as(ProbeRecord, ending, cost)


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What an entry has been charged so far.

    Attributes:
        entry: of the open line.
        lease_s: seconds since its process started; None where only a step is noted.
        charged_s: seconds since it was ready.
        step: the validated step; None for a mere tick of the clock.
        value: the primary metric on validation after it.
    """

    event: ClassVar[str] = "spent"
    entry: str
    charged_s: float
    lease_s: float | None = None
    step: int | None = None
    value: float | None = None


@dataclass(frozen=True, kw_only=True)
class Closed(StudyEvent):
    """How an entry ended and what it cost: the commit point of a trial, a final or a probe.

    Attributes:
        entry: of the open line.
        outcome: how it ended.
        reason: the same in words.
        lease_s: seconds from the start of its process until it was reaped.
        charged_s: seconds from ready to done or reaped: device-seconds.
        trial: number of the trial.
        config: every hyperparameter.
        device: that it held; empty where no process was started.
        memory_mb: peak of its process group.
        core_s: CPU time of its processes, seconds of one core; None where it was not recorded.
        fit_s: seconds of training alone.
    """

    entry: str
    outcome: Outcome
    reason: str
    lease_s: float
    charged_s: float
    trial: int
    config: Params
    device: str = ""
    memory_mb: float | None = None
    core_s: float | None = None
    fit_s: float | None = None

    @property
    def counts(self) -> bool:
        """Whether its seconds count against the budget."""
        return self.outcome not in REFUNDED


@dataclass(frozen=True, kw_only=True)
class TrialRecord(Closed):
    """A trial as it ended.

    Attributes:
        value: best value of the primary metric on validation; None if it has none.
        best_step: where it was reached.
        truncated: whether its hold ended it.
        stopped_by: the rule that ended it; None if the adapter had no more steps.
        steps: value after each validated step.
        at_best: every metric after the best step.
        first_step_s: charged seconds until the first validated step.
        user_s: the most seconds that scoring and ranking a user on validation took; None if not measured.
        pair_s: likewise of rating a pair; None where nothing is rated.
        step_rows: rows that a step was asked to train; None for a whole pass.
        passes: over the model's rows after each validated step; empty where a step is a pass.
    """

    event: ClassVar[str] = "trial-closed"
    value: float | None = None
    best_step: int | None = None
    truncated: bool = False
    stopped_by: StoppedBy | None = None
    steps: Mapping[int, float] = field(default_factory=dict)
    at_best: Mapping[str, float] = field(default_factory=dict)
    first_step_s: float | None = None
    user_s: float | None = None
    pair_s: float | None = None
    step_rows: int | None = None
    passes: Mapping[int, float] = field(default_factory=dict)

    @property
    def was_cut(self) -> bool:
        """Whether a longer hold might have made more of it."""
        return self.truncated or self.outcome == "timeout"

    @property
    def best_passes(self) -> float:
        """Passes over the model's rows after the best step."""
        assert self.best_step is not None, f"{self.entry} has no validated step"
        return self.passes.get(self.best_step, float(self.best_step))


@dataclass(frozen=True, kw_only=True)
class ProbeRecord(Closed):
    """A first look as it ended: the default configuration fitted on samples of the rows.

    What it did not get to see is None: it is no verdict on the model.

    Attributes:
        rows: of the largest sample that was fitted.
        of_rows: that a trial trains on.
        start_s: seconds of set-up and first step beyond what a further step takes; compilation is in it.
        pass_s: seconds of one pass over all rows, extrapolated from the samples; a floor where a model
            takes more than twice the time for twice the rows.
        row_s: seconds that each further row adds to a step.
        user_s: seconds of scoring and ranking one user.
        step_rows: rows of a step that the study's trials train; None for a whole pass.
    """

    event: ClassVar[str] = "probe-closed"
    rows: int | None = None
    of_rows: int | None = None
    start_s: float | None = None
    pass_s: float | None = None
    row_s: float | None = None
    user_s: float | None = None
    step_rows: int | None = None

    @property
    def text(self) -> str:
        """What it cost and found, in words."""
        if self.rows is None or self.of_rows is None:
            return f"{self.charged_s:.1f} s, nothing seen ({self.reason})"
        found = [f"{self.charged_s:.1f} s on {self.rows:,} of {self.of_rows:,} rows"]
        if self.start_s is not None:
            found.append(f"set-up and compiling {self.start_s:.1f} s")
        if self.row_s is not None:
            found.append(f"{1e6 * self.row_s:.2g} µs a row")
        if self.pass_s is not None:
            found.append(f"a pass about {self.pass_s:.2g} s")
        if self.user_s is not None:
            found.append(f"{1e3 * self.user_s:.2g} ms to score a user")
        if self.step_rows is not None:
            found.append(f"steps of {self.step_rows:,} rows")
        return ", ".join(found)


@dataclass(frozen=True, kw_only=True)
class FinalRecord(Closed):
    """A final as it ended: one configuration refitted with one seed and scored on test.

    Attributes:
        final_key: hash of everything that its result depends on, the metrics among it.
        fit_key: hash of what its fitted model and lists depend on, whatever is measured of them; empty in
            runs made before there was one.
        lists_of: entry of the earlier final on whose stored lists it was measured; empty where it was fitted.
        config_source: whether the configuration is the tuned or the default one.
        train_on: what it was trained on.
        seed: of the model.
        measured: what was measured of the model; None unless it is complete.
        test: what the scorer found; None likewise.
    """

    event: ClassVar[str] = "final-closed"
    final_key: str
    config_source: ConfigSource
    train_on: TrainOn
    seed: int
    fit_key: str = ""
    lists_of: str = ""
    measured: Measurements | None = None
    test: TestScores | None = None

    @property
    def scores(self) -> TestScores:
        """What the scorer found for a complete final."""
        assert self.test is not None, f"{self.entry} is not complete"
        return self.test


@dataclass(frozen=True, kw_only=True)
class TestOpened:
    """Test was opened for a final."""

    __test__: ClassVar[bool] = False
    event: ClassVar[str] = "test-opened"
    entry: str
    split: str


@dataclass(frozen=True, kw_only=True)
class ReferenceNamed(StudyEvent):
    """The model that the others are compared with, named by validation alone.

    Attributes:
        value: on validation.
        at: when it was named, in ISO 8601; empty in runs of earlier versions.
        instead_of: the model that was the reference when test had been opened; None where none was opened.
    """

    event: ClassVar[str] = "reference-named"
    value: float
    at: str = ""
    instead_of: str | None = None


@dataclass(frozen=True, kw_only=True)
class StudyOpened(StudyEvent):
    """A study began, or goes on from one that had less to spend.

    Attributes:
        search_key: hash of everything that its results depend on but what it may spend.
        budget_s: device-seconds that it may spend in all.
        max_trials: trials that it may start in all.
        goes_on: key of the study whose trials are its own, and were charged to it; None where it begins.
    """

    event: ClassVar[str] = "study-opened"
    search_key: str
    budget_s: float
    max_trials: int
    goes_on: str | None = None


@dataclass(frozen=True, kw_only=True)
class StudyClosed(StudyEvent):
    """A study that has ended.

    Attributes:
        status: whether it has a result.
        reason: why it ended.
        unused_s: what was left of its budget.
        space: what was tuned.
    """

    event: ClassVar[str] = "study-closed"
    status: StudyStatus
    reason: str
    unused_s: float
    space: StoredSpace
