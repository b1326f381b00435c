"""A suite becomes a finished run: every study, then every final, resumed where a crash left it."""

from benchmark.runner.data import labels_of
from benchmark.runner.dry_runs import DryRun, dry_run
from benchmark.runner.events import Silent, Watcher
from benchmark.runner.plan import Study, plan, refuse_missing
from benchmark.runner.run import Order, finish, run

__all__ = [
    "DryRun",
    "Order",
    "Silent",
    "Study",
    "Watcher",
    "dry_run",
    "finish",
    "labels_of",
    "plan",
    "refuse_missing",
    "run",
]
