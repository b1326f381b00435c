"""Stored rows become a ranked table with intervals, corrected p-values and ties.

Works on a run directory alone: no framework, no Optuna, nothing is refitted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from benchmark.budget import Ledger, Line, spent_s
from benchmark.errors import RunError
from benchmark.metrics.evaluate import summarise
from benchmark.metrics.names import Metric, parse
from benchmark.protocol import Values
from benchmark.results import RunDirectory, latest
from benchmark.statistics.best_set import best_set
from benchmark.statistics.correction import holm
from benchmark.statistics.intervals import bootstrap_interval
from benchmark.statistics.pairwise import paired_permutation
from benchmark.statistics.seeds import seed_aware, seed_variance

Row: TypeAlias = dict[str, Any]

DRAWS = 10_000
COST_COLUMNS = ("fit_s", "latency_ms_p50", "latency_ms_p95", "memory_mb", "size_mb", "params")


@dataclass(frozen=True)
class Table:
    """The board of one data set.

    Attributes:
        dataset: its label; says so if it is a stand-in.
        rows: ranked rows first, then those without a result; keys are :func:`columns`.
        metrics: names of all metrics, the primary one first.
        reference: the model with the highest validation score, named before test was opened.
        notes: what a reader must know, a sentence each.
        facts: split hash, counts and settings.
    """

    dataset: str
    rows: list[Row]
    metrics: tuple[str, ...]
    reference: str | None
    notes: list[str]
    facts: dict[str, Any]

    @property
    def primary(self) -> str:
        """The metric that ranks."""
        return self.metrics[0]


@dataclass(frozen=True)
class Board:
    """The leaderboard of a run: one table a data set."""

    suite: str
    tables: tuple[Table, ...]
    synthetic: bool
    run: str


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
        "reason",
    ]


def board(run: RunDirectory) -> Board:
    """Return the board of a run directory.

    Raises:
        RunError: the run has no results yet, or stored rows and splits do not belong together.
    """
    manifest, ledger = run.manifest(), Ledger(run / "ledger.jsonl")
    path = run / "per_user.parquet"
    per_user = pd.read_parquet(path) if path.exists() else pd.DataFrame()
    if "datasets" not in manifest or "studies" not in manifest:
        raise RunError(f"{run.path}: has no results yet; run the same command again.")
    suite = json.loads((run / "suite.json").read_text("utf-8"))
    tables = tuple(
        _Ranking(label, manifest, suite, ledger, _rows_of(per_user, label)).table()
        for label in manifest["datasets"]
    )
    ledger.shut()
    synthetic = any(data["synthetic"] for data in manifest["datasets"].values())
    return Board(manifest["suite"], tables, synthetic, str(run.path))


def _rows_of(per_user: pd.DataFrame, dataset: str) -> pd.DataFrame:
    return per_user[per_user["dataset"] == dataset] if len(per_user) else per_user


@dataclass
class _Ranking:
    """The making of one table."""

    dataset: str
    manifest: dict[str, Any]
    suite: dict[str, Any]
    ledger: Ledger
    per_user: pd.DataFrame
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        wanted = self.suite["metrics"]
        self.metrics = tuple(dict.fromkeys([wanted["primary"], *wanted["also"]]))
        self.primary = parse(self.metrics[0])
        self.data = self.manifest["datasets"][self.dataset]
        self.studies = [study for study in self.manifest["studies"] if study["dataset"] == self.dataset]
        self.ranks_on = self.suite["finals"]["train_on"]
        references = self.ledger.lines("reference", dataset=self.dataset)
        self.reference = references[-1]["model"] if references else None

    def table(self) -> Table:
        """Return the ranked table."""
        rows = [self._row(study) for study in self.studies]
        ranked = sorted((row for row in rows if row["status"] == "ok"), key=self._order)
        for place, row in enumerate(ranked, start=1):
            row["rank"] = place
        if len(ranked) > 1:
            self._compare(ranked)
        rest = [row for row in rows if row["status"] != "ok"]
        self._note_all(ranked, rest)
        ordered = [{name: row.get(name) for name in columns(self.metrics)} for row in ranked + rest]
        return Table(self.dataset, ordered, self.metrics, self.reference, self.notes, self._facts())

    def _order(self, row: Row) -> float:
        value: float = row[self.primary.name]
        return -value if self.primary.higher_is_better else value

    def _row(self, study: dict[str, Any]) -> Row:
        name = f"{self.dataset}/{study['model']}"
        row: Row = {"dataset": self.dataset, "model": study["model"], "library": study["library"]}
        settled = self.ledger.lines("settled", study=name)
        trials = [line for line in self._trials(name) if line["outcome"] != "lost"]
        status, reason = study["excluded"] or (
            (settled[-1]["status"], settled[-1]["reason"])
            if settled
            else ("unfinished", "the run was stopped")
        )
        row |= {
            "status": status,
            "reason": reason,
            "trials": len(trials),
            "budget_s": float(self.suite["budget"]["per_model"]),
            "charged_s": round(spent_s(self._trials(name)), 3),
            "unused_s": settled[-1]["unused_s"] if settled else None,
            "device": trials[-1]["device"] if trials else None,
        }
        return row | self._final_columns(study, name, status)

    def _final_columns(self, study: dict[str, Any], name: str, status: str) -> Row:
        closed = self.ledger.lines("close", study=name, role="final", study_key=self._key(name))
        good = latest([line for line in closed if line["outcome"] == "complete"])
        finals = [line for line in good if line["train_on"] == self.ranks_on]
        wanted = 1 if study["deterministic"] else self.suite["finals"]["seeds"]
        if status != "ok":
            return {}
        if len(finals) < wanted:
            failed = [line for line in closed if line["outcome"] not in {"complete", "lost"}]
            reason = failed[-1]["reason"] if failed else "the run was stopped"
            return {"status": "failed" if failed else "unfinished", "reason": f"final: {reason}"}
        row = {metric: self._value(parse(metric), study["model"], self.ranks_on) for metric in self.metrics}
        interval = self._interval(study["model"])
        valid = [line for line in self._trials(name) if line.get("value") is not None]
        pick = max if self.primary.higher_is_better else min
        return row | {
            f"{self.primary.name}_low": interval[0],
            f"{self.primary.name}_high": interval[1],
            "seeds": len(finals),
            f"valid_{self.primary.name}": pick(line["value"] for line in valid),
            f"train_only_{self.primary.name}": self._value(self.primary, study["model"], "train"),
            **{name: _median([line.get(name) for line in finals]) for name in COST_COLUMNS},
        }

    def _key(self, name: str) -> str | None:
        """Return the key of a study's latest results: a changed adapter makes a study of its own."""
        lines = self.ledger.lines("open", study=name, role="trial")
        return lines[-1]["key"] if lines else None

    def _trials(self, name: str) -> list[Line]:
        return self.ledger.lines("close", study=name, role="trial", key=self._key(name))

    def _value(self, metric: Metric, model: str, train_on: str) -> float | None:
        """Return a metric's mean over seeds; None where the model has none."""
        rows = self.per_user[(self.per_user["model"] == model) & (self.per_user["train_on"] == train_on)]
        values = [self._of_seed(metric, part) for _, part in rows.groupby("seed")]
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    def _of_seed(self, metric: Metric, rows: pd.DataFrame) -> float | None:
        if metric.kind == "rating":
            if rows["ratings"].isna().any():
                return None
            column = "absolute_error" if metric.base == "mae" else "squared_error"
            return summarise(metric, error_sums=rows[column].to_numpy(), ratings=rows["ratings"].to_numpy())
        if metric.kind == "catalogue" and not metric.per_user:
            return summarise(metric, lists=np.stack(rows["items"].to_list()), n_items=self.data["n_items"])
        return summarise(metric, per_user=rows[metric.name].to_numpy())

    def _seeds_by_users(self, model: str) -> Values:
        """Return (S, U) contributions whose mean over users is the primary value of each seed.

        For RMSE they are squared errors times U / N, whose mean is the MSE: flipping signs of their
        differences is as exact as for any per-user metric.
        """
        rows = self.per_user[(self.per_user["model"] == model) & (self.per_user["train_on"] == self.ranks_on)]
        return np.stack([self._contributions(part) for _, part in rows.sort_values("user").groupby("seed")])

    def _contributions(self, rows: pd.DataFrame) -> Values:
        if self.primary.kind == "rating":
            column = "absolute_error" if self.primary.base == "mae" else "squared_error"
            return np.asarray(rows[column] * (len(rows) / rows["ratings"].sum()), dtype=np.float64)
        values = rows[self.primary.name].to_numpy(dtype=np.float64)
        known: Values = values[~np.isnan(values)]
        return known

    def _interval(self, model: str) -> tuple[float, float]:
        interval = bootstrap_interval(self._seeds_by_users(model).mean(axis=0), draws=DRAWS, seed=0)
        if self.primary.base == "rmse":
            return math.sqrt(max(interval.low, 0.0)), math.sqrt(interval.high)
        return interval.low, interval.high

    def _compare(self, ranked: list[Row]) -> None:
        """Fill the columns that compare with the reference, and the set of the best."""
        scores = {row["model"]: self._seeds_by_users(row["model"]) for row in ranked}
        sign = 1.0 if self.primary.higher_is_better else -1.0
        alpha = float(self.suite["verdict"]["alpha"])
        means = sign * np.stack([scores[row["model"]].mean(axis=0) for row in ranked])
        chance = [
            seed_variance(scores[row["model"]], deterministic=len(scores[row["model"]]) == 1)
            for row in ranked
        ]
        variances, freedoms = (np.array(column) for column in zip(*chance, strict=True))
        members = best_set(means, level=1 - alpha, draws=DRAWS, seed_variances=variances, seed_df=freedoms)
        for row, member in zip(ranked, members, strict=True):
            row["best_set"] = bool(member)
        others = [row for row in ranked if row["model"] != self.reference]
        if self.reference not in scores or not others:
            return
        for row in others:
            self._against_reference(row, scores[row["model"]], scores[self.reference], 1 - alpha)
        for column in ("p_vs_reference", "p_these_models"):
            adjusted = holm(np.array([row[column] for row in others]))
            for row, value in zip(others, adjusted, strict=True):
                row[column] = float(value)

    def _against_reference(self, row: Row, mine: Values, its: Values, level: float) -> None:
        fixed = {study["model"]: study["deterministic"] for study in self.studies}
        assert self.reference is not None
        verdict = seed_aware(
            mine,
            its,
            level=level,
            deterministic_a=fixed[row["model"]] or len(mine) == 1,
            deterministic_b=fixed[self.reference] or len(its) == 1,
        )
        scale = 1.0
        if self.primary.base == "rmse":  # MSE difference = RMSE difference × sum of both RMSE
            scale = math.sqrt(mine.mean()) + math.sqrt(its.mean())
        row["diff_to_reference"] = verdict.difference / scale
        row["diff_low"], row["diff_high"] = verdict.low / scale, verdict.high / scale
        row["p_vs_reference"] = verdict.p
        row["p_these_models"] = paired_permutation(mine.mean(axis=0) - its.mean(axis=0), draws=DRAWS, seed=0)

    def _note_all(self, ranked: list[Row], rest: list[Row]) -> None:
        if self.data["synthetic"]:
            self.notes.append(f"{self.dataset} is synthetic: these numbers say nothing about real data.")
        self._note_counts()
        self._note_verdict()
        self._note_floor(ranked)
        if any(row["seeds"] == 1 and not self._is_deterministic(row["model"]) for row in ranked):
            self.notes.append(
                "Stochastic models with one seed: chance of training is not in their intervals."
            )
        self.notes += [f"{row['model']}: {row['status']}: {row['reason']}" for row in rest]
        self.notes += [f"Split: {flag}" for flag in self.data["audit"]["flags"]]

    def _is_deterministic(self, model: str) -> bool:
        return any(study["deterministic"] for study in self.studies if study["model"] == model)

    def _note_counts(self) -> None:
        finals = self.ledger.lines("close", dataset=self.dataset, role="final", outcome="complete")
        if finals:
            counts = finals[0]["counts"]
            self.notes.append(
                f"{counts['users']} users evaluated, {counts['without_relevant']} with nothing to find "
                "and left out of ranking metrics. Full ranking over all unseen items; RMSE and MAE over "
                "interactions."
            )

    def _note_verdict(self) -> None:
        if self.reference is not None:
            alpha = self.suite["verdict"]["alpha"]
            self.notes.append(
                f"Reference: {self.reference}, best on validation, named before test was opened. "
                f"{1 - alpha:.0%} intervals, unadjusted: of {self.primary.name} over users (BCa), of "
                "differences over users and seeds. p: seed-aware, Holm over all models. best: cannot be "
                "separated from the best (joint sign flips over all pairs, seed-aware)."
            )

    def _note_floor(self, ranked: list[Row]) -> None:
        """Flag personalised rankers under popularity; rating models rank badly by nature."""
        rank = {row["model"]: row["rank"] for row in ranked}
        kinds = {study["model"]: study for study in self.studies}
        floors = [model for model in rank if kinds[model]["adapter"] == "baselines/popularity"]
        if not floors or self.primary.kind == "rating":
            return
        for model, place in rank.items():
            below = place > rank[floors[0]] and kinds[model]["library"] != "baselines"
            if below and kinds[model]["feedback"] == "explicit":
                self.notes.append(
                    f"{model}: a rating model, trained on observed ratings only: judge it by RMSE."
                )
            elif below:
                self.notes.append(f"{model}: WARNING: ranks below popularity.")

    def _facts(self) -> dict[str, Any]:
        keys = ("hash", "rule", "n_users", "n_items", "parts", "origin", "licence", "synthetic", "audit")
        return {key: self.data.get(key) for key in keys} | {
            "finals_on": self.ranks_on,
            "policy_budget_s": self.suite["budget"]["per_model"],
            "slot": self.suite["budget"]["slot"],
        }


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
