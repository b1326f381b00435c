"""What a suite may say about data: where a log is, how it is prepared and how it is split.

Nothing but pydantic is imported here, so that reading a suite stays light.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from benchmark.datasets.moments import Moment, MomentOrSpan, Span

Duplicates: TypeAlias = Literal["refuse", "last", "first", "mean", "sum"]
Missing: TypeAlias = Literal["refuse", "drop", "mean"] | float
OutsideScale: TypeAlias = Literal["refuse", "drop", "clip"]
SplitRule: TypeAlias = Literal[
    "random",
    "leave_last_out",
    "leave_n_out",
    "user_time",
    "global_time",
    "rolling_time",
    "k_fold",
    "cold_user",
    "cold_item",
    "files",
]
TimeUnit: TypeAlias = Literal["auto", "s", "ms", "us", "ns"]
Ids: TypeAlias = Literal["auto", "text"]
Separator: TypeAlias = Literal["auto", ",", ";", "|", "::", " ", "\t", "tab"]

MIN_ROWS_PER_USER = 5
CONDITION = re.compile(r"^\s*(>=|<=|==|>|<)\s*(-?\d+(?:\.\d+)?)\s*$")

RULE_KEYS: Mapping[str, Mapping[str, int | str | None]] = {
    "random": {"per": "user", "repeats": 1},
    "leave_n_out": {"n": 1, "order": "time", "repeats": 1},
    "global_time": {"test_from": None, "valid_from": None},
    "rolling_time": {"windows": 3, "window": None},
    "k_fold": {"per": "all", "folds": 5},
    "cold_user": {"repeats": 1},
    "cold_item": {"repeats": 1},
    "files": {"files": None},
}
"""Keys that belong to some rules only, with their defaults there."""


class Spec(BaseModel):
    """Base of the specs: frozen, and a mistyped key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TitlesSpec(Spec):
    """A table with one line per item, to show titles instead of ids."""

    path: str = Field(description="CSV, TSV or Parquet file")
    item: str = Field(default="item", description="column with the item's id, as in the log")
    title: str = Field(default="title", description="column with the title")
    genres: str | None = Field(
        default=None, description="column with the genres, joined by |; none if not given"
    )


