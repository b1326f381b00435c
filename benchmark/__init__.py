"""bench: tune recommenders under one device-time budget, test the differences, pick one for production."""

from __future__ import annotations

from typing import Any

__all__ = [
    "audit",
    "check",
    "diff",
    "doctor",
    "load",
    "pick",
    "plan",
    "recommend",
    "report",
    "run",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import a verb when it is first used, so that ``import benchmark`` stays light."""
    if name in __all__:
        from benchmark import api

        return getattr(api, name)
    raise AttributeError(f"module 'benchmark' has no attribute {name!r}")
