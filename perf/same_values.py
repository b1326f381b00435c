"""Compare two runs of one suite value by value: did a change of the engine move a number?

    python perf/same_values.py RUN_A RUN_B

Looks at every trial's values on validation and every final's per-user values, model by model, and wants
them equal bit by bit. Prints a table; exits 1 where anything differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark.ledger import select
from benchmark.records import FinalRecord, TrialRecord
from benchmark.results import PerUserPart, RunDirectory, latest

Values = Mapping[tuple[object, ...], object]
"""What is compared: values by what they belong to."""


@dataclass(frozen=True)
class Compared:
    """One model of both runs: how many values there are, and where they differ."""

    model: str
    trials: int
    user_values: int
    differences: tuple[str, ...]


def trial_values(run: RunDirectory, study: str) -> dict[tuple[object, ...], object]:
    """Return outcome and every value of each trial of a study that counts, by trial and step."""
    found: dict[tuple[object, ...], object] = {}
    for trial in select(run.records(), TrialRecord):
        if trial.study == study and trial.counts:
            found[trial.trial, "outcome"] = trial.outcome
            found[trial.trial, "config"] = dict(trial.config)
            found |= {(trial.trial, "step", step): value for step, value in trial.steps.items()}
            found |= {(trial.trial, "best", name): value for name, value in trial.at_best.items()}
    return found


def user_values(run: RunDirectory, study: str) -> dict[tuple[object, ...], pd.DataFrame]:
    """Return the per-user rows of each final of a study, by what it was trained on, with which seed."""
    finals = [final for final in latest(select(run.records(), FinalRecord)) if final.study == study]
    return {(one.config_source, one.train_on, one.seed): PerUserPart(run, one).frame() for one in finals}


def compare(a: RunDirectory, b: RunDirectory, study: str) -> Compared:
    """Return where the two runs of a study differ."""
    mine, its = trial_values(a, study), trial_values(b, study)
    differences = [
        f"trial {' '.join(map(str, key))}: {mine.get(key)} and {its.get(key)}"
        for key in dict.fromkeys([*mine, *its])
        if mine.get(key) != its.get(key)
    ]
    ours, theirs = user_values(a, study), user_values(b, study)
    cells = 0
    for key in dict.fromkeys([*ours, *theirs]):
        if key not in ours or key not in theirs:
            differences.append(f"final {' '.join(map(str, key))}: in one run only")
            continue
        cells += ours[key].size
        if not same_rows(ours[key], theirs[key]):
            differences.append(f"final {' '.join(map(str, key))}: per-user values differ")
    return Compared(study, len(mine), cells, tuple(differences))


def same_rows(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Return whether two frames are equal, nan included; lists of items element by element."""
    if list(a.columns) != list(b.columns) or len(a) != len(b):
        return False
    return all(
        [list(one) for one in a[name]] == [list(one) for one in b[name]]
        if name == "items"
        else a[name].equals(b[name])
        for name in a.columns
    )


def main() -> int:
    """Print the comparison; return 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run_a", type=Path)
    parser.add_argument("run_b", type=Path)
    options = parser.parse_args()
    a, b = RunDirectory.existing(options.run_a), RunDirectory.existing(options.run_b)
    studies = dict.fromkeys(study.name for run in (a, b) for study in run.manifest().studies)
    found = [compare(a, b, study) for study in studies]
    for one in found:
        verdict = "the same" if not one.differences else f"{len(one.differences)} differences"
        print(f"{one.model:40} {one.trials:6} trial values {one.user_values:9} user values  {verdict}")
        for difference in one.differences[:5]:
            print(f"    {difference}")
    return int(any(one.differences for one in found))


if __name__ == "__main__":
    sys.exit(main())
