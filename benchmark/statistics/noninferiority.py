"""Which models are shown to be no worse than the reference by more than a margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import StatisticsError
from benchmark.protocol import Values
from benchmark.statistics.intervals import bca_ends, influence_skew
from benchmark.statistics.resample import Matrix, finite, resampled_sums
from benchmark.statistics.seeds import seed_variance

Method: TypeAlias = Literal["bootstrap-t", "bca"]


@dataclass(frozen=True)
class NonInferiority:
    """The losses against the reference and what they may be at most.

    Attributes:
        loss: (M,) mean of the reference - mean of the model.
        bound: (M,) simultaneous one-sided upper bound of the loss.
        margin: the largest loss allowed, relative margin times the mean of the reference.
        shown: (M,) whether bound < margin.
    """

    loss: Values
    bound: Values
    margin: float
    shown: NDArray[np.bool_]


def noninferiority(  # noqa: PLR0913 - the options of every bound, by keyword
    reference: Matrix,
    models: Sequence[Matrix],
    margin: float = 0.03,
    *,
    deterministic: Sequence[bool] = (),
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
    method: Method = "bootstrap-t",
) -> NonInferiority:
    """Return simultaneous one-sided bounds on reference - model for M models, higher values being better.

    The margin is relative and the reference's mean is itself uncertain, so what is bounded is the mean of
    (1 - margin) * reference - model per user: below 0 is non-inferior. The bounds shown are these
    plus margin * mean(reference).

    "bootstrap-t" (Efron & Tibshirani 1993, section 12.5) takes the quantile of the least studentised
    deviation over all models (Romano & Wolf 2005), seeds included: the variance of the means over seeds is
    added and drawn along. "bca" (Efron 1987) divides 1 - level by M (Bonferroni), for users alone.

    Args:
        reference: (S, U), one row a training.
        models: (S_m, U) for each of M models, the same users.
        margin: relative, 0.03 for 3 %.
        deterministic: (1 + M,) whether the seed changes nothing, the reference first; () for models
            whose seeds are not counted, the bounds being "for these trained models".
        level: of all bounds together.
        draws: how many.
        seed: of the draws.
        method: "bootstrap-t" or "bca".

    Raises:
        StatisticsError: no model, other users, a margin that is not positive, seeds with "bca".

    >>> users = np.random.default_rng(0).random(500)
    >>> noninferiority(users[None], [users[None] - 0.001, users[None] - 0.1]).shown.tolist()
    [True, False]
    """
    trained = [np.atleast_2d(finite("non-inferiority", rows)) for rows in (reference, *models)]
    _check(trained, margin, deterministic, method)
    per_user = np.stack([rows.mean(axis=0) for rows in trained])
    losses = (1 - margin) * per_user[0] - per_user[1:]
    if method == "bca":
        upper = _bca(losses, level, draws, seed)
    else:
        seeds = [
            seed_variance(rows, deterministic=same)
            for rows, same in zip(trained, deterministic, strict=False)
        ]
        upper = _bootstrap_t(losses, seeds, 1 - margin, level=level, draws=draws, seed=seed)
    allowed = margin * float(per_user[0].mean())
    loss = per_user[0].mean() - per_user[1:].mean(axis=1)
    return NonInferiority(loss, upper + allowed, allowed, upper < 0)


def _bca(losses: Matrix, level: float, draws: int, seed: int) -> Values:
    means = resampled_sums(losses.T, draws, seed) / losses.shape[1]
    two_sided = 1 - 2 * (1 - level) / len(losses)
    upper: Values = bca_ends(means, losses.mean(axis=1), influence_skew(losses), two_sided)[:, 1]
    return upper


def _bootstrap_t(
    losses: Matrix, seeds: Sequence[tuple[float, int]], share: float, *, level: float, draws: int, seed: int
) -> Values:
    n_models, n_users = losses.shape
    centred = losses - losses.mean(axis=1, keepdims=True)
    sums = resampled_sums(np.concatenate([centred, centred**2]).T, draws, seed) / n_users
    deviation, squares = sums[:, :n_models], sums[:, n_models:]
    drawn_variance = (squares - deviation**2) / (n_users - 1)
    variance = centred.var(axis=1, ddof=1) / n_users
    if seeds:
        effect, estimate = _drawn_seeds(seeds, draws, seed)
        variance = variance + share**2 * seeds[0][0] + np.array([part for part, _ in seeds[1:]])
        drawn_variance = drawn_variance + share**2 * estimate[:, :1] + estimate[:, 1:]
        deviation = deviation + share * effect[:, :1] - effect[:, 1:]
    scale = np.sqrt(np.maximum(drawn_variance, 0.0))
    studentised = np.where(scale > 0, deviation / np.where(scale > 0, scale, 1.0), 0.0)
    least = np.quantile(studentised.min(axis=1), 1 - level)
    upper: Values = losses.mean(axis=1) - least * np.sqrt(variance)
    return upper


def _drawn_seeds(seeds: Sequence[tuple[float, int]], draws: int, seed: int) -> tuple[Matrix, Matrix]:
    """Return drawn seed effects and drawn estimates of their variances, both (draws, 1 + M)."""
    rng = np.random.default_rng([seed, 1])
    variances = np.array([part for part, _ in seeds])
    freedom = np.maximum([df for _, df in seeds], 1)
    effects = rng.standard_normal((draws, len(seeds))) * np.sqrt(variances)
    return effects, variances * rng.chisquare(freedom, (draws, len(seeds))) / freedom


def _check(trained: Sequence[Matrix], margin: float, deterministic: Sequence[bool], method: Method) -> None:
    if len(trained) < 2 or len({rows.shape[1] for rows in trained}) != 1:
        raise StatisticsError(
            "non-inferiority: at least one model is needed, with the users of the reference."
        )
    if not 0 < margin < 1:
        raise StatisticsError(
            f"non-inferiority: the margin is {margin}; it must be between 0 and 1 (relative)."
        )
    if deterministic and (method == "bca" or len(deterministic) != len(trained)):
        raise StatisticsError(
            f"non-inferiority: {len(deterministic)} values of deterministic for {len(trained)} models with"
            f" {method}; give one for each, the reference first, and use bootstrap-t."
        )
