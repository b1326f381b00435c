"""What a suite may say: every key, its default and its bounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from benchmark.datasets.specs import MOST_SEED, FilePath, LogSpec, PrepareSpec, Spec, SplitSpec
from benchmark.errors import MetricError, SuiteError, did_you_mean
from benchmark.metrics.register import parse_metric
from benchmark.names import differing_by_case, meant_by
from benchmark.protocol import Choice, Range
from benchmark.records import TrainOn
from benchmark.suite.lists_row import LISTS_KEY, ListsRow
from benchmark.units import Megabytes, Seconds, Share

Hint: TypeAlias = Callable[[str, Collection[str]], str]
"""What says of an unknown name, and of those that are possible, which may be meant."""


MOST_NAMES = 10
"""Names that a complaint lists."""


NONE_TUNED = (
    "are nothing but lists made elsewhere; at least one model must be tuned here, so that the lists can be "
    "compared with something: add baselines/popularity"
)


class SuiteSection(Spec):
    """A section of a suite: unknown keys are refused, nothing changes after validation."""


def existing_metric(name: str) -> str:
    """Return the name of a metric that exists."""
    try:
        parse_metric(name)
    except MetricError as error:
        raise ValueError(str(error)) from error
    return name


MetricName = Annotated[str, AfterValidator(existing_metric)]


class ItemList(SuiteSection):
    """Candidate items from a file of your own."""

    items: FilePath = Field(description="text file with one item id per line; relative to the suite")


def whom(value: Any, words: tuple[str, ...]) -> str | int:
    """Return one of the words, or a number of users.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, str) and value in words:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 1 and value % 1 == 0:
        return int(value)
    raise ValueError(f"must be {', '.join(words)} or a number of users, 1 or more (found {value!r})")


class Metrics(SuiteSection):
    """What is measured."""

    primary: MetricName = Field(
        default="ndcg@10", description="the metric that tuning, reference and verdict use"
    )
    also: tuple[MetricName, ...] = Field(
        default=("recall@10", "map@10", "coverage@10", "rmse"), description="further metrics on the board"
    )
    candidates: Annotated[
        Annotated[Literal["all", "train", "test-items"], Tag("rule")] | Annotated[ItemList, Tag("list")],
        Discriminator(lambda given: "rule" if isinstance(given, str) else "list"),
    ] = Field(
        default="all",
        description="which items are ranked, apart from those a user has seen: all; train: items that occur "
        "in train; test-items: items that occur in the evaluated part; {items: FILE}: a list of your own. "
        "A cold_item split always ranks the items that do not occur in training",
    )
    valid_users: Annotated[
        Literal["auto", "all"] | int, BeforeValidator(lambda value: whom(value, ("auto", "all")))
    ] = Field(
        default="auto",
        description="how many users every trial is validated on, drawn by split.seed. auto: 6,500, or more "
        "where popularity's values differ so much between users that their mean has a standard error above "
        ".003; all; or a number",
    )

    @model_validator(mode="after")
    def _comparable(self) -> Metrics:
        primary = parse_metric(self.primary)
        if not primary.per_user and primary.base not in {"rmse", "mse", "mae"}:  # stored as sums of users
            raise ValueError(
                f"primary: {self.primary} has no per-user value, so models cannot be compared by it; "
                "choose another, such as ndcg@10"
            )
        drawn = {parse_metric(name).sampled or 0 for name in self.all} - {0}
        if len(drawn) > 1:
            numbers = " and ".join(map(str, sorted(drawn)))
            raise ValueError(f"sampled metrics draw {numbers} negatives; all must draw the same number")
        return self

    @property
    def all(self) -> tuple[str, ...]:
        """The primary metric, then the others, each once."""
        return tuple(dict.fromkeys((self.primary, *self.also)))

    def with_parts(self) -> Metrics:
        """Return the same with what repeated and new items add to each ranking metric at a cut-off."""
        metrics = [parse_metric(name) for name in self.all]
        named = [one.name for metric in metrics for one in (metric, *metric.parts)]
        also = tuple(name for name in dict.fromkeys(named) if name != self.primary)
        return self.model_copy(update={"also": also})


def yes_or_no(value: Any) -> Any:
    """Return "yes" or "no" for what means it, the value itself for all else."""
    meaning = {"true": "yes", "on": "yes", "false": "no", "off": "no"}
    word = str(value).lower() if isinstance(value, bool | str) else ""
    return meaning.get(word, word if word in {"yes", "no"} else value)


class SlotSpec(SuiteSection):
    """What one trial reserves while it runs."""

    cores: int = Field(default=1, ge=1, description="cores; also the threads a model may use")
    memory: Megabytes = Field(default=4096.0, gt=0, description="memory of the trial's whole process group")
    gpu: Annotated[Literal["auto", "yes", "no"], BeforeValidator(yes_or_no)] = Field(
        default="auto", description="hold one whole GPU where one is visible"
    )


