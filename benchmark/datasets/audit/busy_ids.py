"""Users and items with an outlandish share of the rows, and ids that are a word for nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmark.datasets.log import Side
from benchmark.protocol import Array, Longs
from benchmark.records import Busiest, Finding

NOBODY = frozenset(
    {
        *("none", "nan", "null", "na", "n/a", "nil", "nat", "<na>", "void", "undef", "undefined", "\\n"),
        *("(none)", "(null)", "[null]", "#n/a", "#ref!", "#value!", "-", "--", ".", "?", "-1"),
        *("unknown", "(unknown)", "unspecified", "unregistered", "unavailable", "not available", "missing"),
        *("not set", "(not set)", "not-set", "not_set", "not logged in", "empty", "blank", "deleted"),
        *("nobody", "anonymous", "anon", "guest", "visitor", "00000000-0000-0000-0000-000000000000"),
    }
)
"""Ids, in small letters, that stand for nobody in exports of tables and logs."""
TIMES_THE_NEXT = 4
"""An id with so many times the rows of the next is outlandish."""
FEWEST_IDS = 10
LEAST_SHARE = 0.01
FIRST_FEW = 5
"""So many ids may be outlandish together, such as None and unknown."""
PLAIN_YAML = re.compile(r"[A-Za-z][A-Za-z_]*")
YAML_WORDS = frozenset({"null", "yes", "no", "on", "off", "true", "false", "y", "n"})


def busiest(ids: Array, counts: Longs) -> Busiest:
    """Return the user or item with the most rows.

    >>> busiest(np.array([7, 9]), np.array([1, 3]))
    Busiest(id='9', rows=3, share=0.75)
    """
    first = int(counts.argmax())
    return Busiest(id=str(ids[first]), rows=int(counts[first]), share=float(counts[first] / counts.sum()))


def id_findings(side: Side, ids: Array, counts: Longs) -> Iterator[Finding]:
    """Yield ids that may stand for nobody, and ids with far more rows than all others.

    Args:
        side: whose ids they are.
        ids: distinct ids, ascending, numbers or text.
        counts: rows of each.
    """
    total = int(counts.sum())
    if len(ids) == total:
        yield Finding(
            found=f"every row has another {side}: {total:,} rows, {len(ids):,} {side}s",
            cure=f"check that the key {side} names the column with the {side}s, and not that of the rows",
        )
        return
    words, busy = nobody(ids), outlandish(counts)
    for at in np.union1d(words, busy).tolist():
        says = f"{side} {str(ids[at])!r} has {counts[at]:,} of {total:,} rows ({counts[at] / total:.1%})"
        if at in words:
            yield Finding(
                found=f"{says}, and its id reads like a word for nobody",
                cure=f"if it is, set missing_values: [{as_yaml(str(ids[at]))}] in the data set's entry, "
                "and say with prepare.missing what becomes of its rows",
            )
        else:
            others = float(np.median(np.delete(counts, busy)))
            yield Finding(
                found=f"{says}, others {others:,.0f} (median)",
                cure=f"check that it is one {side}; if it stands for nobody, set missing_values: "
                f"[{as_yaml(str(ids[at]))}] in the data set's entry",
            )


def nobody(ids: Array) -> Longs:
    """Return where ids stand for nobody: words such as None, and one or two numbers below 0 among others.

    >>> nobody(np.array(["None", "ann", "unknown"])).tolist(), nobody(np.array([-1, 3, 7])).tolist()
    ([0, 2], [0])
    """
    if ids.dtype.kind in "iu":
        below = np.flatnonzero(ids < 0)
        return below if len(below) <= 2 < len(ids) else below[:0]
    return np.flatnonzero(pd.Series(ids, dtype="str").str.strip().str.lower().isin(NOBODY).to_numpy())


def outlandish(counts: Longs) -> Longs:
    """Return where the first few ids have many times the rows of the next one.

    >>> outlandish(np.array([60, 12, 12, 12, 12, 12, 12, 12, 12, 12])).tolist()
    [0]
    """
    if len(counts) < FEWEST_IDS:
        return np.empty(0, dtype=np.int64)
    first = np.argsort(-counts, kind="stable")[: FIRST_FEW + 1]
    falls = np.flatnonzero(counts[first[:-1]] >= TIMES_THE_NEXT * counts[first[1:]])
    found: Longs = first[: falls[-1] + 1] if len(falls) else first[:0]
    large: Longs = found[counts[found] >= LEAST_SHARE * counts.sum()]
    return large


def as_yaml(text: str) -> str:
    """Return text as a suite must write it to keep it text.

    >>> as_yaml("None"), as_yaml("-1"), as_yaml("null")
    ('None', '"-1"', '"null"')
    """
    plain = PLAIN_YAML.fullmatch(text) and text.lower() not in YAML_WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
