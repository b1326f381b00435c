"""Lists that the command line shows: models, data sets, runs, plans, this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark.datasets.sources import fetch as fetch_known
from benchmark.datasets.sources import known as known_data
from benchmark.protocol import Space
from benchmark.registry import Registry, install_hint
from benchmark.results import RunDirectory
from benchmark.suite import Suite
from benchmark.units import write_seconds


class Rehearsed(Protocol):
    """One model's dry run."""

    @property
    def study(self) -> str:
        """Its study."""
        ...

    @property
    def ok(self) -> bool:
        """Whether a step was trained and validated."""
        ...

    @property
    def what(self) -> str:
        """What happened."""
        ...

    @property
    def first_step_s(self) -> float | None:
        """Seconds of the first validated step."""
        ...


class Planned(Protocol):
    """One study before it runs."""

    @property
    def name(self) -> str:
        """Data set and model."""
        ...

    @property
    def space(self) -> Space:
        """What is tuned."""
        ...

    @property
    def default(self) -> dict[str, Any]:
        """Trial 0."""
        ...

    @property
    def excluded(self) -> tuple[str, str] | None:
        """Why it would not run."""
        ...


def _table(*titles: str) -> Table:
    drawn = Table(box=None, pad_edge=False)
    for title in titles:
        drawn.add_column(title, overflow="fold")
    return drawn


def _space(space: Space) -> str:
    return ", ".join(f"{name} {domain}" for name, domain in space.items()) or "nothing"


def show_models(adapters: Registry, console: Console) -> None:
    """List every adapter; no library is imported for it."""
    drawn = _table("model", "learns from", "predicts", "devices", "installed", "tunes")
    for name, adapter in sorted(adapters.items()):
        own = adapter.traits
        installed = "yes" if not adapter.missing else f"no: {install_hint([adapter])}"
        feedback = "likes" if own.feedback == "implicit" else "ratings"
        predicts = "ranking, ratings" if own.rates else "ranking"
        drawn.add_row(name, feedback, predicts, ", ".join(own.devices), installed, _space(own.space))
    console.print(drawn)


def show_data(data: Path | None, console: Console) -> None:
    """List known data sets and whether they are here."""
    drawn = _table("data set", "rows", "users × items", "here", "licence")
    for entry in known_data(data):
        known = entry.known
        here = (
            str(entry.folder)
            if entry.folder
            else f"no: bench data fetch {known.name} ({known.download_mb:g} MB)"
        )
        drawn.add_row(
            known.name, f"{known.rows:,}", f"{known.users:,} × {known.items:,}", here, known.licence
        )
    console.print(drawn)


def fetch(name: str, console: Console) -> None:
    """Download a known data set into the cache.

    Raises:
        SourceError: it cannot be had.
    """
    console.print(Text(f"{name}: {fetch_known(name, say=lambda text: console.print(Text(text)))}"))


def show_audit(manifests: Sequence[dict[str, Any]], console: Console) -> None:
    """Show how the data sets of a suite were prepared and split, and what the audit flags."""
    for manifest in manifests:
        console.print(Text(manifest["dataset"], style="bold"))
        drawn = _table("what", "value")
        for key, value in {"rule": manifest["rule"], **manifest["parts"], **manifest["audit"]}.items():
            if key not in {"flags", "notes"}:
                drawn.add_row(key, _facts(value))
        for step in manifest["prepare"]:
            drawn.add_row(
                f"prepare: {step['step']}", ", ".join(f"{k} {v}" for k, v in step.items() if k != "step")
            )
        console.print(drawn)
        for note in manifest["audit"]["notes"]:
            console.print(Text(f"  note: {note}"))
        for flag in manifest["audit"]["flags"]:
            console.print(Text(f"  flag: {flag}", style="yellow"))


def _facts(value: Any) -> str:
    """Return a value, or a mapping of values, as one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_facts(inner)}" for key, inner in value.items() if inner is not None)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def show_runs(runs: Sequence[RunDirectory], console: Console) -> None:
    """List runs, newest first, and how they ended."""
    drawn = _table("started", "suite", "state", "models", "where")
    for run in runs:
        manifest = run.manifest()
        ended = manifest["state"] if manifest["state"] == "finished" or not run.is_held else "running"
        state = "unfinished" if ended == "running" and not run.is_held else ended
        models = str(len(manifest.get("studies", [])))
        drawn.add_row(manifest["started"], manifest["suite"], state, models, str(run.path))
    console.print(drawn if runs else "no runs here; start one with: bench run quickstart")


def show_plan(suite: Suite, studies: Sequence[Planned], console: Console) -> None:
    """Show each study with its space and default, and what the whole may spend."""
    drawn = _table("study", "budget", "tunes", "default")
    for study in studies:
        budget = write_seconds(suite.budget.per_model) if study.excluded is None else study.excluded[0]
        default = ", ".join(f"{key}={value}" for key, value in study.default.items())
        drawn.add_row(study.name, budget, _space(study.space), default)
    console.print(drawn)
    tuned = [study for study in studies if study.excluded is None and study.space]
    total = write_seconds(suite.budget.per_model * len(tuned)) or "0s"
    console.print(f"At most {total} of tuning in all, shared by the slots that fit; finals come on top.")


def show_rehearsal(steps: Sequence[Rehearsed], console: Console) -> None:
    """Show what one step of every model did."""
    drawn = _table("study", "ok", "first step", "what")
    for step in steps:
        seconds = "" if step.first_step_s is None else f"{step.first_step_s:.2f} s"
        drawn.add_row(step.study, "yes" if step.ok else "NO", seconds, Text(step.what))
    console.print(drawn)


def show_doctor(facts: dict[str, Any], console: Console) -> bool:
    """Show this machine and what is missing; return whether every model can run."""
    drawn = _table("what", "found")
    for key in ("python", "platform", "processor", "cores", "memory_mb"):
        drawn.add_row(key, str(facts[key]))
    drawn.add_row("gpus", ", ".join(facts["gpus"]) or "none visible")
    drawn.add_row("BENCH_DATA", os.environ.get("BENCH_DATA", "not set"))
    for name, version in facts["versions"].items():
        drawn.add_row(name, version)
    for name, missing in facts["missing"].items():
        drawn.add_row(name, f"needs {', '.join(missing)}: pip install 'recsys-bench[{name.split('/')[0]}]'")
    console.print(drawn)
    return not facts["missing"]
