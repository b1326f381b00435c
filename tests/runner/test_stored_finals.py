"""What stored finals hold of a suite whose metrics changed, and what the others would cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from records_made import closed_trial
from written_run import split_manifest

from benchmark.budget import Policy
from benchmark.files import file_sha256
from benchmark.ledger import Ledger
from benchmark.records import Cost, Ending, FinalRecord, TestCounts, TestScores, TrialRecord
from benchmark.registry import Registry
from benchmark.results import RunDirectory
from benchmark.runner.final_costs import FinalCosts, final_costs
from benchmark.runner.plan import plan
from benchmark.runner.ready import ReadyStudy
from benchmark.runner.splits import StoredSplit
from benchmark.runner.stored_finals import FinalSpec, StoredFinals
from benchmark.suite import Suite, parse_suite

SUITE = """
name: small
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400, seed: 3}, scale: [1, 5]}]
prepare: {positive: ">= 3"}
metrics: {primary: ndcg@10}
budget: {per_model: 10m, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 2}
models: [fake/steady, fake/rating]
"""
TRIAL = replace(closed_trial(value=0.5, charged_s=3.0), config={"bend": 0.5})
DEFAULT = replace(closed_trial(value=0.4, charged_s=2.0), config={"bend": 0.1})


@dataclass
class Finals:
    """The finals of one study of a run, of which a test says what was measured."""

    registry: Registry
    run_dir: RunDirectory
    ledger: Ledger
    model: str = "fake/steady"

    def under(self, *metrics: str, key: str = "key") -> StoredFinals:
        """Return them as a suite with these metrics sees them, the primary one first."""
        suite = self.suite(*metrics)
        study = next(one for one in plan(suite, self.registry, "planted") if one.model == self.model)
        data = StoredSplit("planted", self.run_dir / "splits/planted", split_manifest("planted"))
        return StoredFinals(
            suite, ReadyStudy(study, data, key, "search", Policy(60.0)), self.ledger, self.run_dir
        )

    def suite(self, *metrics: str) -> Suite:
        named = {"primary": metrics[0], "also": list(metrics[1:])}
        return parse_suite(SUITE, "small.yaml", self.registry, {"metrics": named})

    def store(
        self,
        spec: FinalSpec,
        *metrics: str,
        values: Mapping[str, float] | None = None,
        charged_s: float = 5.0,
        lists_of: str = "",
    ) -> FinalRecord:
        """Write down a complete final with these metrics."""
        opened = self.under(*metrics).opening(spec, hold_s=20.0, device="cpu", lists_of=lists_of)
        path = f"per_user/{opened.final_key}.parquet"
        (self.run_dir / path).write_text(opened.final_key)
        scores = TestScores(
            values=dict.fromkeys(metrics, 0.5) if values is None else values,
            counts=TestCounts(users=1, without_relevant=0),
            popularity_lift=None,
            path=path,
            sha256=file_sha256(self.run_dir / path),
            metrics=self.under(*metrics).wanted,
        )
        closed = opened.closed(Ending("complete", "finished"), Cost(charged_s=charged_s))
        final = replace(closed, test=scores)
        self.ledger.append(final)
        return final


@pytest.fixture
def finals(fakes: Registry, tmp_path: Path) -> Iterator[Finals]:
    made = Finals(fakes, RunDirectory(tmp_path), Ledger(tmp_path / "ledger.jsonl"))
    (tmp_path / "per_user").mkdir()
    yield made
    made.ledger.shut()


def spec(trial: TrialRecord = TRIAL, seed: int = 0) -> FinalSpec:
    return FinalSpec("train+valid", seed, trial)


def test_key_of_a_fit_is_the_same_whatever_is_measured_and_another_for_all_else(finals: Finals) -> None:
    one, other = finals.under("ndcg@10"), finals.under("ndcg@10", "recall@5")
    assert one.fit_key(spec()) == other.fit_key(spec())
    assert one.final_key(spec()) != other.final_key(spec())
    changed = [
        finals.under("ndcg@10", key="other").fit_key(spec()),
        one.fit_key(spec(seed=1)),
        one.fit_key(spec(DEFAULT)),
        one.fit_key(replace(spec(), train_on="train")),
        one.fit_key(replace(spec(), config_source="default")),
        one.fit_key(spec(replace(TRIAL, best_step=2))),
        one.fit_key(spec(replace(TRIAL, step_rows=8))),
    ]
    assert len({one.fit_key(spec()), *changed}) == 8


@pytest.mark.parametrize(
    ("had", "wanted", "is_done", "can_measure"),
    [
        (["ndcg@10"], ["ndcg@10"], True, True),
        (["ndcg@10", "auc"], ["ndcg@10"], True, True),
        (["ndcg@10", "recall@5", "auc"], ["ndcg@10", "auc"], True, True),
        (["ndcg@10"], ["ndcg@10", "recall@10", "map@3/new", "gini@7"], False, True),
        (["ndcg@10", "recall@20"], ["ndcg@10", "map@20"], False, True),
        (["ndcg@10"], ["ndcg@10", "recall@11"], False, False),
        (["ndcg@10", "hit@20/9neg"], ["ndcg@10", "hit@20"], False, False),
        (["ndcg@10"], ["ndcg@10", "auc"], False, False),
        (["ndcg@10"], ["ndcg@10", "rprecision"], False, False),
        (["ndcg@10"], ["ndcg@10", "hit@5/9neg"], False, False),
        (["ndcg@10"], ["ndcg@10", "recall@5", "auc"], False, False),
    ],
)
def test_final_holds_what_it_measured_and_what_its_lists_hold(
    finals: Finals, had: Sequence[str], wanted: Sequence[str], is_done: bool, can_measure: bool
) -> None:
    stored = finals.store(spec(), *had)
    now = finals.under(*wanted)
    assert now.is_done(spec()) == is_done
    assert now.with_lists(spec()) == (stored if can_measure else None)


@pytest.mark.parametrize(
    ("had", "wanted", "can_measure"),
    [
        (["ndcg@10", "rmse"], ["ndcg@10", "mae", "mse"], True),
        (["ndcg@10", "r2"], ["ndcg@10", "rmse"], True),
        (["ndcg@10"], ["ndcg@10", "rmse"], False),
        (["ndcg@10", "rmse"], ["ndcg@10", "r2"], False),
        (["rmse"], ["rmse", "recall@5"], False),
    ],
)
def test_rating_metrics_are_made_from_the_sums_of_a_model_that_was_asked_for_ratings(
    finals: Finals, had: Sequence[str], wanted: Sequence[str], can_measure: bool
) -> None:
    finals.model = "fake/rating"
    stored = finals.store(spec(), *had)
    assert not finals.under(*wanted).is_done(spec())
    assert finals.under(*wanted).with_lists(spec()) == (stored if can_measure else None)


def test_model_without_ratings_lacks_no_rating_metric(finals: Finals) -> None:
    finals.store(spec(), "ndcg@10")
    assert finals.under("ndcg@10", "rmse").is_done(spec())


def test_metric_without_a_value_is_not_lacking(finals: Finals) -> None:
    finals.store(spec(), "ndcg@10", "diversity@5", "recall@5", values={"ndcg@10": 0.5, "recall@5": 0.5})
    assert finals.under("ndcg@10", "diversity@5").is_done(spec())


def test_final_whose_exposure_was_measured_on_other_lengths_is_measured_again(finals: Finals) -> None:
    """Where the primary metric has no lists, popularity lift is of the first metric that has."""
    finals.model = "fake/rating"
    stored = finals.store(spec(), "rmse", "recall@10", "ndcg@5")
    assert not finals.under("rmse", "ndcg@5").is_done(spec())
    assert finals.under("rmse", "ndcg@5").with_lists(spec()) == stored
    assert finals.under("rmse").is_done(spec())


def test_final_without_its_file_holds_nothing(finals: Finals) -> None:
    stored = finals.store(spec(), "ndcg@10")
    (finals.run_dir / stored.scores.path).unlink()
    assert not finals.under("ndcg@10").is_done(spec())
    assert finals.under("ndcg@10", "recall@5").with_lists(spec()) is None


def test_final_of_another_fit_holds_nothing(finals: Finals) -> None:
    finals.store(spec(seed=1), "ndcg@10")
    assert not finals.under("ndcg@10").is_done(spec())
    assert finals.under("ndcg@10", "recall@5").with_lists(spec()) is None


def costs(finals: Finals, *metrics: str) -> FinalCosts:
    stored = finals.under(*metrics)
    return final_costs(stored, stored.specs(TRIAL, DEFAULT))


def test_finals_that_were_never_fitted_are_expected_to_take_what_their_trials_took(finals: Finals) -> None:
    assert costs(finals, "ndcg@10") == FinalCosts(fitted=5, expected_s=4 * 3.0 + 2.0)


def test_costs_tell_apart_what_is_kept_measured_again_and_fitted(finals: Finals) -> None:
    first, second, third, *_ = finals.under("ndcg@10").specs(TRIAL, DEFAULT)
    finals.store(first, "ndcg@10", "recall@5")
    finals.store(second, "ndcg@10", "recall@5", "auc")
    finals.store(third, "ndcg@10")
    before = finals.ledger.path.read_bytes()
    found = costs(finals, "ndcg@10", "recall@5")
    assert (found.kept, found.measured_again, found.fitted) == (2, 1, 2)
    found = costs(finals, "ndcg@10", "auc")
    assert (found.kept, found.measured_again, found.fitted) == (1, 0, 4)
    assert finals.ledger.path.read_bytes() == before


def test_fits_are_expected_to_take_the_median_of_earlier_ones_of_their_configuration(finals: Finals) -> None:
    for seed, charged_s in enumerate((7.0, 30.0, 8.0)):
        finals.store(spec(seed=seed), "ndcg@10", charged_s=charged_s)
    for seed in range(3):  # measured on lists: no fit
        finals.store(spec(seed=seed), "ndcg@10", "recall@5", charged_s=0.0, lists_of="an entry")
    assert costs(finals, "ndcg@10", "auc").expected_s == 4 * 8.0 + 2.0


def test_costs_of_several_studies_add_up() -> None:
    one = FinalCosts(kept=1, measured_again=2, fitted=3, expected_s=4.0)
    assert sum([one, one], FinalCosts()) == FinalCosts(kept=2, measured_again=4, fitted=6, expected_s=8.0)
