"""A first look at a model before its first trial: what a step costs, on growing samples of a large log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from benchmark.budget import step_rows
from benchmark.executors.executor import Executor, ExitReport, Limits
from benchmark.executors.slots import Slot
from benchmark.messages import Look, Message, ProbeRequest
from benchmark.records import Ending, ProbeOpened, ProbeRecord
from benchmark.runner.child import EntryListener, cost
from benchmark.runner.context import RunContext, fit_request, policy_for
from benchmark.runner.plan import Study

SMALLEST_SHARE, SMALLEST, LARGEST_SHARE = 1024, 1000, 8
"""The first sample has one row in 1024, but a thousand at least; the last at most one row in eight."""
ENOUGH_S = 0.5
"""A step that takes so long is measured well enough."""
BEYOND_MEASURE_S = 1e9
"""Of a row, where nothing was seen."""
STEADY = 2 / 3
"""A row that costs less than this share of what it cost between smaller samples: nothing is extrapolated."""


@dataclass(kw_only=True)
class ProbeListener(EntryListener[ProbeOpened]):
    """Hears a first look, sample by sample: what it has said counts, however it ends."""

    looks: list[Look] = field(default_factory=list)

    def hear(self, message: Message, charged_s: float) -> Message | None:
        """Keep what was seen."""
        if isinstance(message, Look):
            self.looks.append(message)
        return super().hear(message, charged_s)


@dataclass(frozen=True)
class StepCost:
    """What steps cost, from samples.

    Attributes:
        start_s: seconds of set-up and first step beyond a further step; None where there is no further step.
        row_s: seconds that each further row adds to a step.
        fixed_s: seconds of a step that do not depend on rows.
        pass_s: seconds of one pass over all rows, or of the whole fit where there is no further step; None
            where the samples do not tell.
    """

    start_s: float | None
    row_s: float
    fixed_s: float
    pass_s: float | None


def step_cost(looks: Sequence[Look]) -> StepCost | None:
    """Return what steps cost; None where there are too few samples.

    What is compiled once is left out: a further step of each sample, or the only step of all samples but the
    first. Between two samples a row costs the difference of their seconds over that of their rows. If that
    grows, the extrapolation is a floor; if it falls, there is none.

    >>> looks = [Look(rows=n, of_rows=10_000, first_s=3.0, step_s=0.5 + n / 100, user_s=0.0, judged=0)
    ...     for n in (100, 200, 400)]
    >>> step_cost(looks)
    StepCost(start_s=0.0, row_s=0.01, fixed_s=0.5, pass_s=100.5)
    """
    if all(look.step_s is not None for look in looks):
        seconds = [(look.rows, look.step_s or 0.0) for look in looks]
    else:
        seconds = [(look.rows, look.first_s) for look in looks[1:]]
    if len(seconds) < 2:
        return None
    slopes = [(b_s - a_s) / max(b - a, 1) for (a, a_s), (b, b_s) in pairwise(seconds)]
    last, (rows, last_s) = looks[-1], seconds[-1]
    row_s = max(slopes[-1], 0.0)
    steady = len(slopes) > 1 and slopes[-1] > 0 and slopes[-1] >= STEADY * slopes[-2]
    return StepCost(
        start_s=None if last.step_s is None else max(last.first_s - last.step_s, 0.0),
        row_s=row_s,
        fixed_s=max(last_s - row_s * rows, 0.0),
        pass_s=last_s + row_s * (last.of_rows - rows) if steady else None,
    )


def first_look(  # noqa: PLR0913 - by keyword
    context: RunContext, study: Study, executor: Executor, *, key: str, rows: int, slot: Slot, hold_s: float
) -> tuple[ProbeRecord, ExitReport]:
    """Look at a study's default configuration; return what is to be written down, and how the process ended.

    Args:
        context: of the run.
        study: whose model it is.
        executor: where its fits run.
        key: of the study.
        rows: that a trial trains on.
        slot: that is held.
        hold_s: seconds that the look may be charged.

    Raises:
        ExecutorLost: the executor is gone.
    """
    fit = fit_request(context.suite, study, study.default, context.suite.seed, slot)
    request = ProbeRequest(
        **vars(fit),
        first_rows=max(rows // SMALLEST_SHARE, SMALLEST),
        most_rows=rows // LARGEST_SHARE,
        enough_s=ENOUGH_S,
        hold_s=hold_s,
    )
    tried = sum(line.study_key == key for line in context.ledger.records(ProbeOpened))
    listener = ProbeListener(
        ledger=context.ledger,
        entry=ProbeOpened(
            entry=f"{study.name}@{key}#look-{tried}",
            dataset=study.dataset,
            model=study.model,
            study_key=key,
            trial=0,
            config=study.default,
            device=request.device,
            hold_s=hold_s,
        ),
    )
    limits = Limits(hold_s, slot.memory_mb, context.policy.ready_s)
    report = executor.start("benchmark.probe:run", request, limits, listener).wait()
    fault = context.retries.fault(report, listener.error, limits, unexplained="crash")
    ending = fault or Ending("complete", "finished")
    if fault is None and not report.done:
        ending = Ending("timeout", f"not done within {hold_s:.1f} s")
    record = listener.entry.closed(ending, cost(report))
    found = seen(
        record,
        listener.looks,
        rows=rows,
        streams=study.adapter.traits.streams,
        hold_s=trial_hold_s(context, study),
    )
    return found, report


def trial_hold_s(context: RunContext, study: Study) -> float:
    """Return the least that a trial of a study may hold, but for the last ones."""
    return policy_for(context.suite, study).cap_s(first=False, only=not study.space)


def seen(
    record: ProbeRecord, looks: Sequence[Look], *, rows: int, streams: bool, hold_s: float
) -> ProbeRecord:
    """Return a first look with what it found.

    Args:
        record: how it ended.
        looks: what each sample took.
        rows: that a trial trains on.
        streams: whether the model can stop inside a pass.
        hold_s: seconds that a trial may hold.
    """
    if not looks:  # what compiles for longer than that gets the smallest steps: a pass could be its last
        return replace(record, step_rows=step_rows(rows, BEYOND_MEASURE_S, 0.0, hold_s) if streams else None)
    last = looks[-1]
    record = replace(record, rows=last.rows, of_rows=last.of_rows, user_s=last.user_s, fit_s=last.first_s)
    found = step_cost(looks)
    if found is None:  # one sample alone: all that its step took is put down to its rows
        longest_s = last.first_s if last.step_s is None else last.step_s
        found = StepCost(start_s=None, row_s=longest_s / last.rows, fixed_s=0.0, pass_s=None)
    chosen = None
    if streams:
        validate_s = last.user_s * last.judged + found.fixed_s
        chosen = step_rows(last.of_rows, found.row_s, validate_s, hold_s)
    return replace(
        record,
        start_s=found.start_s,
        row_s=found.row_s,
        pass_s=found.pass_s,
        step_rows=chosen,
    )


def hopeless(record: ProbeRecord, *, streams: bool, there_s: float, factor: float) -> str | None:
    """Return why a study cannot have a result; None if it may.

    Args:
        record: its first look.
        streams: whether the model can stop inside a pass: then it is tried.
        there_s: seconds that its first trial may hold.
        factor: one pass may take this many times as long.
    """
    if streams or record.pass_s is None or record.pass_s <= factor * there_s:
        return None
    assert record.rows is not None
    assert record.of_rows is not None
    share = f"{100 * record.rows / record.of_rows:.2g} %"
    return (
        f"one pass over the rows takes about {record.pass_s:.0f} s, by a fit on {share} of them; the first "
        f"trial may take {there_s:.0f} s: give it a larger budget"
    )
