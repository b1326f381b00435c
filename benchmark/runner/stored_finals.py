"""Which finals a study wants, and what those that its run has stored already hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmark.files import content_hash
from benchmark.ledger import Records
from benchmark.metrics.register import (
    exposed_length,
    list_length,
    made_from_sums,
    not_from_lists,
    parse_metric,
)
from benchmark.records import ConfigSource, FinalOpened, FinalRecord, TestScores, TrainOn, TrialRecord
from benchmark.results import RunDirectory
from benchmark.runner.context import applicable_metrics
from benchmark.runner.ready import ReadyStudy
from benchmark.suite import Suite


@dataclass(frozen=True)
class FinalSpec:
    """One final: the trial that is fitted again, on what, with which seed.

    Attributes:
        train_on: what it is trained on.
        seed: of the model.
        trial: whose configuration and number of steps are repeated.
        config_source: whether that is the best trial or the default configuration's.
    """

    train_on: TrainOn
    seed: int
    trial: TrialRecord
    config_source: ConfigSource = "tuned"


@dataclass(frozen=True)
class StoredFinals:
    """The finals of one study that a run has stored.

    Attributes:
        suite: as it is now; its metrics may be others than when a final was scored.
        ready: the study.
        ledger: of the run; read only.
        run_dir: where results are stored.
    """

    suite: Suite
    ready: ReadyStudy
    ledger: Records
    run_dir: RunDirectory

    @property
    def wanted(self) -> tuple[str, ...]:
        """The metrics that each final is to have."""
        return applicable_metrics(self.suite, self.ready.study)

    def specs(self, best: TrialRecord, default: TrialRecord | None) -> Iterator[FinalSpec]:
        """Yield every final, that of the default configuration last: it is never ranked.

        Args:
            best: the best trial.
            default: that of the default configuration; None if it has no value, or nothing is tuned.
        """
        finals = self.suite.finals
        seeds = 1 if self.ready.study.adapter.traits.deterministic else finals.seeds
        for train_on in finals.variants:
            for seed in range(seeds):
                yield FinalSpec(train_on, seed, best)
        if finals.default and default is not None and default.config != best.config:
            yield FinalSpec(finals.train_on, 0, default, "default")

    def rests_on(self, spec: FinalSpec) -> dict[str, object]:
        """Return everything that a final's fitted model and its lists depend on, but for their length."""
        test = self.ready.data.manifest.test_sample
        return {
            "study": self.ledger.lineage(self.ready.key)[-1],  # it may have gone on since
            "split": self.ready.data.hash,
            "params": dict(spec.trial.config),
            "passes": spec.trial.best_passes,
            "step_rows": spec.trial.step_rows,
            "train_on": spec.train_on,
            "config_source": spec.config_source,
            "seed": spec.seed,
            **({} if test is None else {"test_users_sha256": test.sha256}),
        }

    def fit_key(self, spec: FinalSpec) -> str:
        """Return the hash of what a final's fitted model and its lists depend on."""
        return content_hash(self.rests_on(spec))[:16]

    def final_key(self, spec: FinalSpec) -> str:
        """Return the hash of everything that a final's result depends on."""
        return content_hash({**self.rests_on(spec), "metrics": self.wanted})[:16]

    def opening(self, spec: FinalSpec, *, hold_s: float, device: str, lists_of: str = "") -> FinalOpened:
        """Return the opening line of a new attempt.

        Args:
            spec: of the final.
            hold_s: seconds that it may take.
            device: that it holds.
            lists_of: entry of the final whose stored lists are measured; empty where a model is fitted.
        """
        key, study = self.final_key(spec), self.ready.study
        attempt = sum(line.final_key == key for line in self.ledger.records(FinalOpened))
        attempt += sum(line.final_key == key for line in self.ledger.records(FinalRecord))
        return FinalOpened(
            entry=f"{study.name}@{key}#final-{attempt}",
            dataset=study.dataset,
            model=study.model,
            study_key=self.ready.key,
            final_key=key,
            fit_key=self.fit_key(spec),
            lists_of=lists_of,
            config_source=spec.config_source,
            train_on=spec.train_on,
            seed=spec.seed,
            trial=spec.trial.trial,
            config=spec.trial.config,
            hold_s=hold_s,
            device=device,
        )

    def complete(self, spec: FinalSpec) -> list[FinalRecord]:
        """Return the complete records of a final's fit whose per-user file is the one that was written."""
        key, name = self.fit_key(spec), self.final_key(spec)
        stored = [final for final in self.ledger.records(FinalRecord) if final.outcome == "complete"]
        # Runs made before fits had a key: what was measured is known by the key of the whole result alone.
        same = [one for one in stored if one.fit_key == key] or [
            one for one in stored if not one.fit_key and one.final_key == name
        ]
        return [final for final in same if self.run_dir.holds(final.scores)]

    def is_done(self, spec: FinalSpec) -> bool:
        """Return whether a final is stored with every metric that is wanted now."""
        name = self.final_key(spec)
        return any(one.final_key == name or self.holds_all(one.scores) for one in self.complete(spec))

    def holds_all(self, scores: TestScores) -> bool:
        """Return whether all that is wanted was measured, head and tail in the same lists as now."""
        wanted, had = self.wanted, scores.metrics
        is_same = wanted[:1] == had[:1] and self.exposed(wanted) in {None, self.exposed(had)}
        return is_same and not self.lacking(scores)

    def lacking(self, scores: TestScores) -> list[str]:
        """Return the metrics wanted that were not measured."""
        return [name for name in self.wanted if not scores.holds(name)]

    @staticmethod
    def exposed(metrics: tuple[str, ...]) -> int | None:
        """Return how much of each list popularity lift, head and tail are measured on."""
        return exposed_length([parse_metric(name) for name in metrics])

    def with_lists(self, spec: FinalSpec) -> FinalRecord | None:
        """Return the last final in whose file all that is lacking is stored; None if it must be fitted."""
        usable = (one for one in reversed(self.complete(spec)) if self.can_measure(one.scores))
        return next(usable, None)

    def can_measure(self, scores: TestScores) -> bool:
        """Return whether the lacking metrics can be made from the stored lists and sums."""
        had = [parse_metric(name) for name in scores.metrics]
        rated, length = any(metric.kind == "rating" for metric in had), list_length(had)
        for metric in map(parse_metric, self.lacking(scores)):
            from_lists = not_from_lists(metric) is None and metric.k is not None and metric.k <= length
            if not from_lists and not (rated and made_from_sums(metric)):
                return False
        return bool(had)
