"""What is done to a log before it is split."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from benchmark.datasets.moments import Moment
from benchmark.datasets.specs.base_spec import Spec
from benchmark.datasets.specs.feedback_spec import Condition, Pairs, Seen, disjoint
from benchmark.datasets.specs.log_spec import LogSpec

Duplicates: TypeAlias = Literal["refuse", "last", "first", "mean", "sum"]
Missing: TypeAlias = Literal["refuse", "drop", "mean"] | float
OutsideScale: TypeAlias = Literal["refuse", "drop", "clip"]

OWN = ("positive", "negative", "pairs", "seen")
"""Keys that the entry of a log may have too; it wins there."""


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
    positive: Condition | None = Field(
        default=None,
        description='which rows are positive, by the value after all other steps: ">= 4" of a rating or a '
        "count, true of booleans, [buy, cart] of event types; every row if not given, which a column with "
        "values at or below 0, with booleans or with event types does not allow. Drops nothing",
    )
    negative: Condition | None = Field(
        default=None,
        description='which rows are known dislikes, as positive, e.g. "<= 0": never relevant, and handed to '
        "models that can use them; none if not given",
    )
    pairs: Pairs = Field(
        default="once",
        description="once: a user has one row for an item; repeat: users come back to items",
    )
    seen: Seen = Field(
        default="hide",
        description="which items of a user's training rows are left out of the lists: hide: all of them; "
        "allow: none; hide-negative: known dislikes only",
    )
    k_core: CoreSpec | None = Field(
        default=None,
        description="drop users and items with few rows, repeatedly; none if not given. On the whole log it "
        "looks at test and inflates every score; with a split by time it looks at train only",
    )

    @field_validator("rescale")
    @classmethod
    def _ascending(cls, rescale: tuple[float, float] | None) -> tuple[float, float] | None:
        if rescale and not rescale[0] < rescale[1]:
            raise ValueError(f"rescale is [{rescale[0]:g}, {rescale[1]:g}]; the lower must come first")
        return rescale

    @model_validator(mode="after")
    def _fits_together(self) -> PrepareSpec:
        if self.pairs == "repeat" and self.duplicates != "refuse":
            raise ValueError(
                f"pairs: repeat keeps every row, and duplicates: {self.duplicates} would merge them; leave "
                "duplicates out, or set pairs: once"
            )
        if self.seen == "hide-negative" and self.negative is None:
            raise ValueError(
                "seen: hide-negative needs known dislikes; say which rows they are with negative, such as "
                "'<= 0'"
            )
        if not disjoint(self.positive, self.negative):
            raise ValueError("positive and negative name the same rows; a row is one or the other")
        return self

    def for_log(self, spec: LogSpec) -> PrepareSpec:
        """Return the preparation of one log: what its own entry says wins."""
        given = {key: value for key in OWN if (value := getattr(spec, key)) is not None}
        return PrepareSpec.model_validate({**self.model_dump(exclude_unset=True), **given}) if given else self

    def told(self, spec: LogSpec) -> LogSpec:
        """Return the entry of a log with what holds for it although the entry does not say so.

        Whoever reads the log must know: a column of words is event types only where a key says so.
        """
        return spec.model_copy(update={key: getattr(self.for_log(spec), key) for key in OWN})

    def or_else(self, defaults: PrepareSpec | None) -> PrepareSpec:
        """Return the preparation with a known data set's own where the suite says nothing.

        Rows that come again are kept, merged or refused: another way that the suite says rules out all that
        the data set says of it.
        """
        if defaults is None:
            return self
        given, again = self.model_dump(exclude_unset=True), {"pairs", "duplicates"}
        other = any(getattr(self, key) != getattr(defaults, key) for key in again & set(given))
        own = defaults.model_dump(exclude_defaults=True, exclude={*again, "seen"} if other else None)
        return PrepareSpec.model_validate({**own, **given})
