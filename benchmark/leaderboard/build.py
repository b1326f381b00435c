"""The making of one table from what is stored of one data set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmark.budget import Line, spent_s
from benchmark.errors import RunError, did_you_mean
from benchmark.leaderboard import notes
from benchmark.leaderboard.compare import Comparison
from benchmark.leaderboard.dataset_results import DatasetResults
from benchmark.leaderboard.margin import margin_bounds
from benchmark.leaderboard.subgroups import Judged, Source, groups_of
from benchmark.leaderboard.table import COST_COLUMNS, Groups, Row, Table, columns
from benchmark.leaderboard.tuning_history import TuningHistory, fairness, is_default, search_of
from benchmark.leaderboard.user_scores import PerUserScores
from benchmark.metrics.register import parse_metric
from benchmark.results import latest

FILLED = ("filled_users", "filled_items")
"""Users and items without a training row that popularity, or the last place, stood in for."""


class Ranking:
    """The making of one table."""

    def __init__(self, stored: DatasetResults, baseline: str | None = None) -> None:
        """Rank what is stored.

        Args:
            stored: of one data set.
            baseline: compare with this model instead of the reference.

        Raises:
            RunError: there is no such model.
        """
        self.stored, self.records, self.suite = stored, stored.records, stored.suite
        self.metrics = stored.metrics
        self.primary = parse_metric(self.metrics[0])
        self.studies = {study["model"]: study for study in stored.studies}
        self.finals = PerUserScores(stored.per_user, self.primary, stored.train_on, stored.data["n_items"])
        self.searches = {model: self._search(study) for model, study in self.studies.items()}
        self.chosen = baseline is not None
        if baseline is not None and baseline not in self.studies:
            raise RunError(
                f"--baseline {baseline}: {stored.dataset} has no such model"
                f"{did_you_mean(baseline, self.studies)}\n  It has: {', '.join(self.studies)}."
            )
        self.reference = baseline or self._named_reference()

    def _named_reference(self) -> str | None:
        """Return the model named before test was opened; of several runs the best on validation."""
        sign = 1 if self.primary.higher_is_better else -1
        best = max(self.stored.references, key=lambda line: sign * line["value"], default=None)
        return None if best is None else str(best["model"])

    def table(
        self, *, all_pairs: bool = False, grouped: bool = False, by: Sequence[str] | None = None
    ) -> Table:
        """Return the ranked table.

        Args:
            all_pairs: with the comparison of all pairs.
            grouped: with the same board for parts of the users and items.
            by: which parts; the default ones if None.

        Raises:
            RunError: the baseline has no result, or there are no such parts.
        """
        rows = [self._row(study) for study in self.studies.values()]
        ranked = sorted((row for row in rows if row["status"] == "ok"), key=self._order)
        self._require_baseline(ranked)
        ends = self.finals.intervals([row["model"] for row in ranked], 1 - self.alpha)
        for place, row in enumerate(ranked, start=1):
            row["rank"] = place
            row["is_reference"] = row["model"] == self.reference
            row[f"{self.primary.name}_low"], row[f"{self.primary.name}_high"] = ends[row["model"]]
        pairs: list[Row] = []
        if len(ranked) > 1 and ranked[0][f"{self.primary.name}_low"] is not None:  # two users or more
            comparison = Comparison(ranked, self.finals, self._fixed, self.alpha)
            comparison.fill(self.reference)
            self._bound(comparison)
            pairs = comparison.pairs() if all_pairs else []
        rest = [row for row in rows if row["status"] != "ok"]
        return Table(
            self.stored.dataset,
            [{name: row.get(name) for name in columns(self.metrics)} for row in ranked + rest],
            self.metrics,
            self.reference,
            self._notes(ranked, rest),
            self._facts(),
            tuple(self.searches.values()),
            [{"dataset": self.stored.dataset} | pair for pair in pairs],
            self._groups(ranked, by) if grouped else (),
        )

    @property
    def alpha(self) -> float:
        """Level of the intervals and of the families of tests."""
        return float(self.suite["verdict"]["alpha"])

    @property
    def margin(self) -> float:
        """How much worse than the reference a pick may be, relative to it."""
        return float(self.suite["verdict"]["margin"])

    @property
    def _fixed(self) -> dict[str, bool]:
        return {model: bool(study["deterministic"]) for model, study in self.studies.items()}

    def _require_baseline(self, ranked: Sequence[Row]) -> None:
        with_result = [row["model"] for row in ranked]
        if self.chosen and self.reference not in with_result:
            raise RunError(
                f"--baseline {self.reference}: has no result on {self.stored.dataset}, so nothing can be "
                f"compared with it; choose one of {', '.join(with_result) or 'none: no model has a result'}"
            )

    def _bound(self, comparison: Comparison) -> None:
        """Write down how much each model may lose against the reference."""
        if self.reference not in comparison.scores or self.reference is None:
            return
        bounds = margin_bounds(comparison, self.reference, self.margin)
        for row in comparison.ranked:
            row["margin_bound"] = bounds.get(row["model"])

    def _groups(self, ranked: Sequence[Row], by: Sequence[str] | None) -> tuple[Groups, ...]:
        source = Source(self.stored.dataset, self.stored.split, self.finals, self.list_length)
        models = [row["model"] for row in ranked]
        return groups_of(source, Judged(models, self._fixed, self.reference, self.alpha), by)

    def _order(self, row: Row) -> float:
        value: float = row[self.primary.name]
        return -value if self.primary.higher_is_better else value

    def _row(self, study: dict[str, Any]) -> Row:
        name, search = self._name(study), self.searches[study["model"]]
        settled = self.records.lines("settled", study=name)
        status, reason = study["excluded"] or (
            (settled[-1]["status"], settled[-1]["reason"])
            if settled
            else ("unfinished", "the run was stopped")
        )
        row: Row = {
            "dataset": self.stored.dataset,
            "model": study["model"],
            "library": study["library"],
            "status": status,
            "reason": reason,
            **self._origin(study),
            "trials": len(search.trials),
            "budget_s": float(self.suite["budget"]["per_model"]),
            "charged_s": round(spent_s(list(search.trials)), 3),
            "unused_s": search.unused_s,
            "device": search.trials[-1]["device"] if search.trials else None,
        }
        return row | (self._final_columns(study, name) if status == "ok" else {})

    def _origin(self, study: dict[str, Any]) -> Row:
        return {
            "deterministic": bool(study["deterministic"]),
            "margin": self.margin,
            "trained_on": self.stored.train_on,
            "synthetic": bool(self.stored.data["synthetic"]),
            "split_hash": self.stored.data["hash"],
            "suite_hash": study["suite_hash"],
            "environment_hash": study["environment_hash"],
        }

    def _final_columns(self, study: dict[str, Any], name: str) -> Row:
        closed = self.records.lines("close", study=name, role="final", study_key=self._key(name))
        ranked = [line for line in closed if self._is_ranked(line)]
        finals = latest([line for line in ranked if line["outcome"] == "complete"])
        wanted = 1 if study["deterministic"] else self.suite["finals"]["seeds"]
        if len(finals) < wanted:
            failed = [line for line in ranked if line["outcome"] not in {"complete", "lost"}]
            reason = failed[-1]["reason"] if failed else "the run was stopped"
            return {"status": "failed" if failed else "unfinished", "reason": f"final: {reason}"}
        return self._scored(study["model"], finals)

    def _is_ranked(self, line: Line) -> bool:
        """Return whether the board ranks a final: one of the chosen configuration, trained as asked."""
        return bool(line["train_on"] == self.stored.train_on)

    def _scored(self, model: str, finals: list[Line]) -> Row:
        row: Row = {metric: self._value(metric, model, finals) for metric in self.metrics}
        search = self.searches[model]
        assert search.best is not None
        return row | {
            "config": json.dumps(search.best["config"], sort_keys=True),
            "seeds": len(finals),
            f"valid_{self.primary.name}": search.best["value"],
            f"train_only_{self.primary.name}": self.finals.value(self.primary, model, "train"),
            **{name: _median([line.get(name) for line in finals]) for name in COST_COLUMNS},
            **fairness(search),
            "test_gain_over_default": self._gain(search),
            **{name: _mean([line.get(name) for line in finals]) for name in FILLED},
            "popularity_lift": _mean([line.get("popularity_lift") for line in finals]),
            "recall_head": self.finals.mean_of("recall_head", model),
            "recall_tail": self.finals.mean_of("recall_tail", model),
        }

    def _value(self, name: str, model: str, finals: list[Line]) -> float | None:
        metric = parse_metric(name)
        if self.finals.can_derive(metric):
            return self.finals.value(metric, model)
        return _mean([line.get("values", {}).get(name) for line in finals])

    def _gain(self, search: TuningHistory) -> float | None:
        """Return what tuning gained on test; 0 where the default configuration was chosen."""
        assert search.best is not None
        if not search.space:
            return None
        if is_default(search, search.best["config"]):
            return 0.0
        return self.finals.gain_over_default(search.model)

    @property
    def list_length(self) -> int | None:
        """The cut-off of the primary metric, or of the first metric that has one."""
        return next((parse_metric(name).k for name in self.metrics if parse_metric(name).k), None)

    def _name(self, study: dict[str, Any]) -> str:
        return f"{self.stored.dataset}/{study['model']}"

    def _key(self, name: str) -> str | None:
        """Return the key of a study's latest results: a changed adapter makes a study of its own."""
        lines = self.records.lines("open", study=name, role="trial")
        return lines[-1]["key"] if lines else None

    def _search(self, study: dict[str, Any]) -> TuningHistory:
        name = self._name(study)
        trials = self.records.lines("close", study=name, role="trial", key=self._key(name))
        settled = self.records.lines("settled", study=name)
        return search_of(study, trials, settled, maximise=self.primary.higher_is_better)

    def _notes(self, ranked: list[Row], rest: list[Row]) -> list[str]:
        found = list(notes.facts_of(self.stored, self.primary, self.reference, chosen=self.chosen))
        if any(row["popularity_lift"] is not None for row in ranked):
            found.append(notes.lists_note(self.list_length))
        found += notes.floor_notes(ranked, self.stored.studies, self.primary)
        found += notes.search_warnings(ranked, list(self.searches.values()))
        found += notes.stability_note(ranked)
        if any(row["seeds"] == 1 and not self.studies[row["model"]]["deterministic"] for row in ranked):
            found.append("Stochastic models with one seed: chance of training is not in their intervals.")
        found += [f"{row['model']}: {row['status']}: {row['reason']}" for row in rest]
        return found + [f"Split: {flag}" for flag in self.stored.data["audit"]["flags"]]

    def _facts(self) -> dict[str, Any]:
        keys: tuple[str, ...] = (
            "hash",
            "rule",
            "n_users",
            "n_items",
            "parts",
            "origin",
            "licence",
            "synthetic",
            "audit",
        )
        keys += ("fold", "candidates")
        return {key: self.stored.data.get(key) for key in keys} | {
            "finals_on": self.stored.train_on,
            "policy_budget_s": self.suite["budget"]["per_model"],
            "max_trials": self.suite["budget"]["max_trials"],
            "slot": self.suite["budget"]["slot"],
            "alpha": self.suite["verdict"]["alpha"],
            "margin": self.margin,
            "popularity": self._popularity(),
            "list_length": self.list_length,
        }

    def _popularity(self) -> str | None:
        """Return the name that popularity has on this board."""
        named = [model for model, study in self.studies.items() if study["adapter"] == "baselines/popularity"]
        return named[0] if named else None


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
