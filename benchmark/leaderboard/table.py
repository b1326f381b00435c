"""What a board is made of: rows, their columns, the table of one data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from benchmark.leaderboard.search import Search

Row: TypeAlias = dict[str, Any]

DRAWS = 10_000
COST_COLUMNS = ("fit_s", "latency_ms_p50", "latency_ms_p95", "memory_mb", "size_mb", "params")
EVIDENCE_COLUMNS = (
    *("relative_diff", "users_better", "smallest_detectable", "first_places", "first_places_if_equal"),
    *("valid_gain_over_default", "at_edge", "still_improving"),
    *("popularity_lift", "recall_head", "recall_tail"),
)
"""Effect sizes and stability; fairness of the tuning; what kind of items the lists hold."""


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
        pairs: all pairs of models, if asked for: a, b, difference, p.
    """

    dataset: str
    rows: list[Row]
    metrics: tuple[str, ...]
    reference: str | None
    notes: list[str]
    facts: dict[str, Any]
    searches: tuple[Search, ...] = ()
    pairs: list[Row] = field(default_factory=list)

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
        *("diff_to_reference", "diff_low", "diff_high", "p_vs_reference", "p_these_models", "best_set"),
        *(f"valid_{primary}", f"train_only_{primary}"),
        *("trials", "budget_s", "charged_s", "unused_s", "device"),
        *COST_COLUMNS,
        *EVIDENCE_COLUMNS,
        "reason",
    ]
