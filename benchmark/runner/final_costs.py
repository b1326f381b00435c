"""What the finals of a study would cost, said before anything is spent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from benchmark.records import FinalRecord
from benchmark.runner.stored_finals import FinalSpec, StoredFinals


@dataclass(frozen=True, kw_only=True)
class FinalCosts:
    """What becomes of finals that a suite wants.

    Attributes:
        kept: stored with every metric that is wanted.
        measured_again: measured on their stored lists, within seconds that nobody is charged.
        fitted: for want of a stored fit, or of a metric that is not made from what is stored.
        expected_s: charged seconds that these fits are expected to take, one after another.
    """

    kept: int = 0
    measured_again: int = 0
    fitted: int = 0
    expected_s: float = 0.0

    def __add__(self, other: FinalCosts) -> FinalCosts:
        """Return what becomes of the finals of both: ``sum(costs, FinalCosts())``."""
        return FinalCosts(
            kept=self.kept + other.kept,
            measured_again=self.measured_again + other.measured_again,
            fitted=self.fitted + other.fitted,
            expected_s=self.expected_s + other.expected_s,
        )


def final_costs(stored: StoredFinals, specs: Iterable[FinalSpec]) -> FinalCosts:
    """Return what becomes of the finals of a study; nothing is opened or written.

    Args:
        stored: finals of the study.
        specs: what is wanted: ``stored.specs(best, default)``.
    """
    costs = FinalCosts()
    for spec in specs:
        if stored.is_done(spec):
            costs += FinalCosts(kept=1)
        elif stored.with_lists(spec) is not None:
            costs += FinalCosts(measured_again=1)
        else:
            costs += FinalCosts(fitted=1, expected_s=expected_s(stored, spec))
    return costs


def expected_s(stored: StoredFinals, spec: FinalSpec) -> float:
    """Return the median of what fits of this configuration took so far; without any, what its trial took."""
    keys = stored.ledger.lineage(stored.ready.key)
    earlier = [
        final.charged_s
        for final in stored.ledger.records(FinalRecord)
        if final.study_key in keys
        and final.outcome == "complete"
        and not final.lists_of
        and final.config == spec.trial.config
    ]
    return median(earlier) if earlier else spec.trial.charged_s
