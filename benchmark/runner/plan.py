"""What a suite means for one data set: each study with its space, its key and why it may not run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmark.budget import Policy
from benchmark.errors import MissingLibrary
from benchmark.metrics import register as metrics
from benchmark.protocol import Choice, Hyperparameter, Range, Space
from benchmark.registry import Adapter, Registry, install_hint
from benchmark.results import content_hash
from benchmark.suite import Model, Suite


@dataclass(frozen=True)
class Study:
    """All trials of one model on one data set, before the first is run.

    Attributes:
        dataset: label of the data set.
        model: name on the board.
        adapter: what is tuned.
        space: tuned hyperparameters after the suite's ``set`` and ``tune``.
        default: the configuration of trial 0, fixed hyperparameters included.
        published: that of trial 1; None where the adapter names none, or the suite makes it the default.
        excluded: (status, reason) where it cannot run; None where it can.
    """

    dataset: str
    model: str
    adapter: Adapter
    space: Space
    default: dict[str, Hyperparameter]
    published: dict[str, Hyperparameter] | None
    excluded: tuple[str, str] | None

    @property
    def name(self) -> str:
        """The study's name in ledger and journal."""
        return f"{self.dataset}/{self.model}"

    @property
    def first(self) -> list[dict[str, Hyperparameter]]:
        """Configurations that come before the sampler's own: trial 0, and trial 1 if one is published."""
        return [self.default] if self.published is None else [self.default, self.published]

    def config(self, sampled: Mapping[str, Hyperparameter]) -> dict[str, Hyperparameter]:
        """Return every hyperparameter: the fixed ones and the sampled ones."""
        return {**self.default, **sampled}

    def key(self, suite: Suite, policy: Policy, split: str, **more: Any) -> str:
        """Return the hash of everything that a stored result depends on."""
        return content_hash(
            {
                "split": split,
                "adapter": [self.adapter.target, self.adapter.source_hash],
                "library": self.adapter.versions,
                "space": {key: str(domain) for key, domain in self.space.items()},
                "default": self.default,
                "policy": policy.as_dict(),
                "slot": suite.budget.slot.model_dump(),
                "primary": suite.metrics.primary,
                "metrics": metrics.METRICS_VERSION,
                "seed": suite.seed,
                **more,
            }
        )[:16]


def plan(
    suite: Suite,
    registry: Registry,
    dataset: str,
    *,
    rated: bool = True,
    described: Collection[str] = ("users", "items"),
) -> list[Study]:
    """Return the studies of one data set, in the order of the suite.

    Args:
        suite: what to run.
        registry: where its adapters are.
        dataset: label of the data set.
        rated: whether its values are ratings on a known scale; without, rating models do not apply.
        described: which of "users" and "items" have features.
    """
    studies = [_study(suite, registry[model.use], model, dataset, rated=rated) for model in suite.models]
    return [_without_features(study, described) for study in studies]


def _without_features(study: Study, described: Collection[str]) -> Study:
    """Return the study, excluded if its model needs features that the data set does not have."""
    needed = study.adapter.traits.needs_features
    if study.excluded or not needed or set(needed) & set(described):
        return study
    reason = f"needs features of {' or '.join(needed)}, and the data set has none: give their table"
    return replace(study, excluded=("n/a", reason))


def refuse_missing(suite: Suite, registry: Registry) -> None:
    """Check that every library is installed, before anything is spent.

    Raises:
        MissingLibrary: with all that lack and the command that installs them.
    """
    lacking = [registry[model.use] for model in suite.models if registry[model.use].missing]
    if lacking:
        lines = [
            f"{adapter.name} needs {', '.join(adapter.missing)}, which is not installed"
            for adapter in lacking
        ]
        raise MissingLibrary(
            "\n".join(lines) + f"\n  Install them: {install_hint(lacking)}, or go on without: --skip-missing"
        )


def _study(suite: Suite, adapter: Adapter, model: Model, dataset: str, *, rated: bool) -> Study:
    space = {
        key: _domain(domain, model, key)
        for key, domain in adapter.traits.space.items()
        if key not in model.set
    }
    default = adapter.defaults | _exact(adapter.defaults, model.set)
    default |= {key: _inside(domain, default[key]) for key, domain in space.items()}
    known = adapter.traits.published
    published = default | {key: _inside(space[key], known[key]) for key in known if key in space}
    return Study(
        dataset=dataset,
        model=model.label,
        adapter=adapter,
        space=space,
        default=default,
        published=published if published != default else None,
        excluded=_excluded(suite, adapter, rated=rated),
    )


def _excluded(suite: Suite, adapter: Adapter, *, rated: bool) -> tuple[str, str] | None:
    if adapter.missing:
        return "skipped", f"needs {', '.join(adapter.missing)}: {install_hint([adapter])}"
    if metrics.parse_metric(suite.metrics.primary).kind == "rating" and not adapter.traits.rates:
        return "n/a", f"predicts no ratings, so it has no {suite.metrics.primary}"
    if adapter.traits.feedback == "explicit" and not rated:
        return (
            "n/a",
            "learns from ratings, and these values have no scale; if they are ratings: scale: [1, 5]",
        )
    return None


def _domain(own: Range | Choice, model: Model, key: str) -> Range | Choice:
    bounds = model.tune.get(key)
    if bounds is None:
        return own
    if isinstance(own, Choice):
        return Choice(*(bounds.options or own.options))
    low = own.low if bounds.low is None else type(own.low)(bounds.low)
    high = own.high if bounds.high is None else type(own.high)(bounds.high)
    return Range(low, high, own.log if bounds.log is None else bounds.log)


def _inside(domain: Range | Choice, value: Hyperparameter) -> Hyperparameter:
    """Return the allowed value nearest to a default that the suite's bounds leave out."""
    if isinstance(domain, Choice):
        return value if value in domain.options else domain.options[0]
    assert not isinstance(value, str)
    return type(value)(min(max(value, domain.low), domain.high))


def _exact(
    defaults: Mapping[str, Hyperparameter], fixed: Mapping[str, Hyperparameter]
) -> dict[str, Hyperparameter]:
    """Return fixed values in the type of their default: 1 means 1.0 where the default is 0.5."""
    return {key: float(value) if isinstance(defaults[key], float) else value for key, value in fixed.items()}
