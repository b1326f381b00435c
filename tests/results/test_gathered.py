"""Which record of a final counts where several hold the same fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from records_made import closed_final

from benchmark.records import FinalRecord, TestCounts, TestScores
from benchmark.results import latest


def final(*metrics: str, fit_key: str = "fit", seed: int = 0, entry: str = "") -> FinalRecord:
    """Return a complete final with these metrics."""
    scores = TestScores(
        values=dict.fromkeys(metrics, 0.5),
        counts=TestCounts(users=1, without_relevant=0),
        popularity_lift=None,
        path="",
        sha256="",
        metrics=metrics,
    )
    made = closed_final(entry or "+".join(metrics), outcome="complete")
    return replace(made, fit_key=fit_key, seed=seed, test=scores)


ONE, BOTH, OTHER = final("ndcg@5"), final("ndcg@5", "recall@5"), final("ndcg@5", "auc")


@pytest.mark.parametrize(
    ("finals", "metrics", "chosen"),
    [
        ([ONE, BOTH], ["ndcg@5", "recall@5"], BOTH),
        ([BOTH, ONE], ["ndcg@5", "recall@5"], BOTH),
        ([BOTH, ONE], ["ndcg@5"], ONE),
        ([ONE, BOTH], ["ndcg@5"], BOTH),
        ([BOTH, OTHER], ["ndcg@5", "auc"], OTHER),
        ([OTHER, BOTH], ["ndcg@5", "auc"], OTHER),
        ([OTHER, BOTH], ["ndcg@5", "auc", "recall@5"], BOTH),
    ],
)
def test_record_with_the_most_of_the_metrics_counts_and_the_latest_among_equals(
    finals: list[FinalRecord], metrics: list[str], chosen: FinalRecord
) -> None:
    assert latest(finals, metrics) == [chosen]


def test_metric_without_a_value_counts_as_measured() -> None:
    without = replace(BOTH, test=replace(BOTH.scores, values={"ndcg@5": 0.5}))
    assert latest([without, ONE], ["ndcg@5", "recall@5"]) == [without]


def test_last_fit_counts_whatever_an_earlier_one_has_measured() -> None:
    again = final("ndcg@5", fit_key="other")
    assert latest([BOTH, again], ["ndcg@5", "recall@5"]) == [again]


def test_each_seed_is_chosen_for_itself() -> None:
    second = final("ndcg@5", fit_key="second", seed=1)
    assert latest([BOTH, second, ONE], ["ndcg@5", "recall@5"]) == [BOTH, second]


def test_exposure_is_of_the_lists_that_the_suite_names_first() -> None:
    """And head and tail are told apart in the primary metric's hits."""
    long, short = final("rmse", "recall@10", "ndcg@5"), final("rmse", "ndcg@5", "recall@10")
    for finals in ([long, short], [short, long]):
        assert latest(finals, ["rmse", "ndcg@5"]) == [short]
        assert latest(finals, ["rmse", "recall@10"]) == [long]
    one, other = final("ndcg@5", "recall@5"), final("recall@5", "ndcg@5")
    assert latest([one, other], ["ndcg@5"]) == latest([other, one], ["ndcg@5"]) == [one]


def test_what_is_not_complete_counts_for_nothing() -> None:
    assert latest([ONE, replace(BOTH, outcome="broken")], ["ndcg@5", "recall@5"]) == [ONE]


def test_runs_made_before_fits_had_keys_keep_their_last_record() -> None:
    first, second = final("ndcg@5", "recall@5", fit_key=""), final("ndcg@5", fit_key="")
    assert latest([first, second], ["ndcg@5", "recall@5"]) == [second]
