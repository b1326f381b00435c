"""What a run was made on and with: stored in its manifest."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmark.executors.slots import gpus, machine_memory_mb, usable_cores
from benchmark.registry import Adapter
from benchmark.results import content_hash

ENGINE = ("recsys-bench", "numpy", "scipy", "pandas", "optuna", "pyarrow")


def engine_versions() -> dict[str, str]:
    """Return the versions of our own code and of what computes in it: results of others are not trusted."""
    return {name: importlib.metadata.version(name) for name in ("recsys-bench", "numpy", "scipy", "numba")}


def environment(adapters: Iterable[Adapter]) -> dict[str, Any]:
    """Return versions and hardware, and their content hash."""
    versions = {name: importlib.metadata.version(name) for name in ENGINE}
    for adapter in adapters:
        if not adapter.missing:
            versions |= adapter.versions
    facts = {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": len(usable_cores()),
        "memory_mb": round(machine_memory_mb()),
        "gpus": gpus(),
        "versions": dict(sorted(versions.items())),
    }
    return facts | {"hash": content_hash(facts), "pid": os.getpid()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