class BudgetSpec(SuiteSection):
    """What every model may spend on a data set."""

    per_model: Seconds = Field(default=60.0, gt=0, description="device-seconds of one study")
    max_trials: int = Field(
        default=100, ge=1, description="most trials of one study, whatever is left of its budget"
    )
    slot: SlotSpec = SlotSpec()


class FinalsSpec(SuiteSection):
    """How the chosen configuration is scored on test."""

    seeds: int = Field(
        default=5, ge=1, le=100, description="refits of a stochastic model; a deterministic one has 1"
    )
    train_on: Literal["train+valid", "train"] = Field(
        default="train+valid",
        description="which refit the board ranks; with train+valid the train-only score is stored too",
    )
    users: Annotated[Literal["all"] | int, BeforeValidator(lambda value: whom(value, ("all",)))] = Field(
        default="all",
        description="how many of test's users are scored, drawn by split.seed: all, or a number; whatever "
        "shows the values then says that they are of a sample",
    )
    default: bool = Field(
        default=True,
        description="also score the default configuration on test, to show what tuning gained; never ranked",
    )

    @property
    def variants(self) -> tuple[TrainOn, ...]:
        """Each training set that finals use; the last is the one the board ranks."""
        return ("train",) if self.train_on == "train" else ("train", "train+valid")


class Bounds(SuiteSection):
    """A search range that replaces an adapter's own; what is None stays the adapter's."""

    low: float | None = None
    high: float | None = None
    log: bool | None = None
    options: tuple[bool | int | float | str, ...] | None = None

    def problem(self, own: Range | Choice) -> str | None:
        """Return why these bounds cannot replace an adapter's own domain; None if they can."""
        if isinstance(own, Choice):
            has_options = self.options and len(self.options) > 1
            return None if has_options else f"is a choice; give options: [a, b] of {own}"
        if self.options is not None:
            return f"is a range; give low and high (its own: {own})"
        low = own.low if self.low is None else self.low
        high = own.high if self.high is None else self.high
        if own.whole and not (float(low).is_integer() and float(high).is_integer()):
            return f"is a whole number; low and high must be too (found {low:g} and {high:g})"
        if not low < high:
            return f"low must be below high (found {low:g} and {high:g})"
        if low <= 0 and (own.log if self.log is None else self.log):
            return f"is on a log scale, so low must be above 0 (found {low:g}); or say log: false"
        return None


class Model(SuiteSection):
    """One row of the board."""

    use: str = Field(description="the adapter, library/name")
    name: str = Field(default="", description="its name on the board; the adapter's by default")
    set: dict[str, bool | int | float | str] = Field(
        default={}, description="hyperparameters that are fixed, not tuned"
    )
    tune: dict[str, Bounds] = Field(default={}, description="search ranges that replace the adapter's own")
    budget: Seconds | None = Field(
        default=None,
        gt=0,
        description="device-seconds of its studies in place of budget.per_model; its rows are marked",
    )

    @property
    def label(self) -> str:
        """The name on the board."""
        return self.name or self.use


ModelEntry: TypeAlias = Annotated[
    Annotated[Model, Tag("a-model")] | Annotated[ListsRow, Tag("lists-row")],
    Discriminator(
        lambda given: (
            "lists-row"
            if isinstance(given, ListsRow) or (isinstance(given, dict) and LISTS_KEY in given)
            else "a-model"
        )
    ),
]
"""A row of the board: a model that is tuned here, or lists that were made elsewhere."""


class VerdictSpec(SuiteSection):
    """How differences are tested."""

    test: Literal["permutation"] = Field(default="permutation", description="paired sign flips over users")
    correct: Literal["holm"] = Field(
        default="holm", description="correction over all models against the reference"
    )
    alpha: Share = Field(default=0.05, gt=0, lt=0.5)
    margin: Share = Field(
        default=0.03, gt=0, lt=1, description="how much worse than the reference a pick may be"
    )


