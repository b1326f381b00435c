"""A suite becomes a finished run: every study, then every final, resumed where a crash left it."""

from benchmark.runner.data import labels_of
from benchmark.runner.events import Silent, Watcher
from benchmark.runner.plan import Study, plan, refuse_missing
from benchmark.runner.rehearsal import Rehearsal, rehearse
from benchmark.runner.run import Order, finish, run

__all__ = [
    "Order",
    "Rehearsal",
    "Silent",
    "Study",
    "Watcher",
    "finish",
    "labels_of",
    "plan",
    "refuse_missing",
    "rehearse",
    "run",
]
