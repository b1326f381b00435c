"""What a board is made of: rows, their columns, the table of one data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from benchmark.leaderboard.tuning_history import TuningHistory

Row: TypeAlias = dict[str, Any]

DRAWS = 10_000
COST_COLUMNS = ("fit_s", "latency_ms_p50", "latency_ms_p95", "users_per_s", "memory_mb", "size_mb", "params")
EVIDENCE_COLUMNS = (
    *("relative_diff", "users_better", "smallest_detectable", "first_places", "first_places_if_equal"),
    *("valid_gain_over_default", "test_gain_over_default", "at_edge", "still_improving"),
    *("popularity_lift", "recall_head", "recall_tail", "filled_users", "filled_items"),
)
"""Effect sizes and stability; fairness of the tuning; what kind of items the lists hold, and what
popularity stood in for."""
GROUP_COLUMNS = (
    *("dataset", "by", "group", "users", "few_users", "model", "metric", "value", "low", "high"),
    *("diff_to_reference", "diff_low", "diff_high", "p_vs_reference"),
)
ORIGIN_COLUMNS = (
    *("config", "deterministic", "is_reference", "margin", "trained_on", "synthetic"),
    *("split_hash", "suite_hash", "environment_hash"),
)
"""What a verdict rests on beside the numbers, and the hashes of what they came from."""


@dataclass(frozen=True)
class Groups:
    """The board of one data set for parts of its users or items.

    Attributes:
        by: what they were parted by: "user.activity", "user.<column>", "item.popularity".
        rows: group by group, models in the order of the board; keys are ``GROUP_COLUMNS``.
        notes: where the cuts are, and what the intervals and p are; or why there are no groups.
    """

    by: str
    rows: list[Row]
    notes: list[str]


@dataclass(frozen=True)
class Table:
    """The board of one data set.

    Attributes:
        dataset: its label; says so if it is a stand-in.
        rows: ranked rows first, then those without a result; keys are :func:`columns`.
        metrics: names of all metrics, the primary one first.
        reference: the model that the others are compared with: the one with the highest validation
            score, named before test was opened, unless the reader chose a baseline.
        notes: what a reader must know, a sentence each; what a reviewer would object to holds "WARNING".
        facts: split hash, counts and settings.
        searches: how each model was tuned, in the order of the suite.
        pairs: all pairs of models, if asked for: dataset, a, b, difference, p.
        groups: the same board for parts of the users or items.
    """

    dataset: str
    rows: list[Row]
    metrics: tuple[str, ...]
    reference: str | None
    notes: list[str]
    facts: dict[str, Any]
    searches: tuple[TuningHistory, ...] = ()
    pairs: list[Row] = field(default_factory=list)
    groups: tuple[Groups, ...] = ()

    @property
    def primary(self) -> str:
        """The metric that ranks."""
        return self.metrics[0]

    @property
    def ranked(self) -> list[Row]:
        """The rows with a result, best first."""
        return [row for row in self.rows if row["status"] == "ok"]


def columns(metrics: Sequence[str]) -> list[str]:
    """Return the columns of a board, in order."""
    primary = metrics[0]
    return [
        *("rank", "dataset", "model", "library", "status"),
        *metrics,
        *(f"{primary}_low", f"{primary}_high", "seeds"),
        *("diff_to_reference", "diff_low", "diff_high", "p_vs_reference", "p_these_models"),
        *("margin_bound", "best_set"),
        *(f"valid_{primary}", f"train_only_{primary}"),
        *("trials", "budget_s", "charged_s", "unused_s", "device"),
        *COST_COLUMNS,
        *EVIDENCE_COLUMNS,
        *ORIGIN_COLUMNS,
        "reason",
    ]
