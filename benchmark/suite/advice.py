"""What a valid suite leaves open and its author may want to say: sentences for check and plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from benchmark.datasets.sources.expected import expected_log
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.specs import EVERY_RATING
from benchmark.errors import DataError
from benchmark.metrics.register import parse_metric
from benchmark.suite.schema import Suite


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
