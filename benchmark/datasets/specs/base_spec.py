"""Base of all that a suite says about data, and how text files are written."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

NUMBERS = (int, float, int | None, float | None)

Separator: TypeAlias = Literal["auto", ",", ";", "|", "::", " ", "\t", "tab"]


MOST_SEED = 4_000_000_000
"""Libraries take seeds below 2^32, and a trial adds its number."""

MOST_SPLITS = 1_000
"""Splits of one data set: each is stored, and a data set of its own."""


class Spec(BaseModel):
    """Base of the specs: frozen, a mistyped key is refused, and a yes is not taken for a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_yes_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false for a number; pydantic would take them for 1 and 0."""
        if isinstance(value, bool) and cls.model_fields[info.field_name or ""].annotation in NUMBERS:
            raise ValueError("must be a number")
        return value
