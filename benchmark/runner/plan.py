"""What a suite means for one data set: each study with its space, its key, and why it may not run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from benchmark.budget import Policy
from benchmark.errors import MissingLibrary
from benchmark.files import content_hash
from benchmark.metrics import register as metrics
from benchmark.protocol import Choice, Hyperparameter, Range, Space
from benchmark.records import Exclusion, Params, StudyRecord
from benchmark.registry import Adapter, Registry, install_hint
from benchmark.suite import Model, Suite

ENGINE_VERSION = 6
"""Bump when an engine change alters scores; results of other versions are not resumed."""


@dataclass(frozen=True)
class StudyKeys:
    """The hashes by which a study's results are found again.

    Attributes:
        result: of everything that they depend on.
        search: of everything but what the study may spend: one that may spend more goes on from it.
    """

    result: str
    search: str

    def numbered(self, taken: Collection[str]) -> StudyKeys:
        """Return the same keys, or such as no other study of the run has: a suite may name a model twice."""
        number, keys = 1, self
        while keys.result in taken:
            number += 1
            keys = StudyKeys(*(content_hash([one, number])[:16] for one in (self.result, self.search)))
        return keys


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
        excluded: why it does not run; None where it does.
        budget_s: device-seconds that it may spend.
    """

    dataset: str
    model: str
    adapter: Adapter
    space: Space
    default: Params
    published: Params | None
    excluded: Exclusion | None
    budget_s: float

    @property
    def name(self) -> str:
        """The study's name in ledger and journal."""
        return f"{self.dataset}/{self.model}"

    @property
    def first(self) -> list[Params]:
        """Configurations that come before the sampler's own: trial 0, and trial 1 if one is published."""
        return [self.default] if self.published is None else [self.default, self.published]

    def config(self, sampled: Mapping[str, Hyperparameter]) -> dict[str, Hyperparameter]:
        """Return every hyperparameter: the fixed ones and the sampled ones."""
        return {**self.default, **sampled}

    def record(self) -> StudyRecord:
        """Return what the manifest says about it."""
        traits = self.adapter.traits
        return StudyRecord(
            dataset=self.dataset,
            model=self.model,
            adapter=self.adapter.name,
            library=self.adapter.library,
            feedback=traits.feedback,
            rates=traits.rates,
            deterministic=traits.deterministic,
            devices=traits.devices,
            from_features=traits.from_features,
            uses=traits.uses,
            from_graph=traits.from_graph,
            space=self.space,
            default=self.default,
            published=self.published,
            excluded=self.excluded,
            environment=None if self.excluded else self.adapter.environment_record,
            budget_s=self.budget_s,
        )

    def keys(
        self,
        suite: Suite,
        policy: Policy,
        *,
        data: Mapping[str, object],
        device: str,
        engine: Mapping[str, str],
    ) -> StudyKeys:
        """Return the hashes of what a stored result depends on.

        Args:
            suite: slot, primary metric and seed.
            policy: how its budget is handed out.
            data: hashes of the split, and of what lies beside it.
            device: that is really held.
            engine: versions of what computes in our own code.
        """
        environment = self.adapter.environment
        granted = asdict(policy)
        rules = {name: value for name, value in granted.items() if name not in {"budget_s", "max_trials"}}
        rest = {
            "data": data,
            "adapter": [self.adapter.target, self.adapter.source_hash],
            "library": self.adapter.versions,
            "space": {name: asdict(domain) for name, domain in self.space.items()},
            "default": dict(self.default),
            "slot": suite.budget.slot.model_dump(),
            "primary": suite.metrics.primary,
            "seed": suite.seed,
            "device": device,
            "engine": engine,
            "versions": [ENGINE_VERSION, metrics.METRICS_VERSION],
            **({} if environment is None else {"environment": environment.hash}),
        }
        result, search = (content_hash({**rest, "policy": one})[:16] for one in (granted, rules))
        return StudyKeys(result, search)


