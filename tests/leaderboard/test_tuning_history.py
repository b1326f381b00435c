"""How a model was tuned: gains, edges, curves, importance, warnings."""

from __future__ import annotations

import boards
import pytest

from benchmark.leaderboard.notes import search_warnings, stability_note
from benchmark.leaderboard.tuning_history import at_edge, fairness, importance, place


def test_fairness_gain_is_the_best_validation_value_over_the_default() -> None:
    assert fairness(boards.search("a/b", 0.2, 0.5, 0.3))["valid_gain_over_default"] == pytest.approx(0.3)


def test_fairness_gain_of_an_error_is_positive_where_it_fell() -> None:
    found = fairness(boards.search("a/b", 0.9, 0.7, maximise=False))

    assert found["valid_gain_over_default"] == pytest.approx(0.2)


def test_fairness_without_a_value_of_the_default_has_no_gain() -> None:
    lines = (boards.trial(0, None), boards.trial(1, 0.5, config={"dim": 16}))
    assert fairness(boards.search("a/b", trials=lines))["valid_gain_over_default"] is None


def test_fairness_default_that_was_lost_and_tried_again_still_counts() -> None:
    lines = (boards.trial(1, 0.25), boards.trial(2, 0.5, config={"dim": 16}))
    assert fairness(boards.search("a/b", trials=lines))["valid_gain_over_default"] == 0.25


def test_fairness_of_a_search_without_values_is_empty() -> None:
    assert fairness(boards.search("a/b", None)) == {}


@pytest.mark.parametrize(
    ("steps", "best", "stopped_by", "improving"),
    [
        ({"1": 0.1, "2": 0.2}, 2, "hold", True),
        ({"1": 0.1, "2": 0.2}, 2, None, True),
        ({"1": 0.2, "2": 0.1}, 1, "patience", False),
        ({"1": 0.2}, 1, None, False),
    ],
)
def test_fairness_still_improving_means_the_best_step_was_the_last_of_several(
    steps: dict[str, float], best: int, stopped_by: str | None, improving: bool
) -> None:
    line = boards.trial(0, 0.2, steps=steps, best_step=best, stopped_by=stopped_by)

    assert fairness(boards.search("a/b", trials=(line,)))["still_improving"] is improving


@pytest.mark.parametrize(
    ("domain", "value", "edges"),
    [
        ("8..256 log", 8, ["x=8"]),
        ("8..256 log", 256, ["x=256"]),
        ("8..256 log", 64, []),
        ("1e-08..0.0001 log", 1.02e-08, ["x=1.02e-08"]),
        ("0..0.8", 0.8, ["x=0.8"]),
        ("0..1", 1, []),
        ("True | False", True, []),
        ("msd | cosine", "msd", []),
    ],
)
def test_at_edge_names_values_at_an_end_of_their_range(domain: str, value: object, edges: list[str]) -> None:
    assert at_edge({"x": domain}, {"x": value}) == edges


def test_place_of_a_negative_range_is_found() -> None:
    assert place("-1..1", 0.0) == 0.5


def test_curve_rises_only_and_counts_what_failed_trials_cost() -> None:
    assert list(boards.search("a/b", 0.2, None, 0.1, 0.4).curve()) == [(2.0, 0.2), (6.0, 0.2), (8.0, 0.4)]


def test_curve_does_not_count_refunded_trials() -> None:
    lines = (boards.trial(0, None, outcome="infrastructure"), boards.trial(1, 0.3))

    assert list(boards.search("a/b", trials=lines).curve()) == [(2.0, 0.3)]


def test_importance_finds_the_hyperparameter_that_decides() -> None:
    lines = tuple(
        boards.trial(n, (n % 5) / 10, config={"lr": n % 5, "kind": "ab"[n % 2], "dim": 7 * n % 30})
        for n in range(30)
    )
    space = {"lr": "0..4", "kind": "a | b", "dim": "0..30"}
    found = importance(boards.search("a/b", trials=lines, space=space))

    assert found["lr"] == pytest.approx(1.0)
    assert found["kind"] < 0.3
    assert found["dim"] < 0.5


def test_importance_of_a_deciding_choice_is_one() -> None:
    lines = tuple(boards.trial(n, float(n % 2), config={"kind": "ab"[n % 2]}) for n in range(20))

    assert importance(boards.search("a/b", trials=lines, space={"kind": "a | b"})) == {
        "kind": pytest.approx(1.0)
    }


def test_warnings_name_models_with_too_few_trials() -> None:
    found = list(search_warnings([boards.row("a/b", 0.3, 1)], [boards.search("a/b", 0.1, 0.2, 0.3)]))

    assert len(found) == 1
    assert "under-tuned" in found[0]
    assert "a/b 3" in found[0]


def test_warnings_spare_models_with_nothing_to_tune() -> None:
    assert list(search_warnings([boards.row("a/b", 0.3, 1)], [boards.search("a/b", 0.1, space={})])) == []


def test_warnings_name_unused_budget_edges_and_rising_fits() -> None:
    row = boards.row("a/b", 0.3, 1, at_edge="dim=8", still_improving=True)
    search = boards.search("a/b", *[0.1] * 10, unused_s=20.0, ended="no trial fits")
    found = " ".join(search_warnings([row], [search]))

    assert "a/b 20 s (no trial fits)" in found
    assert "a/b dim=8" in found
    assert "still improving" in found
    assert "under-tuned" not in found


@pytest.mark.parametrize(("share", "warned"), [(0.7, True), (0.99, False)])
def test_unstable_first_place_is_told_beside_its_no_difference_value(share: float, warned: bool) -> None:
    first = boards.row("a/b", 0.3, 1, first_places=share, first_places_if_equal=0.5)
    found = list(stability_note([first, boards.row("c/d", 0.2, 2)]))

    assert bool(found) is warned
    assert not warned or "70% of redraws of users and seeds (50% if no model differed)" in found[0]
