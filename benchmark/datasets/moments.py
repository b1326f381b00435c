"""Moments and lengths of time as suites write them.

Nothing but pydantic is imported here, so that reading a suite stays light.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator

from benchmark.datasets.clock import DATE, NUMBER, SPAN


def as_written(value: Any) -> Any:
    """Return a date or number that YAML has understood as text again, so that manifests can store it."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def check_moment(value: str) -> str:
    """Return the text if it is a date or a number."""
    if not (DATE.match(value) or NUMBER.match(value)):
        raise ValueError(
            f"is {value!r}; it must be a date such as 2024-05-31 (UTC) or a number on the log's clock"
        )
    return value


def check_span(value: str) -> str:
    """Return the text if it is a length of time."""
    if not SPAN.match(value):
        raise ValueError(f"is {value!r}; it must be a number and s, min, h, d or w, as in 30d")
    return value


Moment: TypeAlias = Annotated[str, BeforeValidator(as_written), AfterValidator(check_moment)]
Span: TypeAlias = Annotated[str, AfterValidator(check_span)]
MomentOrSpan: TypeAlias = Annotated[
    str,
    BeforeValidator(as_written),
    AfterValidator(lambda value: value if SPAN.match(value) else check_moment(value)),
]
