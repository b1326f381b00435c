"""Every error that bench raises on purpose.

    BenchError                  shown without a traceback, exit code 2
    ├── SuiteError              the suite file: what it says, or how it is written
    ├── DataError               the interaction log, or where it comes from
    │   ├── SourceError         a data set that is not available: not here, no answer, wrong checksum
    │   └── SplitError          a split that this log is too small for, or that leaks
    ├── AdapterError            an adapter that does not exist, or breaks the protocol
    │   ├── MissingLibrary      the library it wraps is not installed
    │   └── NotOffered          a model, in this configuration, has no answer to what was asked
    ├── EnvError                an environment of a framework: missing, damaged, or it cannot be made
    ├── MetricError             a metric that does not exist, or does not fit the data
    ├── StatisticsError         not enough data for a test
    ├── PickError               no model meets what was asked
    ├── BundleError             a bundle that is damaged, or cannot serve what was asked
    └── RunError                the run directory: locked, full, of another suite
        └── Interrupted         the user stopped the run; finished work is saved (exit code 130)

Anything else that escapes is a bug of ours: it shows its traceback and exits 1. A message says
where, what was found, what must hold, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class BenchError(Exception):
    """Base of every error that a user can cause or fix."""

    exit_code = 2


class SuiteError(BenchError):
    """The suite is missing, malformed, or asks for something that does not exist."""


class DataError(BenchError):
    """The interaction log cannot be used as it is."""


class SourceError(DataError):
    """A data set is not available: not on this machine, no answer, wrong checksum."""


class SplitError(DataError):
    """The log is too small for this split, or the split leaks."""


class AdapterError(BenchError):
    """An adapter does not exist, or breaks the protocol."""


class MissingLibrary(AdapterError):  # noqa: N818 - it names what is missing
    """The library that an adapter wraps is not installed."""


class NotOffered(AdapterError):  # noqa: N818 - nothing went wrong in the model
    """A model, in this configuration, has no answer to what was asked; the message says why."""


class EnvError(BenchError):
    """The environment of a framework is missing or damaged, or cannot be made."""


class MetricError(BenchError):
    """A metric does not exist, or does not fit the data."""


class StatisticsError(BenchError):
    """There is not enough data for this test."""


class PickError(BenchError):
    """No model meets what was asked."""


class BundleError(BenchError):
    """A bundle is damaged, or cannot serve what was asked."""


class VersionWarning(UserWarning):
    """A bundle is served with another version of a package than it was made with."""


class RunError(BenchError):
    """The run directory is locked by another process, not writable, or of another suite."""


class Interrupted(RunError):  # noqa: N818 - the user asked for it
    """The user stopped the run; finished work is saved."""

    exit_code = 130


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the name most similar to ``name``, or ``""`` if none is.

    >>> did_you_mean("ndgc", ["ndcg", "map"])
    "; did you mean 'ndcg'?"
    """
    similar = get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"; did you mean {similar[0]!r}?" if similar else ""
