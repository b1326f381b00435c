"""Durations, sizes and shares as people write them: 45s, 4GB, 3 %."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_MEGABYTES = {"MB": 1.0, "GB": 1024.0, "TB": 1024.0 * 1024.0}
_QUANTITY = re.compile(r"\s*([+-]?[0-9]*\.?[0-9]+)\s*([A-Za-z%]*)\s*")


def seconds(value: Any) -> float:
    """Return seconds from ``"45s"``, ``"2m"``, ``"1.5h"`` or a plain number.

    >>> seconds("2m"), seconds(30), seconds("30")
    (120.0, 30.0, 30.0)
    """
    return _quantity(value, _SECONDS, "a duration such as 45s, 2m or 1h")


def megabytes(value: Any) -> float:
    """Return MiB from ``"4GB"``, ``"512MB"`` or a plain number.

    >>> megabytes("4GB")
    4096.0
    """
    return _quantity(value, _MEGABYTES, "a size such as 512MB or 4GB")


def share(value: Any) -> float:
    """Return a share from ``"3%"`` or a plain number; 35% is 0.35, which 35 times 0.01 is not.

    >>> share("3%"), share("35 %"), share(0.1)
    (0.03, 0.35, 0.1)
    """
    number = _quantity(value, {"%": 1.0}, "a share such as 3% or 0.03")
    if not in_percent(value):
        return number
    return float(Decimal(repr(number)).scaleb(-2))


def in_percent(value: Any) -> bool:
    """Return whether a value is text that ends with a percent sign."""
    return isinstance(value, str) and value.rstrip().endswith("%")


def write_seconds(value: float) -> str:
    """Return a duration as tables and suites show it.

    >>> write_seconds(45.0), write_seconds(150), write_seconds(0.25), write_seconds(7200)
    ('45s', '2m30s', '0.25s', '2h')
    """
    if value < 120:
        return f"{value:g}s" if value < 1 else f"{value:.3g}s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "m"), (rest, "s")]
    return "".join(f"{count}{unit}" for count, unit in parts if count)


def _quantity(value: Any, units: dict[str, float], what: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None or (match[2] and match[2] not in units):
        raise ValueError(f"must be {what}")
    return float(match[1]) * units.get(match[2], 1.0)


Seconds = Annotated[float, BeforeValidator(seconds, json_schema_input_type=str | float)]
Megabytes = Annotated[float, BeforeValidator(megabytes, json_schema_input_type=str | float)]
Share = Annotated[float, BeforeValidator(share, json_schema_input_type=str | float)]
__all__ = ["Megabytes", "Seconds", "Share", "in_percent", "megabytes", "seconds", "share", "write_seconds"]
