"""Making one table from the stored results of one data set."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmark.errors import RunError, did_you_mean
from benchmark.leaderboard import history_notes, notes, search_faults
from benchmark.leaderboard.compare import Comparison
from benchmark.leaderboard.dataset_results import DatasetResults
from benchmark.leaderboard.latency_columns import latency_columns, median
from benchmark.leaderboard.lists_notes import NOT_TUNED, lists_notes
from benchmark.leaderboard.margin import margin_bounds
from benchmark.leaderboard.rows import BoardRow, PairRow, RowStatus
from benchmark.leaderboard.stored_columns import StoredColumns
from benchmark.leaderboard.subgroups import Subgroups
from benchmark.leaderboard.table import Facts, Table
from benchmark.leaderboard.tuning_history import TuningHistory, at_edge
from benchmark.leaderboard.user_scores import PerUserScores
from benchmark.ledger import select
from benchmark.metrics.constant import constant_metrics
from benchmark.metrics.register import parse_metric
from benchmark.names import meant_by
from benchmark.records import LOST, FinalRecord, ListsRecord, Note, StudyRecord, warning
from benchmark.results import latest


class Ranking:
    """Makes one table."""

    def __init__(self, results: DatasetResults, baseline: str | None = None) -> None:
        """Rank what is stored.

        Args:
            results: of one data set.
            baseline: compare with this model instead of the reference.

        Raises:
            RunError: there is no such model.
        """
        self.results, self.suite, self.studies = results, results.suite, results.studies
        self.metrics = results.suite.metrics.all
        self.primary = parse_metric(self.metrics[0])
        self.list_length = next((parse_metric(name).k for name in self.metrics if parse_metric(name).k), None)
        self.finals = PerUserScores(
            StoredColumns(results.parts), self.primary, self.suite.finals.train_on, results.split.n_items
        )
        self.searches = {
            model: TuningHistory.from_records(
                study,
                results.trials(model),
                results.study_closed(model),
                maximise=self.primary.higher_is_better,
                probe=results.probe(model),
            )
            for model, study in self.studies.items()
            if study.tuned
        }
        # A metric without a choice is n/a; the one that ranks was refused before the run, if it had none.
        constant = constant_metrics(self.metrics, results.split.log_audit)
        self.constant = constant.keys() - {self.primary.name}
        self.chosen = baseline is not None
        meant = None if baseline is None else meant_by(baseline, self.studies)
        if baseline is not None and meant is None:
            raise RunError(
                f"--baseline {baseline}: {results.dataset} has no such model"
                f"{did_you_mean(baseline, self.studies)}\n  It has: {', '.join(self.studies)}."
            )
        # Each run named its reference before it opened test; of several runs the best on validation.
        sign = 1 if self.primary.higher_is_better else -1
        named = max(results.references, key=lambda one: sign * one.value, default=None)
        self.reference = meant or (None if named is None else named.model)

    def table(
        self, *, all_pairs: bool = False, grouped: bool = False, by: Sequence[str] | None = None
    ) -> Table:
        """Return the ranked table.

        Args:
            all_pairs: with the comparison of all pairs.
            grouped: with the same board for groups of the users and kinds of items.
            by: which groups; the default ones if None.

        Raises:
            RunError: the baseline has no result, or there are no such groups.
        """
        rows = [self.row(study) for study in self.studies.values()]
        sign = -1 if self.primary.higher_is_better else 1
        ranked = sorted((row for row in rows if row.has_result), key=lambda row: sign * row.score)
        models = [row.model for row in ranked]
        if self.chosen and self.reference not in models:
            raise RunError(
                f"--baseline {self.reference}: has no result on {self.results.dataset}, so nothing can be "
                f"compared with it; choose one of {', '.join(models) or 'none: no model has a result'}"
            )
        ranked = self._with_intervals(ranked)
        pairs: tuple[PairRow, ...] = ()
        unshown = self.unshown(models)
        if len(ranked) > 1 and ranked[0].low is not None:  # two users or more
            level = self.suite.verdict.alpha
            comparison = Comparison(models, self.finals, self._fixed, level, unshown)
            ranked = self._compared(comparison, ranked)
            pairs = comparison.pairs(self.results.dataset) if all_pairs else ()
        subgroups = Subgroups(self.results, self.finals, models, self.reference, self.list_length, unshown)
        rest = [row for row in rows if not row.has_result]
        return Table(
            self.results.dataset,
            (*ranked, *rest),
            self.metrics,
            self.reference,
            tuple(self._notes(ranked, rest)),
            self.facts,
            tuple(self.searches.values()),
            pairs,
            subgroups.tables(by) if grouped else (),
        )

    def row(self, study: StudyRecord) -> BoardRow:
        """Return the row of a model, not yet compared with the others."""
        model, search = study.model, self.searches.get(study.model)
        closed, run = self.results.study_closed(model), self.results.runs[model]
        status: RowStatus
        status, reason = "unfinished", "the run was stopped"
        if study.excluded is not None:
            status, reason = study.excluded.status, study.excluded.reason
        elif not study.tuned:
            status, reason = "ok", NOT_TUNED
        elif closed is not None:
            status, reason = closed.status, closed.reason
        row = BoardRow(
            dataset=self.results.dataset,
            model=model,
            library=study.library,
            status=status,
            reason=reason,
            metrics=dict.fromkeys(self.metrics),
            tuned=search is not None,
            trials=0 if search is None else search.started,
            budget_s=0.0 if search is None else study.budget_s or self.suite.budget.per_model,
            budget_parts=history_notes.budget_parts(self.results, model),
            charged_s=0.0 if search is None else round(search.charged_s, 3),
            core_s=None if search is None else search.core_s,
            unused_s=None if search is None else search.unused_s,
            device=None if search is None else search.device,
            deterministic=study.deterministic,
            margin=self.suite.verdict.margin,
            trained_on=None if search is None else self.suite.finals.train_on,
            synthetic=self.results.split.synthetic,
            valid_users=self.results.split.validated_users,
            valid_users_of=self.results.split.parts["valid"].users,
            test_users=self.results.split.tested_users,
            test_users_of=self.results.split.parts["test"].users,
            split_hash=self.results.split.hash,
            suite_hash=run.suite_hash,
            environment_hash="" if run.hardware is None else run.hardware.hash,
        )
        return self._scored(row) if row.has_result else row

    def _scored(self, row: BoardRow) -> BoardRow:
        """Return a row with the results of its finals, or with the reason why some are missing."""
        tried = self.results.finals(row.model)
        finals = latest(tried, self.metrics)
        if len(finals) < (1 if row.deterministic else self.suite.finals.seeds):
            failed = [final for final in tried if final.outcome not in {"complete", LOST}]
            if failed:
                return replace(row, status="failed", reason=f"final: {failed[-1].reason}")
            return replace(row, status="unfinished", reason="final: the run was stopped")
        tests = [final.test for final in finals if final.test is not None]
        row = replace(
            row,
            metrics=self._values(row.model, finals),
            seeds=len(finals),
            popularity_lift=mean([one.popularity_lift for one in tests]),
            recall_head=self.finals.mean_of("recall_head", row.model),
            recall_tail=self.finals.mean_of("recall_tail", row.model),
        )
        if not row.tuned:
            on_valid = [one.found.valid for one in select(finals, ListsRecord) if one.found is not None]
            return replace(row, valid=mean([one.get(self.primary.name) for one in on_valid]))
        search, model = self.searches[row.model], row.model
        best = search.best
        assert best is not None, "a study with a result has a best trial"
        measured = [final.measured for final in finals if final.measured is not None]
        test_gain = None
        if search.space:
            is_default = search.is_default(best.config)
            test_gain = 0.0 if is_default else self.finals.gain_over_default(model)
        return replace(
            row,
            config=json.dumps(best.config, sort_keys=True),
            valid=best.value,
            train_only=self.finals.value(self.primary, model, "train"),
            fit_s=median([final.fit_s for final in finals]),
            memory_mb=median([final.memory_mb for final in finals]),
            **latency_columns(measured),
            users_per_s=median([one.users_per_s for one in measured]),
            size_mb=median([one.size_mb for one in measured]),
            params=median([one.params for one in measured]),
            valid_gain_over_default=search.gain_over_default,
            test_gain_over_default=test_gain,
            at_edge=", ".join(at_edge(search.space, best.config)),
            still_improving=search.still_improving,
            filled_users=mean([one.filled_users for one in measured]),
            filled_items=mean([one.filled_items for one in measured]),
        )

    def _values(self, model: str, finals: Sequence[FinalRecord]) -> dict[str, float | None]:
        """Return a model's metrics: made from stored rows where possible, else as the scorer found them."""
        metrics = [parse_metric(name) for name in self.metrics if name not in self.constant]
        derived = [metric for metric in metrics if self.finals.can_derive(metric)]
        values = self.finals.values(derived, model)
        for metric in metrics:
            if metric not in derived:
                tests = [final.scores for final in finals]
                # A metric that was added to the suite since has no value until every seed has been measured.
                is_measured = all(test.holds(metric.name) for test in tests if test.metrics)
                found = [test.values.get(metric.name) for test in tests]
                values[metric.name] = mean(found) if is_measured else None
        return {name: values.get(name) for name in self.metrics}

    def _with_intervals(self, ranked: Sequence[BoardRow]) -> list[BoardRow]:
        """Return the rows with their rank and the interval of the primary metric."""
        ends = self.finals.intervals([row.model for row in ranked], 1 - self.suite.verdict.alpha)
        rows = []
        for rank, row in enumerate(ranked, start=1):
            interval = ends[row.model]
            low, high = (None, None) if interval is None else interval
            is_reference = row.model == self.reference
            rows.append(replace(row, rank=rank, low=low, high=high, is_reference=is_reference))
        return rows

    def _compared(self, comparison: Comparison, ranked: Sequence[BoardRow]) -> list[BoardRow]:
        """Return the rows with all comparisons; without a reference, only those that need none."""
        rows = comparison.standings(ranked)
        if self.reference is None or self.reference not in comparison.scores:
            return rows
        bounds = margin_bounds(comparison, self.reference, self.suite.verdict.margin)
        return [
            replace(row, margin_bound=bounds.get(row.model))
            for row in comparison.against(self.reference, rows)
        ]

    def unshown(self, models: Sequence[str]) -> int:
        """Return how many scorings on test are of no row of these models: Holm counts them too.

        Lists made elsewhere, and models that the suite had before, or had with other settings.
        """
        return self.unshown_lists(models) + len(self.results.earlier)

    def unshown_lists(self, models: Sequence[str]) -> int:
        """Return how many openings of test for lists are of none of these models."""
        shown = {final.final_key for model in models for final in self.results.complete_finals(model)}
        return len({look.final_key for look in self.results.looks} - shown)

    @property
    def _fixed(self) -> Mapping[str, bool]:
        """Which models the seed does not change."""
        return {model: study.deterministic for model, study in self.studies.items()}

    def _notes(self, ranked: Sequence[BoardRow], rest: Sequence[BoardRow]) -> Iterator[Note]:
        """Yield what a reader must know, and what a reviewer would object to."""
        yield from notes.fact_notes(self.results, self.primary, self.reference, chosen=self.chosen)
        if any(row.popularity_lift is not None for row in ranked):
            yield notes.lists_note(self.list_length)
        yield from history_notes.reference_note(self.results, None if self.chosen else self.reference)
        yield from lists_notes(self.results, ranked, self.unshown_lists([row.model for row in ranked]))
        yield from history_notes.earlier_rows_note(self.results)
        yield from history_notes.budget_notes(self.results, [*ranked, *rest])
        yield from notes.below_popularity_notes(ranked, self.studies, self.primary)
        yield from notes.first_look_note(list(self.searches.values()))
        yield from notes.search_notes(ranked, list(self.searches.values()))
        yield from search_faults.same_value_notes(list(self.searches.values()))
        yield from search_faults.same_board_notes(ranked)
        yield from search_faults.at_chance_notes(ranked, self.studies, self.finals)
        yield from notes.stability_note(ranked)
        if any(row.seeds == 1 and not row.deterministic for row in ranked):
            yield Note("Stochastic models have one seed only: their intervals leave out chance in training.")
        for row in rest:
            yield Note(f"{row.model}: {row.status}: {row.reason}")
        for flag in self.results.split.audited.flags:
            yield warning(f"Split: {flag}")
        yield from notes.log_notes(self.results.split)

    @property
    def facts(self) -> Facts:
        """What the table rests on."""
        popularity = [
            model for model, study in self.studies.items() if study.adapter == "baselines/popularity"
        ]
        return Facts(self.results.split, self.suite, next(iter(popularity), None), self.list_length)


def mean(values: Sequence[float | None]) -> float | None:
    """Return the mean of what exists; None if nothing does.

    >>> mean([1.0, None, 2.0]), mean([None])
    (1.5, None)
    """
    found = [value for value in values if value is not None]
    return float(np.mean(found)) if found else None
