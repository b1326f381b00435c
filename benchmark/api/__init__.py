"""Every command as a Python call, with keyword arguments.

A call bears the name of its command: ``run``, ``report``, ``pick`` and so on. Parts of a command have names
of their own: ``audit`` is ``bench data check``, ``fetch`` is ``bench data fetch``, ``melt`` is
``bench data melt``, ``dry_run`` is ``bench run --dry-run``, ``create_env`` is ``bench env create``, and
``load`` opens a bundle. ``split`` and ``evaluate`` take frames, which no command line can. All but
``metrics``, which a package of that name hides, can be imported from ``benchmark``, and so can every type
that a call takes or returns.
"""

from importlib import import_module
from typing import Any

from benchmark.api.adapters import doctor, models
from benchmark.api.bundles import load, recommend, verify
from benchmark.api.competing import export_split, score
from benchmark.api.data_split import DataSplit, Evaluated
from benchmark.api.frameworks import check_env, create_env, env, remove_env
from benchmark.api.picking import Pick, export, pick
from benchmark.api.running import Run, diff, report, run, runs
from benchmark.api.splitting import evaluate, split
from benchmark.api.suites import audit, check, data, dry_run, fetch, init, melt, metrics, plan, schema

__all__ = [
    "DataSplit",
    "Evaluated",
    "Pick",
    "Run",
    "audit",
    "check",
    "check_env",
    "create_env",
    "data",
    "diff",
    "doctor",
    "dry_run",
    "env",
    "evaluate",
    "export",
    "export_split",
    "fetch",
    "init",
    "load",
    "melt",
    "metrics",
    "models",
    "pick",
    "plan",
    "recommend",
    "remove_env",
    "report",
    "run",
    "runs",
    "schema",
    "score",
    "split",
    "verify",
]

TYPES = {
    "Adapter": "benchmark.registry",
    "Array": "benchmark.protocol",
    "Assignments": "benchmark.suite.assignments",
    "Board": "benchmark.leaderboard",
    "Bundle": "benchmark.bundle",
    "Changes": "benchmark.compare_runs",
    "Check": "benchmark.bundle.verify",
    "Compare": "benchmark.leaderboard",
    "Contribution": "benchmark.bundle",
    "Decision": "benchmark.selection",
    "Diagnosis": "benchmark.api.adapters",
    "DryRun": "benchmark.runner",
    "Environment": "benchmark.environments",
    "Explanation": "benchmark.bundle",
    "Frame": "benchmark.datasets.tables.frames",
    "FrameKeys": "benchmark.api.in_memory",
    "FrameTable": "benchmark.api.in_memory",
    "FrameLike": "benchmark.bundle.serving",
    "HistoryLike": "benchmark.bundle.from_history",
    "Id": "benchmark.bundle.served",
    "Ids": "benchmark.protocol",
    "Item": "benchmark.bundle",
    "LocalDataset": "benchmark.datasets.sources.folders",
    "Melted": "benchmark.datasets.tables.melt",
    "Metric": "benchmark.metrics.register",
    "NamedModel": "benchmark.api.in_memory",
    "Part": "benchmark.datasets.log",
    "Plan": "benchmark.runner",
    "Recommendation": "benchmark.bundle",
    "Row": "benchmark.leaderboard.rows",
    "Rule": "benchmark.selection.assessment",
    "Scores": "benchmark.protocol",
    "Silent": "benchmark.runner",
    "SimilarItems": "benchmark.bundle",
    "SplitManifest": "benchmark.datasets.manifest",
    "StrPath": "benchmark.api.suites",
    "Suite": "benchmark.suite",
    "SuiteSource": "benchmark.api.suites",
    "TableKind": "benchmark.leaderboard",
    "TextTable": "benchmark.leaderboard",
    "Wanted": "benchmark.bundle.stored_model",
    "Watcher": "benchmark.runner",
    "What": "benchmark.leaderboard.plot",
}
"""Where the types in signatures live that are not of this package's own making."""


def __getattr__(name: str) -> Any:
    """Import a type when it is first used: most need more than a call does."""
    if name not in TYPES:
        raise AttributeError(f"module 'benchmark.api' has no attribute {name!r}")
    return getattr(import_module(TYPES[name]), name)


def __dir__() -> list[str]:
    """Return the calls, for completion; types can be imported all the same."""
    return [name for name in __all__ if name.islower()]
