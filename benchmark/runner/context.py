"""What all studies and finals of a run share: settings, records, and how their processes are started."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmark.budget import Ledger, Line, Policy
from benchmark.executors.channel import Message
from benchmark.executors.local import Child
from benchmark.executors.processes import boot_and_pid_namespace
from benchmark.executors.slots import Slot
from benchmark.metrics import register as metrics
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
    ledger: Ledger
    journal: Journal
    watcher: Watcher
    log: Callable[[str], None]
    stop: threading.Event
    fork_servers: ForkServers

    def request(self, study: Study, params: dict[str, Any], seed: int, slot: Slot) -> Message:
        """Return what a child must know to fit one configuration."""
        return request_of(self.suite, study, params, seed, slot)

    @property
    def maximise(self) -> bool:
        """Whether a higher primary value is better."""
        return metrics.parse_metric(self.suite.metrics.primary).higher_is_better


def request_of(suite: Suite, study: Study, params: dict[str, Any], seed: int, slot: Slot) -> Message:
    """Return what a child must know to fit one configuration of a suite's study."""
    measured = applicable(suite, study)
    return {
        "target": study.adapter.target,
        "name": study.adapter.name,
        "params": params,
        "seed": seed,
        "threads": len(slot.cores),
        "device": slot.device if slot.device in study.adapter.traits.devices else "cpu",
        "metrics": measured,
        "rates": any(metrics.parse_metric(name).kind == "rating" for name in measured),
    }


def applicable(suite: Suite, study: Study) -> list[str]:
    """Return the metrics that make sense for a model: no RMSE for a ranker."""
    rates = study.adapter.traits.rates
    return [name for name in suite.metrics.all if rates or metrics.parse_metric(name).kind != "rating"]


def note_open(ledger: Ledger, child: Child, entry: dict[str, Any], **more: Any) -> Line:
    """Write down that a process got its hold, and how to find the process again."""
    return ledger.append(
        "open", **entry, pid=child.pid, start_ticks=child.started, era=boot_and_pid_namespace(), **more
    )
