"""The table of one data set: its rows, its notes, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmark.datasets.manifest import SplitManifest
from benchmark.leaderboard.rows import BoardRow, GroupRow, PairRow
from benchmark.leaderboard.tuning_history import TuningHistory
from benchmark.records import Note, TrainOn, to_json
from benchmark.suite import Suite

DRAWS = 10_000
"""Resamples of every bootstrap and permutation on a board."""


@dataclass(frozen=True)
class Facts:
    """What a table rests on.

    Attributes:
        split: the split that every model was tuned and tested on.
        suite: the settings.
        popularity: the name that popularity has on this board; None where it has no row.
        list_length: the cut-off of the primary metric, or of the first metric that has one.
    """

    split: SplitManifest
    suite: Suite
    popularity: str | None = None
    list_length: int | None = None

    @property
    def finals_on(self) -> TrainOn:
        """The parts that the ranked finals learned from."""
        return self.suite.finals.train_on

    @property
    def alpha(self) -> float:
        """Level of the intervals and of the families of tests."""
        return self.suite.verdict.alpha

    @property
    def margin(self) -> float:
        """How much worse than the reference a pick may be, relative to it."""
        return self.suite.verdict.margin

    def as_json(self) -> Mapping[str, object]:
        """Return the facts as board.json holds them."""
        content, budget = to_json(self.split), self.suite.budget
        if self.split.audited.repeats is None:
            del content["audit"]["repeats"]
        return {
            **{name: content[name] for name in ("hash", "rule", "n_users", "n_items", "parts", "files")},
            "origin": self.split.provenance.origin,
            "licence": self.split.provenance.licence,
            "synthetic": self.split.synthetic,
            **{name: content[name] for name in ("audit", "fold", "positive", "negative", "weight")},
            **({"log_audit": content["log_audit"]} if self.split.log_audit else {}),
            **{part: content[part] for part in ("valid_sample", "test_sample") if content[part] is not None},
            "candidates": self.split.candidates.rule,
            **({} if self.split.seen == "hide" else {"seen": self.split.seen}),
            "finals_on": self.finals_on,
            "policy_budget_s": budget.per_model,
            "max_trials": budget.max_trials,
            "slot": budget.slot.model_dump(mode="json"),
            "alpha": self.alpha,
            "margin": self.margin,
            "popularity": self.popularity,
            "list_length": self.list_length,
        }


@dataclass(frozen=True)
class Groups:
    """The board of one data set for groups of its users or kinds of its items.

    Attributes:
        by: what the groups are made by: "user.activity", "user.<column>", "item.popularity".
        rows: group by group, models in the order of the board.
        notes: where the cuts are, and what the intervals and p are; or why there are no groups.
    """

    by: str
    rows: tuple[GroupRow, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Table:
    """The board of one data set.

    Attributes:
        dataset: its label; says so if it is synthetic.
        rows: ranked rows first, then those without a result.
        metrics: names of all metrics, the primary one first.
        reference: the model that the others are compared with: the one with the highest validation
            score, named before test was opened, unless the reader chose a baseline.
        notes: what a reader must know; warnings are what a reviewer would object to.
        facts: the split, the settings, and names that the board has for them.
        searches: how each model was tuned, in the order of the suite.
        pairs: all pairs of models, if asked for.
        groups: the same board for groups of users or kinds of items.
    """

    dataset: str
    rows: tuple[BoardRow, ...]
    metrics: tuple[str, ...]
    reference: str | None
    notes: tuple[Note, ...]
    facts: Facts
    searches: tuple[TuningHistory, ...] = ()
    pairs: tuple[PairRow, ...] = ()
    groups: tuple[Groups, ...] = ()

    @property
    def primary(self) -> str:
        """The metric that ranks."""
        return self.metrics[0]

    @property
    def ranked(self) -> tuple[BoardRow, ...]:
        """The rows with a result, best first."""
        return tuple(row for row in self.rows if row.has_result)

    @property
    def reference_row(self) -> BoardRow | None:
        """The row of the reference; None where it has no result."""
        return next((row for row in self.ranked if row.model == self.reference), None)
