"""bench: tune recommenders under one device-time budget, test the differences, pick one for production."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from benchmark.api import (
        DataSplit,
        Evaluated,
        Pick,
        Run,
        audit,
        check,
        check_env,
        create_env,
        data,
        diff,
        doctor,
        dry_run,
        env,
        evaluate,
        export,
        export_split,
        fetch,
        init,
        load,
        melt,
        models,
        pick,
        plan,
        recommend,
        remove_env,
        report,
        run,
        runs,
        schema,
        score,
        split,
        verify,
    )
    from benchmark.api.adapters import Diagnosis
    from benchmark.api.in_memory import FrameKeys, FrameTable, NamedModel
    from benchmark.api.suites import StrPath, SuiteSource
    from benchmark.bundle import Bundle, Contribution, Explanation, Item, Recommendation, SimilarItems
    from benchmark.bundle.from_history import HistoryLike
    from benchmark.bundle.served import Id
    from benchmark.bundle.serving import FrameLike
    from benchmark.bundle.stored_model import Wanted
    from benchmark.bundle.verify import Check
    from benchmark.compare_runs import Changes
    from benchmark.datasets.log import Part
    from benchmark.datasets.manifest import SplitManifest
    from benchmark.datasets.sources.folders import LocalDataset
    from benchmark.datasets.tables.frames import Frame
    from benchmark.datasets.tables.melt import Melted
    from benchmark.environments import Environment
    from benchmark.leaderboard import Board, Compare, TableKind, TextTable
    from benchmark.leaderboard.plot import What
    from benchmark.leaderboard.rows import Row
    from benchmark.metrics.register import Metric
    from benchmark.protocol import Array, Ids, Scores
    from benchmark.registry import Adapter
    from benchmark.runner import DryRun, Plan, Silent, Watcher
    from benchmark.selection import Decision
    from benchmark.selection.assessment import Rule
    from benchmark.suite import Suite
    from benchmark.suite.assignments import Assignments

__all__ = [
    "Adapter",
    "Array",
    "Assignments",
    "Board",
    "Bundle",
    "Changes",
    "Check",
    "Compare",
    "Contribution",
    "DataSplit",
    "Decision",
    "Diagnosis",
    "DryRun",
    "Environment",
    "Evaluated",
    "Explanation",
    "Frame",
    "FrameKeys",
    "FrameLike",
    "FrameTable",
    "HistoryLike",
    "Id",
    "Ids",
    "Item",
    "LocalDataset",
    "Melted",
    "Metric",
    "NamedModel",
    "Part",
    "Pick",
    "Plan",
    "Recommendation",
    "Row",
    "Rule",
    "Run",
    "Scores",
    "Silent",
    "SimilarItems",
    "SplitManifest",
    "StrPath",
    "Suite",
    "SuiteSource",
    "TableKind",
    "TextTable",
    "Wanted",
    "Watcher",
    "What",
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


def __getattr__(name: str) -> Any:
    """Import a name when it is first used, so that ``import benchmark`` stays light."""
    if name == "__version__":
        return import_module("importlib.metadata").version("recsys-bench")
    if name not in __all__:
        raise AttributeError(f"module 'benchmark' has no attribute {name!r}")
    return getattr(import_module("benchmark.api"), name)


def __dir__() -> list[str]:
    """Return the calls, before they are imported, and nothing else; types can be imported all the same."""
    return [name for name in __all__ if name.islower()]
