"""What a stored split says about itself: source of its rows, preparation, rule, counts and audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from benchmark.datasets.specs import Pairs, Seen, SplitSpec, likes_in_words
from benchmark.protocol import TimeUnitOfRows
from benchmark.records import GraphSummary, LogAudit, Provenance, SourceFile

CandidateRule: TypeAlias = Literal["all", "train", "test-items", "cold-items", "given"]
FEW_USERS = 100
"""With fewer users a mean over them is uncertain: intervals are wide, and differences are chance."""

Step: TypeAlias = Literal[
    "read",
    "missing values",
    "time window",
    "outside scale",
    "rescale",
    "duplicate pairs",
    "positives",
    "k-core",
]


@dataclass(frozen=True, kw_only=True)
class StepCounts:
    """How many rows, users and items one step of preparation left; ``note`` says how it was done."""

    step: Step
    rows: int
    users: int
    items: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class PartCounts:
    """What one part of a split contains: rows, how many of them are positive, distinct users and items."""

    rows: int
    positives: int
    users: int
    items: int


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Which of several splits this is.

    Attributes:
        dataset: name of the data set that was split.
        number: counted from 1.
        count: how many splits there are.
        seed: of this split, if the splits are repeats of a random rule.
    """

    dataset: str
    number: int
    count: int
    seed: int | None = None


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """How many users, or items, are held out with all their rows for validation and for test."""

    valid: int
    test: int


@dataclass(frozen=True, kw_only=True)
class SplitNotes:
    """What a rule says about the split that it made; None if it has nothing to say.

    Attributes:
        users_wholly_in_train: users with too few rows to be split.
        users_held_out: for a split by cold users.
        items_held_out: for a split by cold items.
        valid_from: when validation begins, for a split by time, in the unit of the manifest.
        test_from: when test begins.
        test_until: the last time of test.
        rows_after_the_test_window: rows that a rolling window leaves out.
        tied_rows_share: share of rows with the same time as a neighbour.
        tied_users_share: share of users whose cut before test falls between rows with equal times.
        tied_users_share_valid: the same for the cut before validation.
        tie_rule: how such ties are decided.
    """

    users_wholly_in_train: int | None = None
    users_held_out: HeldOut | None = None
    items_held_out: HeldOut | None = None
    valid_from: int | None = None
    test_from: int | None = None
    test_until: int | None = None
    rows_after_the_test_window: int | None = None
    tied_rows_share: float | None = None
    tied_users_share: float | None = None
    tied_users_share_valid: float | None = None
    tie_rule: str | None = None