def plan(
    suite: Suite,
    registry: Registry,
    dataset: str,
    *,
    rated: bool = True,
    described: Collection[str] = ("users", "items", "graph"),
    repeats: bool = True,
) -> list[Study]:
    """Return the studies of one data set, in the order of the suite.

    Args:
        suite: what to run.
        registry: where its adapters are.
        dataset: label of the data set.
        rated: whether its values are ratings on a known scale; without, rating models do not apply.
        described: which of "users" and "items" have features, and "graph" where there is one.
        repeats: whether its items come again and may be recommended again.
    """
    studies = []
    for model in suite.tuned:
        adapter = registry[model.use]
        excluded = exclusion(suite, adapter, rated=rated, described=described, repeats=repeats)
        budget_s = suite.budget.per_model if model.budget is None else model.budget
        studies.append(_study(adapter, model, dataset, excluded, budget_s))
    return studies


def refuse_missing(suite: Suite, registry: Registry) -> None:
    """Check that every library is installed, and every environment ready, before anything is spent.

    Raises:
        MissingLibrary: names all that are not, and the command that installs them.
    """
    lacking = [registry[model.use] for model in suite.tuned if registry[model.use].lack]
    if lacking:
        lines = [f"{adapter.name} {adapter.lack}" for adapter in lacking]  # with the cure of an environment
        hint = install_hint([adapter for adapter in lacking if not adapter.traits.environment])
        ways = f"Install them: {hint}, or skip them" if hint else "Or skip them"
        raise MissingLibrary("\n".join(lines) + f"\n  {ways}: --skip-missing")


def _study(
    adapter: Adapter, model: Model, dataset: str, excluded: Exclusion | None, budget_s: float
) -> Study:
    space = {
        name: tuned_domain(domain, model, name)
        for name, domain in adapter.traits.space.items()
        if name not in model.set
    }
    default = adapter.defaults
    # Fixed values take the type of their default: 1 means 1.0 where the default is 0.5, 1e3 means 1000.
    for name, value in model.set.items():
        default[name] = type(default[name])(value)
    default |= {name: nearest(domain, default[name]) for name, domain in space.items()}
    paper = adapter.traits.published
    published = default | {name: nearest(space[name], paper[name]) for name in paper if name in space}
    return Study(
        dataset=dataset,
        model=model.label,
        budget_s=budget_s,
        adapter=adapter,
        space=space,
        default=default,
        published=published if published != default else None,
        excluded=excluded,
    )


def exclusion(
    suite: Suite, adapter: Adapter, *, rated: bool, described: Collection[str], repeats: bool
) -> Exclusion | None:
    """Return why a model does not run on a data set; None if it does."""
    traits = adapter.traits
    if adapter.lack:
        missing = ", ".join(adapter.missing)
        reason = f"needs {missing}: {install_hint([adapter])}" if missing else adapter.lack
        return Exclusion("skipped", reason)
    if metrics.parse_metric(suite.metrics.primary).kind == "rating" and not traits.rates:
        return Exclusion("n/a", f"predicts no ratings, so it has no {suite.metrics.primary}")
    needed = traits.needs_features
    graphless = (
        "needs a knowledge graph, and the data set has none: name one (graph: {path: FILE}), or make one "
        "from its table of items (graph: from_items)"
    )
    unmet = (
        (
            traits.feedback == "explicit" and not rated,
            "learns from ratings, and these values have no scale; if they are ratings: scale: [1, 5]",
        ),
        (
            bool(needed) and not set(needed) & set(described),
            f"needs features of {' or '.join(needed)}, and the data set has none: add their table",
        ),
        (traits.needs_graph and "graph" not in described, graphless),
        (
            traits.needs_repeats and not repeats,
            "recommends what a user has had, and here no item comes again; if so: pairs: repeat, seen: allow",
        ),
    )
    return next((Exclusion("n/a", reason) for is_unmet, reason in unmet if is_unmet), None)


def tuned_domain(own: Range | Choice, model: Model, name: str) -> Range | Choice:
    """Return the range or choice that is tuned: the adapter's own, with the suite's bounds."""
    bounds = model.tune.get(name)
    if bounds is None:
        return own
    if isinstance(own, Choice):
        return Choice(*(bounds.options or own.options))
    low = own.low if bounds.low is None else type(own.low)(bounds.low)
    high = own.high if bounds.high is None else type(own.high)(bounds.high)
    return Range(low, high, own.log if bounds.log is None else bounds.log)


def nearest(domain: Range | Choice, value: Hyperparameter) -> Hyperparameter:
    """Return the allowed value nearest to one that the suite's bounds may exclude."""
    if isinstance(domain, Choice):
        return value if value in domain.options else domain.options[0]
    assert not isinstance(value, str)
    return type(value)(min(max(value, domain.low), domain.high))
