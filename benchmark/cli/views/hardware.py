"""This machine, and which libraries are missing."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console
from rich.text import Text

from benchmark.api.adapters import Diagnosis
from benchmark.cli.views.tables import show_table


def show_diagnosis(diagnosis: Diagnosis, console: Console) -> None:
    """Show this machine, the versions of libraries, and what is missing."""
    machine = diagnosis.hardware
    rows = [
        ("python", machine.python),
        ("platform", machine.platform),
        ("processor", machine.processor),
        ("cores", str(machine.cores)),
        ("memory", f"{machine.memory_mb / 1024:.1f} GB"),
        ("gpus", ", ".join(machine.gpus) or "none visible"),
        ("BENCH_DATA", data_variable()),
        *machine.versions.items(),
    ]
    environments = {one.name: ": ".join(filter(None, one.state())) for one in diagnosis.environments}
    rows += [(f"environment {name}", state) for name, state in environments.items()]
    rows += [(name, f"needs {', '.join(missing)}") for name, missing in diagnosis.missing.items()]
    rows += [(name, f"broken: {why}") for name, why in diagnosis.broken.items()]
    show_table(console, ("what", "found"), rows)
    if diagnosis.missing:
        console.print(Text(f"Install what is missing: {diagnosis.install}"), soft_wrap=True)


def data_variable() -> str:
    """Return what $BENCH_DATA says, and whether it is a folder."""
    named = os.environ.get("BENCH_DATA")
    if not named:
        return "not set"
    return named if Path(named).is_dir() else f"{named} (no such folder)"
