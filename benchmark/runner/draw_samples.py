"""How many users validation and finals take, drawn before any model is trained, and stored with the split."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.log import Part
from benchmark.datasets.manifest import SplitManifest, UserSample
from benchmark.datasets.store.candidates import candidates_for, load_negatives, save_array
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.user_samples import (
    ASKED,
    asked_users,
    drawn_users,
    finals_users,
    load_users,
    restricted,
    store_users,
    users_of,
    users_path,
    users_sha256,
)
from benchmark.errors import DataError
from benchmark.fit import batches
from benchmark.long_columns import count_rows
from benchmark.metrics.register import Metric, parse_metric
from benchmark.protocol import Ids, Interactions, Values
from benchmark.suite import Suite
from benchmark.suite.advice import AUTO_USERS

ERROR = 0.003
"""Standard error of popularity's value that ``auto`` aims at."""


@dataclass(frozen=True)
class Spread:
    """How much values differ between users.

    Attributes:
        sd: standard deviation over the users who have a value; None if there is one of these.
        share: of the users, who have one.
    """

    sd: float | None
    share: float

    @property
    def wanted(self) -> int:
        """How many users make the standard error of a mean what ``auto`` aims at."""
        return math.ceil(((self.sd or 0.0) / ERROR) ** 2)

    def error(self, users: int) -> float | None:
        """Return the standard error of the mean over those of so many users who have a value."""
        return self.sd / math.sqrt(self.share * users) if self.sd else None


def with_samples(
    manifest: SplitManifest, folder: Path, suite: Suite, least: int = AUTO_USERS
) -> SplitManifest:
    """Draw the users of validation and of finals as a suite says, store them with the split, and say so.

    Args:
        manifest: of the stored split, with its candidates.
        folder: of the stored split, with the negatives of sampled metrics.
        suite: how many, and by which metric.
        least: users that ``auto`` takes at the least.

    Raises:
        DataError: nobody drawn for validation has anything to find.
    """
    valid, test = manifest.valid_sample, manifest.test_sample
    if valid is None or valid.wanted != suite.metrics.valid_users or not is_stored(folder, "valid", valid):
        valid = validation_sample(manifest, folder, suite, least)
    if test is None or test.wanted != suite.finals.users or not is_stored(folder, "test", test):
        test = finals_sample(manifest, folder, suite)
    return replace(manifest, valid_sample=valid, test_sample=test)


def is_stored(folder: Path, part: Part, sample: UserSample) -> bool:
    """Return whether the drawn users of a part lie beside the split, and of test those asked about."""
    if not users_path(folder, part).is_file() or users_sha256(load_users(folder, part)) != sample.sha256:
        return False
    return part == "valid" or bool(
        (folder / ASKED).is_file() and np.isin(load_users(folder, part), finals_users(folder)).all()
    )


def finals_sample(manifest: SplitManifest, folder: Path, suite: Suite) -> UserSample | None:
    """Return the users that finals are scored on, and store them; None where all of test are."""
    wanted, seed, of = suite.finals.users, suite.split.seed, manifest.parts["test"].users
    if wanted == "all" or wanted >= of:
        return None
    test = load_parts(folder, "test")
    save_array(folder / ASKED, asked_users(test, wanted, seed))
    sha256 = store_users(folder, "test", drawn_users("test", test, seed)[:wanted])
    return UserSample(users=wanted, of=of, wanted=wanted, seed=seed, sha256=sha256)


