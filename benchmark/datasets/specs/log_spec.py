"""Which log: a known data set, a file of your own and how it is written, or a generated one."""

from __future__ import annotations

import codecs
import re
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import Field, field_validator, model_validator

from benchmark.datasets.specs.base_spec import MOST_SEED, Separator, Spec
from benchmark.datasets.specs.feedback_spec import Condition, Pairs, Seen, event_type
from benchmark.datasets.specs.file_path import FilePath
from benchmark.datasets.specs.graph_spec import GraphKey
from benchmark.datasets.specs.row_filter import parse_rows
from benchmark.datasets.specs.table_spec import TableSpec, TitlesSpec
from benchmark.units import Share

TimeUnit: TypeAlias = Literal["auto", "s", "ms", "us", "ns", "order"]
Ids: TypeAlias = Literal["auto", "text"]
LayoutOfLines: TypeAlias = Literal["rows", "lists"]

MIN_ROWS_PER_USER = 5
NO_SCALE = (
    "scale is for ratings, and a list names event types; leave scale out, or give a comparison such as '>= 4'"
)


class SyntheticSpec(Spec):
    """A generated log whose structure is known."""

    users: int = Field(default=300, ge=2, le=10_000_000, description="number of users, U")
    items: int = Field(default=200, ge=2, le=10_000_000, description="number of items, I")
    interactions: int = Field(
        default=9000,
        ge=1,
        le=500_000_000,
        description="number of rows, N; every pair occurs once at most, unless repeats",
    )
    seed: int = Field(default=0, ge=0, le=MOST_SEED, description="the only source of randomness")
    dim: int = Field(default=8, ge=1, le=64, description="number of latent tastes; each one is a genre")
    skew: float = Field(
        default=1.0,
        ge=0,
        le=10,
        description="exponent of Zipf's law for the popularity of items; 0 means no skew",
    )
    signal: float = Field(
        default=2.5, ge=0, le=1000, description="weight of a user's taste against chance; 0 means no taste"
    )

    repeats: Share = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="share of rows in which a user comes back to an item; above 0 the rows are purchases in "
        "baskets over a year, without ratings",
    )
    basket: int = Field(
        default=4, ge=1, le=MIN_ROWS_PER_USER, description="items bought at a time, where there are repeats"
    )

    @property
    def pairs(self) -> int:
        """How many distinct pairs of user and item there are."""
        return self.interactions - round(self.repeats * self.interactions)

    @model_validator(mode="after")
    def _has_room(self) -> SyntheticSpec:
        least, most = MIN_ROWS_PER_USER * self.users, self.users * self.items // 2
        what = "interactions without repeats" if self.repeats else "interactions"
        if not least <= self.pairs <= most:
            raise ValueError(
                f"{what} is {self.pairs}; with {self.users} users and {self.items} items it "
                f"must lie between {least} ({MIN_ROWS_PER_USER} per user) and {most} (half of all pairs)"
            )
        if self.pairs < self.items:
            raise ValueError(f"{what} is {self.pairs}; it must be at least items ({self.items})")
        return self


