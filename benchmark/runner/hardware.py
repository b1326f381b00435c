"""What a run was made on and with: stored in its manifest."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from benchmark.executors.slots import gpus, machine_memory_mb, usable_cores
from benchmark.files import content_hash
from benchmark.records import Hardware, to_json
from benchmark.registry import Adapter

ENGINE = ("recsys-bench", "numpy", "scipy", "pandas", "optuna", "pyarrow")


def engine_versions() -> dict[str, str]:
    """Return the versions of our own code and of what computes in it: results of others are not trusted."""
    return {name: importlib.metadata.version(name) for name in ("recsys-bench", "numpy", "scipy", "numba")}


def hardware(adapters: Iterable[Adapter]) -> Hardware:
    """Return this machine, the versions that compute on it, and the content hash of both."""
    versions = {name: importlib.metadata.version(name) for name in ENGINE}
    for adapter in adapters:
        if adapter.lack:
            continue
        if adapter.pin is not None:
            versions |= by_name([adapter.pin])
        if (own := adapter.environment_record) is None:
            versions |= by_name(adapter.packages.values())
            continue
        there = f"environment {own.name}"
        versions |= {f"{name} ({there})": version for name, version in adapter.versions.items()}
        versions[there] = f"Python {own.python}, {own.sha256[:12]}"
    found = Hardware(
        python=sys.version.split()[0],
        platform=platform.platform(),
        processor=processor(),
        cores=len(usable_cores()),
        memory_mb=round(machine_memory_mb()),
        gpus=tuple(gpus()),
        versions=dict(sorted(versions.items())),
    )
    return replace(found, hash=content_hash(to_json(found)), pid=os.getpid())


def by_name(pins: Iterable[str]) -> dict[str, str]:
    """Return the version of each distribution of "name==version".

    >>> by_name(["scikit-surprise==1.1.5"])
    {'scikit-surprise': '1.1.5'}
    """
    return {name: version for name, _, version in (pin.partition("==") for pin in pins)}


def processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
