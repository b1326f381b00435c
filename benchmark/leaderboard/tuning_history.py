"""How a model was tuned, from the ledger alone: was the search fair to it, and is it over?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from benchmark.budget import LOST, REFUNDED, Line

FEW_TRIALS = 10
"""With fewer the search has hardly begun: Optuna gives its sampler ten random trials by default."""

ENOUGH_FOR_IMPORTANCE = 20
EDGE = 0.01
"""A value within this share of the width of its range, on its scale, is at the edge."""

_RANGE = re.compile(r"(-?[0-9.e+-]+?)\.\.(-?[0-9.e+-]+)( log)?")


@dataclass(frozen=True)
class TuningHistory:
    """All trials of one model on one data set.

    Attributes:
        model: its name on the board.
        space: what is tuned, as the tables show it: "8..256 log" or "a | b".
        default: the configuration of trial 0.
        maximise: whether a higher validation value is better.
        trials: close lines of the ledger in the order they ended, lost ones left out.
        unused_s: what was left of the budget; None if the search did not end.
        ended: why it ended.
    """

    model: str
    space: Mapping[str, str]
    default: Mapping[str, Any]
    maximise: bool
    trials: tuple[Line, ...] = ()
    unused_s: float | None = None
    ended: str = ""

    @property
    def valued(self) -> list[Line]:
        """The trials with a validation value."""
        return [line for line in self.trials if line.get("value") is not None]

    @property
    def best(self) -> Line | None:
        """The first trial with the best validation value."""
        sign = 1 if self.maximise else -1
        return max(self.valued, key=lambda line: sign * line["value"], default=None)

    def curve(self) -> Iterator[tuple[float, float]]:
        """Yield (device-seconds charged so far, best validation value so far) after each valued trial."""
        spent, best, pick = 0.0, None, max if self.maximise else min
        for line in self.trials:
            spent += 0.0 if line["outcome"] in REFUNDED else float(line["charged_s"])
            if line.get("value") is not None:
                best = line["value"] if best is None else pick(best, line["value"])
                yield spent, best


def search_of(
    study: Mapping[str, Any], trials: list[Line], settled: list[Line], *, maximise: bool
) -> TuningHistory:
    """Return the search of a study from the manifest and the ledger's lines."""
    return TuningHistory(
        study["model"],
        settled[-1]["space"] if settled and "space" in settled[-1] else study["space"],
        study["default"],
        maximise,
        tuple(line for line in trials if line["outcome"] != LOST),
        settled[-1]["unused_s"] if settled else None,
        settled[-1]["reason"] if settled else "",
    )


def fairness(search: TuningHistory) -> dict[str, Any]:
    """Return what tuning gained, which hyperparameters lie at an edge, and whether the fit still improved.

    ``valid_gain_over_default`` is measured on validation, where it is biased upwards: the best of all trials
    against one of them. None where nothing is tuned or the default has no value. ``still_improving``: the
    best trial was stopped by its budget at its best step, or at the last of several.
    """
    best = search.best
    if best is None:
        return {}
    steps = best.get("steps") or {}
    last = max(map(int, steps), default=0)
    at_end = len(steps) > 1 and best["best_step"] == last and best.get("stopped_by") != "patience"
    return {
        "valid_gain_over_default": _gain(search, best) if search.space else None,
        "at_edge": ", ".join(at_edge(search.space, best["config"])),
        "still_improving": bool(at_end),
    }


def _gain(search: TuningHistory, best: Line) -> float | None:
    default = next((line["value"] for line in search.valued if is_default(search, line["config"])), None)
    sign = 1 if search.maximise else -1
    return None if default is None else sign * (best["value"] - default)


def is_default(search: TuningHistory, config: Mapping[str, Any]) -> bool:
    """Return whether a configuration is the default; trial 0 may be lost, and asked for again as another."""
    return all(config.get(name) == value for name, value in search.default.items())


def at_edge(space: Mapping[str, str], config: Mapping[str, Any]) -> list[str]:
    """Return the tuned hyperparameters whose value lies at an end of its range, with that end.

    A choice has no edge; a range of two whole numbers is nothing but edges.

    >>> at_edge({"dim": "8..256 log", "lr": "0.01..1 log"}, {"dim": 8, "lr": 0.1})
    ['dim=8']
    """
    found = []
    for name, domain in space.items():
        position = place(domain, config.get(name))
        if position is not None and not EDGE < position < 1 - EDGE:
            found.append(f"{name}={config[name]:g}")
    return found


def place(domain: str, value: Any) -> float | None:
    """Return where a value lies in its range, 0 to 1 on its scale; None for a choice, or two whole numbers.

    >>> place("1..100 log", 10), place("0..4", 3), place("a | b", "a")
    (0.5, 0.75, None)
    """
    match = _RANGE.fullmatch(domain)
    if match is None or isinstance(value, bool | str) or value is None:
        return None
    low, high = float(match[1]), float(match[2])
    if isinstance(value, int) and high - low < 2:
        return None
    scale = math.log if match[3] else float
    return (scale(value) - scale(low)) / (scale(high) - scale(low))


def importance(search: TuningHistory) -> dict[str, float]:
    """Return how strongly each tuned hyperparameter goes with the validation value, 0 to 1.

    For a number the absolute rank correlation (Spearman 1904) over the valued trials, for a choice the
    correlation ratio of ranks (the share of their variance between options, square root). One at a time:
    interactions stay unseen, and TPE's trials lie close to the best. Empty under 20 valued trials.
    """
    trials = search.valued
    if len(trials) < ENOUGH_FOR_IMPORTANCE:
        return {}
    ranks = rankdata([line["value"] for line in trials])
    if np.ptp(ranks) == 0:
        return {}
    return {
        name: _strength([line["config"][name] for line in trials], ranks, numeric=_is_range(domain))
        for name, domain in search.space.items()
    }


def _is_range(domain: str) -> bool:
    return _RANGE.fullmatch(domain) is not None


def _strength(values: list[Any], ranks: Any, *, numeric: bool) -> float:
    if numeric:
        other = rankdata(values)
        return 0.0 if np.ptp(other) == 0 else float(abs(np.corrcoef(other, ranks)[0, 1]))
    _, group = np.unique([str(value) for value in values], return_inverse=True)
    sizes = np.bincount(group)
    means = np.bincount(group, ranks) / sizes
    return float(np.sqrt((sizes * (means - ranks.mean()) ** 2).sum() / ((ranks - ranks.mean()) ** 2).sum()))
