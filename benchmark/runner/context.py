"""What all studies and finals of a run share, and how their requests are made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from benchmark.budget import Policy
from benchmark.executors.slots import Slot
from benchmark.ledger import Ledger
from benchmark.messages import FitRequest
from benchmark.metrics import register as metrics
from benchmark.records import Params
from benchmark.runner.child import RetryPolicy
from benchmark.runner.fork_servers import ForkServers
from benchmark.runner.plan import Study
from benchmark.runner.watcher import Watcher
from benchmark.suite import Suite
from benchmark.tuner import Journal


@dataclass(frozen=True)
class RunContext:
    """What all studies of a run share."""

    suite: Suite
    policy: Policy
    retries: RetryPolicy
    ledger: Ledger
    journal: Journal
    watcher: Watcher
    log: Callable[[str], None]
    stop: threading.Event
    fork_servers: ForkServers

    @property
    def maximise(self) -> bool:
        """Whether a higher primary value is better."""
        return metrics.parse_metric(self.suite.metrics.primary).higher_is_better


def policy_for(suite: Suite, study: Study | None = None) -> Policy:
    """Return how a suite hands out its budget, or that of one study, which may have its own."""
    return Policy(suite.budget.per_model if study is None else study.budget_s, suite.budget.max_trials)


def fit_request(
    suite: Suite, study: Study, params: Params, seed: int, slot: Slot, *, step_rows: int | None = None
) -> FitRequest:
    """Return what a child must know to fit one configuration of a suite's study.

    Args:
        suite: what is run.
        study: of the model.
        params: every hyperparameter.
        seed: of the model.
        slot: where it runs.
        step_rows: rows that a step may train, if the model can; None for a whole pass.
    """
    measured = applicable_metrics(suite, study)
    return FitRequest(
        target=study.adapter.target,
        name=study.adapter.name,
        params=params,
        seed=seed,
        threads=len(slot.cores),
        device=slot.device if slot.device in study.adapter.traits.devices else "cpu",
        metrics=measured,
        rates=any(metrics.parse_metric(name).kind == "rating" for name in measured),
        step_rows=step_rows if study.adapter.traits.streams else None,
    )


def applicable_metrics(suite: Suite, study: Study) -> tuple[str, ...]:
    """Return the metrics that make sense for a model: no RMSE for a ranker."""
    rates = study.adapter.traits.rates
    return tuple(name for name in suite.metrics.all if rates or metrics.parse_metric(name).kind != "rating")
