"""Base of all that a suite says about data, and how text files are written."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

Separator: TypeAlias = Literal["auto", ",", ";", "|", "::", " ", "\t", "tab"]


class Spec(BaseModel):
    """Base of the specs: frozen, and a mistyped key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
