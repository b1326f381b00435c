"""The rows of every table, typed: an attribute is a column of the CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

from benchmark.records import StudyStatus, TrainOn

Cell: TypeAlias = bool | int | float | str | None
RowStatus: TypeAlias = StudyStatus | Literal["skipped", "n/a", "unfinished"]
"""How a model's study ended; "unfinished" where the run was stopped before its finals."""

COST_COLUMNS = (
    *("fit_s", "latency_ms_p50", "latency_ms_p50_low", "latency_ms_p50_high"),
    *("latency_ms_p95", "latency_ms_p95_low", "latency_ms_p95_high", "latency_is_steady"),
    *("users_per_s", "memory_mb", "size_mb", "params"),
)
EVIDENCE_COLUMNS = (
    *("relative_diff", "users_better", "smallest_detectable", "first_places", "first_places_if_equal"),
    *("valid_gain_over_default", "test_gain_over_default", "at_edge", "still_improving"),
    *("popularity_lift", "recall_head", "recall_tail", "filled_users", "filled_items"),
)
"""Effect sizes and stability, fairness of the tuning, what kind of items the lists hold, and how many
users and items the engine filled in."""
ORIGIN_COLUMNS = (
    *("config", "deterministic", "is_reference", "margin", "trained_on", "synthetic"),
    *("valid_users", "valid_users_of", "test_users", "test_users_of"),
    *("split_hash", "suite_hash", "environment_hash"),
)
"""What a verdict rests on beside the numbers, and the hashes of what they came from."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table."""

    def as_dict(self) -> dict[str, Cell]:
        """Return the row as in CSV and JSON: values by column name, in order."""
        return {name: getattr(self, name) for name in column_names(type(self))}


def column_names(kind: type[Row]) -> tuple[str, ...]:
    """Return the columns of a kind of row, in order; those of a board depend on its metrics: :func:`columns`.

    >>> column_names(PairRow)
    ('dataset', 'a', 'b', 'difference', 'p')
    """
    return tuple(one.name for one in fields(kind))


