"""Which models are shown to be no worse than the reference by more than a margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import StatisticsError
from benchmark.protocol import Values
from benchmark.statistics.resample import Matrix, finite, resampled_sums
from benchmark.statistics.seeds import drawn_seed_effects, seed_variance


@dataclass(frozen=True)
class NonInferiority:
    """The losses against the reference, and how large they may be.

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


def noninferiority(  # noqa: PLR0913 - the options of the bound, by keyword
    reference: Matrix,
    models: Sequence[Matrix],
    margin: float = 0.03,
    *,
    deterministic: Sequence[bool] = (),
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> NonInferiority:
    """Return simultaneous one-sided bounds on reference - model for M models, higher values being better.

    The margin is relative and the reference's mean is itself uncertain, so the bounded quantity is the mean
    of (1 - margin) * reference - model per user: below 0 is non-inferior. The bounds returned are these plus
    margin * mean(reference).

    A bootstrap-t (Efron & Tibshirani 1993, section 12.5): the quantile of the least studentised deviation
    over all models (Romano & Wolf 2005). Where seeds count, the variance of the means over seeds is added,
    and drawn with the users.

    Args:
        reference: (S, U), one row a training.
        models: (S_m, U) for each of M models, the same users.
        margin: relative, 0.03 for 3 %.
        deterministic: (1 + M,) whether the seed changes nothing, the reference first; () for models
            whose seeds are not counted, the bounds being "for these trained models".
        level: of all bounds together.
        draws: how many.
        seed: of the draws.

    Raises:
        StatisticsError: no model, other users, a margin that is not between 0 and 1, or ``deterministic`` of
            another length.

    >>> users = np.random.default_rng(0).random(500)
    >>> noninferiority(users[None], [users[None] - 0.001, users[None] - 0.1]).shown.tolist()
    [True, False]
    """
    trained = [np.atleast_2d(finite("non-inferiority", rows)) for rows in (reference, *models)]
    if len(trained) < 2 or len({rows.shape[1] for rows in trained}) != 1:
        raise StatisticsError(
            "non-inferiority: at least one model is needed, with the users of the reference."
        )
    if not 0 < margin < 1:
        raise StatisticsError(
            f"non-inferiority: the margin is {margin}; it must be between 0 and 1 (relative)."
        )
    if deterministic and len(deterministic) != len(trained):
        raise StatisticsError(
            f"non-inferiority: {len(deterministic)} values of deterministic for {len(trained)} models;"
            " give one for each, the reference first."
        )
    per_user = np.stack([rows.mean(axis=0) for rows in trained])
    share = 1 - margin
    losses = share * per_user[0] - per_user[1:]
    n_models, n_users = losses.shape
    # How far the mean loss of every draw of users is from the observed one, and the draw's own estimate of
    # its variance.
    centred = losses - losses.mean(axis=1, keepdims=True)
    sums = resampled_sums(np.concatenate([centred, centred**2]).T, draws, seed) / n_users
    deviation, squares = sums[:, :n_models], sums[:, n_models:]
    drawn_variance = (squares - deviation**2) / (n_users - 1)
    variance = centred.var(axis=1, ddof=1) / n_users
    if deterministic:
        # The same for seeds: those of the reference, times its share, and those of each model.
        chance = [
            seed_variance(rows, deterministic=same) for rows, same in zip(trained, deterministic, strict=True)
        ]
        over_seeds = np.array([part.variance for part in chance])
        effect, estimate = drawn_seed_effects(over_seeds, [part.df for part in chance], draws, seed)
        variance = variance + share**2 * over_seeds[0] + over_seeds[1:]
        drawn_variance = drawn_variance + share**2 * estimate[:, :1] + estimate[:, 1:]
        deviation = deviation + share * effect[:, :1] - effect[:, 1:]
    # Studentised, one quantile of the least over all models bounds every one of them.
    scale = np.sqrt(np.maximum(drawn_variance, 0.0))
    studentised = np.where(scale > 0, deviation / np.where(scale > 0, scale, 1.0), 0.0)
    least = np.quantile(studentised.min(axis=1), 1 - level)
    upper: Values = losses.mean(axis=1) - least * np.sqrt(variance)
    # Back from (1 - margin) * reference to the reference itself.
    allowed = margin * float(per_user[0].mean())
    loss = per_user[0].mean() - per_user[1:].mean(axis=1)
    return NonInferiority(loss, upper + allowed, allowed, upper < 0)
