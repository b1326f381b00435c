"""The docstring of a metric: formula with its denominator, source, doctest."""

from __future__ import annotations

import inspect
import re

import pytest

from benchmark.metrics.register import registered

DENOMINATOR = r" / |\b(divides?|divided) by\b|\bshare of\b|\bmean\b|\b1 if\b"
"""By what a value is divided, or that it is 1 or 0."""


def lacking(function):
    """Return what the docstring of a metric does not have."""
    text, _, examples = (inspect.getdoc(function) or "").partition(">>>")
    has = {
        "formula with its denominator": re.search(DENOMINATOR, text),
        "source with its year": re.search(r"\b(19|20)\d\d\b", text),
        "doctest": f"{function.__name__}(" in examples,
    }
    return [name for name, found in has.items() if not found]


@pytest.mark.parametrize("base", registered())
def test_docstring_of_every_metric_has_formula_source_and_doctest(base):
    missing = lacking(registered()[base].function)
    assert not missing, f"the docstring of metric {base!r} lacks: {', '.join(missing)}"


def test_docstring_is_found_lacking():
    def silent(hits, relevant, k): ...

    def vague(hits, relevant, k):
        """Per-user number of hits.

        >>> 1 + 1
        2
        """

    everything = ["formula with its denominator", "source with its year", "doctest"]
    assert lacking(silent) == lacking(vague) == everything
