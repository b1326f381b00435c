"""What a run writes down, typed: studies, trials, finals, and every line of the ledger.

Each record is a frozen dataclass that becomes a JSON object and comes back as itself: :func:`to_json` and
:func:`from_json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar

from pydantic import BeforeValidator, TypeAdapter

from benchmark.protocol import Choice, Feedback, Hyperparameter, Range, Space

Params: TypeAlias = Mapping[str, Hyperparameter]
Outcome: TypeAlias = Literal[
    "complete", "pruned", "timeout", "oom", "nan", "crash", "broken", "machine", "lost"
]
"""How a trial or final ended; "machine" is a fault of the machine, "lost" the end of its supervisor."""
StudyStatus: TypeAlias = Literal["ok", "failed", "no-result"]
StoppedBy: TypeAlias = Literal["pruned", "patience", "hold"]
TrainOn: TypeAlias = Literal["train", "train+valid"]
ConfigSource: TypeAlias = Literal["tuned", "default"]
"""Which configuration a final refits: the best of the study, or the adapter's default."""
Level: TypeAlias = Literal["note", "warning"]

LOST: Outcome = "lost"
MACHINE: Outcome = "machine"
REFUNDED: frozenset[Outcome] = frozenset({LOST, MACHINE})
"""Outcomes whose seconds are recorded but not counted against the budget."""

Record = TypeVar("Record")


@dataclass(frozen=True)
class Note:
    """One sentence that a reader must know; a warning is what a reviewer would object to."""

    text: str
    level: Level = "note"

    @property
    def is_warning(self) -> bool:
        """Whether it is more than a remark."""
        return self.level == "warning"


def warning(text: str) -> Note:
    """Return a note at the level of a warning."""
    return Note(text, "warning")


def space_from_json(content: Mapping[str, Any]) -> Space:
    """Return a search space from JSON: ``{low, high, log}`` for a range, ``{options}`` for a choice.

    Whole numbers stay whole.

    >>> space_from_json({"dim": {"low": 8, "high": 256, "log": True}})["dim"].whole
    True
    """
    return {
        name: domain
        if isinstance(domain, Range | Choice)
        else Choice(*domain["options"])
        if "options" in domain
        else Range(**domain)
        for name, domain in content.items()
    }


StoredSpace: TypeAlias = Annotated[Mapping[str, Any], BeforeValidator(space_from_json)]
"""A ``Space`` as a field of a record."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a log came from: passed along whole, from the file that was read to the bundle that is served.

    Attributes:
        dataset: name in tables and files; says so if it is a stand-in.
        origin: path or address it came from, or "generated".
        licence: terms of use in a few words.
        acknowledged: when the licence was shown to the user.
        synthetic: whether it was generated.
        sha256: content hash of what was read.
        scale: lowest and highest rating allowed; None if values are not ratings.
        stand_in_for: name of the known data set that this generated one replaces; None for all others.
    """

    dataset: str
    origin: str
    licence: str
    synthetic: bool
    sha256: str
    scale: tuple[float, float] | None = None
    acknowledged: str = "shown when the data was read"
    stand_in_for: str | None = None


@dataclass(frozen=True)
class Exclusion:
    """Why a study does not run: "skipped" for want of a library, "n/a" where the model does not apply."""

    status: Literal["skipped", "n/a"]
    reason: str


@dataclass(frozen=True, kw_only=True)
class StudyRecord:
    """A study as planned: what the manifest says about one model on one data set.

    Attributes:
        dataset: label of the data set.
        model: name on the board.
        adapter: name of the adapter, library/name.
        library: first part of the adapter's name.
        feedback: what it trains on.
        rates: whether it predicts ratings.
        deterministic: whether the seed changes nothing.
        devices: where it can run.
        from_features: which of "users" and "items" it scores by features.
        space: tuned hyperparameters.
        default: the configuration of trial 0.
        published: the configuration of trial 1; None where the adapter names none.
        excluded: why it does not run; None where it does.
    """

    dataset: str
    model: str
    adapter: str
    library: str
    feedback: Feedback
    rates: bool
    deterministic: bool
    devices: tuple[str, ...]
    from_features: tuple[str, ...]
    space: StoredSpace
    default: Params
    published: Params | None
    excluded: Exclusion | None = None

    @property
    def name(self) -> str:
        """The study's name in ledger and journal."""
        return f"{self.dataset}/{self.model}"


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """The machine a run was made on, and the versions it was made with.

    Attributes:
        python: version.
        platform: operating system and kernel.
        processor: its name.
        cores: that this process may use.
        memory_mb: of the machine, MiB.
        gpus: names of the GPUs that the driver shows.
        versions: of our own code, what computes in it, and the libraries of the adapters.
        hash: content hash of all of the above.
        pid: of the process that made the run.
    """

    python: str
    platform: str
    processor: str
    cores: int
    memory_mb: int
    gpus: tuple[str, ...]
    versions: Mapping[str, str]
    hash: str = ""
    pid: int = 0


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


