"""What the tables say about a model of RecBole: its fields, their ranges, and how it is served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from benchmark.hyperparameters import AT_LEAST_0, Limits
from benchmark.protocol import Hyperparameter, Space

Serving: TypeAlias = Literal["network", "vectors", "item weights"]

TRAINED: Mapping[str, Hyperparameter] = {"lr": 1e-3, "batch_size": 2048, "max_epochs": 300}
"""RecBole's own defaults of every model that it trains (properties/overall.yaml)."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "dim": ("embedding_size",),
    "lr": ("learning_rate",),
    "l2": ("reg_weight",),
    "dropout": ("dropout_prob",),
    "layers": ("n_layers",),
    "neighbours": ("k",),
    "shrinkage": ("shrink",),
    "history": ("MAX_ITEM_LIST_LENGTH",),
    "batch_size": ("train_batch_size",),
    "max_epochs": ("epochs",),
}
"""RecBole's keys of the words that adapters share; every other field has RecBole's own name."""


@dataclass(frozen=True)
class Entry:
    """One model of RecBole.

    Attributes:
        name: of its class there.
        says: what it is, with its paper.
        cost: of a pass, and of a fit where that is one step.
        own: fields with RecBole's defaults (properties/model/NAME.yaml), beside those of :data:`TRAINED` or
            in their place: numbers, and what is chosen among a few; a list is text, such as "[64, 64]".
        space: what is tuned: RecBole's published range for MovieLens-1M, widened to hold the default.
        published: the best configuration that RecBole published for MovieLens-1M, where it differs.
        keys: RecBole's keys of fields whose word is not in :data:`WORDS`.
        fixed: settings that nobody can change.
        serving: "vectors" if its scores are dot products, "item weights" if they are a history times a matrix
            (I, I); else only RecBole itself can score.
        one_step: whether it is ready as soon as it is made: then it has none of :data:`TRAINED`.
        deterministic: the seed changes nothing.
        limits: what fields can be at all, beside the words that adapters share.
        bytes_a_pair: what making it takes for each pair of items, where that is much; 0 else.
    """

    name: str
    says: str
    cost: str
    own: Mapping[str, Hyperparameter] = field(default_factory=dict)
    space: Space = field(default_factory=dict)
    published: Mapping[str, Hyperparameter] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fixed: Mapping[str, Hyperparameter | None] = field(default_factory=dict)
    serving: Serving = "network"
    one_step: bool = False
    deterministic: bool = False
    limits: Limits = field(default_factory=dict)
    bytes_a_pair: int = 0

    @property
    def defaults(self) -> dict[str, Hyperparameter]:
        """Every field with its default, but for those that all of its kind have."""
        return dict(self.own) if self.one_step else {**TRAINED, **self.own}

    @property
    def all_limits(self) -> Limits:
        """What its fields can be at all: shared words may have their own, all other numbers are 0 or more."""
        numbers = {
            name: AT_LEAST_0
            for name, value in self.defaults.items()
            if type(value) in (int, float) and name not in SHARED and value >= 0  # type: ignore[operator]
        }
        return {**numbers, **self.limits}


SHARED = frozenset({*WORDS, "negatives", "temperature", "l1"})
"""Words whose limits are those of all adapters."""
