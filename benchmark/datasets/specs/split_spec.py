"""How a prepared log is split into train, validation and test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from pydantic import Field, model_validator

from benchmark.datasets.moments import MomentOrSpan, Span
from benchmark.datasets.specs.base_spec import MOST_SEED, MOST_SPLITS, Spec
from benchmark.datasets.specs.file_path import FilePath
from benchmark.units import Share

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
    "published",
]

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

BY_CHANCE = "rows drawn at random may put what a user bought later into train and what came before into test"
NO_REPEATS: Mapping[str, str] = {
    "random": BY_CHANCE,
    "leave_n_out": BY_CHANCE,
    "k_fold": BY_CHANCE,
    "cold_user": "users of test have no row in train, so nothing can come again",
    "cold_item": "items of test have no row in train, so none of them can come again",
    "files": "parts of your own do not say that train comes before test",
}
"""Why a rule cannot cut a log whose items come again."""


class FilesSpec(Spec):
    """The parts of a split of your own, as files with the columns of the log."""

    train: FilePath = Field(description="rows to learn from")
    valid: FilePath | None = Field(
        default=None, description="rows to tune on; each user's last row of train if not given"
    )
    test: FilePath = Field(description="rows to evaluate on, once")
    negatives: FilePath | None = Field(
        default=None,
        description="what sampled metrics such as hit@10/99neg rank a user's test row among, as the program "
        "of NCF (He 2017) stores it: a line a user, (user,item) and the negatives, separated by tabs; drawn "
        "if not given",
    )

    @property
    def parts(self) -> Mapping[Literal["train", "valid", "test"], str]:
        """The file of each part that has one.

        >>> list(FilesSpec(train="a", test="c").parts)
        ['train', 'test']
        """
        if self.valid is None:
            return {"train": self.train, "test": self.test}
        return {"train": self.train, "valid": self.valid, "test": self.test}


class SplitSpec(Spec):
    """How a prepared log is split into train, validation and test; validation by the same rule as test."""

    by: SplitRule = Field(
        default="random",
        description="random: a share of each user's rows, or of all; leave_last_out: each user's last row is "
        "test, the one before it validation; leave_n_out: n rows of each user; user_time: the last share of "
        "each user's rows; global_time: the latest rows of the log; rolling_time: several windows, each "
        "trained on what lies before; k_fold: each row is in test once; cold_user, cold_item: whole users or "
        "items; files: your own parts; published: the test rows of the paper that a known data set is from",
    )
    test: Share = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="share of rows (of users, of items) for test; unused by leave_*_out, k_fold, files and "
        "where windows are given",
    )
    valid: Share = Field(default=0.1, gt=0, lt=1, description="share for validation, as test")
    seed: int = Field(default=42, ge=0, le=MOST_SEED, description="seed of every rule that draws at random")
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
    windows: int | None = Field(
        default=None, ge=1, le=MOST_SPLITS, description="rolling_time (3): how many test windows"
    )
    window: Span | None = Field(
        default=None,
        description="rolling_time: length of a window, as in 30d; a share test of rows if not given",
    )
    folds: int | None = Field(
        default=None,
        ge=3,
        le=MOST_SPLITS,
        description="k_fold (5): how many; each is test once and validation once",
    )
    repeats: int | None = Field(
        default=None,
        ge=1,
        le=MOST_SPLITS,
        description="random, leave_n_out at random, cold_user, cold_item (1): how many splits are drawn, "
        "with seeds seed, seed + 1, ...",
    )
    files: FilesSpec | None = Field(default=None, description="files: the parts")

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
                "by: files needs the key files (train, test, perhaps valid and negatives), and no other rule "
                "allows it"
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

    @property
    def count(self) -> int:
        """How many splits the rule makes: folds, windows or repeats; 1 for all others.

        >>> SplitSpec().count, SplitSpec(by="k_fold").count, SplitSpec(repeats=3).count
        (1, 5, 3)
        """
        return self.folds or self.windows or self.repeats or 1

    def labels(self, name: str) -> list[str]:
        """Return a data set's label, or one for each of its folds.

        >>> SplitSpec().labels("shop"), SplitSpec(repeats=2).labels("shop")
        (['shop'], ['shop#1', 'shop#2'])
        """
        return [name] if self.count == 1 else [f"{name}#{number}" for number in range(1, self.count + 1)]

    @property
    def against_repeats(self) -> str | None:
        """Why the rule cannot cut a log with ``pairs: repeat``, and what can; None if it can.

        >>> SplitSpec(by="user_time").against_repeats is None, SplitSpec(by="files", files=FilesSpec(
        ...     train="a", valid="b", test="c")).against_repeats[:40]
        (True, 'files cannot cut a log with pairs: repea')
        """
        if self.by not in NO_REPEATS or (self.by == "leave_n_out" and self.order == "time"):
            return None
        order = " with order: random" if self.by == "leave_n_out" else ""
        return (
            f"{self.by}{order} cannot cut a log with pairs: repeat: {NO_REPEATS[self.by]}; split by "
            "leave_last_out, leave_n_out (order: time), user_time, global_time or rolling_time"
        )

    def _refuse_keys_of_other_rules(self) -> None:
        keys = {key for own in RULE_KEYS.values() for key in own}
        for key in sorted(keys - set(RULE_KEYS.get(self.by, {}))):
            if getattr(self, key) is not None:
                of = " and ".join(rule for rule, own in RULE_KEYS.items() if key in own)
                raise ValueError(f"{key} belongs to by: {of}; by is {self.by}: leave {key} out, or change by")