class Suite(SuiteSection):
    """A whole suite, every default filled in."""

    extends: FilePath | None = Field(
        default=None,
        exclude=True,
        repr=False,
        description="suite file whose keys hold where this one says nothing; relative to this one. What is "
        "run and stored is the result, which extends nothing",
    )
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="names the results folder")
    datasets: tuple[LogSpec, ...] = Field(min_length=1)
    stand_in: bool = Field(
        default=False,
        description="where a data set is not available, use synthetic data of its shape, labelled as such",
    )
    prepare: PrepareSpec = PrepareSpec()
    split: SplitSpec = SplitSpec()
    metrics: Metrics = Metrics()
    budget: BudgetSpec = BudgetSpec()
    finals: FinalsSpec = FinalsSpec()
    models: tuple[ModelEntry, ...] = Field(min_length=1)
    verdict: VerdictSpec = VerdictSpec()
    seed: int = Field(default=0, ge=0, le=MOST_SEED, description="seed of the sampler and of every trial")

    _source: Path | None = PrivateAttr(default=None)
    _bases: tuple[str, ...] = PrivateAttr(default=())

    @property
    def source(self) -> Path | None:
        """The file it was read from; None if it was made in Python."""
        return self._source

    @property
    def bases(self) -> tuple[str, ...]:
        """The files that it extends, the nearest first."""
        return self._bases

    @property
    def folder(self) -> Path:
        """Where relative paths of the suite start."""
        return Path() if self._source is None else self._source.parent

    @property
    def tuned(self) -> tuple[Model, ...]:
        """The rows whose models are tuned here."""
        return tuple(model for model in self.models if isinstance(model, Model))

    @property
    def lists_rows(self) -> tuple[ListsRow, ...]:
        """The rows of lists that were made elsewhere."""
        return tuple(model for model in self.models if isinstance(model, ListsRow))

    def read_from(self, path: Path | None, bases: Sequence[str] = ()) -> Suite:
        """Return the suite as one that was read from a file, and from those that it extends."""
        suite = self.model_copy()
        suite._source, suite._bases = path, tuple(bases)  # noqa: SLF001 - a copy of its own class
        return suite

    def completed(self) -> Suite:
        """Return the suite with the metrics that follow from its data: parts, where items come again."""
        if not any((spec.pairs or self.prepare.pairs) == "repeat" for spec in self.datasets):
            return self
        return self.model_copy(update={"metrics": self.metrics.with_parts()})

    def only(self, names: Sequence[str], hint: Hint = did_you_mean, known: Collection[str] = ()) -> Suite:
        """Return the suite with the models of these names alone.

        Args:
            names: on the board, without regard to case; or of adapters, which come with their defaults.
            hint: says which of the possible names an unknown one may mean.
            known: names of all adapters.

        Raises:
            SuiteError: none is named, or one is neither in the suite nor an adapter.
        """
        if not names:
            raise SuiteError("models: must name at least one model of the suite, such as surprise/svd")
        by_label = {model.label: model for model in self.models}
        chosen_models: dict[str, Model | ListsRow] = {}
        for name in names:
            if (label := meant_by(name, by_label)) is not None:
                chosen_models[label] = by_label[label]
            elif (adapter := meant_by(name, known)) is not None:
                chosen_models[adapter] = Model(use=adapter)
            else:
                raise SuiteError(
                    f"{self.source or self.name}: there is no model {name!r}"
                    f"{hint(name, [*by_label, *known])}\n"
                    f"  The suite has: {', '.join(by_label)}; `bench models` lists all others."
                )
        chosen = self.model_copy(update={"models": tuple(chosen_models.values())})
        if not chosen.tuned:
            raise SuiteError(f"{self.source or self.name}: models: {NONE_TUNED}")
        return chosen

    @field_validator("datasets", "models", mode="before")
    @classmethod
    def _names_alone(cls, value: Any, info: ValidationInfo) -> Any:
        """Read a bare name as an entry with that name alone."""
        key = "name" if info.field_name == "datasets" else "use"
        if not isinstance(value, list | tuple):
            return value
        return [{key: entry} if isinstance(entry, str) else entry for entry in value]

    @model_validator(mode="after")
    def _negatives_ranked(self) -> Suite:
        files = self.split.files
        if files and files.negatives and not any(parse_metric(name).sampled for name in self.metrics.all):
            raise ValueError(
                "split.files.negatives: no metric ranks among them; name one in metrics.also, such as "
                "hit@10/99neg, or leave negatives out"
            )
        return self

    @model_validator(mode="after")
    def _one_is_tuned(self) -> Suite:
        if not self.tuned:
            raise ValueError(f"models: {NONE_TUNED}")
        return self

    @model_validator(mode="after")
    def _each_once(self) -> Suite:
        for what, names in (
            ("datasets", [spec.name for spec in self.datasets]),
            ("models", [model.label for model in self.models]),
        ):
            if twice := sorted(name for name, count in Counter(names).items() if count > 1):
                shown = ", ".join(twice[:MOST_NAMES]) + (", ..." if len(twice) > MOST_NAMES else "")
                raise ValueError(f"{what}: {shown} is listed twice; give one another name")
        if alike := differing_by_case(model.label for model in self.models):
            raise ValueError(
                f"models: {' and '.join(alike)} differ by case alone; give one of them another name"
            )
        return self