class TableSpec(Spec):
    """A table with one line per user or per item: what models may learn from besides the log."""

    path: str = Field(description="CSV, TSV or Parquet file")
    id: str = Field(default="id", description="column with the id, as in the log")
    title: str | None = Field(default=None, description="items: column with the title; none if not given")
    categories: tuple[str, ...] = Field(
        default=(), description="columns with one value each, such as brand: one feature for each value"
    )
    lists: tuple[str, ...] = Field(
        default=(), description="columns with several values each, such as genres: one feature for each value"
    )
    list_separator: str = Field(default="|", min_length=1, description="separates the values of a list")
    numbers: tuple[str, ...] = Field(
        default=(), description="columns with numbers, such as price: one feature, standardised, each"
    )
    bands: dict[str, tuple[float, ...]] = Field(
        default={},
        description="columns with numbers to cut into bands, with the lowest value of every band but the "
        "first, ascending, as in {age: [18, 35, 50]}: one feature for each band, in the column age_band",
    )
    texts: tuple[str, ...] = Field(
        default=(), description="columns with words, such as a description, for models that read text"
    )
    columns: tuple[str, ...] | None = Field(
        default=None, description="names of all columns, for a text file without a header line"
    )
    separator: Separator = Field(default="auto", description="separates the columns of a text file")

    @field_validator("bands")
    @classmethod
    def _ascending(cls, bands: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        for column, limits in bands.items():
            if not limits or list(limits) != sorted(set(limits)):
                raise ValueError(f"bands of {column} are {list(limits)}; give at least one number, ascending")
        return bands

    @model_validator(mode="after")
    def _one_role_each(self) -> TableSpec:
        given = [*self.categories, *self.lists, *self.numbers, *self.bands, *self.texts]
        made = [f"{column}_band" for column in self.bands]
        for column in given:
            if [self.id, self.title, *given, *made].count(column) > 1:
                raise ValueError(f"column {column!r} is named more than once; each column has one role")
            if column in {"id", "title"}:
                raise ValueError(f"a column called {column!r} can only be the id or the title; rename it")
        if not given and not self.title:
            raise ValueError(
                "says nothing but the id; name columns with categories, lists, numbers, bands or texts"
            )
        return self


class SyntheticSpec(Spec):
    """A generated log whose structure is known."""

    users: int = Field(default=300, ge=2, description="number of users, U")
    items: int = Field(default=200, ge=2, description="number of items, I")
    interactions: int = Field(
        default=9000, ge=1, description="number of rows, N; every pair occurs once at most"
    )
    seed: int = Field(default=0, ge=0, description="the only source of randomness")
    dim: int = Field(default=8, ge=1, le=64, description="number of latent tastes; each one is a genre")
    skew: float = Field(
        default=1.0, ge=0, description="exponent of Zipf's law for the popularity of items; 0 means no skew"
    )
    signal: float = Field(
        default=2.5, ge=0, description="weight of a user's taste against chance; 0 means no taste"
    )

    @model_validator(mode="after")
    def _has_room(self) -> SyntheticSpec:
        least, most = MIN_ROWS_PER_USER * self.users, self.users * self.items // 2
        if not least <= self.interactions <= most:
            raise ValueError(
                f"interactions is {self.interactions}; with {self.users} users and {self.items} items it "
                f"must lie between {least} ({MIN_ROWS_PER_USER} per user) and {most} (half of all pairs)"
            )
        if self.interactions < self.items:
            raise ValueError(f"interactions is {self.interactions}; it must be at least items ({self.items})")
        return self


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
    separator: Separator = Field(default="auto", description="separates the columns of a text file")
    scale: tuple[float, float] | None = Field(
        default=None, description="lowest and highest rating allowed; give it if the values are ratings"
    )
    time_unit: TimeUnit = Field(
        default="auto",
        description="unit of a time that is a number; auto tells milli-, micro- and nanoseconds by size",
    )
    ids: Ids = Field(
        default="auto",
        description="text keeps ids as written; auto reads whole numbers as numbers, and refuses a column "
        "that mixes them with words",
    )
    titles: TitlesSpec | None = Field(default=None, description="table of item titles, instead of items")
    users: TableSpec | None = Field(default=None, description="table of what is known about users")
    items: TableSpec | None = Field(default=None, description="table of what is known about items")
    features: bool | tuple[str, ...] = Field(
        default=True,
        description="what models are shown of these tables, or of a known data set's own: true for all, "
        "false for nothing, or columns, as in [genres, year]",
    )
    synthetic: SyntheticSpec | None = Field(
        default=None, description="generate the log instead of reading one"
    )

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
        if self.titles and self.items:
            raise ValueError("titles and items exclude each other: name the title's column in items.title")
        if self.users and self.users.title:
            raise ValueError("users.title: users have no title; name the column in users.texts")
        roles = {"user": self.user, "item": self.item, "value": self.value, "time": self.time}
        for role, column in roles.items():
            twice = [other for other, named in roles.items() if column and named == column]
            if len(twice) > 1 and role == twice[0]:
                raise ValueError(f"column {column!r} cannot be {' and '.join(twice)}; each needs its own")
        return self

    @property
    def item_table(self) -> TableSpec | None:
        """The table of items, whichever key names it."""
        if self.titles is None:
            return self.items
        lists = (self.titles.genres,) if self.titles.genres else ()
        return TableSpec(path=self.titles.path, id=self.titles.item, title=self.titles.title, lists=lists)


class TimeWindow(Spec):
    """The period whose rows are kept."""

    since: Moment | None = Field(
        default=None, description="keep rows at this time or later: a date (UTC) or a number"
    )
    until: Moment | None = Field(
        default=None, description="keep rows before this time: a date (UTC) or a number"
    )


class CoreSpec(Spec):
    """The k-core: rows are dropped until every user and item left has at least so many."""

    user: int = Field(default=1, ge=1, description="fewest rows of a user")
    item: int = Field(default=1, ge=1, description="fewest rows of an item")


class PrepareSpec(Spec):
    """What is done to a log before it is split; every step is counted."""

    missing: Missing = Field(
        default="refuse",
        description="what to do with rows without a user, item, value or time; mean or a number fill in a "
        "missing value, everything else must be there",
    )
    time: TimeWindow | None = Field(
        default=None, description="keep only the rows of this period; all if not given"
    )
    outside_scale: OutsideScale = Field(
        default="refuse", description="what to do with ratings outside the data set's scale"
    )
    rescale: tuple[float, float] | None = Field(
        default=None, description="map ratings linearly from the data set's scale to [low, high]"
    )
    duplicates: Duplicates = Field(
        default="refuse", description="what to do with several rows of the same user and item"
    )
    positive: str | None = Field(
        default=None,
        description='which rows are positive, e.g. ">= 4", by the value after all other steps: a rating '
        "or a count; every row if not given. Drops nothing",
    )
    k_core: CoreSpec | None = Field(
        default=None,
        description="drop users and items with few rows, repeatedly; none if not given. On the whole log it "
        "looks at test and inflates every score; with a split by time it looks at train only",
    )

    @field_validator("positive")
    @classmethod
    def _is_condition(cls, positive: str | None) -> str | None:
        if positive is not None and not CONDITION.match(positive):
            raise ValueError(
                f"positive is {positive!r}; it must be one of >=, >, <=, <, == and a number, such as '>= 4'"
            )
        return positive

    @field_validator("rescale")
    @classmethod
    def _ascending(cls, rescale: tuple[float, float] | None) -> tuple[float, float] | None:
        if rescale and not rescale[0] < rescale[1]:
            raise ValueError(f"rescale is [{rescale[0]:g}, {rescale[1]:g}]; the lower must come first")
        return rescale


class FilesSpec(Spec):
    """The three parts of a split of your own, as files with the columns of the log."""

    train: str = Field(description="rows to learn from")
    valid: str = Field(description="rows to tune on")
    test: str = Field(description="rows to evaluate on, once")


class SplitSpec(Spec):
    """How a prepared log is split into train, validation and test; validation by the same rule as test."""

    by: SplitRule = Field(
        default="random",
        description="random: a share of each user's rows, or of all; leave_last_out: each user's last row is "
        "test, the one before it validation; leave_n_out: n rows of each user; user_time: the last share of "
        "each user's rows; global_time: the latest rows of the log; rolling_time: several windows, each "
        "trained on what lies before; k_fold: each row is in test once; cold_user, cold_item: whole users or "
        "items; files: your own parts",
    )
    test: float = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="share of rows (of users, of items) for test; unused by leave_*_out, k_fold, files and "
        "where windows are given",
    )
    valid: float = Field(default=0.1, gt=0, lt=1, description="share for validation, as test")
    seed: int = Field(default=42, ge=0, description="seed of every rule that draws at random")
    per: Literal["user", "all"] | None = Field(
        default=None,
        description="random (user), k_fold (all): draw among the rows of each user, or among all rows",
    )
    n: int | None = Field(default=None, ge=1, description="leave_n_out (1): test rows of each user")
    order: Literal["time", "random"] | None = Field(
        default=None, description="leave_n_out (time): each user's last rows, or rows drawn at random"
    )
    test_from: MomentOrSpan | None = Field(
        default=None,
        description="global_time: when test begins, instead of the share: a date (UTC), a number, or how "
        "long before the end of the log, as in 30d",
    )
    valid_from: MomentOrSpan | None = Field(
        default=None,
        description="global_time: when validation begins: a date, a number, or how long before test; as "
        "long before test as test lasts, if not given",
    )
    windows: int | None = Field(default=None, ge=1, description="rolling_time (3): how many test windows")
    window: Span | None = Field(
        default=None,
        description="rolling_time: length of a window, as in 30d; a share test of rows if not given",
    )
    folds: int | None = Field(
        default=None, ge=3, description="k_fold (5): how many; each is test once and validation once"
    )
    repeats: int | None = Field(
        default=None,
        ge=1,
        description="random, leave_n_out at random, cold_user, cold_item (1): how many splits are drawn, "
        "with seeds seed, seed + 1, ...",
    )
    files: FilesSpec | None = Field(default=None, description="files: the three parts")

    @model_validator(mode="before")
    @classmethod
    def _with_defaults_of_the_rule(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        rule = given.get("by", "random")
        own = RULE_KEYS.get(rule, {}) if isinstance(rule, str) else {}
        filled = {key: default for key, default in own.items() if given.get(key) is None}
        return {**given, **filled}

    @model_validator(mode="after")
    def _fits_together(self) -> SplitSpec:
        if self.test + self.valid >= 1:
            raise ValueError(f"test {self.test:g} + valid {self.valid:g} leave nothing to train on")
        if (self.by == "files") != (self.files is not None):
            raise ValueError(
                "by: files needs the key files (train, valid, test), and no other rule allows it"
            )
        self._refuse_keys_of_other_rules()
        if self.valid_from and not self.test_from:
            raise ValueError("valid_from needs test_from: say where test begins too")
        if self.order == "time" and self.repeats != 1:
            raise ValueError(
                "repeats needs a rule that draws at random, and leave_n_out by time does not: set order: "
                "random, or drop repeats"
            )
        return self

    def _refuse_keys_of_other_rules(self) -> None:
        keys = {key for own in RULE_KEYS.values() for key in own}
        for key in sorted(keys - set(RULE_KEYS.get(self.by, {}))):
            if getattr(self, key) is not None:
                of = " and ".join(rule for rule, own in RULE_KEYS.items() if key in own)
                raise ValueError(f"{key} belongs to by: {of}; by is {self.by}: leave {key} out, or change by")
