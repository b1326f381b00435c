"""What engine processes say to one another, typed; a channel carries each message as one JSON object.

Light on purpose, the standard library alone: the processes that fit models import it, in any environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, TypeVar

from benchmark.lists_request import ListsRequest, StoredListsRequest

if TYPE_CHECKING:
    from benchmark.protocol import Hyperparameter

ErrorKind: TypeAlias = Literal["oom", "broken", "nan", "machine", "crash"]
"""Why a child gave up: "broken" breaks the protocol, "machine" is no fault of the model's."""

HandOver: TypeAlias = Literal["lists", "scores"]
"""What the process of a final gives the scorer: the best items of each user, or the scores of all items."""

Kind = TypeVar("Kind")


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """What a child must know to fit one configuration.

    Attributes:
        target: the adapter, "module:Class".
        name: of the adapter, for messages.
        params: every hyperparameter.
        seed: of the model.
        threads: that the slot allows.
        device: "cpu" or "cuda".
        metrics: that apply to the model.
        rates: whether predicted ratings are measured.
        step_rows: rows that a step may train; None for a whole pass.
    """

    event: ClassVar[str] = "fit"
    target: str
    name: str
    params: Mapping[str, Hyperparameter]
    seed: int
    threads: int
    device: str
    metrics: tuple[str, ...]
    rates: bool
    step_rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class FinalRequest(FitRequest):
    """What a child must know to refit a configuration; nothing in it leads to the stored split.

    Attributes:
        passes: over the rows, as many as the chosen trial trained.
        train_on: "train" or "train+valid".
        keep_state: whether the state goes to the scorer, last of all.
        hand_over: what the scorer gets of each user.
        users: whose; None for all, so that nothing says who is in test.
        latency_s: for measuring how long one user takes.
    """

    event: ClassVar[str] = "final"
    passes: float
    train_on: str
    keep_state: bool
    hand_over: HandOver = "scores"
    users: tuple[int, ...] | None = None
    latency_s: float = 5.0