@dataclass(frozen=True)
class Ending:
    """How a process, or what it was to do, ended: the outcome, and the same in words."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Cost:
    """What an entry cost: seconds as :class:`Closed` has them, and peak memory in MiB."""

    lease_s: float = 0.0
    charged_s: float = 0.0
    memory_mb: float | None = None


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


@dataclass(frozen=True, kw_only=True)
class TrialOpened(Opened):
    """A trial began."""

    event: ClassVar[str] = "trial-opened"

    def closed(self, ending: Ending, cost: Cost) -> TrialRecord:
        """Return the record of its end, without a result."""
        return TrialRecord(
            dataset=self.dataset,
            model=self.model,
            study_key=self.study_key,
            entry=self.entry,
            trial=self.trial,
            config=self.config,
            device=self.device,
            outcome=ending.outcome,
            reason=ending.reason,
            lease_s=cost.lease_s,
            charged_s=cost.charged_s,
            memory_mb=cost.memory_mb,
        )


@dataclass(frozen=True, kw_only=True)
class FinalOpened(Opened):
    """A final began: see :class:`FinalRecord`."""

    event: ClassVar[str] = "final-opened"
    final_key: str
    config_source: ConfigSource
    train_on: TrainOn
    seed: int

    def closed(self, ending: Ending, cost: Cost) -> FinalRecord:
        """Return the record of its end, without a result."""
        return FinalRecord(
            dataset=self.dataset,
            model=self.model,
            study_key=self.study_key,
            entry=self.entry,
            trial=self.trial,
            config=self.config,
            device=self.device,
            final_key=self.final_key,
            config_source=self.config_source,
            train_on=self.train_on,
            seed=self.seed,
            outcome=ending.outcome,
            reason=ending.reason,
            lease_s=cost.lease_s,
            charged_s=cost.charged_s,
            memory_mb=cost.memory_mb,
        )


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
    """How an entry ended and what it cost: the commit point of a trial or final.

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
    """

    event: ClassVar[str] = "trial-closed"
    value: float | None = None
    best_step: int | None = None
    truncated: bool = False
    stopped_by: StoppedBy | None = None
    steps: Mapping[int, float] = field(default_factory=dict)
    at_best: Mapping[str, float] = field(default_factory=dict)
    first_step_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """What was measured of one fitted model.

    Attributes:
        steps: that it trained.
        size_mb: of its stored state, MiB; None if it keeps none.
        params: numbers in its state; None likewise.
        latency_ms_p50: median milliseconds of one user's scores.
        latency_ms_p95: 95th percentile of the same.
        users_per_s: users scored per second in batches, I/O excluded.
        filled_users: users without a training row, scored by popularity.
        filled_items: items without a training row, ranked last.
    """

    steps: int
    size_mb: float | None
    params: int | None
    latency_ms_p50: float
    latency_ms_p95: float
    users_per_s: float
    filled_users: int
    filled_items: int


@dataclass(frozen=True, kw_only=True)
class TestCounts:
    """Whom a final was evaluated on.

    Attributes:
        users: with a row in test.
        without_relevant: of these, with nothing to find: excluded from ranking metrics.
        hidden_relevant: relevant items that training had, so excluded.
        excluded_relevant: relevant items that are no candidates, so excluded.
        cold_relevant: relevant items without a training row; they stay.
        short_lists: lists shorter than k.
        cold_users: evaluated users without a training row.
    """

    __test__: ClassVar[bool] = False  # no test class, whatever pytest thinks of the name

    users: int
    without_relevant: int
    hidden_relevant: int = 0
    excluded_relevant: int = 0
    cold_relevant: int = 0
    short_lists: int = 0
    cold_users: int = 0


@dataclass(frozen=True, kw_only=True)
class TestScores:
    """What the scorer found for one final.

    Attributes:
        values: run-level value of every metric.
        counts: whom it was evaluated on.
        popularity_lift: of the lists; None without one.
        path: the file of per-user values, relative to the run.
        sha256: of that file.
        state_path: the file of the stored state; None if none is kept.
        state_sha256: of that file.
    """

    __test__: ClassVar[bool] = False

    values: Mapping[str, float]
    counts: TestCounts
    popularity_lift: float | None
    path: str
    sha256: str
    state_path: str | None = None
    state_sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class FinalRecord(Closed):
    """A final as it ended: one configuration refitted with one seed and scored on test.

    Attributes:
        final_key: hash of everything that its result depends on.
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
    """The model that the others are compared with, named before test is opened; ``value``: on validation."""

    event: ClassVar[str] = "reference-named"
    value: float


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


LedgerRecord: TypeAlias = (
    TrialOpened | FinalOpened | Spent | TrialRecord | FinalRecord | TestOpened | ReferenceNamed | StudyClosed
)
KINDS: Mapping[str, type[LedgerRecord]] = {
    kind.event: kind
    for kind in (
        TrialOpened,
        FinalOpened,
        Spent,
        TrialRecord,
        FinalRecord,
        TestOpened,
        ReferenceNamed,
        StudyClosed,
    )
}
"""Every kind of line that a ledger holds, by its event."""


def to_json(record: Any) -> dict[str, Any]:
    """Return a record as JSON holds it.

    >>> to_json(Exclusion("n/a", "predicts no ratings"))
    {'status': 'n/a', 'reason': 'predicts no ratings'}
    """
    content: dict[str, Any] = _adapter(type(record)).dump_python(record, mode="json")
    return content


def from_json(kind: type[Record], content: Mapping[str, Any]) -> Record:
    """Return the record that :func:`to_json` wrote; keys that it does not have are ignored.

    Raises:
        ValueError: a key is missing, or holds something else than the record says.

    >>> from_json(Exclusion, {"status": "n/a", "reason": "predicts no ratings"})
    Exclusion(status='n/a', reason='predicts no ratings')
    """
    record: Record = _adapter(kind).validate_python(content)
    return record


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what checks a kind of record; made once, it takes a millisecond."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}
