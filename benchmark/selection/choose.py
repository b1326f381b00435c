"""The pick: of the models that meet the limits and the rule, the cheapest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from benchmark.errors import PickError
from benchmark.leaderboard import Row
from benchmark.leaderboard.evidence import Evidence
from benchmark.selection.limits import Limit
from benchmark.selection.loss import Loss, allowed, losses

Rule: TypeAlias = Literal["non-inferiority", "not-significantly-worse"]
PickOutcome: TypeAlias = Literal["cheapest", "reference", "best within limits"]

ORDER = ("latency_ms_p50", "size_mb", "fit_s")
"""What cheapest means: the first of these that differs decides."""
LATENCY_STEP_MS = 0.1
"""Latencies that round to the same tenth of a millisecond are no reason to choose."""


@dataclass(frozen=True)
class PickOptions:
    """What is asked of a pick.

    Attributes:
        limits: bounds that the model must meet.
        device: where it must have been measured; anywhere if None.
        rule: what it takes to be good enough.
        to_export: whether a bundle is wanted, so that a model without a stored state cannot win.
    """

    limits: tuple[Limit, ...] = ()
    device: str | None = None
    rule: Rule = "non-inferiority"
    to_export: bool = False


@dataclass(frozen=True)
class ModelAssessment:
    """One model before the judge.

    Attributes:
        row: its row of the board.
        loss: what is lost by taking it; None for the reference and for models without a result.
        misses: limits that it misses, a sentence each.
        good: whether it meets the rule.
        reason: why it won or lost.
    """

    row: Row
    loss: Loss | None
    misses: tuple[str, ...]
    good: bool
    reason: str = ""

    @property
    def model(self) -> str:
        """Its name on the board."""
        return str(self.row["model"])

    @property
    def cost(self) -> tuple[float, ...]:
        """What decides between good models: the columns of ``ORDER``."""
        known = [math.inf if self.row[name] is None else float(self.row[name]) for name in ORDER]
        return (_step(known[0]), *known[1:])


@dataclass(frozen=True)
class Decision:
    """A pick and all that it rests on.

    Attributes:
        known: the data set's evidence.
        wish: what was asked.
        winner: the model picked.
        outcome: "cheapest" of those that meet limits and rule; "reference" where no other does; "best
            within limits", by validation score, where the reference misses the limits and nothing else is
            shown to be near it.
        allowed: the margin in units of the primary metric.
        candidates: every model of the board, the winner first.
        warnings: what whoever relies on the pick must know.
    """

    known: Evidence
    wish: PickOptions
    winner: str
    outcome: PickOutcome
    allowed: float
    candidates: tuple[ModelAssessment, ...]
    warnings: tuple[str, ...] = field(default=())

    @property
    def reference(self) -> str:
        """The yardstick, whether or not it meets the limits."""
        assert self.known.table.reference is not None
        return self.known.table.reference


def pick(known: Evidence, wish: PickOptions | None = None) -> Decision:
    """Return the pick for one data set.

    Raises:
        PickError: the reference has no result, or no model meets the limits; says by how much each misses.
    """
    wish = wish or PickOptions()
    reference = known.table.reference
    if reference is None or reference not in known.scores:
        raise PickError(
            f"{known.table.dataset}: the reference, {reference or 'the best on validation'}, has no test "
            "result, so nothing can be compared with it; finish the run, or leave that model out."
        )
    lost = losses(known)
    candidates = [_candidate(known, wish, row, lost.get(row["model"])) for row in known.table.rows]
    within = [candidate for candidate in candidates if not candidate.misses]
    if not within:
        raise PickError(_nobody(known, candidates))
    winner, outcome = _choose(known, within)
    judged = tuple(
        replace(candidate, reason=_reason(known, wish, candidate, winner, outcome))
        for candidate in sorted(candidates, key=lambda candidate: candidate is not winner)
    )
    decision = Decision(known, wish, winner.model, outcome, allowed(known), judged)
    return replace(decision, warnings=tuple(_warnings(decision)))


def _candidate(known: Evidence, wish: PickOptions, row: Row, loss: Loss | None) -> ModelAssessment:
    if row["status"] != "ok":
        return ModelAssessment(row, None, (f"{row['status']}: {row['reason']}",), good=False)
    misses = [miss for limit in wish.limits if (miss := limit.miss(row)) is not None]
    if wish.device is not None and row["device"] != wish.device:
        misses.append(f"was measured on {row['device']}, not on {wish.device}")
    if wish.to_export and not _has_state(known, row["model"]):
        misses.append("has no stored state, so no bundle can be made of it")
    return ModelAssessment(row, loss, tuple(misses), _is_good(known, wish, row, loss))


def _has_state(known: Evidence, model: str) -> bool:
    final = known.finals[model]
    return bool(final.get("state_sha256")) and (known.run / final["state"]).is_file()


def _is_good(known: Evidence, wish: PickOptions, row: Row, loss: Loss | None) -> bool:
    if loss is None:
        return True  # the reference itself
    if wish.rule == "non-inferiority":
        return loss.shown
    p = row["p_vs_reference"]
    return p is not None and math.isfinite(loss.loss) and not (loss.loss > 0 and p < known.alpha)


def _choose(known: Evidence, within: Sequence[ModelAssessment]) -> tuple[ModelAssessment, PickOutcome]:
    good = [candidate for candidate in within if candidate.good]
    if not good:
        column, sign = f"valid_{known.table.primary}", 1 if known.metric.higher_is_better else -1
        return max(within, key=lambda candidate: sign * candidate.row[column]), "best within limits"
    if len(good) == 1 and good[0].model == known.table.reference:
        return good[0], "reference"
    return min(good, key=lambda candidate: (candidate.cost, candidate.model)), "cheapest"


def _reason(
    known: Evidence,
    wish: PickOptions,
    candidate: ModelAssessment,
    winner: ModelAssessment,
    outcome: PickOutcome,
) -> str:
    if candidate is winner:
        return f"picked: {_WON[outcome]}"
    if candidate.misses:
        return "; ".join(candidate.misses)
    if outcome == "best within limits":
        column = f"valid_{known.table.primary}"
        return f"worse on validation: {column} {candidate.row[column]:.4f}, not {winner.row[column]:.4f}"
    if not candidate.good:
        return _not_good(known, wish, candidate)
    return _costlier(candidate, winner)


_WON = {
    "cheapest": "the cheapest of those that meet limits and rule",
    "reference": "the reference; no other model meets limits and rule",
    "best within limits": "the best on validation of those within the limits; not shown to meet the rule",
}


def _not_good(known: Evidence, wish: PickOptions, candidate: ModelAssessment) -> str:
    assert candidate.loss is not None
    if wish.rule == "non-inferiority":
        most = allowed(known)
        return (
            f"not shown to be within the margin: may lose up to {candidate.loss.bound:.4f}, "
            f"{most:.4f} is allowed"
        )
    return f"significantly worse: loses {candidate.loss.loss:.4f}, p {candidate.row['p_vs_reference']:.2g}"


def _costlier(candidate: ModelAssessment, winner: ModelAssessment) -> str:
    for column, mine, its in zip(ORDER, candidate.cost, winner.cost, strict=True):
        if mine != its:
            return f"good enough, but costs more: {column} {mine:.4g}, not {its:.4g}"
    return "good enough, and costs the same; the name decides"


def _step(latency_ms: float) -> float:
    return round(latency_ms / LATENCY_STEP_MS) * LATENCY_STEP_MS if math.isfinite(latency_ms) else latency_ms


def _nobody(known: Evidence, candidates: Sequence[ModelAssessment]) -> str:
    lines = [f"\n  {candidate.model}: {'; '.join(candidate.misses)}" for candidate in candidates]
    return f"{known.table.dataset}: no model meets the limits:{''.join(lines)}"


def _warnings(decision: Decision) -> list[str]:
    known, found = decision.known, []
    if known.data["synthetic"]:
        found.append(f"{known.table.dataset} is synthetic: the pick says nothing about real data.")
    if decision.wish.rule == "not-significantly-worse":
        found.append(
            "--rule not-significantly-worse rewards small data: the fewer users and seeds, the less is "
            "significant, and the worse a model may be and still pass."
        )
    winner = decision.candidates[0]
    if decision.outcome == "best within limits" and winner.loss is not None:
        found.append(
            f"{decision.winner} is not shown to be within the margin: it may lose up to "
            f"{winner.loss.bound:.4f} of {known.table.primary} against {decision.reference}, which "
            f"misses the limits; {decision.allowed:.4f} is allowed."
        )
    if decision.outcome == "reference":
        found += _blind_spot(decision)
    if single := [model for model, scores in known.scores.items() if _one_seed(known, model, len(scores))]:
        found.append(
            f"One seed of a stochastic model ({', '.join(single)}): chance of training is not counted."
        )
    return found


def _one_seed(known: Evidence, model: str, seeds: int) -> bool:
    fixed = {study["model"]: study["deterministic"] for study in known.run.manifest()["studies"]}
    return seeds == 1 and not fixed[model]


def _blind_spot(decision: Decision) -> list[str]:
    """Return the smallest difference that could have been seen from the nearest other model."""
    others = [candidate for candidate in decision.candidates if candidate.loss is not None]
    nearest = min(
        others, key=lambda candidate: candidate.loss.loss if candidate.loss else math.inf, default=None
    )
    if nearest is None or nearest.row["smallest_detectable"] is None:
        return []
    return [
        (
            "Smallest detectable difference (80 % power, corrected) from "
            f"{nearest.model}, the nearest other model: {nearest.row['smallest_detectable']:.4f} "
            f"{decision.known.table.primary}."
        )
    ]