class LogSpec(Spec):
    """An interaction log: a known data set by its name alone, or a file of your own, or a generated one."""

    name: str = Field(min_length=1, description="name in tables and files")
    path: FilePath | None = Field(
        default=None,
        description="CSV, TSV, JSON lines, Parquet, Feather or ORC file, compressed or not; a folder of such "
        "parts, or one in the publisher's layout",
    )
    user: str = Field(
        default="user",
        description="column with the user's id, by its name; a number, from 1, if there is no header line",
    )
    item: str = Field(default="item", description="column with the item's id")
    value: str | None = Field(default=None, description="column with the rating or count; none if not given")
    time: str | None = Field(
        default=None, description="column with the time: a number since 1970, or a date; none if not given"
    )
    columns: tuple[str, ...] | None = Field(
        default=None,
        description="names of all columns, for a text file without a header line; [] names them 1, 2, 3",
    )
    separator: Separator = Field(
        default="auto",
        description="separates the columns of a text file; several blanks are one if the first line has some",
    )
    scale: tuple[float, float] | None = Field(
        default=None, description="lowest and highest rating allowed; give it if the values are ratings"
    )
    time_unit: TimeUnit = Field(
        default="auto",
        description="unit of a time that is a number; auto tells milli-, micro- and nanoseconds by size; "
        "order: a counter that only says what came first",
    )
    time_format: str | None = Field(
        default=None,
        description="how a time is written: codes of strptime such as '%d.%m.%Y'; excel: day numbers of "
        "a spreadsheet; ISO 8601 or a number if not given",
    )
    timezone: str | None = Field(
        default=None,
        description="zone of times that do not name one, such as Europe/Berlin; UTC if not given",
    )
    encoding: str = Field(
        default="auto",
        description="of text files: auto reads UTF-8, and UTF-16 by its byte order mark; otherwise a name "
        "such as latin-1. It and the keys down to missing_values hold for the tables and split files too",
    )
    decimal: Literal[".", ","] = Field(default=".", description="decimal mark of numbers in text files")
    quoted: bool = Field(
        default=True, description="whether double quotes enclose fields; false takes them as characters"
    )
    multiline: bool = Field(default=False, description="whether a field in quotes may run over lines")
    comment: str | None = Field(
        default=None, min_length=1, description="lines that begin with it are left out; none if not given"
    )
    missing_values: tuple[str, ...] = Field(
        default=(),
        description='what stands for a missing entry besides empty fields, NA, NaN, null, as in [None, "-1"]',
    )
    layout: LayoutOfLines = Field(
        default="rows",
        description="rows: one interaction a line; lists: a user and then all of the user's items, whose "
        "order is their time if time_unit is order",
    )
    rows: str | None = Field(
        default=None,
        description="which rows of the file belong to the log, by any of its columns, such as "
        "'event == \"purchase\"'; all if not given",
    )
    weight: str | dict[str, float] | None = Field(
        default=None,
        description="how much a positive row counts to models that take confidences: a column, such as "
        "plays, or a number for each event type, as in {view: 1, buy: 5}; alike if not given",
    )
    positive: Condition | None = Field(default=None, description="as prepare.positive; wins for this log")
    negative: Condition | None = Field(default=None, description="as prepare.negative; wins for this log")
    pairs: Pairs | None = Field(default=None, description="as prepare.pairs; wins for this log")
    seen: Seen | None = Field(default=None, description="as prepare.seen; wins for this log")
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
    graph: GraphKey | None = Field(
        default=None,
        description="knowledge graph of the items: {path: FILE} with one triple a line; from_items: made "
        "from the categories and lists of the table of items; none: not even the publisher's own, which is "
        "taken if not given",
    )
    synthetic: SyntheticSpec | None = Field(
        default=None, description="generate the log instead of reading one"
    )

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        if encoding == "auto":
            return encoding
        try:
            "a".encode(encoding).decode(encoding)  # codecs such as hex are none of text
            codecs.getincrementaldecoder(encoding)
        except (LookupError, UnicodeError, ValueError, TypeError):
            raise ValueError(
                f"is {encoding!r}, which is no encoding of text; write a name such as latin-1, cp1252 "
                "or utf-16"
            ) from None
        return encoding

    @field_validator("rows")
    @classmethod
    def _readable(cls, rows: str | None) -> str | None:
        if rows is not None:
            parse_rows(rows)
        return rows

    @field_validator("scale")
    @classmethod
    def _ascending(cls, scale: tuple[float, float] | None) -> tuple[float, float] | None:
        if scale and not scale[0] < scale[1]:
            raise ValueError(f"scale is [{scale[0]:g}, {scale[1]:g}]; the lowest rating must come first")
        return scale

    @field_validator("time_format")
    @classmethod
    def _has_codes(cls, codes: str | None) -> str | None:
        if codes is not None and codes != "excel" and not re.search("%[A-Za-z]", codes):
            raise ValueError(
                f"time_format is {codes!r}; it must be excel, or codes of strptime such as '%d.%m.%Y'"
            )
        return codes

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        if zone is None or re.fullmatch(r"[+-]\d{2}:\d{2}", zone):
            return zone
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            near = [known for known in sorted(available_timezones()) if known.endswith(f"/{zone}")]
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"timezone is {zone!r}{hint}; it must be a zone such as Europe/Berlin or UTC, or an offset "
                "such as '+02:00'"
            ) from error
        return zone

    @field_validator("weight", mode="before")
    @classmethod
    def _weights(cls, weight: object) -> object:
        if weight is None or isinstance(weight, str):
            return weight
        if not isinstance(weight, dict) or not weight:
            raise ValueError(
                f"is {weight!r}; it must be a column, such as plays, or a number for each event type, as in "
                "{view: 1, buy: 5}"
            )
        for word, number in weight.items():
            if isinstance(number, bool) or not isinstance(number, int | float) or not number > 0:
                raise ValueError(f"gives {word} the weight {number!r}; it must be a number above 0")
        return {event_type(word): number for word, number in weight.items()}

    @model_validator(mode="after")
    def _weighs_what_is_there(self) -> LogSpec:
        if isinstance(self.weight, dict) and not self.value:
            raise ValueError("weight has a number for each event type; name their column with value")
        if isinstance(self.weight, str) and self.weight in {self.user, self.item, self.time}:
            raise ValueError(f"column {self.weight!r} cannot be weight besides; name one that counts")
        if self.has_event_types and self.scale:
            raise ValueError(NO_SCALE)
        return self

    @model_validator(mode="after")
    def _one_source(self) -> LogSpec:
        if self.path and self.synthetic:
            raise ValueError("path and synthetic exclude each other: a log is read or generated")
        if self.layout == "lists" and (self.value or self.time or self.rows):
            raise ValueError(
                "layout: lists has users and items alone; leave out value, time and rows, or say "
                "time_unit: order if the items stand in order of time"
            )
        if self.titles and self.items:
            raise ValueError("titles and items exclude each other: name the title's column in items.title")
        if self.time_format and self.time_unit != "auto":
            raise ValueError(
                f"time_format: {self.time_format} and time_unit: {self.time_unit} exclude each other: times "
                "are dates or numbers"
            )
        if self.users and self.users.title:
            raise ValueError("users.title: users have no title; name the column in users.texts")
        roles = {"user": self.user, "item": self.item, "value": self.value, "time": self.time}
        for role, column in roles.items():
            twice = [other for other, named in roles.items() if column and named == column]
            if len(twice) > 1 and role == twice[0]:
                raise ValueError(f"column {column!r} cannot be {' and '.join(twice)}; each needs its own")
        return self

    @property
    def has_event_types(self) -> bool:
        """Whether the values are words such as view and buy: a condition lists some, or each has a weight."""
        listed = isinstance(self.positive, tuple) or isinstance(self.negative, tuple)
        return listed or isinstance(self.weight, dict)

    @property
    def item_table(self) -> TableSpec | None:
        """The table of items, whichever key names it."""
        if self.titles is None:
            return self.items
        lists = (self.titles.genres,) if self.titles.genres else ()
        return TableSpec(path=self.titles.path, id=self.titles.item, title=self.titles.title, lists=lists)
