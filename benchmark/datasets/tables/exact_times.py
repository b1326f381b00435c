"""Arithmetic of times that loses nothing: floats and decimals as whole numbers, coarser and finer units."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from benchmark.datasets.clock import PER_SECOND, UnitSince1970
from benchmark.protocol import Array, Longs

UNITS: tuple[UnitSince1970, ...] = ("s", "ms", "us", "ns")
LARGEST = int(np.iinfo(np.int64).max)
EXACT = 2**53
"""Below it every whole number is a float64 of its own."""
STEP = 1_000
"""How many of a unit make one of the next coarser."""
SAMPLE = 1_000

Instants: TypeAlias = tuple[Longs, UnitSince1970]
"""Times (n,) and their unit."""


def coarsest(times: Longs, unit: UnitSince1970) -> Instants:
    """Return times (n,) in the coarsest unit in which all of them are whole.

    >>> coarsest(np.array([5_000, 7_000]), "ms"), coarsest(np.array([5_000, 7_001]), "ms")
    ((array([5, 7]), 's'), (array([5000, 7001]), 'ms'))
    """
    position = UNITS.index(unit)
    while position and not (times[:SAMPLE] % STEP).any() and not (times % STEP).any():
        times, position = times // STEP, position - 1
    return times, UNITS[position]


def finer(times: Longs, unit: UnitSince1970, wanted: UnitSince1970) -> Longs | None:
    """Return times (n,) in a finer unit; None if one is too large for it.

    >>> finer(np.array([5]), "s", "ms"), finer(np.array([10**17]), "s", "ns")
    (array([5000]), None)
    """
    factor = PER_SECOND[wanted] // PER_SECOND[unit]
    if len(times) and max(abs(int(times.min())), abs(int(times.max()))) > LARGEST // factor:
        return None
    return times * factor if factor > 1 else times


def from_floats(numbers: Array, unit: UnitSince1970) -> Instants | None:
    """Return floats (n,) of a unit as whole numbers of the first unit in which each has its decimals.

    None if some have more decimals, or are so large that a float has not all their digits.

    >>> from_floats(np.array([1717178400.5]), "s"), from_floats(np.array([0.1 + 0.2]), "s")
    ((array([1717178400500]), 'ms'), None)
    """
    for step, finer_unit in enumerate(UNITS[UNITS.index(unit) :]):
        factor = float(STEP**step)
        whole = np.rint(numbers * factor)
        if np.abs(whole).max(initial=0.0) >= EXACT:
            return None
        if (whole / factor == numbers).all():
            return whole.astype(np.int64), finer_unit
    return None


def to_nanoseconds(numbers: Array, unit: UnitSince1970) -> Longs | None:
    """Return floats (n,) of a unit as nanoseconds; None if one is too large.

    A float of seconds today has steps of 240 ns, so floats that differ stay different.

    >>> to_nanoseconds(np.array([1717178400.1234567]), "s").tolist()
    [1717178400123456717]
    """
    factor = PER_SECOND["ns"] // PER_SECOND[unit]
    whole = np.floor(numbers)
    if np.abs(whole).max(initial=0.0) >= LARGEST // factor:
        return None
    rest: Longs = np.rint((numbers - whole) * factor).astype(np.int64)
    return rest + whole.astype(np.int64) * factor


def from_decimals(texts: Array, unit: UnitSince1970) -> Instants | None:
    """Return numbers written as text (n,) as whole numbers of the first unit in which all are whole.

    None if one is too large, or finer than nanoseconds.

    >>> from_decimals(np.array(["1717178400.123456789", "1.7e9"], dtype=object), "s")
    (array([1717178400123456789, 1700000000000000000]), 'ns')
    """
    import pyarrow as pa

    written = pa.array(texts, pa.string())
    for step, finer_unit in enumerate(UNITS[UNITS.index(unit) :]):
        try:
            decimals = written.cast(pa.decimal128(38, 3 * step))
        except pa.ArrowInvalid:  # more decimals than these
            continue
        words = np.frombuffer(decimals.buffers()[1], dtype=np.int64).reshape(-1, 2)[: len(texts)]
        low, high = words[:, 0], words[:, 1]
        return (low.copy(), finer_unit) if (high == low >> 63).all() else None
    return None
