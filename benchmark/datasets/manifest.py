"""What a stored split says about itself: where its rows came from, how they were prepared, cut, audited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from benchmark.datasets.specs import SplitSpec

CandidateRule: TypeAlias = Literal["all", "train", "test-items", "cold-items", "given"]


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a log came from: passed along whole, from the file that was read to the bundle that is served.

    Attributes:
        dataset: label in tables and files; says so if it is a stand-in.
        origin: path or address it came from, or "generated".
        licence: terms of use in a few words.
        acknowledged: when the licence was shown to the user.
        synthetic: whether it was generated.
        scale: lowest and highest rating allowed; None where values are no ratings.
        sha256: content hash of what was read.
    """

    dataset: str
    origin: str
    licence: str
    synthetic: bool
    sha256: str
    scale: tuple[float, float] | None = None
    acknowledged: str = "shown when the data was read"


@dataclass(frozen=True, kw_only=True)
class StepCounts:
    """What one step of preparation left."""

    step: str
    rows: int
    users: int
    items: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class PartCounts:
    """What one part of a split holds: rows, those that are positive, and distinct users and items."""

    rows: int
    positives: int
    users: int
    items: int


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Which split of several this is.

    Attributes:
        dataset: label of what was split.
        number: from 1.
        count: how many there are.
        seed: of this one, where splits are repeats of a random rule.
    """

    dataset: str
    number: int
    count: int
    seed: int | None = None


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """How many users, or items, are held out whole for each part."""

    valid: int
    test: int


@dataclass(frozen=True, kw_only=True)
class SplitNotes:
    """What a rule says about the split that it made; None where it has nothing to say.

    Attributes:
        users_wholly_in_train: users with too few rows to be cut.
        users_held_out: of a split by cold users.
        items_held_out: of a split by cold items.
        valid_from: first second of validation, of a split by time.
        test_from: first second of test.
        test_until: last second of test.
        rows_after_the_test_window: rows that a rolling window leaves out.
        tied_rows_share: rows with the time of their neighbour.
        tied_users_share: users whose cut before test falls between rows with equal times.
        tied_users_share_valid: the same of the cut before validation.
        tie_rule: what decides there.
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
    """Features of users or items: how many, of how many rows something is known, and their content hash."""

    count: int
    rows: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class SplitFeatures:
    """Features beside a split; None where there are none, then the hash is None too."""

    users: FeatureSummary | None = None
    items: FeatureSummary | None = None
    sha256: str | None = None

    @property
    def sides(self) -> tuple[str, ...]:
        """Which of "users" and "items" have features."""
        return tuple(side for side, one in (("users", self.users), ("items", self.items)) if one is not None)


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Which items compete for a place in a list.

    Attributes:
        rule: "given" for a list of the suite's own.
        sha256: of that list.
        items: how many of it are in the log.
        unknown: how many are not.
    """

    rule: CandidateRule = "all"
    sha256: str | None = None
    items: int | None = None
    unknown: int | None = None


@dataclass(frozen=True, kw_only=True)
class FutureRows:
    """Shares of training rows later than the earliest test row: of the same user, of any user."""

    same_user: float
    any_user: float


@dataclass(frozen=True, kw_only=True)
class PopularityDrift:
    """How alike items rank by popularity in train and test, and what a random draw would give."""

    tau: float
    gini_train: float
    gini_test: float
    fair_tau: float
    fair_gini_test: float


@dataclass(frozen=True, kw_only=True)
class ColdCounts:
    """Users and items of test without a training row, and test rows that have either."""

    users: int
    items: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class OrderSignal:
    """How often the next item is guessed from the one before, in the true order and shuffled; users asked."""

    hit: float
    hit_shuffled: float
    loss: float
    users: int


@dataclass(frozen=True, kw_only=True)
class SplitAudit:
    """What a careful reader would ask of a split.

    Attributes:
        overlap: pairs in two parts, by "train/test" and so on.
        future: None without times.
        popularity: drift between train and test.
        cold: users and items of test without a training row.
        users_without_test: users who are not evaluated.
        order: None without times, or where the rule does not go by time.
        flags: what makes results doubtful, a sentence each.
        notes: what the rule brings with it, a sentence each.
    """

    overlap: Mapping[str, int]
    future: FutureRows | None
    popularity: PopularityDrift
    cold: ColdCounts
    users_without_test: int
    order: OrderSignal | None = None
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SplitManifest:
    """One stored split.

    Attributes:
        provenance: where its rows came from.
        hash: content hash of parts and ids.
        prepared_sha256: content hash of the prepared log.
        rule: by which it was cut.
        positive: the condition for a positive row; None if every row is one.
        has_values: whether the log has a value column.
        n_users: U.
        n_items: I.
        parts: counts of train, valid and test.
        prepare: what each step of preparation left.
        notes: of the rule.
        features: of users and items.
        candidates: which items compete.
        audit: None until it is saved.
        fold: which of several; None where it is the only one.
        source_fingerprint: cheap identity of the source files, to see whether they have changed.
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
    source_fingerprint: str | None = None

    @property
    def dataset(self) -> str:
        """Label of the split: the data set's, with its number where there are several."""
        label = self.provenance.dataset
        return label if self.fold is None or self.fold.count == 1 else f"{label}#{self.fold.number}"

    @property
    def synthetic(self) -> bool:
        """Whether the data was generated."""
        return self.provenance.synthetic

    @property
    def rated(self) -> bool:
        """Whether values are ratings on a known scale."""
        return self.provenance.scale is not None and self.has_values

    @property
    def audited(self) -> SplitAudit:
        """The audit of a stored split."""
        assert self.audit is not None  # made when the split was saved
        return self.audit
