"""The decision record: what was picked, by which rule, and why every other model lost."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from benchmark.reporting.columns import decimal, p_value, signed
from benchmark.reporting.markdown import escape
from benchmark.results import RunDirectory, write_atomically
from benchmark.selection.choose import LATENCY_STEP_MS, ORDER, Decision, ModelAssessment

COSTS = ("latency_ms_p50", "latency_ms_p95", "memory_mb", "size_mb", "fit_s", "params", "device")


def as_json(decision: Decision) -> dict[str, Any]:
    """Return the record as JSON holds it; a number that does not exist is None."""
    known, wish = decision.known, decision.wish
    final = known.finals[decision.winner]
    return {
        "suite": known.suite["name"],
        "dataset": known.table.dataset,
        "synthetic": known.data["synthetic"],
        "split_hash": known.data["hash"],
        "primary": known.table.primary,
        "reference": decision.reference,
        "winner": decision.winner,
        "outcome": decision.outcome,
        "rule": {
            "name": wish.rule,
            "text": rule_text(decision),
            "margin": known.margin,
            "allowed": decision.allowed,
            "level": 1 - known.alpha,
        },
        "limits": _limits(decision),
        "order": list(ORDER),
        "config": final["config"],
        "trained_on": final["train_on"],
        "seed": final["seed"],
        "warnings": list(decision.warnings),
        "models": [_entry(decision, candidate) for candidate in decision.candidates],
    }


def _entry(decision: Decision, candidate: ModelAssessment) -> dict[str, Any]:
    row, loss = candidate.row, candidate.loss
    compared = ("p_vs_reference", "smallest_detectable", f"valid_{decision.known.table.primary}")
    content = {"model": candidate.model, "status": row["status"], "reason": candidate.reason}
    content |= {"good": candidate.good, "misses": list(candidate.misses)}
    content |= {"loss": loss.loss if loss else None, "loss_at_most": loss.bound if loss else None}
    content |= {name: row[name] for name in (*decision.known.table.metrics, *compared, *COSTS)}
    return {name: _number(value) for name, value in content.items()}


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_markdown(decision: Decision) -> str:
    """Return the record as Markdown that shows hostile names as they are."""
    known = decision.known
    label = " (synthetic data)" if known.data["synthetic"] else ""
    head = ["model", known.table.primary, "loss", "at most", "p", "ms p50", "ms p95", "MB", "fit s", "why"]
    lines = [
        f"# Pick for {escape(known.table.dataset)}{label}: {escape(decision.winner)}",
        escape(_summary(decision)),
        f"**Rule.** {escape(rule_text(decision))}",
        f"**Limits.** {escape('; '.join(_limits(decision)) or 'none')}",
        f"**Order.** {escape(order_text())}",
        *(f"**Note.** {escape(warning)}" for warning in decision.warnings),
        "\n".join(
            [
                _line(head),
                _line([":--", *["--:"] * (len(head) - 2), ":--"]),
                *(
                    _line([escape(cell) for cell in _cells(known.table.primary, c)])
                    for c in decision.candidates
                ),
            ]
        ),
        (
            f"**Configuration.** `{json.dumps(known.finals[decision.winner]['config'], ensure_ascii=True)}`, "
            f"trained on {escape(str(known.finals[decision.winner]['train_on']))}, seed 0."
        ),
        (
            "Every number is one of leaderboard.csv or made from them: loss is diff\\_to\\_reference turned "
            "round, at most is margin\\_bound times the value of the reference. "
            f"Split {known.data['hash'][:16]}."
        ),
    ]
    return "\n\n".join(lines) + "\n"


def as_text(decision: Decision) -> str:
    """Return the record for a terminal: the pick, then a line for every other model."""
    width = max(len(candidate.model) for candidate in decision.candidates)
    others = [f"  {c.model:<{width}}  {c.reason}" for c in decision.candidates[1:]]
    parts = [_summary(decision), f"Rule: {rule_text(decision)}"]
    parts += [f"Limits: {'; '.join(_limits(decision)) or 'none'}", f"Order: {order_text()}"]
    return "\n".join([*parts, *(f"Note: {warning}" for warning in decision.warnings), *others])


def record_files(decision: Decision) -> dict[str, str]:
    """Return the record's files by name: pick.md and pick.json."""
    text = json.dumps(as_json(decision), indent=2, allow_nan=False) + "\n"
    return {"pick.md": as_markdown(decision), "pick.json": text}


def write_record(decision: Decision, run: RunDirectory, stem: str = "pick") -> Path:
    """Write the record into a run directory; return the Markdown file.

    Raises:
        RunError: it cannot be written.
    """
    for name, text in record_files(decision).items():
        write_atomically(run / f"{stem}{Path(name).suffix}", text)
    return run.path / f"{stem}.md"


def rule_text(decision: Decision) -> str:
    """Return the rule in words, with its numbers."""
    known = decision.known
    if decision.wish.rule == "not-significantly-worse":
        return f"not significantly worse than {decision.reference} (seed-aware, Holm, level {known.alpha:g})"
    return (
        f"no worse than {decision.reference} by {known.margin:.3g} × its {known.table.primary} "
        f"({decision.allowed:.4f}): simultaneous one-sided {1 - known.alpha:.0%} bounds over all models, "
        "users and seeds (bootstrap-t)"
    )


def order_text() -> str:
    """Return what cheapest means."""
    return f"{ORDER[0]} in steps of {LATENCY_STEP_MS:g} ms, then {', then '.join(ORDER[1:])}"


def _summary(decision: Decision) -> str:
    winner, primary = decision.candidates[0], decision.known.table.primary
    text = f"Picked: {winner.model} ({primary} {decimal(winner.row[primary])}), {winner.reason[8:]}."
    if winner.loss is not None:
        text += f" Against {decision.reference} it loses {signed(winner.loss.loss)}, at most "
        text += f"{signed(winner.loss.bound)}."
    return text


def _limits(decision: Decision) -> list[str]:
    device = [f"device {decision.wish.device}"] if decision.wish.device else []
    return [*(str(limit) for limit in decision.wish.limits), *device]


def _cells(primary: str, candidate: ModelAssessment) -> list[str]:
    row, loss = candidate.row, candidate.loss
    return [
        candidate.model,
        decimal(row[primary]),
        signed(loss.loss if loss else None),
        signed(loss.bound if loss else None),
        p_value(row["p_vs_reference"]),
        decimal(row["latency_ms_p50"], 2),
        decimal(row["latency_ms_p95"], 2),
        decimal(row["size_mb"], 2),
        decimal(row["fit_s"], 2),
        candidate.reason,
    ]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
