"""Which differences between the models of one table are more than chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from benchmark.leaderboard.rows import BoardRow, PairRow
from benchmark.leaderboard.table import DRAWS
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
    """All comparisons of the models of a table that have a result.

    Attributes:
        models: their names, best first.
        finals: their per-user values.
        deterministic: which models the seed does not change.
        alpha: level of the family.
        unshown: comparisons that belong to the family, though their models have no row: Holm counts them.
    """

    models: Sequence[str]
    finals: PerUserScores
    deterministic: Mapping[str, bool]
    alpha: float
    unshown: int = 0

    def __post_init__(self) -> None:
        self.scores = {model: self.finals.seeds_by_users(model) for model in self.models}
        self.primary = self.finals.primary
        self.sign = 1.0 if self.primary.higher_is_better else -1.0
        chance = [
            seed_variance(values, deterministic=self.is_fixed(model)) for model, values in self.scores.items()
        ]
        self.variances, self.freedoms = (np.array(column) for column in zip(*chance, strict=True))
        self.means = self.sign * np.stack([self.scores[model].mean(axis=0) for model in self.models])

    @cached_property
    def adjusted(self) -> Matrix:
        """Adjusted p of all pairs of models (M, M), corrected over all of them (max-T)."""
        if len(self.means) == 1:
            return np.full((1, 1), np.nan)
        return joint_permutation(
            self.means, draws=DRAWS, seed_variances=self.variances, seed_df=self.freedoms
        )

    def is_fixed(self, model: str) -> bool:
        """Return whether seeds add no chance: they change nothing, or there is but one."""
        return self.deterministic[model] or len(self.scores[model]) == 1

    def standings(self, rows: Sequence[BoardRow]) -> list[BoardRow]:
        """Return the rows with what needs no reference: the set of the best, the share of first places."""
        members = ~separated(self.means, self.adjusted, level=1 - self.alpha)
        first = share_of_first_places([self.sign * self.scores[model] for model in self.models], draws=DRAWS)
        return [
            replace(row, best_set=bool(best), first_places=float(share), first_places_if_equal=float(equal))
            for row, best, share, equal in zip(rows, members, first.share, first.expected, strict=True)
        ]

    def against(self, reference: str, rows: Sequence[BoardRow]) -> list[BoardRow]:
        """Return the rows, each model but the reference compared with it."""
        others = [row.model for row in rows if row.model != reference]
        if not others:
            return list(rows)
        verdicts = {model: self.verdict(model, reference) for model in others}
        seed_aware_p = self.corrected(np.array([verdict.p for verdict in verdicts.values()]))
        its = self.scores[reference].mean(axis=0)
        differences = np.stack([self.scores[model].mean(axis=0) - its for model in others])
        trained_p = self.corrected(paired_permutations(differences, draws=DRAWS, seed=0))
        adjusted = {
            model: (float(p), float(these))
            for model, p, these in zip(others, seed_aware_p, trained_p, strict=True)
        }
        compared = []
        for row in rows:
            if row.model == reference:
                compared.append(row)
                continue
            p, these = adjusted[row.model]
            with_effect = self._with_effect(row, reference, verdicts[row.model], len(others) + self.unshown)
            compared.append(replace(with_effect, p_vs_reference=p, p_these_models=these))
        return compared

    def corrected(self, p: Values) -> Values:
        """Return p-values (m,) by Holm; what is not shown stays in the family to its end, as if p were 1."""
        return holm(np.concatenate([p, np.ones(self.unshown)]))[: len(p)]

    def _with_effect(self, row: BoardRow, reference: str, verdict: Verdict, comparisons: int) -> BoardRow:
        """Return a row with its difference to the reference, and what could have been seen of it."""
        mine, its = (self.scores[model].mean(axis=0) for model in (row.model, reference))
        scale = self.scale(row.model, reference)
        pair = [self.models.index(model) for model in (row.model, reference)]
        detectable = smallest_detectable(
            float((mine - its).std(ddof=1)),
            len(mine),
            self.alpha,
            comparisons,
            seed_variance=float(self.variances[pair].sum()),
        )
        value = self.finals.value(self.primary, reference)
        return replace(
            row,
            diff_to_reference=verdict.difference / scale,
            diff_low=verdict.low / scale,
            diff_high=verdict.high / scale,
            relative_diff=verdict.difference / scale / value if value else None,
            users_better=effect(self.sign * mine, self.sign * its).better,
            smallest_detectable=detectable / scale,
        )

    def verdict(self, model: str, reference: str) -> Verdict:
        """Return the seed-aware verdict on model - reference, in units of the contributions."""
        return seed_aware(
            self.scores[model],
            self.scores[reference],
            level=1 - self.alpha,
            deterministic_a=self.is_fixed(model),
            deterministic_b=self.is_fixed(reference),
        )

    def scale(self, a: str, b: str) -> float:
        """Return the divisor that turns a difference of contributions into one of the metric.

        MSE difference = RMSE difference × sum of both RMSE.
        """
        if self.primary.base != "rmse":
            return 1.0
        return math.sqrt(self.scores[a].mean()) + math.sqrt(self.scores[b].mean()) or 1.0

    def pairs(self, dataset: str) -> tuple[PairRow, ...]:
        """Return all pairs of models with their difference and p, corrected over all pairs (max-T)."""
        means = {model: float(values.mean()) for model, values in self.scores.items()}
        numbered = combinations(enumerate(self.models), 2)
        return tuple(
            PairRow(
                dataset=dataset,
                a=a,
                b=b,
                difference=(means[a] - means[b]) / self.scale(a, b),
                p=float(self.adjusted[i, j]),
            )
            for (i, a), (j, b) in numbered
        )
