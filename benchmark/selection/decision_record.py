"""The decision record: what was picked, by which rule, and why every other model lost."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmark.errors import RunError
from benchmark.files import atomic_path, write_errors_as_run_error
from benchmark.leaderboard.formatting import date_text, decimal, p_value, signed
from benchmark.reporting.csv_json import finite_or_none
from benchmark.reporting.markdown import escape, table_line
from benchmark.selection.assessment import LATENCY_STEP_MS, ORDER, WON, Decision, ModelAssessment

RECORD = (".md", ".json")
"""The files of a record, in the order in which they are written and renamed."""
COSTS = (
    *("latency_ms_p50", "latency_ms_p50_low", "latency_ms_p50_high"),
    *("latency_ms_p95", "latency_ms_p95_low", "latency_ms_p95_high"),
    *("memory_mb", "size_mb", "fit_s", "params", "device"),
)


def as_json(decision: Decision) -> dict[str, Any]:
    """Return the record as JSON holds it; a number that does not exist is None."""
    table, final = decision.results.table, decision.results.finals[decision.winner]
    return {
        "suite": table.facts.suite.name,
        "dataset": table.dataset,
        "synthetic": table.facts.split.synthetic,
        "split_hash": table.facts.split.hash,
        "primary": table.primary,
        "reference": decision.reference,
        "made": decision.made,
        "winner": decision.winner,
        "outcome": decision.outcome,
        "by_rule": decision.by_rule,
        "summary": summary(decision),
        "rule": {
            "name": decision.options.rule,
            "text": rule_text(decision),
            "margin": table.facts.margin,
            "allowed": decision.allowed,
            "level": 1 - table.facts.alpha,
        },
        "limits": limit_texts(decision),
        "order": list(order_of(decision)),
        "config": dict(final.config),
        "trained_on": final.train_on,
        "seed": final.seed,
        "warnings": list(decision.warnings),
        "models": [model_entry(decision, assessment) for assessment in decision.assessments],
    }


def model_entry(decision: Decision, assessment: ModelAssessment) -> dict[str, object]:
    """Return what the record says of one model; a number that does not exist is None."""
    row, loss, table = assessment.row.as_dict(), assessment.loss, decision.results.table
    compared = ("p_vs_reference", "smallest_detectable", f"valid_{table.primary}")
    content: dict[str, object] = {
        "model": assessment.model,
        "status": assessment.row.status,
        "reason": assessment.reason,
        "good": assessment.is_good,
        "misses": list(assessment.misses),
        "loss": loss.loss if loss else None,
        "loss_at_most": loss.bound if loss else None,
        **{name: row[name] for name in (*table.metrics, *compared, *COSTS)},
    }
    return {name: finite_or_none(value) for name, value in content.items()}


def as_markdown(decision: Decision) -> str:
    """Return the record as Markdown that shows hostile names as they are."""
    table, final = decision.results.table, decision.results.finals[decision.winner]
    label = " (synthetic data)" if table.facts.split.synthetic else ""
    head = ["model", table.primary, "loss", "at most", "p", "ms p50", "ms p95", "MB", "fit s", "reason"]
    lines = [
        f"# Pick for {escape(table.dataset)}{label}: {escape(decision.winner)}",
        escape(summary(decision)),
        f"**Made.** {escape(date_text(decision.made))}",
        f"**Rule.** {escape(rule_text(decision))}",
        f"**Limits.** {escape('; '.join(limit_texts(decision)) or 'none')}",
        f"**Order.** {escape(order_text(decision))}",
        *(f"**Note.** {escape(warning)}" for warning in decision.warnings),
        "\n".join(
            [
                table_line(head),
                "| :-- | " + "--: | " * (len(head) - 2) + ":-- |",
                *(table_line(cells(assessment)) for assessment in decision.assessments),
            ]
        ),
        (
            f"**Configuration.** `{json.dumps(dict(final.config), ensure_ascii=True)}`, trained on "
            f"{escape(final.train_on)}, seed 0."
        ),
        (
            "Every number is in leaderboard.csv or derived from it: loss is diff\\_to\\_reference with its "
            "sign turned so that positive is worse, at most is margin\\_bound times the value of the "
            f"reference. Split {table.facts.split.hash[:16]}."
        ),
    ]
    return "\n\n".join(lines) + "\n"


def as_text(decision: Decision) -> str:
    """Return the record for a terminal: the pick, then a line for every other model."""
    width = max(len(assessment.model) for assessment in decision.assessments)
    others = [f"  {one.model:<{width}}  {one.reason}" for one in decision.assessments[1:]]
    lines = [summary(decision), f"Rule: {rule_text(decision)}"]
    lines += [f"Limits: {'; '.join(limit_texts(decision)) or 'none'}", f"Order: {order_text(decision)}"]
    return "\n".join([*lines, *(f"Note: {warning}" for warning in decision.warnings), *others])


def record_files(decision: Decision) -> dict[str, str]:
    """Return the record's files by name: pick.md and pick.json."""
    text = json.dumps(as_json(decision), indent=2, allow_nan=False) + "\n"
    return {"pick.md": as_markdown(decision), "pick.json": text}


