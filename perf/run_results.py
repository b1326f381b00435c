"""What a run found, model by model, read from its ledger as plain JSON: so runs of any commit can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Result:
    """One study of a run.

    Attributes:
        outcome: how its study ended; "ok" where a final was scored, a trial's outcome where none was yet.
        reason: of the study's end or, where there is none, of its last trial's.
        trials: how many were tried.
        charged_s: what they were charged.
        first_trial_s: what the first was charged.
        first_value_s: charge of the first trial at its first value on validation.
        valid: every metric on validation at the best step of the best trial.
        steps: of the best trial's best value.
        truncated: whether the clock ended the best trial.
        tests: every metric on test, a final each, of the ranked configuration trained as suites ask.
    """

    outcome: str = "no trial"
    reason: str = ""
    trials: int = 0
    charged_s: float = 0.0
    first_trial_s: float | None = None
    first_value_s: float | None = None
    valid: dict[str, float] = field(default_factory=dict)
    steps: int | None = None
    truncated: bool = False
    tests: list[dict[str, float]] = field(default_factory=list)


def results_of(run: Path, primary: str) -> dict[tuple[str, str], Result]:
    """Return the result of each data set and model of a run; a higher ``primary`` is the better."""
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    found = {(study["dataset"], study["model"]): Result() for study in manifest["studies"]}
    for line in lines(run / "ledger.jsonl"):
        if line["event"] == "final-closed":
            result = found[line["dataset"], line["model"]]
            if line.get("test") and line["config_source"] != "default":
                result.tests.append(line["test"]["values"])
                result.outcome = "ok"
        elif line["event"] == "trial-closed":
            add_trial(found[line["dataset"], line["model"]], line, primary)
        elif line["event"] == "study-closed":
            result = found[line["dataset"], line["model"]]
            result.reason = line["reason"] or result.reason
            if line["status"] != "ok":
                result.outcome = line["status"]
    for study in manifest["studies"]:
        if study.get("excluded"):
            result = found[study["dataset"], study["model"]]
            result.outcome, result.reason = study["excluded"]["status"], study["excluded"]["reason"]
    return found


def add_trial(result: Result, line: dict[str, Any], primary: str) -> None:
    """Count a closed trial, and keep it if it is the best."""
    result.trials += 1
    result.charged_s += line["charged_s"]
    result.outcome, result.reason = line["outcome"], line["reason"]
    if line["trial"] == 0:
        result.first_trial_s, result.first_value_s = line["charged_s"], line.get("first_step_s")
    value = line.get("value")
    if value is not None and value > result.valid.get(primary, float("-inf")):
        result.valid = line.get("at_best") or {primary: value}
        result.steps, result.truncated = line.get("best_step"), bool(line.get("truncated"))


def lines(ledger: Path) -> Iterator[dict[str, Any]]:
    """Yield the whole lines of a ledger."""
    if ledger.exists():
        for text in ledger.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(text)
            except json.JSONDecodeError:  # the line that was being written
                return
