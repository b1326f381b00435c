"""What a valid suite leaves open and its author may want to say: sentences for check and plan."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import suppress

from benchmark.datasets.manifest import FEW_USERS
from benchmark.datasets.sources.expected import expected_log
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import locate
from benchmark.datasets.specs import EVERY_RATING
from benchmark.errors import DataError
from benchmark.metrics.register import parse_metric
from benchmark.records import Note, warning
from benchmark.suite.schema import Suite

AUTO_USERS = 6_500
"""Users that ``valid_users: auto`` takes at the least: MovieLens-1M, with 6,040, stays whole."""


def advice(suite: Suite) -> Iterator[str]:
    """Yield a sentence for each data set whose ratings all count as likes; no file is read."""
    if all(parse_metric(name).kind == "rating" for name in suite.metrics.all):
        return
    for spec in suite.datasets:
        prepare = suite.prepare.for_log(spec)
        if prepare.positive is not None or prepare.negative is not None:
            continue
        with suppress(DataError):  # a log that is not here is complained about when it is opened
            if expected_log(spec, DataFolders(suite=suite.folder), suite.split.files).rated:
                yield f"{spec.name}: {EVERY_RATING}"


def sample_advice(suite: Suite, names: Container[str] | None = None) -> Iterator[Note]:
    """Yield what the suite's numbers of users mean, as far as it is known before a log is read.

    Args:
        suite: to look at.
        names: data sets whose published number of users is looked at; all of them if None.
    """
    wanted, scored = suite.metrics.valid_users, suite.finals.users
    if isinstance(scored, int):
        yield warning(
            f"finals.users: {scored}: where test has more users, test values are of a sample of {scored:,}"
        )
    if isinstance(wanted, int) and wanted < FEW_USERS:
        yield warning(
            f"metrics.valid_users: {wanted}: with fewer than {FEW_USERS} users the choice of a "
            "configuration is largely chance"
        )
    for spec in suite.datasets if wanted == "auto" else ():
        with suppress(DataError):
            known = locate(spec, DataFolders(suite=suite.folder), suite.split.files).known
            users = known.users if known else spec.synthetic.users if spec.synthetic else 0
            if users > AUTO_USERS and (names is None or spec.name in names):
                yield Note(
                    f"{spec.name}: metrics.valid_users: auto takes {AUTO_USERS:,} of at most {users:,} users "
                    "of validation, or more where popularity's values differ much between users"
                )