def validation_sample(
    manifest: SplitManifest, folder: Path, suite: Suite, least: int = AUTO_USERS
) -> UserSample | None:
    """Return the users that trials are validated on, and store them; None where all are taken.

    ``auto`` takes (s / .003)² users, s the standard deviation over users of popularity's value of the primary
    metric, measured on the first ``least``, and no fewer than these.

    Raises:
        DataError: nobody of a given number has anything to find.
    """
    wanted, seed, of = suite.metrics.valid_users, suite.split.seed, manifest.parts["valid"].users
    if wanted == "all" or of <= (least if wanted == "auto" else wanted):
        return None
    train, valid = load_parts(folder, "train"), load_parts(folder, "valid")
    users, primary = drawn_users("valid", valid, seed), parse_metric(suite.metrics.primary)
    measured = users[: least if wanted == "auto" else min(least, wanted)]
    spread = measured_spread(manifest, folder, train, valid, measured, primary)
    if spread is None and primary.kind == "ranking":
        if wanted == "auto":  # likes are too rare for a sample
            return None
        raise DataError(
            f"{manifest.dataset}: metrics.valid_users: none of the first {len(measured):,} validation users "
            f"drawn has anything to find for {primary.name}; take more of the {of:,} users, or all"
        )
    count = least if wanted == "auto" else wanted
    if wanted == "auto" and spread is not None:
        count = max(least, spread.wanted)
    if count >= of:
        return None
    return UserSample(
        users=count,
        of=of,
        wanted=wanted,
        seed=seed,
        sha256=store_users(folder, "valid", users[:count]),
        sd=None if spread is None else spread.sd,
        error=None if spread is None else spread.error(count),
    )


def measured_spread(
    manifest: SplitManifest,
    folder: Path,
    train: Interactions,
    valid: Interactions,
    users: Ids,
    primary: Metric,
) -> Spread | None:
    """Return how much popularity's value, or the global mean's, differs between users; None without values.

    Args:
        manifest: of the stored split, with its candidates.
        folder: of the stored split.
        train: rows of train.
        valid: rows of validation.
        users: of validation, in any order.
        primary: the metric that ranks.
    """
    negatives = load_negatives(folder, "valid") if primary.sampled else None
    target, negatives = restricted(valid, negatives, users)
    if primary.kind == "rating":
        values = parts_of_rating(primary, train, target)
    else:
        mask = candidates_for(manifest.candidates.rule, folder, train=train, seen=train, target=valid)
        values = popularity_values(manifest, train, target, primary, mask, negatives)
    found = values[np.isfinite(values)]
    if not len(found):
        return None
    return Spread(float(found.std(ddof=1)) if len(found) > 1 else None, len(found) / len(values))


def popularity_values(
    manifest: SplitManifest,
    train: Interactions,
    target: Interactions,
    primary: Metric,
    mask: NDArray[np.bool_] | None,
    negatives: Ids | None,
) -> Values:
    """Return popularity's value of a metric for each user of validation, (E,); nan for who has none."""
    from benchmark.trial import CandidateItems, evaluator_for  # not at import: it compiles

    items = CandidateItems(mask, negatives, manifest.seen)
    evaluator = evaluator_for(target, train, [primary], train, items, "baselines/popularity")
    counts = count_rows(train.positives().items, train.n_items).astype(np.float32)
    for positions in batches(len(evaluator.users), train.n_items):
        evaluator.add(evaluator.users[positions], np.tile(counts, (len(positions), 1)))
    return evaluator.result().per_user[primary.name]


def parts_of_rating(primary: Metric, train: Interactions, target: Interactions) -> Values:
    """Return what each user adds to a rating metric of the global mean, to first order, (E,).

    A rating metric is a function of a ratio of sums over users; the standard deviation of these terms over
    the root of E is its standard error (the delta method; Särndal et al. 1992, 5.5).
    """
    from benchmark.metrics.rating import error_sums

    users = users_of(target)
    mean = np.full(len(target), train.values.mean(dtype=np.float64))
    sums = error_sums(mean, target.values, users.searchsorted(target.users), len(users))
    size = sums.absolute if primary.base == "mae" else sums.squared
    ratio = float(size.sum()) / len(target)
    slope = 2 * math.sqrt(ratio) if primary.base == "rmse" else 1.0
    if not slope:
        return np.zeros(len(users))
    return (size - ratio * sums.ratings) / (float(sums.ratings.mean()) * slope)