@dataclass(frozen=True, kw_only=True)
class FeatureSummary:
    """Features of users or items: how many there are, how many rows have any, and their content hash."""

    count: int
    rows: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class SplitFeatures:
    """Features stored with a split; None if there are none, and then the hash is None too."""

    users: FeatureSummary | None = None
    items: FeatureSummary | None = None
    sha256: str | None = None

    @property
    def sides(self) -> tuple[str, ...]:
        """Which of "users" and "items" have features."""
        return tuple(side for side, one in (("users", self.users), ("items", self.items)) if one is not None)


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Which items may be recommended.

    Attributes:
        rule: "given" for a list that the suite names.
        sha256: of that list.
        items: how many of its items are in the log.
        unknown: how many are not.
        file: that holds the list.
    """

    rule: CandidateRule = "all"
    sha256: str | None = None
    items: int | None = None
    unknown: int | None = None
    file: SourceFile | None = None


@dataclass(frozen=True, kw_only=True)
class GivenNegatives:
    """What sampled metrics rank test rows among, where a file of the user's says it.

    Attributes:
        count: for each user.
        sha256: of their dense ids.
    """

    count: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class UserSample:
    """A sample of the users of a part, drawn before any model is trained and the same for every model.

    Attributes:
        users: how many were drawn.
        of: that have a row in the part.
        wanted: what the suite says: "auto", or a number.
        seed: of the draw.
        sha256: of the drawn users, ascending.
        sd: standard deviation over users of popularity's value of the primary metric, or for a rating metric
            of what each user adds to the global mean's; None where it was not measured, or there is none.
        error: standard error that such a value has on the sample; None likewise.
    """

    users: int
    of: int
    wanted: Literal["auto"] | int
    seed: int
    sha256: str
    sd: float | None = None
    error: float | None = None

    def __str__(self) -> str:
        """Return how many users of how many, and the start of the hash that tells which."""
        return f"{self.users:,} of {self.of:,} users ({self.sha256[:8]})"

    @property
    def is_small(self) -> bool:
        """Whether values on it are too uncertain to choose by."""
        return self.users < FEW_USERS


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """How many pairs of user and item are in two parts; 0 each, unless items come again or it is broken."""

    train_valid: int
    train_test: int
    valid_test: int


@dataclass(frozen=True, kw_only=True)
class FutureRows:
    """Shares of training rows later than the earliest test row: of the same user, of any user."""

    same_user: float
    any_user: float


@dataclass(frozen=True, kw_only=True)
class PopularityDrift:
    """How similarly items rank by popularity in train and test, and what a random draw would give."""

    tau: float
    gini_train: float
    gini_test: float
    fair_tau: float
    fair_gini_test: float


@dataclass(frozen=True, kw_only=True)
class ColdCounts:
    """Users and items of test without a training row, and test rows with such a user or item."""

    users: int
    items: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class OrderSignal:
    """How often the next item is guessed from the one before it, in the true order and shuffled.

    Attributes:
        hit: share of users whose next item is among the ten guessed.
        hit_shuffled: the same after each user's rows are shuffled.
        loss: share of ``hit`` that is lost by shuffling.
        users: how many were asked.
    """

    hit: float
    hit_shuffled: float
    loss: float
    users: int


@dataclass(frozen=True, kw_only=True)
class RepeatedPairs:
    """How many pairs of user and item test has, and how many of them train or validation has too."""

    test: int
    repeated: int


@dataclass(frozen=True, kw_only=True)
class SplitAudit:
    """What a careful reader would ask about a split.

    Attributes:
        overlap: pairs in two parts.
        future: training rows later than test rows; None without times.
        popularity: drift between train and test.
        cold: users and items of test without a training row.
        users_without_test: users who are not evaluated.
        order: how much the order of events tells; None without times, or if the rule does not go by time.
        repeats: how much of test comes again; None unless the suite says that items do.
        flags: what makes results doubtful, one sentence each.
        notes: what follows from the rule, one sentence each.
    """

    overlap: Overlap
    future: FutureRows | None
    popularity: PopularityDrift
    cold: ColdCounts
    users_without_test: int
    order: OrderSignal | None = None
    repeats: RepeatedPairs | None = None
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SplitManifest:
    """One stored split.

    Attributes:
        provenance: where its rows came from.
        hash: content hash of parts and ids.
        prepared_sha256: content hash of the prepared log.
        rule: how the log was split.
        positive: the condition for a positive row; None if every row is positive.
        negative: the condition for a known dislike; None if the suite names none.
        weight: where the weights of rows come from; None if all count alike.
        has_values: whether the log has a value column.
        n_users: U.
        n_items: I.
        parts: what train, valid and test contain.
        prepare: what each step of preparation left.
        notes: what the rule says about the split.
        features: of users and items.
        candidates: which items may be recommended.
        audit: None until the split is saved.
        fold: which of several splits; None if it is the only one.
        files: that it was made from; empty where it was generated.
        reading_notes: what was made of the files that they do not say themselves, one sentence each.
        time_unit: unit of the times of its rows, and of those in ``notes``.
        pairs: whether a user has one row for an item, or comes back to it.
        seen: which items of a user's training rows are left out of the lists.
        log_audit: the numbers of the log; None in splits that were made before there was one.
        valid_sample: the users that trials are validated on; None where they are all users of validation.
        test_sample: the users that finals are scored on; None where they are all users of test.
        negatives: those of test that came in a file; None where they are drawn, or no metric wants any.
        graph: the knowledge graph of the items; None if there is none.
    """

    provenance: Provenance
    hash: str
    prepared_sha256: str
    rule: SplitSpec
    positive: str | None
    has_values: bool
    n_users: int
    n_items: int
    parts: Mapping[str, PartCounts]
    prepare: tuple[StepCounts, ...]
    notes: SplitNotes = SplitNotes()
    features: SplitFeatures = SplitFeatures()
    candidates: Candidates = Candidates()
    audit: SplitAudit | None = None
    fold: Fold | None = None
    files: tuple[SourceFile, ...] = ()
    negative: str | None = None
    weight: str | None = None
    reading_notes: tuple[str, ...] = ()
    time_unit: TimeUnitOfRows = "s"
    pairs: Pairs = "once"
    seen: Seen = "hide"
    log_audit: LogAudit | None = None
    valid_sample: UserSample | None = None
    test_sample: UserSample | None = None
    negatives: GivenNegatives | None = None
    graph: GraphSummary | None = None

    @property
    def validated_users(self) -> int:
        """How many users a trial is validated on."""
        return self.valid_sample.users if self.valid_sample else self.parts["valid"].users

    @property
    def tested_users(self) -> int:
        """How many users a final is scored on."""
        return self.test_sample.users if self.test_sample else self.parts["test"].users

    @property
    def dataset(self) -> str:
        """Label of the split: the data set's name, with the split's number if there are several."""
        name = self.provenance.dataset
        return name if self.fold is None else f"{name}#{self.fold.number}"

    @property
    def described(self) -> tuple[str, ...]:
        """Which of "users" and "items" have features, and "graph" where there is one."""
        return (*self.features.sides, *(() if self.graph is None else ("graph",)))

    @property
    def synthetic(self) -> bool:
        """Whether the data was generated."""
        return self.provenance.synthetic

    @property
    def rated(self) -> bool:
        """Whether values are ratings on a known scale."""
        return self.provenance.scale is not None and self.has_values

    @property
    def likes(self) -> str:
        """Which rows are likes, and which dislikes and weights the suite names, in its own words."""
        return likes_in_words(self.positive, self.negative, self.weight)

    @property
    def every_rating_is_a_like(self) -> bool:
        """Whether ratings are on a scale and nothing says which of them are likes."""
        return self.rated and self.positive is None and self.negative is None

    @property
    def audited(self) -> SplitAudit:
        """The audit of a stored split."""
        assert self.audit is not None  # made when the split was saved
        return self.audit
