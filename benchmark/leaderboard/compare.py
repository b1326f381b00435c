"""Which differences between the models of one table are more than chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from benchmark.leaderboard.table import DRAWS, Row
from benchmark.leaderboard.user_scores import PerUserScores
from benchmark.protocol import Values
from benchmark.statistics.best_set import separated
from benchmark.statistics.effects import effect, smallest_detectable
from benchmark.statistics.holm import holm
from benchmark.statistics.permutation import joint_permutation, paired_permutations
from benchmark.statistics.resample import Matrix
from benchmark.statistics.seeds import Verdict, seed_aware, seed_variance, share_of_first_places


@dataclass
class Comparison:
    """All comparisons of the ranked rows of a table.

    Attributes:
        ranked: rows with a result, best first; the comparisons are written into them.
        finals: their per-user values.
        deterministic: which models the seed does not change.
        alpha: level of the family.
    """

    ranked: list[Row]
    finals: PerUserScores
    deterministic: dict[str, bool]
    alpha: float

    def __post_init__(self) -> None:
        self.models = [row["model"] for row in self.ranked]
        self.scores = {model: self.finals.seeds_by_users(model) for model in self.models}
        self.primary = self.finals.primary
        self.sign = 1.0 if self.primary.higher_is_better else -1.0
        chance = [
            seed_variance(values, deterministic=self.fixed(model)) for model, values in self.scores.items()
        ]
        self.variances, self.freedoms = (np.array(column) for column in zip(*chance, strict=True))
        self.means = self.sign * np.stack([self.scores[model].mean(axis=0) for model in self.models])

    @cached_property
    def _adjusted(self) -> Matrix:
        """Adjusted p of all pairs of models (M, M), corrected over all of them (max-T)."""
        if len(self.means) == 1:
            return np.full((1, 1), np.nan)
        return joint_permutation(
            self.means, draws=DRAWS, seed_variances=self.variances, seed_df=self.freedoms
        )

    def fixed(self, model: str) -> bool:
        """Return whether seeds add no chance: they change nothing, or there is but one."""
        return self.deterministic[model] or len(self.scores[model]) == 1

    def fill(self, reference: str | None) -> None:
        """Fill every column that compares; without a result of the reference, only those that need none."""
        members = ~separated(self.means, self._adjusted, level=1 - self.alpha)
        first = share_of_first_places([self.sign * self.scores[model] for model in self.models], draws=DRAWS)
        for place, row in enumerate(self.ranked):
            row["best_set"] = bool(members[place])
            row["first_places"] = float(first.share[place])
            row["first_places_if_equal"] = float(first.expected[place])
        others = [row for row in self.ranked if row["model"] != reference]
        if reference is None or reference not in self.scores or not others:
            return
        flips = [
            self.scores[row["model"]].mean(axis=0) - self.scores[reference].mean(axis=0) for row in others
        ]
        for row, p in zip(others, paired_permutations(np.stack(flips), draws=DRAWS, seed=0), strict=True):
            self._against(row, reference, len(others))
            row["p_these_models"] = float(p)
        for column in ("p_vs_reference", "p_these_models"):
            adjusted = holm(np.array([row[column] for row in others]))
            for row, value in zip(others, adjusted, strict=True):
                row[column] = float(value)

    def _against(self, row: Row, reference: str, comparisons: int) -> None:
        mine, its = self.scores[row["model"]], self.scores[reference]
        verdict, scale = self.verdict(row["model"], reference), self.scale(row["model"], reference)
        per_user = mine.mean(axis=0) - its.mean(axis=0)
        size = effect(self.sign * mine.mean(axis=0), self.sign * its.mean(axis=0))
        both = [self.models.index(row["model"]), self.models.index(reference)]
        detectable = smallest_detectable(
            float(per_user.std(ddof=1)),
            len(per_user),
            self.alpha,
            comparisons,
            seed_variance=float(self.variances[both].sum()),
        )
        row["diff_to_reference"] = verdict.difference / scale
        row["diff_low"], row["diff_high"] = verdict.low / scale, verdict.high / scale
        row["p_vs_reference"] = verdict.p
        base = self.finals.value(self.primary, reference)
        row["relative_diff"] = row["diff_to_reference"] / base if base else None
        row["users_better"] = size.better
        row["smallest_detectable"] = detectable / scale

    def verdict(self, model: str, reference: str) -> Verdict:
        """Return the seed-aware verdict on model - reference, in units of the contributions."""
        return seed_aware(
            self.scores[model],
            self.scores[reference],
            level=1 - self.alpha,
            deterministic_a=self.fixed(model),
            deterministic_b=self.fixed(reference),
        )

    def scale(self, a: str, b: str) -> float:
        """Return what a difference of contributions is divided by to be one of the metric.

        MSE difference = RMSE difference × sum of both RMSE.
        """
        if self.primary.base != "rmse":
            return 1.0
        return math.sqrt(self.scores[a].mean()) + math.sqrt(self.scores[b].mean()) or 1.0

    def pairs(self) -> list[Row]:
        """Return all pairs of models with their difference and p, corrected over all pairs (max-T)."""
        return [self._pair(i, j, self._adjusted) for i, j in combinations(range(len(self.models)), 2)]

    def _pair(self, i: int, j: int, adjusted: Values) -> Row:
        a, b = self.models[i], self.models[j]
        difference = float(self.scores[a].mean() - self.scores[b].mean()) / self.scale(a, b)
        return {"a": a, "b": b, "difference": difference, "p": float(adjusted[i, j])}
