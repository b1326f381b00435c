"""A suite becomes a finished run: every study, then every final, resumed where a crash interrupted it."""

from benchmark.runner.dry_run import DryRun, dry_run
from benchmark.runner.options import RunOptions
from benchmark.runner.plan import Study, plan, refuse_missing
from benchmark.runner.plan_suite import Plan, plan_suite
from benchmark.runner.session import earlier_run, run
from benchmark.runner.watcher import Silent, Watcher

__all__ = [
    "DryRun",
    "Plan",
    "RunOptions",
    "Silent",
    "Study",
    "Watcher",
    "dry_run",
    "earlier_run",
    "plan",
    "plan_suite",
    "refuse_missing",
    "run",
]
