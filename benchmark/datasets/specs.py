"""What a suite may say about data: where a log lies, how it is prepared and how it is split.

Nothing but pydantic is imported here, so that reading a suite stays light.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Duplicates: TypeAlias = Literal["refuse", "last", "first", "mean", "sum"]
Missing: TypeAlias = Literal["refuse", "drop"]
SplitRule: TypeAlias = Literal["random", "leave_last_out", "global_time", "files"]
Separator: TypeAlias = Literal["auto", ",", ";", "|", "::", " ", "\t", "tab"]

MIN_ROWS_PER_USER = 5
CONDITION = re.compile(r"^\s*(>=|<=|==|>|<)\s*(-?\d+(?:\.\d+)?)\s*$")


class Spec(BaseModel):
    """Base of the specs: frozen, and a mistyped key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PlantedSpec(Spec):
    """A generated log whose structure is known."""

    users: int = Field(default=300, ge=2, description="number of users, U")
    items: int = Field(default=200, ge=2, description="number of items, I")
    interactions: int = Field(
        default=9000, ge=1, description="number of rows, N; every pair occurs once at most"
    )
    seed: int = Field(default=0, ge=0, description="the only source of chance")
    dim: int = Field(default=8, ge=1, le=64, description="number of latent tastes; each one is a genre")
    skew: float = Field(
        default=1.0, ge=0, description="exponent of Zipf's law for the popularity of items; 0 means no skew"
    )
    signal: float = Field(
        default=2.5, ge=0, description="weight of a user's taste against chance; 0 means no taste"
    )

    @model_validator(mode="after")
    def _has_room(self) -> PlantedSpec:
        least, most = MIN_ROWS_PER_USER * self.users, self.users * self.items // 2
        if not least <= self.interactions <= most:
            raise ValueError(
                f"interactions is {self.interactions}; with {self.users} users and {self.items} items it "
                f"must lie between {least} ({MIN_ROWS_PER_USER} per user) and {most} (half of all pairs)"
            )
        if self.interactions < self.items:
            raise ValueError(f"interactions is {self.interactions}; it must be at least items ({self.items})")
        return self


class TitlesSpec(Spec):
    """A table with one line per item, to show titles instead of ids."""

    path: str = Field(description="CSV, TSV or Parquet file")
    item: str = Field(default="item", description="column with the item's id, as in the log")
    title: str = Field(default="title", description="column with the title")
    genres: str | None = Field(
        default=None, description="column with the genres, joined by |; none if not given"
    )


class LogSpec(Spec):
    """An interaction log: a known data set by its name alone, or a file of your own, or a generated one."""

    name: str = Field(min_length=1, description="name in tables and files")
    path: str | None = Field(
        default=None, description="CSV, TSV or Parquet file, or a folder in the publisher's layout"
    )
    user: str = Field(default="user", description="column with the user's id")
    item: str = Field(default="item", description="column with the item's id")
    value: str | None = Field(default=None, description="column with the rating or count; none if not given")
    time: str | None = Field(
        default=None, description="column with the time: a number since 1970, or a date; none if not given"
    )
    columns: tuple[str, ...] | None = Field(
        default=None, description="names of all columns, for a text file without a header line"
    )
    separator: Separator = Field(default="auto", description="what parts the columns of a text file")
    scale: tuple[float, float] | None = Field(
        default=None, description="lowest and highest rating allowed; give it if the values are ratings"
    )
    titles: TitlesSpec | None = Field(default=None, description="table of item titles")
    synthetic: PlantedSpec | None = Field(default=None, description="generate the log instead of reading one")

    @field_validator("scale")
    @classmethod
    def _ascending(cls, scale: tuple[float, float] | None) -> tuple[float, float] | None:
        if scale and not scale[0] < scale[1]:
            raise ValueError(f"scale is [{scale[0]:g}, {scale[1]:g}]; the lowest rating must come first")
        return scale

    @model_validator(mode="after")
    def _one_source(self) -> LogSpec:
        if self.path and self.synthetic:
            raise ValueError("path and synthetic exclude each other: a log is read or generated")
        roles = {"user": self.user, "item": self.item, "value": self.value, "time": self.time}
        for role, column in roles.items():
            twice = [other for other, named in roles.items() if column and named == column]
            if len(twice) > 1 and role == twice[0]:
                raise ValueError(f"column {column!r} cannot be {' and '.join(twice)}; each needs its own")
        return self


class PrepareSpec(Spec):
    """What is done to a log before it is split; every step is counted."""

    positive: str | None = Field(
        default=None,
        description='which rows count as a like, e.g. ">= 4"; every row if not given. Drops nothing',
    )
    duplicates: Duplicates = Field(
        default="refuse", description="what becomes of several rows with the same user and item"
    )
    missing: Missing = Field(
        default="refuse", description="what becomes of rows with an empty user, item, value or time"
    )

    @field_validator("positive")
    @classmethod
    def _is_condition(cls, positive: str | None) -> str | None:
        if positive is not None and not CONDITION.match(positive):
            raise ValueError(
                f"positive is {positive!r}; it must be one of >=, >, <=, <, == and a number, such as '>= 4'"
            )
        return positive


class FilesSpec(Spec):
    """The three parts of a split of your own, as files with the columns of the log."""

    train: str = Field(description="rows to learn from")
    valid: str = Field(description="rows to tune on")
    test: str = Field(description="rows to judge by, once")


class SplitSpec(Spec):
    """How a prepared log is cut into train, validation and test."""

    by: SplitRule = Field(
        default="random",
        description="random: a share of each user's rows; leave_last_out: each user's last row is test, "
        "the one before it validation; global_time: the latest rows of the log; files: your own parts",
    )
    test: float = Field(default=0.1, gt=0, lt=1, description="share of rows for test")
    valid: float = Field(default=0.1, gt=0, lt=1, description="share of rows for validation")
    seed: int = Field(default=42, ge=0, description="seed of a random split")
    files: FilesSpec | None = Field(default=None, description="the parts, for by: files")

    @model_validator(mode="after")
    def _fits_together(self) -> SplitSpec:
        if self.test + self.valid >= 1:
            raise ValueError(f"test {self.test:g} + valid {self.valid:g} leave nothing to train on")
        if (self.by == "files") != (self.files is not None):
            raise ValueError(
                "by: files needs the key files (train, valid, test), and no other rule allows it"
            )
        return self
