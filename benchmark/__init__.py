"""bench: tune recommenders under one device-time budget, test the differences, pick one for production."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from benchmark.api import (
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
        verify,
    )
    from benchmark.bundle import Bundle
    from benchmark.leaderboard import Board

__all__ = [
    "Board",
    "Bundle",
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
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used, so that ``import benchmark`` stays light."""
    if name == "__version__":
        return import_module("importlib.metadata").version("recsys-bench")
    if name not in __all__:
        raise AttributeError(f"module 'benchmark' has no attribute {name!r}")
    homes = {"Board": "benchmark.leaderboard", "Bundle": "benchmark.bundle"}
    return getattr(import_module(homes.get(name, "benchmark.api")), name)


def __dir__() -> list[str]:
    """Return every name, so that completion shows them before they are imported."""
    return sorted({*globals(), *__all__})
