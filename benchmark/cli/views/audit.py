"""How the data sets of a suite were prepared and split, and what the audit flags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from benchmark.cli.views.tables import show_table
from benchmark.datasets.audit.split_audit import TERMS


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