@dataclass(frozen=True, kw_only=True)
class ScoreRequest:
    """What the scorer must know to measure one final.

    Attributes:
        name: of the adapter, for messages.
        metrics: that apply to the model.
        rates: whether pairs are sent to be rated, once the lists or scores are here.
        train_on: what the model was trained on.
        directory: of the stored split.
        candidates: the rule by which items are candidates.
        seen: which of a user's known items are left out of the lists.
        per_user_path: where per-user values are written.
        state_path: where the state is written, if one follows.
        hand_over: what the model's process gives of each user.
        users: whose; None for all.
    """

    event: ClassVar[str] = "score"
    name: str
    metrics: tuple[str, ...]
    rates: bool
    train_on: str
    directory: str
    candidates: str
    seen: Literal["hide", "allow", "hide-negative"] = "hide"
    per_user_path: str
    state_path: str
    hand_over: HandOver = "scores"
    users: tuple[int, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class ProbeRequest(FitRequest):
    """What a child must know to look at a configuration on samples of the rows.

    Attributes:
        first_rows: about how many rows the smallest sample has; each further one has twice as many.
        most_rows: that the largest has.
        enough_s: seconds of one step from which on no larger sample is needed.
        hold_s: charged seconds that there are; no sample is begun that would most likely exceed them.
    """

    event: ClassVar[str] = "probe"
    first_rows: int
    most_rows: int
    enough_s: float
    hold_s: float


@dataclass(frozen=True)
class Ready:
    """The clock may start: imports are done, data is mapped, the device is open."""

    event: ClassVar[str] = "ready"


@dataclass(frozen=True)
class Done:
    """The child has nothing more to say; the clock may stop."""

    event: ClassVar[str] = "done"


@dataclass(frozen=True)
class Step:
    """A validated step.

    Attributes:
        step: its number, from 1.
        fit_s: seconds of training so far.
        values: every finite metric on validation.
        passes: over the model's rows so far.
        user_s: seconds that scoring and ranking a user took.
        pair_s: seconds that rating a pair took; 0 where nothing is rated.
    """

    event: ClassVar[str] = "step"
    step: int
    fit_s: float
    values: Mapping[str, float]
    passes: float
    user_s: float = 0.0
    pair_s: float = 0.0


@dataclass(frozen=True)
class Answer:
    """Whether a trial goes on, and after how many more steps, or seconds, it is validated again."""

    event: ClassVar[str] = "answer"
    go: bool
    steps: int = 1
    within_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a probe saw on one sample.

    Attributes:
        rows: of the sample.
        of_rows: that a trial trains on.
        first_s: seconds of set-up and the first step.
        step_s: seconds of a further step; None if the model trains no second one.
        user_s: seconds of scoring and ranking one user.
        judged: users on whom a trial is validated.
    """

    event: ClassVar[str] = "look"
    rows: int
    of_rows: int
    first_s: float
    step_s: float | None
    user_s: float
    judged: int


@dataclass(frozen=True)
class Fitted:
    """A final has trained so many steps."""

    event: ClassVar[str] = "fitted"
    step: int


@dataclass(frozen=True)
class FitEnded:
    """A final has trained all its steps: from now on it is measured and scored, under another limit."""

    event: ClassVar[str] = "fit-ended"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured of a refitted model; see ``benchmark.records.Measurements``."""

    event: ClassVar[str] = "measured"
    fit_s: float
    steps: int
    size_mb: float | None
    params: int | None
    latency: Mapping[str, float]
    users_per_s: float
    filled_users: int
    filled_items: int


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What the scorer found; see ``benchmark.records.TestScores``."""

    event: ClassVar[str] = "scored"
    values: Mapping[str, float]
    counts: Mapping[str, int]
    popularity_lift: float | None
    sha256: str
    state_sha256: str | None


@dataclass(frozen=True, kw_only=True)
class ListsScored(Scored):
    """What the scorer found in lists made elsewhere; see ``benchmark.records.ListsFound``."""

    event: ClassVar[str] = "lists-scored"
    with_list: int
    short: int
    valid: Mapping[str, float]


@dataclass(frozen=True)
class Error:
    """Why a child gave up."""

    event: ClassVar[str] = "error"
    kind: ErrorKind
    message: str
    traceback: str = ""


@dataclass(frozen=True, kw_only=True)
class SetUp:
    """What a fork server does before it forks.

    Attributes:
        sys_path: where modules are looked up; empty to leave that as it is.
        cores: it runs on; none means wherever.
        preload: modules to import.
        target: "module:function" to call then; what it returns is handed to every child.
        arguments: of that function.
    """

    event: ClassVar[str] = "set-up"
    sys_path: tuple[str, ...]
    cores: tuple[int, ...]
    preload: tuple[str, ...]
    target: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Broken:
    """A fork server could not be set up."""

    event: ClassVar[str] = "broken"
    traceback: str


@dataclass(frozen=True)
class ServeRequest:
    """What a child must know to become a fork server of its own: variables of its environment."""

    event: ClassVar[str] = "serve"
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Launch:
    """Fork a child that runs ``target(request, channel, loaded, descriptors)`` on these cores.

    Attributes:
        target: "module:function".
        request: its first argument.
        cores: that it runs on; none means wherever.
    """

    event: ClassVar[str] = "launch"
    target: str
    request: Message
    cores: tuple[int, ...]


@dataclass(frozen=True)
class Started:
    """A child was forked; number and start identify it."""

    event: ClassVar[str] = "started"
    pid: int
    start_ticks: int | None


@dataclass(frozen=True)
class Exited:
    """A child was reaped: its exit code, negative for a signal, and its core-seconds.

    Those are user and system time of the child, of all its threads, and of every process that it waited for.
    """

    event: ClassVar[str] = "exited"
    pid: int
    code: int
    core_s: float = 0.0


Message: TypeAlias = (
    FitRequest
    | FinalRequest
    | ProbeRequest
    | ScoreRequest
    | ListsRequest
    | StoredListsRequest
    | Ready
    | Done
    | Step
    | Answer
    | Look
    | Fitted
    | FitEnded
    | Measured
    | Scored
    | ListsScored
    | Error
    | SetUp
    | Broken
    | ServeRequest
    | Launch
    | Started
    | Exited
)
KINDS: Mapping[str, type[Message]] = {kind.event: kind for kind in Message.__args__}
"""Every kind of message, by its event."""


def encode(message: Message) -> dict[str, Any]:
    """Return a message as JSON holds it.

    >>> encode(Answer(go=True, steps=5))
    {'event': 'answer', 'go': True, 'steps': 5, 'within_s': None}
    """
    content = {"event": message.event, **asdict(message)}
    return content | {"request": encode(message.request)} if isinstance(message, Launch) else content


def decode(content: Mapping[str, Any]) -> Message:
    """Return the message that :func:`encode` made.

    Raises:
        ValueError: it is of no kind, or lacks a field.

    >>> decode({"event": "answer", "go": True, "steps": 5})
    Answer(go=True, steps=5, within_s=None)
    """
    kind = KINDS.get(str(content.get("event")))
    if kind is None:
        raise ValueError(
            f"a message of the event {content.get('event')!r}; it must be one of {', '.join(KINDS)}"
        )
    if kind is Launch:
        return restored(Launch, {**content, "request": decode(content["request"])})
    return restored(kind, content)


def restored(kind: type[Kind], content: Mapping[str, Any]) -> Kind:
    """Return a message of a kind from its JSON; lists become tuples, for a message is frozen.

    Raises:
        ValueError: a field is missing.
    """
    names = signature(kind).parameters
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in content.items()}
    try:
        return kind(**{name: value for name, value in given.items() if name in names})
    except TypeError as error:
        raise ValueError(f"no {kind.__name__}: {error}") from error
