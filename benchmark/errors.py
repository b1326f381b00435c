"""Every error that bench raises on purpose.

    BenchError                  shown without a traceback, exit code 2
    ├── SuiteError              the suite file: what it says, or how it is written
    ├── DataError               the interaction log, or where it comes from
    │   ├── SourceError         a data set that cannot be had: not here, no answer, wrong checksum
    │   └── SplitError          a split that this log cannot carry, or that leaks
    ├── AdapterError            an adapter that is missing, or breaks the protocol
    │   └── MissingLibrary      its library is not installed
    ├── MetricError             a metric that does not exist or does not fit
    ├── StatisticsError         a test that these data cannot carry
    ├── PickError               no model can be picked as asked
    ├── BundleError             a bundle that is damaged, or cannot serve what was asked
    └── RunError                the run directory: held, full, of another suite
        └── Interrupted         the user stopped the run; what is done is saved (exit code 130)

Anything else that escapes is a bug of ours: it shows its traceback and exits 1. A message says
where, what was found, what must hold, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class BenchError(Exception):
    """Base of every error that a user can cause or cure."""

    exit_code = 2


class SuiteError(BenchError):
    """The suite file is missing, malformed or asks for something that does not exist."""


class DataError(BenchError):
    """The interaction log cannot be used as it stands."""


class SourceError(DataError):
    """A data set cannot be had: not on this machine, no answer, wrong checksum."""


class SplitError(DataError):
    """A split that this log cannot carry, or that leaks."""


class AdapterError(BenchError):
    """An adapter that does not exist or breaks the protocol."""


class MissingLibrary(AdapterError):  # noqa: N818 - it names what is missing
    """The library that an adapter wraps is not installed."""


class MetricError(BenchError):
    """A metric that does not exist, or does not fit the data."""


class StatisticsError(BenchError):
    """A test that these data cannot carry."""


class PickError(BenchError):
    """No model can be picked as asked."""


class BundleError(BenchError):
    """A bundle that is damaged, or cannot serve what was asked."""


class RunError(BenchError):
    """The run directory is held by another process, unwritable, or of another suite."""


class Interrupted(RunError):  # noqa: N818 - the user's wish, no error
    """The user stopped the run; everything finished is saved."""

    exit_code = 130


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known name nearest to ``name``, or ``""``.

    >>> did_you_mean("ndgc", ["ndcg", "map"])
    "; did you mean 'ndcg'?"
    """
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