@dataclass(frozen=True, kw_only=True)
class BoardRow(Row):
    """One model on one data set; what a model without a result lacks is None.

    Attributes:
        rank: 1 is best.
        dataset: label of the data set.
        model: name on the board.
        library: first part of the adapter's name; "lists" where lists were made elsewhere.
        tuned: whether a model was tuned here; False for lists made elsewhere.
        status: how its study ended.
        reason: why.
        metrics: value on test of each metric, the primary one first: mean over seeds.
        low: lower end of the interval of the primary metric over users, unadjusted.
        high: upper end.
        seeds: refits that entered the means.
        diff_to_reference: difference to the reference.
        diff_low: lower end of its interval over users and seeds, unadjusted.
        diff_high: upper end.
        p_vs_reference: seed-aware p, Holm over all models of the data set.
        p_these_models: p over users alone, for these trained models, Holm likewise.
        margin_bound: the most it may lose against the reference, as a share of the reference's value.
        best_set: whether it cannot be separated from the best.
        valid: value on validation that chose the configuration.
        train_only: value on test of the models trained on train alone.
        trials: trials of its study, lost ones left out.
        budget_s: device-seconds that it was given.
        budget_parts: the same as it was given, "30s + 30s"; empty where it was at once.
        charged_s: device-seconds that count against them.
        core_s: CPU time of the same trials, seconds of one core.
        unused_s: what was left.
        device: that its trials held.
        fit_s: median seconds of a final's training.
        latency_ms_p50: median milliseconds of one user's scores; of several refits the median of theirs.
        latency_ms_p50_low: the lowest end of its 95 % intervals over the refits.
        latency_ms_p50_high: the highest end.
        latency_ms_p95: 95th percentile of the same.
        latency_ms_p95_low: the lowest end of its 95 % intervals over the refits.
        latency_ms_p95_high: the highest end.
        latency_is_steady: whether the interval of the 95th percentile became narrow in time for each refit.
        users_per_s: users scored per second in batches.
        memory_mb: peak memory of a final's processes, MiB.
        size_mb: of the stored state, MiB.
        params: numbers in the stored state.
        relative_diff: difference as a share of the reference's value.
        users_better: share of users better served than by the reference.
        smallest_detectable: smallest difference seen with 80 % power after correction.
        first_places: share of first places when users and seeds are drawn again.
        first_places_if_equal: the same if all models were equal.
        valid_gain_over_default: what tuning gained on validation, biased upwards.
        test_gain_over_default: what tuning gained on test, seed 0 of both.
        at_edge: best values at the boundary of their range, "name=value, ...".
        still_improving: whether the best trial was stopped while it improved.
        popularity_lift: popularity of recommended items next to that of the log.
        recall_head: recall of popular items.
        recall_tail: recall of the others.
        filled_users: users without a training row, scored by popularity.
        filled_items: items without a training row, ranked last.
        config: the chosen configuration, as JSON.
        deterministic: whether the seed changes nothing.
        is_reference: whether the others are compared with it.
        margin: how much worse than the reference a pick may be, as a share of its value.
        trained_on: parts that its finals learned from; None where nobody knows.
        synthetic: whether the data was generated.
        valid_users: users that its trials were validated on.
        valid_users_of: users of validation: more where it is on a sample.
        test_users: users that its finals were scored on.
        test_users_of: users of test: more where these are a sample.
        split_hash: content hash of the split.
        suite_hash: content hash of the suite.
        environment_hash: content hash of machine and versions.
    """

    dataset: str
    model: str
    library: str
    tuned: bool = True
    status: RowStatus
    reason: str
    metrics: Mapping[str, float | None]
    rank: int | None = None
    low: float | None = None
    high: float | None = None
    seeds: int | None = None
    diff_to_reference: float | None = None
    diff_low: float | None = None
    diff_high: float | None = None
    p_vs_reference: float | None = None
    p_these_models: float | None = None
    margin_bound: float | None = None
    best_set: bool | None = None
    valid: float | None = None
    train_only: float | None = None
    trials: int
    budget_s: float
    budget_parts: str = ""
    charged_s: float
    core_s: float | None = None
    unused_s: float | None = None
    device: str | None = None
    fit_s: float | None = None
    latency_ms_p50: float | None = None
    latency_ms_p50_low: float | None = None
    latency_ms_p50_high: float | None = None
    latency_ms_p95: float | None = None
    latency_ms_p95_low: float | None = None
    latency_ms_p95_high: float | None = None
    latency_is_steady: bool | None = None
    users_per_s: float | None = None
    memory_mb: float | None = None
    size_mb: float | None = None
    params: float | None = None
    relative_diff: float | None = None
    users_better: float | None = None
    smallest_detectable: float | None = None
    first_places: float | None = None
    first_places_if_equal: float | None = None
    valid_gain_over_default: float | None = None
    test_gain_over_default: float | None = None
    at_edge: str | None = None
    still_improving: bool | None = None
    popularity_lift: float | None = None
    recall_head: float | None = None
    recall_tail: float | None = None
    filled_users: float | None = None
    filled_items: float | None = None
    config: str | None = None
    deterministic: bool
    is_reference: bool | None = None
    margin: float
    trained_on: TrainOn | None
    synthetic: bool
    valid_users: int | None = None
    valid_users_of: int | None = None
    test_users: int | None = None
    test_users_of: int | None = None
    split_hash: str
    suite_hash: str
    environment_hash: str

    @property
    def has_result(self) -> bool:
        """Whether it was scored on test, so that it is ranked."""
        return self.status == "ok"

    @property
    def primary(self) -> str:
        """Name of the metric that ranks."""
        return next(iter(self.metrics))

    @property
    def value(self) -> float | None:
        """Value of the primary metric."""
        return self.metrics[self.primary]

    @property
    def score(self) -> float:
        """Value of the primary metric of a model with a result."""
        assert self.value is not None, f"{self.model} has no result"
        return self.value

    def as_dict(self) -> dict[str, Cell]:
        """Return the row as in leaderboard.csv: values by column name, in order."""
        named: Mapping[str, Cell] = {
            **self.metrics,
            f"{self.primary}_low": self.low,
            f"{self.primary}_high": self.high,
            f"valid_{self.primary}": self.valid,
            f"train_only_{self.primary}": self.train_only,
        }
        return {name: named[name] if name in named else getattr(self, name) for name in columns(self.metrics)}