def write_record(decision: Decision, folder: Path, stem: str = "pick") -> Path:
    """Write the record into a folder; return the Markdown file.

    A record that is there already is kept: it becomes ``pick-1``, or the number after the last. Two
    processes at once write one after the other, and whatever interrupts one, no record is lost.

    Raises:
        RunError: it cannot be written.
    """
    folder = folder.absolute()
    with write_errors_as_run_error(folder, "choose another with --out DIR"), one_at_a_time(folder):
        keep_earlier(folder, stem)
        for name, text in record_files(decision).items():
            with atomic_path(folder / f"{stem}{Path(name).suffix}") as temporary:
                temporary.write_text(text, encoding="utf-8")
    return folder / f"{stem}.md"


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until no other process writes a record here; the kernel lets go when this one dies."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems of a network lock no folder
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def keep_earlier(folder: Path, stem: str) -> None:
    """Give the record of a folder, if there is one, the number after the last: ``pick-1``, ``pick-2``.

    The Markdown goes first. A process that was killed in between left its JSON behind, which belongs to the
    last number.
    """
    written = [suffix for suffix in RECORD if (folder / f"{stem}{suffix}").exists()]
    if not written:
        return
    earlier = re.compile(rf"{re.escape(stem)}-(\d+)\.(?:md|json)")
    found = [earlier.fullmatch(path.name) for path in folder.iterdir()]
    last = max((int(name[1]) for name in found if name), default=0)
    its = [suffix for suffix in RECORD if (folder / f"{stem}-{last}{suffix}").exists()]
    number = last if (written, its) == ([".json"], [".md"]) else last + 1
    for suffix in written:
        (folder / f"{stem}{suffix}").rename(folder / f"{stem}-{number}{suffix}")


def refuse_taken(folder: Path) -> None:
    """Check that a folder has no record yet, before anything is decided.

    Raises:
        RunError: it has one, or is not a folder.
    """
    if folder.exists() and not folder.is_dir():
        raise RunError(f"--out {folder}: is a file; name a folder for the record")
    if any((folder / f"pick{suffix}").exists() for suffix in RECORD):
        raise RunError(f"--out {folder}: has a record already (pick.md); name another folder")


def rule_text(decision: Decision) -> str:
    """Return the rule in words, with its numbers."""
    facts, primary = decision.results.table.facts, decision.results.table.primary
    if decision.options.rule == "not-significantly-worse":
        return f"not significantly worse than {decision.reference} (seed-aware, Holm, level {facts.alpha:g})"
    return (
        f"non-inferior to {decision.reference} within {facts.margin:.3g} × its {primary} "
        f"({decision.allowed:.4f}): simultaneous one-sided {1 - facts.alpha:.0%} bounds over all models, "
        "users and seeds (bootstrap-t)"
    )


def order_of(decision: Decision) -> tuple[str, ...]:
    """Return the columns that decide between good models, the first one first."""
    return ORDER if decision.results.times_compare else ("size_mb",)


def order_text(decision: Decision) -> str:
    """Return what cheapest means."""
    if not decision.results.times_compare:
        return "size_mb"
    return (
        f"{ORDER[0]} in steps of {LATENCY_STEP_MS:g} ms (those whose intervals meet that of the quickest are "
        f"as quick), then {', then '.join(ORDER[1:])}"
    )


def summary(decision: Decision) -> str:
    """Return the pick in a sentence or two."""
    winner, primary = decision.assessments[0], decision.results.table.primary
    why = WON[decision.outcome]
    if decision.outcome == "named":
        by_rule = "it too" if decision.by_rule == winner.model else decision.by_rule or "nothing"
        why = f"{why}; the rule picks {by_rule}"
    text = f"Picked: {winner.model} ({primary} {decimal(winner.row.value)}), {why}."
    if winner.loss is None:
        return text
    loss, bound = signed(winner.loss.loss), signed(winner.loss.bound)
    return f"{text} Its loss against {decision.reference} is {loss}, at most {bound}."


def limit_texts(decision: Decision) -> list[str]:
    """Return what the winner had to meet."""
    device = [f"device {decision.options.device}"] if decision.options.device else []
    return [*(str(limit) for limit in decision.options.limits), *device]


def cells(assessment: ModelAssessment) -> list[str]:
    """Return what the Markdown record shows of one model."""
    row, loss = assessment.row, assessment.loss
    return [
        assessment.model,
        decimal(row.value),
        signed(loss.loss if loss else None),
        signed(loss.bound if loss else None),
        p_value(row.p_vs_reference),
        decimal(row.latency_ms_p50, 2),
        decimal(row.latency_ms_p95, 2),
        decimal(row.size_mb, 2),
        decimal(row.fit_s, 2),
        assessment.reason,
    ]
