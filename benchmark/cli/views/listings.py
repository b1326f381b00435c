"""Lists that the command line shows: models, data sets, runs, plans, this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark.datasets.audit.split_audit import TERMS
from benchmark.datasets.sources.download import fetch as fetch_known
from benchmark.datasets.sources.folders import DataFolders, local_datasets
from benchmark.datasets.sources.known import find_known
from benchmark.protocol import Space
from benchmark.registry import OPTIONAL, Registry, install_hint
from benchmark.results import RunDirectory
from benchmark.suite import Suite
from benchmark.units import write_seconds


class DryRunStep(Protocol):
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
    def published(self) -> dict[str, Any] | None:
        """Trial 1, where the adapter names one."""
        ...

    @property
    def excluded(self) -> tuple[str, str] | None:
        """Why it would not run."""
        ...


WRAPPED = 60
"""Characters that a long column may be narrowed to; below that it becomes hard to read."""


def show_table(
    console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]], *, long: int = 0
) -> None:
    """Print rows below their titles; the last ``long`` columns get a table each where all is too wide."""
    cells = [[Text(cell) for cell in row] for row in rows]
    longest = [max((cell.cell_len for cell in column), default=0) for column in zip(*cells, strict=True)]
    short = len(titles) - long
    if sum(longest[:short]) + sum(min(cell, WRAPPED) for cell in longest[short:]) > console.width:
        _print(console, titles[:short], [row[:short] for row in cells])
        for column in range(short, len(titles)):
            console.print()
            _print(console, [titles[0], titles[column]], [[row[0], row[column]] for row in cells])
    else:
        _print(console, titles, cells)


def _print(console: Console, titles: Sequence[str], cells: Sequence[Sequence[Text]]) -> None:
    drawn = Table(box=None, pad_edge=False)
    for place, title in enumerate(titles):
        drawn.add_column(title, overflow="fold", no_wrap=place == 0)
    for row in cells:
        drawn.add_row(*row)
    console.print(drawn)


def _space(space: Space) -> str:
    return ", ".join(f"{name} {domain}" for name, domain in space.items()) or "nothing"


def show_models(adapters: Registry, console: Console) -> None:
    """List every adapter; no library is imported for it."""
    rows = []
    for name, adapter in sorted(adapters.items()):
        own = adapter.traits
        installed = "yes" if not adapter.missing else f"no: {install_hint([adapter])}"
        feedback = "likes" if own.feedback == "implicit" else "ratings"
        predicts = "ranking, ratings" if own.rates else "ranking"
        rows.append((name, feedback, predicts, ", ".join(own.devices), installed, _space(own.space)))
    show_table(console, ("model", "learns from", "predicts", "devices", "installed", "tunes"), rows, long=1)


def show_metrics(metrics: Sequence[dict[str, str]], console: Console) -> None:
    """List every metric that a suite may name."""
    titles = ("name", "better", "range", "formula", "source")
    show_table(console, titles, [tuple(metric[title] for title in titles) for metric in metrics], long=2)


def show_data(data: Path | None, console: Console) -> None:
    """List known data sets, whether they are here, and their terms, a table each: paths are long."""
    shapes, places, terms = [], [], []
    for entry in local_datasets(DataFolders(data=data)):
        known = entry.known
        absent = f"no: bench data fetch {known.name} ({known.download_mb:g} MB)"
        shape = f"{known.users:,} × {known.items:,}"
        shapes.append((known.name, f"{known.rows:,}", shape, known.side_information))
        places.append((known.name, str(entry.folder) if entry.folder else absent))
        terms.append((known.name, known.licence))
    show_table(console, ("data set", "rows", "users × items", "side_information"), shapes)
    console.print()
    show_table(console, ("data set", "here"), places)
    console.print()
    show_table(console, ("data set", "licence"), terms)


def fetch(name: str, console: Console) -> None:
    """Download a known data set into the cache.

    Raises:
        SourceError: it cannot be had.
    """
    folder = fetch_known(find_known(name), say=lambda text: console.print(Text(text)))
    console.print(Text(f"{name}: {folder}"))


def show_audit(manifests: Sequence[dict[str, Any]], console: Console) -> None:
    """Show how the data sets of a suite were prepared and split, and what the audit flags."""
    for manifest in manifests:
        console.print(Text(manifest["dataset"], style="bold"))
        rows = [
            (f"prepare: {step['step']}", _facts({key: step[key] for key in step if key != "step"}))
            for step in manifest["prepare"]
        ]
        facts = {"split": manifest["rule"], **manifest["parts"]}
        facts |= {"notes of the split": manifest["notes"], **manifest["audit"]}
        rows += [
            (key.replace("_", " "), _facts(value))
            for key, value in facts.items()
            if key not in {"flags", "notes"}
        ]
        show_table(console, ("what", "value"), rows)
        for note in manifest["audit"]["notes"]:
            console.print(Text(f"  note: {note}"))
        for flag in manifest["audit"]["flags"]:
            console.print(Text(f"  flag: {flag}", style="yellow"))
    _show_terms(manifests, console)


def _show_terms(manifests: Sequence[dict[str, Any]], console: Console) -> None:
    """Explain each word of the audits, a line each."""
    console.print()
    used = {word for manifest in manifests for word in manifest["audit"]}
    used |= {"tied"} if any("tie_rule" in manifest["notes"] for manifest in manifests) else set()
    for word in (word for word in TERMS if word in used):
        console.print(Text(f"{word.replace('_', ' ')}: {TERMS[word]}", style="dim"), soft_wrap=True)


def _facts(value: Any) -> str:
    """Return a value, or a mapping of values, as one line."""
    if isinstance(value, dict):
        said = {key: inner for key, inner in value.items() if inner is not None and inner != ""}
        return ", ".join(f"{key.replace('_', ' ')} {_facts(inner)}" for key, inner in said.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def show_runs(runs: Sequence[RunDirectory], console: Console) -> None:
    """List runs, newest first, and how they ended."""
    rows = []
    for run in runs:
        manifest = run.manifest()
        ended = manifest["state"] if manifest["state"] == "finished" or not run.is_held else "running"
        state = "unfinished" if ended == "running" and not run.is_held else ended
        models = str(len(manifest.get("studies", [])))
        rows.append((manifest["started"], manifest["suite"], state, models, str(run.path)))
    if rows:
        show_table(console, ("started", "suite", "state", "models", "where"), rows)
    else:
        console.print("no runs here; start one with: bench run quickstart")


def show_plan(suite: Suite, studies: Sequence[Planned], console: Console) -> None:
    """Show each study with its space and default, and what the whole may spend."""
    rows = []
    for study in studies:
        budget = write_seconds(suite.budget.per_model) if study.space else "one trial"
        will = budget if study.excluded is None else ": ".join(study.excluded)
        rows.append((study.name, will, _space(study.space), _first_trials(study)))
    show_table(console, ("study", "budget", "tunes", "first trials"), rows, long=2)
    tuned = [study for study in studies if study.excluded is None and study.space]
    total = write_seconds(suite.budget.per_model * len(tuned)) or "0s"
    console.print(
        f"At most {total} of tuning in all, shared by the slots that fit; finals come on top.",
        highlight=False,
    )


def _first_trials(study: Planned) -> str:
    """Return the default and what a published configuration, tried next, has in its place."""
    published = (study.published or {}).items()
    other = {key: value for key, value in published if value != study.default[key]}
    parts = [", ".join(f"{key}={value}" for key, value in part.items()) for part in (study.default, other)]
    return "; then published ".join(part for part in parts if part)


def show_dry_run(steps: Sequence[DryRunStep], console: Console) -> None:
    """Show what one step of every model did."""
    rows = []
    for step in steps:
        seconds = "" if step.first_step_s is None else f"{step.first_step_s:.2f} s"
        rows.append((step.study, "yes" if step.ok else "NO", seconds, step.what))
    show_table(console, ("study", "ok", "first step", "what"), rows, long=1)


def show_doctor(facts: dict[str, Any], console: Console) -> bool:
    """Show this machine and what is missing; return whether every model of the extra ``all`` can run."""
    rows = [(key, str(facts[key])) for key in ("python", "platform", "processor", "cores")]
    rows.append(("memory", f"{facts['memory_mb'] / 1024:.1f} GB"))
    rows.append(("gpus", ", ".join(facts["gpus"]) or "none visible"))
    rows.append(("BENCH_DATA", _data_variable()))
    rows += facts["versions"].items()
    for name, missing in facts["missing"].items():
        rows.append((name, f"needs {', '.join(missing)}"))
    show_table(console, ("what", "found"), rows)
    if facts["missing"]:
        console.print(Text(f"What is missing comes with: {facts['install']}"), soft_wrap=True)
    return all(name.partition("/")[0] in OPTIONAL for name in facts["missing"])


def _data_variable() -> str:
    named = os.environ.get("BENCH_DATA")
    if not named:
        return "not set"
    return named if Path(named).is_dir() else f"{named} (no such folder)"
