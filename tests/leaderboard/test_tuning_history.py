"""How a model was tuned: gains, edges, curves, importance, warnings."""

from __future__ import annotations

from dataclasses import replace

import boards
import pytest

from benchmark.leaderboard.notes import search_notes, stability_note
from benchmark.leaderboard.tuning_history import at_edge, importance, position_in
from benchmark.protocol import Choice, Hyperparameter, Range
from benchmark.records import Cost, Ending, ProbeOpened


def test_gain_of_tuning_is_the_best_validation_value_over_the_default() -> None:
    assert boards.search("a/b", 0.2, 0.5, 0.3).gain_over_default == pytest.approx(0.3)


def test_gain_of_tuning_of_an_error_is_positive_where_it_fell() -> None:
    history = boards.search("a/b", 0.9, 0.7, maximise=False)

    assert history.gain_over_default == pytest.approx(0.2)


def test_gain_of_tuning_without_a_value_of_the_default_does_not_exist() -> None:
    lines = (boards.trial(0, None), boards.trial(1, 0.5, config={"dim": 16}))
    assert boards.search("a/b", trials=lines).gain_over_default is None


def test_default_that_was_lost_and_tried_again_still_counts() -> None:
    lines = (boards.trial(1, 0.25), boards.trial(2, 0.5, config={"dim": 16}))
    assert boards.search("a/b", trials=lines).gain_over_default == 0.25


def test_core_seconds_are_those_of_trials_that_count() -> None:
    lines = (
        boards.trial(0, 0.25, core_s=1.5),
        boards.trial(1, None, core_s=4.0, outcome="lost"),
        boards.trial(2, None, core_s=2.0, outcome="oom"),
    )
    assert boards.search("a/b", trials=lines).core_s == 3.5


def test_core_seconds_of_the_first_look_count_as_its_device_seconds_do() -> None:
    opened = ProbeOpened(
        dataset="toy", model="a/b", study_key="k", entry="e", hold_s=4.0, trial=0, config={}, device="cpu"
    )
    probe = opened.closed(Ending("complete", "finished"), Cost(lease_s=2.0, charged_s=1.5, core_s=1.25))
    history = replace(boards.search("a/b", trials=(boards.trial(0, 0.25, core_s=1.5),)), probe=probe)
    assert history.core_s == 2.75


def test_trials_that_do_not_fit_were_not_started() -> None:
    lines = (boards.trial(0, None, outcome="does-not-fit"), boards.trial(1, 0.25))
    history = boards.search("a/b", trials=lines)
    assert (len(history.trials), history.started) == (2, 1)


def test_core_seconds_of_trials_that_recorded_none_are_unknown() -> None:
    assert boards.search("a/b", 0.25).core_s is None


def test_history_without_values_has_no_best_trial_and_no_gain() -> None:
    history = boards.search("a/b", None)
    assert (history.best, history.gain_over_default, history.still_improving) == (None, None, False)


@pytest.mark.parametrize(
    ("steps", "best", "stopped_by", "improving"),
    [
        ({1: 0.1, 2: 0.2}, 2, "hold", True),
        ({1: 0.1, 2: 0.2}, 2, None, True),
        ({1: 0.2, 2: 0.1}, 1, "patience", False),
        ({1: 0.2}, 1, None, False),
    ],
)
def test_still_improving_means_the_best_step_was_the_last_of_several(
    steps: dict[int, float], best: int, stopped_by: str | None, improving: bool
) -> None:
    line = boards.trial(0, 0.2, steps=steps, best_step=best, stopped_by=stopped_by)

    assert boards.search("a/b", trials=(line,)).still_improving is improving


@pytest.mark.parametrize(
    ("domain", "value", "edges"),
    [
        (Range(8, 256, log=True), 8, ["x=8"]),
        (Range(8, 256, log=True), 256, ["x=256"]),
        (Range(8, 256, log=True), 64, []),
        (Range(1e-8, 1e-4, log=True), 1.02e-08, ["x=1.02e-08"]),
        (Range(0.0, 0.8), 0.8, ["x=0.8"]),
        (Range(0, 1), 1, []),
        (Choice(True, False), True, []),
        (Choice("msd", "cosine"), "msd", []),
    ],
)
def test_at_edge_names_values_at_an_end_of_their_range(
    domain: Range | Choice, value: Hyperparameter, edges: list[str]
) -> None:
    assert at_edge({"x": domain}, {"x": value}) == edges


def test_position_in_a_negative_range_is_found() -> None:
    assert position_in(Range(-1.0, 1.0), 0.0) == 0.5


def test_curve_rises_only_and_counts_what_failed_trials_cost() -> None:
    assert list(boards.search("a/b", 0.2, None, 0.1, 0.4).curve()) == [(2.0, 0.2), (6.0, 0.2), (8.0, 0.4)]


def test_curve_does_not_count_refunded_trials() -> None:
    lines = (boards.trial(0, None, outcome="machine"), boards.trial(1, 0.3))

    assert list(boards.search("a/b", trials=lines).curve()) == [(2.0, 0.3)]


def test_importance_finds_the_hyperparameter_that_decides() -> None:
    lines = tuple(
        boards.trial(n, (n % 5) / 10, config={"lr": n % 5, "kind": "ab"[n % 2], "dim": 7 * n % 30})
        for n in range(30)
    )
    space = {"lr": Range(0, 4), "kind": Choice("a", "b"), "dim": Range(0, 30)}
    found = importance(boards.search("a/b", trials=lines, space=space))

    assert found["lr"] == pytest.approx(1.0)
    assert found["kind"] < 0.3
    assert found["dim"] < 0.5


def test_importance_of_a_deciding_choice_is_one() -> None:
    lines = tuple(boards.trial(n, float(n % 2), config={"kind": "ab"[n % 2]}) for n in range(20))

    assert importance(boards.search("a/b", trials=lines, space={"kind": Choice("a", "b")})) == {
        "kind": pytest.approx(1.0)
    }


def test_warnings_name_models_with_too_few_trials() -> None:
    found = list(search_notes([boards.row("a/b", 0.3, 1)], [boards.search("a/b", 0.1, 0.2, 0.3)]))

    assert len(found) == 1
    assert found[0].is_warning
    assert found[0].text == "under-tuned, fewer than 10 trials: a/b (3)."


def test_warnings_spare_models_with_nothing_to_tune() -> None:
    assert list(search_notes([boards.row("a/b", 0.3, 1)], [boards.search("a/b", 0.1, space={})])) == []


def test_warnings_name_unused_budget_edges_and_rising_fits() -> None:
    row = boards.row("a/b", 0.3, 1, at_edge="dim=8", still_improving=True)
    search = boards.search("a/b", *[0.1] * 10, unused_s=20.0, ended="no trial fits")
    found = " ".join(note.text for note in search_notes([row], [search]))

    assert "a/b 20 s (no trial fits)" in found
    assert "a/b dim=8" in found
    assert "still improving" in found
    assert "under-tuned" not in found


@pytest.mark.parametrize(("share", "warned"), [(0.7, True), (0.99, False)])
def test_unstable_first_place_is_told_beside_its_no_difference_value(share: float, warned: bool) -> None:
    first = boards.row("a/b", 0.3, 1, first_places=share, first_places_if_equal=0.5)
    found = list(stability_note([first, boards.row("c/d", 0.2, 2)]))

    assert bool(found) is warned
    assert not warned or "only 70% of bootstrap resamples of users and seeds (50% expected" in found[0].text
