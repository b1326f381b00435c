"""Searches that found nothing: every trial the same, or a best that chance reaches too."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmark.leaderboard.rows import BoardRow
from benchmark.leaderboard.tuning_history import TuningHistory
from benchmark.leaderboard.user_scores import PerUserScores
from benchmark.records import Note, StudyRecord, warning

SAME = 1e-9
"""Relative difference below which two values are one, but for the order in which numbers were added."""
CHANCE = 1.96
"""A mean difference within so many standard errors of 0 is chance, at the level of 5 %."""
RANDOM = "baselines/random"


def same_value_notes(searches: Sequence[TuningHistory]) -> Iterator[Note]:
    """Flag searches in which every setting had the same validation value."""
    found = [text for one in searches if (text := same_values(one)) is not None]
    if found:
        yield warning(
            f"every trial the same: {'; '.join(found)}. What was tuned changes nothing: the model may not "
            "learn from this log, or ignore its hyperparameters; its row says nothing about it."
        )


def same_values(search: TuningHistory) -> str | None:
    """Return that all trials of several settings have one value; None if they do not."""
    settings = {json.dumps(dict(trial.config), sort_keys=True) for trial, _ in search.scored}
    values = [value for _, value in search.scored]
    if not search.space or len(settings) < 2 or not all(map(math.isfinite, values)):
        return None
    if max(values) - min(values) > SAME * max(map(abs, values)):
        return None
    return f"{search.model} has {values[0]:.4g} on validation with {len(settings)} different settings"


def same_board_notes(ranked: Sequence[BoardRow]) -> Iterator[Note]:
    """Flag a board on which all models have the same value."""
    scores = [row.score for row in ranked]
    if len(scores) > 1 and max(scores) - min(scores) <= SAME * max(map(abs, scores)):
        yield warning(
            f"all {len(scores)} models have the same {ranked[0].primary} ({scores[0]:.4g}) on test: it "
            "cannot tell them apart on this split; choose another metric, or another split."
        )


def at_chance_notes(
    ranked: Sequence[BoardRow], studies: Mapping[str, StudyRecord], finals: PerUserScores
) -> Iterator[Note]:
    """Flag models that are no better than random lists: the mean difference over users is within chance.

    Rating models rank badly by nature, so that of them it is no more than a remark.
    """
    floor = next((row.model for row in ranked if studies[row.model].adapter == RANDOM), None)
    if floor is None:
        return
    chance = finals.seeds_by_users(floor).mean(axis=0)
    sign = 1 if finals.primary.higher_is_better else -1
    found = [
        row.model
        for row in ranked
        if row.model != floor and is_chance(sign * (finals.seeds_by_users(row.model).mean(axis=0) - chance))
    ]
    rankers = [model for model in found if studies[model].feedback == "implicit"]
    if rankers:
        yield warning(
            f"no better than chance: {', '.join(rankers)}: cannot be told from {floor} on "
            f"{finals.primary.name}. Such a model has learned nothing from this log, or there is nothing "
            "to learn."
        )
    for model in found:
        if model not in rankers:
            yield Note(f"{model}: its lists cannot be told from {floor}; judge a rating model by RMSE.")


def is_chance(differences: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    """Return whether the mean of differences (U,) is no more than chance above 0.

    >>> is_chance(np.array([0.1, -0.1, 0.2, -0.2])), is_chance(np.full(4, 0.1))
    (True, False)
    """
    if len(differences) < 2:
        return False
    error = float(differences.std(ddof=1)) / math.sqrt(len(differences))
    return float(differences.mean()) <= CHANCE * error
