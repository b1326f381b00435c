"""Searches that found nothing are flagged, and healthy ones are not."""

from __future__ import annotations

import boards
import numpy as np
import pytest
from written_run import Written, WrittenRun

from benchmark.leaderboard import board
from benchmark.leaderboard.search_faults import is_chance, same_board_notes, same_value_notes


def search(*values: float | None, differing: bool = True):
    """Return a search with one trial a value, each with a setting of its own."""
    settings = [{"dim": 8 + number * differing} for number in range(len(values))]
    trials = tuple(
        boards.trial(number, value, config=config)
        for number, (value, config) in enumerate(zip(values, settings, strict=True))
    )
    return boards.search("a/b", trials=trials)


def test_every_trial_the_same_over_differing_settings_is_a_warning():
    (note,) = same_value_notes([search(0.25, 0.25, None, 0.25 + 1e-15)])
    assert note.is_warning
    assert note.text.startswith(
        "every trial the same: a/b has 0.25 on validation with 3 different settings. What was tuned changes"
    )


@pytest.mark.parametrize(
    "values", [(0.25, 0.26), (0.25,), (None, 0.25), (), (0.0, 1e-3), (0.25, 0.25 + 1e-6)]
)
def test_searches_that_differ_or_tried_one_setting_are_not_flagged(values):
    assert list(same_value_notes([search(*values)])) == []
    assert list(same_value_notes([search(0.2, 0.2, differing=False)])) == []


def test_every_trial_at_zero_is_the_same_too():
    assert len(list(same_value_notes([search(0.0, 0.0, 0.0)]))) == 1


def test_a_board_of_equal_models_is_a_warning():
    (note,) = same_board_notes([boards.row("a/b", 0.5, 1), boards.row("c/d", 0.5, 2)])
    assert "all 2 models have the same ndcg@10 (0.5) on test" in note.text
    assert list(same_board_notes([boards.row("a/b", 0.5, 1), boards.row("c/d", 0.4, 2)])) == []
    assert list(same_board_notes([boards.row("a/b", 0.5, 1)])) == []


def scores(mean: float, seed: int):
    """Return values of 16 users about a mean."""
    return (mean + np.random.default_rng(seed).normal(0, 0.1, 16)).tolist()


def notes_of(tmp_path, *models):
    return board(WrittenRun(models, None).write(tmp_path / "run")).tables[0].notes


def test_a_model_no_better_than_random_lists_is_a_warning_and_a_better_one_is_not(tmp_path):
    notes = notes_of(
        tmp_path,
        Written("baselines/random", [scores(0.2, 1)]),
        Written("lib/lost", [scores(0.2, 2)]),
        Written("lib/good", [scores(0.6, 3)]),
        Written("lib/rater", [scores(0.2, 4)], feedback="explicit"),
    )
    (warned,) = [note for note in notes if note.text.startswith("no better than chance")]
    assert warned.is_warning
    assert warned.text.startswith(
        "no better than chance: lib/lost: cannot be told from baselines/random on ndcg@2."
    )
    (told,) = [note for note in notes if note.text.startswith("lib/rater: its lists")]
    assert not told.is_warning


def test_without_the_random_baseline_chance_is_not_known(tmp_path):
    notes = notes_of(tmp_path, Written("lib/a", [scores(0.2, 1)]), Written("lib/b", [scores(0.2, 2)]))
    assert not any("chance" in note.text for note in notes)


def test_chance_is_a_mean_within_its_error():
    assert is_chance(np.zeros(9))
    assert is_chance(np.full(9, -0.1))
    assert not is_chance(np.full(9, 0.1))
    assert not is_chance(np.array([0.0]))
