"""What a run is about to do, said before anything is spent: what is kept, what is new, what it will cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from benchmark.ledger import Records, best_trial
from benchmark.metrics.register import parse_metric
from benchmark.records import FinalRecord, ListsRecord, StudyClosed, StudyOpened
from benchmark.results import RunDirectory
from benchmark.runner.final_costs import FinalCosts, final_costs
from benchmark.runner.ready import ReadyStudy, default_trial, smaller_part
from benchmark.runner.stored_finals import StoredFinals
from benchmark.suite import Suite
from benchmark.units import write_seconds

Tuning: TypeAlias = Literal["kept", "continued", "new"]
MOST_NAMES = 6
"""Studies that a line names."""
SPARE = 0.1
"""A study that left more than this share of a budget ended for another reason than time."""


@dataclass(frozen=True)
class StudyOutlook:
    """What becomes of one study.

    Attributes:
        name: of the study.
        tuning: whether it is tuned already, continues what there is, or begins.
        tuning_s: device-seconds that it will spend, about: the rest of its budget, or what an earlier study
            of that name took where that ended before its budget did.
        finals: what becomes of its finals; of a study that is not tuned yet nothing is known of them.
    """

    name: str
    tuning: Tuning
    tuning_s: float
    finals: FinalCosts = field(default_factory=FinalCosts)


@dataclass(frozen=True)
class Outlook:
    """What a run is about to do.

    Attributes:
        studies: of the suite that can be run.
        gone: studies with a result that the suite no longer has.
    """

    studies: tuple[StudyOutlook, ...]
    gone: tuple[str, ...]

    @classmethod
    def of(cls, suite: Suite, ready: Sequence[ReadyStudy], found: Records, run_dir: RunDirectory) -> Outlook:
        """Compare the studies of a suite with what a run holds.

        Args:
            suite: as it is now.
            ready: its studies.
            found: the ledger of the run.
            run_dir: of the run.
        """
        studies = tuple(outlook_of(suite, one, found, run_dir) for one in ready)
        keys = {key for one in ready for key in found.lineage(one.key)}
        continued = {smaller.study_key for one in ready if (smaller := smaller_part(one, found))}
        keys |= {key for one in continued for key in found.lineage(one)}
        gone = {
            final.study: None
            for final in found.records(FinalRecord)
            if final.outcome == "complete" and not isinstance(final, ListsRecord)
            if final.study_key not in keys
        }
        return cls(studies, tuple(gone))

    @property
    def tuning_s(self) -> float:
        """Device-seconds of tuning to come, about."""
        return sum(one.tuning_s for one in self.studies)

    @property
    def finals(self) -> FinalCosts:
        """What becomes of the finals of what is tuned already."""
        return sum((one.finals for one in self.studies), FinalCosts())

    @property
    def kept(self) -> frozenset[str]:
        """Names of the studies that are tuned already."""
        return frozenset(one.name for one in self.studies if one.tuning == "kept")

    def lines(self) -> Iterator[str]:
        """Yield what to say of it, a line each."""
        for tuning, words in (
            ("kept", "tuned already, kept"),
            ("continued", "continue what there is"),
            ("new", "new, or changed"),
        ):
            found = [one for one in self.studies if one.tuning == tuning]
            if found:
                seconds = sum(one.tuning_s for one in found)
                cost = f", about {write_seconds(seconds)} of tuning" if seconds else ""
                yield f"{words}: {named([one.name for one in found])}{cost}"
        finals = self.finals
        if finals.measured_again:
            yield f"finals measured again on their stored lists, at no charge: {finals.measured_again}"
        if finals.fitted:
            cost = write_seconds(finals.expected_s)
            yield f"finals fitted for what is tuned already: {finals.fitted}, about {cost}"
        if any(one.tuning != "kept" for one in self.studies):
            yield "finals of the others: each about as long as its best trial"
        if self.gone:
            yield f"no longer in the suite, and still counted where they were tested: {named(self.gone)}"


def outlook_of(suite: Suite, ready: ReadyStudy, found: Records, run_dir: RunDirectory) -> StudyOutlook:
    """Return what becomes of one study; see :meth:`Outlook.of`."""
    name, budget_s = ready.study.name, ready.policy.budget_s
    closed = {one.study_key: one for one in found.records(StudyClosed)}
    if ready.key in closed:
        return StudyOutlook(name, "kept", 0.0, finals_of(suite, ready, found, run_dir))
    begun = {one.study_key for one in found.records(StudyOpened)}
    earlier = None if ready.key in begun else smaller_part(ready, found)
    key = ready.key if earlier is None else earlier.study_key
    spent_s = sum(one.charged_s for one in [*found.trials(key), *found.probes(key)] if one.counts)
    if key in begun:
        out_of_time = key not in closed or closed[key].unused_s <= SPARE * budget_s
        left_s = max(budget_s - spent_s, 0.0) if ready.study.space and out_of_time else 0.0
        return StudyOutlook(name, "continued", left_s)
    before = [one for one in closed.values() if one.study == name and one.status == "ok"]
    if before and before[-1].unused_s > SPARE * budget_s:
        charged = [one.charged_s for one in found.trials(before[-1].study_key) if one.counts]
        return StudyOutlook(name, "new", min(sum(charged), budget_s))
    return StudyOutlook(name, "new", budget_s if ready.study.space else 0.0)


def finals_of(suite: Suite, ready: ReadyStudy, found: Records, run_dir: RunDirectory) -> FinalCosts:
    """Return what becomes of the finals of a study that is tuned already."""
    maximise = parse_metric(suite.metrics.primary).higher_is_better
    trials = found.trials(ready.key)
    best = best_trial(trials, maximise=maximise)
    if best is None:
        return FinalCosts()
    stored = StoredFinals(suite, ready, found, run_dir)
    return final_costs(stored, stored.specs(best, default_trial(trials, ready.study, maximise=maximise)))


def named(names: Sequence[str]) -> str:
    """Return names for one line.

    >>> named(["a", "b"])
    'a, b'
    """
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more}"
