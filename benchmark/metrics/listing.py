"""Every metric as rows of text, for the command line and the page. Imports no numpy."""

from __future__ import annotations

from math import inf

from benchmark.metrics.formulas import FORMULAS


def rows() -> list[dict[str, str]]:
    """Return name, kind, formula, better, range and source of every metric.

    >>> rows()[0]["name"], rows()[0]["range"], rows()[0]["better"]
    ('precision@k', '0 to 1', 'higher')
    """
    return [
        {
            "name": f"{base}@k" if entry.takes_k else base,
            "kind": entry.kind,
            "formula": entry.formula,
            "better": "higher" if entry.higher_is_better else "lower",
            "range": f"{_end(entry.low)} to {_end(entry.high)}",
            "source": entry.source,
        }
        for base, entry in FORMULAS.items()
    ]


def _end(value: float) -> str:
    return {inf: "∞", -inf: "-∞"}.get(value, f"{value:g}")
