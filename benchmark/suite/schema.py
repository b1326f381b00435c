"""What a suite may say: every key, its default and its bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from benchmark.datasets.specs import LogSpec, PrepareSpec, SplitSpec
from benchmark.errors import MetricError
from benchmark.metrics.register import parse_metric
from benchmark.records import TrainOn
from benchmark.units import Megabytes, Seconds, Share


class Section(BaseModel):
    """A part of a suite: unknown keys are refused, nothing changes after validation."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _known_metric(name: str) -> str:
    try:
        parse_metric(name)
    except MetricError as error:
        raise ValueError(str(error)) from error
    return name


MetricName = Annotated[str, AfterValidator(_known_metric)]


class ItemList(Section):
    """Candidates of your own."""

    items: str = Field(description="text file, one item id a line; relative to the suite")


class Metrics(Section):
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
        description="items that compete for a place in a list, apart from those a user has seen: all; train: "
        "with a row in train; test-items: with a row in the evaluated part; {items: FILE}: a list of your "
        "own. A cold_item split always takes the items without a row in anything known",
    )

    @model_validator(mode="after")
    def _comparable(self) -> Metrics:
        primary = parse_metric(self.primary)
        if not primary.per_user and primary.base not in {"rmse", "mse", "mae"}:  # stored as sums of users
            raise ValueError(
                f"primary: {self.primary} has no per-user value, so it cannot decide; choose ndcg@10"
            )
        if len(drawn := {parse_metric(name).sampled for name in self.all} - {None}) > 1:
            raise ValueError(f"metrics draw {sorted(map(str, drawn))} items; one number must do for all")
        return self

    @property
    def all(self) -> tuple[str, ...]:
        """The primary metric, then the others, each once."""
        return tuple(dict.fromkeys((self.primary, *self.also)))


class SlotSpec(Section):
    """What one trial reserves while it runs."""

    cores: int = Field(default=1, ge=1, description="cores; also the threads a model may use")
    memory: Megabytes = Field(default=4096.0, gt=0, description="memory of the trial's whole process group")
    gpu: Literal["auto", "yes", "no"] = Field(
        default="auto", description="hold one whole GPU where one is visible"
    )


class BudgetSpec(Section):
    """What every model may spend on a data set."""

    per_model: Seconds = Field(default=60.0, gt=0, description="device-seconds of one study")
    max_trials: int = Field(
        default=100, ge=1, description="trials of one study, whatever is left of its budget"
    )
    slot: SlotSpec = SlotSpec()


class FinalsSpec(Section):
    """How the chosen configuration is judged on test."""

    seeds: int = Field(
        default=5, ge=1, le=100, description="refits of a stochastic model; a deterministic one has 1"
    )
    train_on: Literal["train+valid", "train"] = Field(
        default="train+valid",
        description="which score the board ranks; with train+valid the train-only one is stored too",
    )
    default: bool = Field(
        default=True,
        description="score the default configuration on test as well, once: what tuning gained; never ranked",
    )

    @property
    def variants(self) -> tuple[TrainOn, ...]:
        """Each training set that finals use; the last is the one the board ranks."""
        return ("train",) if self.train_on == "train" else ("train", "train+valid")


class Bounds(Section):
    """Another range for a tuned hyperparameter."""

    low: float | None = None
    high: float | None = None
    log: bool | None = None
    options: tuple[bool | int | float | str, ...] | None = None


class Model(Section):
    """One row of the board."""

    use: str = Field(description="the adapter, library/name")
    name: str = Field(default="", description="the name on the board, if not the adapter's")
    set: dict[str, bool | int | float | str] = Field(default={}, description="hyperparameters that are fixed")
    tune: dict[str, Bounds] = Field(default={}, description="hyperparameters whose range is another")

    @property
    def label(self) -> str:
        """The name on the board."""
        return self.name or self.use


class VerdictSpec(Section):
    """How differences are tested."""

    test: Literal["permutation"] = Field(default="permutation", description="paired sign flips over users")
    correct: Literal["holm"] = Field(
        default="holm", description="correction over all models against the reference"
    )
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    margin: Share = Field(
        default=0.03, gt=0, lt=1, description="how much worse than the reference a pick may be"
    )


class Suite(Section):
    """A whole suite, every default filled in."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="names the results folder")
    datasets: tuple[LogSpec, ...] = Field(min_length=1)
    stand_in: bool = Field(
        default=False, description="allow the labelled synthetic data set where the real one cannot be had"
    )
    prepare: PrepareSpec = PrepareSpec()
    split: SplitSpec = SplitSpec()
    metrics: Metrics = Metrics()
    budget: BudgetSpec = BudgetSpec()
    finals: FinalsSpec = FinalsSpec()
    models: tuple[Model, ...] = Field(min_length=1)
    verdict: VerdictSpec = VerdictSpec()
    seed: int = Field(default=0, ge=0, description="seed of the sampler and of every trial")

    @field_validator("datasets", "models", mode="before")
    @classmethod
    def _names_alone(cls, value: Any, info: Any) -> Any:
        key = "name" if info.field_name == "datasets" else "use"
        return (
            [{key: entry} if isinstance(entry, str) else entry for entry in value]
            if isinstance(value, list)
            else value
        )

    @model_validator(mode="after")
    def _each_once(self) -> Suite:
        for what, names in (
            ("datasets", [spec.name for spec in self.datasets]),
            ("models", [model.label for model in self.models]),
        ):
            if twice := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"{what}: {', '.join(sorted(twice))} is listed twice; give one another name")
        return self