def columns(metrics: Sequence[str] | Mapping[str, float | None]) -> list[str]:
    """Return the columns of leaderboard.csv, in order.

    Args:
        metrics: names of all metrics, the primary one first.
    """
    primary = next(iter(metrics))
    return [
        *("rank", "dataset", "model", "library", "status"),
        *metrics,
        *(f"{primary}_low", f"{primary}_high", "seeds"),
        *("diff_to_reference", "diff_low", "diff_high", "p_vs_reference", "p_these_models"),
        *("margin_bound", "best_set"),
        *(f"valid_{primary}", f"train_only_{primary}"),
        *("trials", "budget_s", "budget_parts", "charged_s", "core_s", "unused_s", "device"),
        *COST_COLUMNS,
        *EVIDENCE_COLUMNS,
        *ORIGIN_COLUMNS,
        "reason",
    ]


@dataclass(frozen=True, kw_only=True)
class FoldRow(Row):
    """One model over several splits of one data set.

    Attributes:
        dataset: what was split.
        rank: by the mean; None without a result on every split.
        model: name on the board.
        metric: that ranks.
        folds: splits on which it has a result.
        of: splits that there are.
        mean: over the splits, on test.
        sd: standard deviation over the splits.
        valid_mean: mean on validation.
        diff_to_reference: mean difference to the reference.
        diff_low: lower end of its interval by the corrected t.
        diff_high: upper end.
        p_vs_reference: of the corrected t, Holm over all models.
        p_better: posterior probability that it is better by more than the margin.
        p_equivalent: that the difference lies within the margin.
        p_worse: that it is worse by more than the margin.
    """

    dataset: str
    rank: int | None = None
    model: str
    metric: str
    folds: int
    of: int
    mean: float | None = None
    sd: float | None = None
    valid_mean: float | None = None
    diff_to_reference: float | None = None
    diff_low: float | None = None
    diff_high: float | None = None
    p_vs_reference: float | None = None
    p_better: float | None = None
    p_equivalent: float | None = None
    p_worse: float | None = None


@dataclass(frozen=True, kw_only=True)
class GroupRow(Row):
    """One model for one group of users or kind of items.

    Attributes:
        dataset: label of the data set.
        by: what the groups are made by: "user.activity", "user.<column>", "item.popularity".
        group: name of the group.
        users: how many are in it.
        few_users: whether they are too few to say much.
        model: name on the board.
        metric: that is compared.
        value: mean over the group's users.
        low: lower end of its interval over users, unadjusted.
        high: upper end.
        diff_to_reference: difference to the reference.
        diff_low: lower end of its interval over users and seeds, unadjusted.
        diff_high: upper end.
        p_vs_reference: seed-aware p, Holm over all models and groups.
    """

    dataset: str
    by: str
    group: str
    users: int
    few_users: bool
    model: str
    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    diff_to_reference: float | None = None
    diff_low: float | None = None
    diff_high: float | None = None
    p_vs_reference: float | None = None


@dataclass(frozen=True, kw_only=True)
class PairRow(Row):
    """Two models of one data set; ``difference`` is a - b, ``p`` is corrected over all pairs."""

    dataset: str
    a: str
    b: str
    difference: float
    p: float


@dataclass(frozen=True, kw_only=True)
class AcrossRow(Row):
    """One model over several data sets.

    Attributes:
        model: name on the board.
        mean_rank: over the data sets, 1 is best.
        wins: data sets on which it is first.
        completed: share of the data sets on which it has a result.
        imputed: the others, by name.
        family_rank: mean rank over families, among the models that completed everywhere.
        p_vs_reference: over families, Holm; None where it is not tested.
    """

    model: str
    mean_rank: float
    wins: int
    completed: float
    imputed: str
    family_rank: float | None = None
    p_vs_reference: float | None = None


TableKind: TypeAlias = Literal["board", "folds", "groups", "pairs", "across"]
ROWS: Mapping[TableKind, type[Row]] = {
    "board": BoardRow,
    "folds": FoldRow,
    "groups": GroupRow,
    "pairs": PairRow,
    "across": AcrossRow,
}
"""The kinds of tables that a board is made of, and what their rows are."""
