"""The making of one table from what is stored of one data set."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.budget import Line, spent_s
from benchmark.errors import RunError, did_you_mean
from benchmark.leaderboard import notes
from benchmark.leaderboard.compare import Comparison
from benchmark.leaderboard.search import Search, fairness, search_of
from benchmark.leaderboard.stored import Stored
from benchmark.leaderboard.table import COST_COLUMNS, Row, Table, columns
from benchmark.leaderboard.values import Finals
from benchmark.metrics.names import parse
from benchmark.results import latest


class Ranking:
    """The making of one table."""

    def __init__(self, stored: Stored, baseline: str | None = None) -> None:
        """Rank what is stored.

        Args:
            stored: of one data set.
            baseline: compare with this model instead of the reference.

        Raises:
            RunError: there is no such model.
        """
        self.stored, self.records, self.suite = stored, stored.records, stored.suite
        self.metrics = stored.metrics
        self.primary = parse(self.metrics[0])
        self.studies = {study["model"]: study for study in stored.studies}
        self.finals = Finals(stored.per_user, self.primary, stored.train_on, stored.data["n_items"])
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

    def table(self, *, all_pairs: bool = False) -> Table:
        """Return the ranked table, with the comparison of all pairs if asked for."""
        rows = [self._row(study) for study in self.studies.values()]
        ranked = sorted((row for row in rows if row["status"] == "ok"), key=self._order)
        for place, row in enumerate(ranked, start=1):
            row["rank"] = place
        pairs: list[Row] = []
        if len(ranked) > 1 and ranked[0][f"{self.primary.name}_low"] is not None:  # two users or more
            fixed = {model: study["deterministic"] for model, study in self.studies.items()}
            comparison = Comparison(ranked, self.finals, fixed, float(self.suite["verdict"]["alpha"]))
            comparison.fill(self.reference)
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
            pairs,
        )

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
            "trials": len(search.trials),
            "budget_s": float(self.suite["budget"]["per_model"]),
            "charged_s": round(spent_s(list(search.trials)), 3),
            "unused_s": search.unused_s,
            "device": search.trials[-1]["device"] if search.trials else None,
        }
        return row | (self._final_columns(study, name) if status == "ok" else {})

    def _final_columns(self, study: dict[str, Any], name: str) -> Row:
        closed = self.records.lines("close", study=name, role="final", study_key=self._key(name))
        good = latest([line for line in closed if line["outcome"] == "complete"])
        finals = [line for line in good if line["train_on"] == self.stored.train_on]
        wanted = 1 if study["deterministic"] else self.suite["finals"]["seeds"]
        if len(finals) < wanted:
            failed = [line for line in closed if line["outcome"] not in {"complete", "lost"}]
            reason = failed[-1]["reason"] if failed else "the run was stopped"
            return {"status": "failed" if failed else "unfinished", "reason": f"final: {reason}"}
        return self._scored(study["model"], finals)

    def _scored(self, model: str, finals: list[Line]) -> Row:
        row: Row = {metric: self.finals.value(parse(metric), model) for metric in self.metrics}
        low, high = self.finals.interval(model, 1 - float(self.suite["verdict"]["alpha"]))
        search = self.searches[model]
        assert search.best is not None
        return row | {
            f"{self.primary.name}_low": low,
            f"{self.primary.name}_high": high,
            "seeds": len(finals),
            f"valid_{self.primary.name}": search.best["value"],
            f"train_only_{self.primary.name}": self.finals.value(self.primary, model, "train"),
            **{name: _median([line.get(name) for line in finals]) for name in COST_COLUMNS},
            **fairness(search),
            "popularity_lift": _mean([line.get("popularity_lift") for line in finals]),
            "recall_head": self.finals.mean_of("recall_head", model),
            "recall_tail": self.finals.mean_of("recall_tail", model),
        }

    @property
    def list_length(self) -> int | None:
        """The cut-off of the primary metric, or of the first metric that has one."""
        return next((parse(name).k for name in self.metrics if parse(name).k), None)

    def _name(self, study: dict[str, Any]) -> str:
        return f"{self.stored.dataset}/{study['model']}"

    def _key(self, name: str) -> str | None:
        """Return the key of a study's latest results: a changed adapter makes a study of its own."""
        lines = self.records.lines("open", study=name, role="trial")
        return lines[-1]["key"] if lines else None

    def _search(self, study: dict[str, Any]) -> Search:
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
        keys = ("hash", "rule", "n_users", "n_items", "parts", "origin", "licence", "synthetic", "audit")
        return {key: self.stored.data.get(key) for key in keys} | {
            "finals_on": self.stored.train_on,
            "policy_budget_s": self.suite["budget"]["per_model"],
            "max_trials": self.suite["budget"]["max_trials"],
            "slot": self.suite["budget"]["slot"],
            "alpha": self.suite["verdict"]["alpha"],
            "list_length": self.list_length,
        }


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
