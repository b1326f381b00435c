"""Why a study has no result, and how many seconds would do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from benchmark.budget import Policy, grace_s
from benchmark.records import LOST, ProbeRecord, TrialRecord
from benchmark.units import write_seconds


def why_no_result(
    trials: Sequence[TrialRecord],
    probe: ProbeRecord | None,
    policy: Policy,
    *,
    judged: int,
    only: bool,
    ending: str,
) -> str:
    """Return why no trial has a value, and what to do.

    Args:
        trials: of the study, closed.
        probe: its first look; None where it had none.
        policy: how its budget is handed out.
        judged: users that a trial is validated on.
        only: whether the study has one trial, which may take the whole budget.
        ending: why there were no more trials.
    """
    closed = [trial for trial in trials if trial.outcome != LOST]
    failed = [trial for trial in closed if trial.outcome != "timeout"]
    if failed:
        counts = Counter(trial.outcome for trial in closed)
        listed = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        return f"no trial ended with a value ({listed}); the last of them: {failed[-1].reason}"
    longest_s = max((trial.charged_s for trial in closed), default=0.0)
    needed_s = first_step_s(probe, judged)
    share = 1.0 if only else policy.first_share
    cure = "budget.per_model, or budget at the model's entry"
    if needed_s is not None and needed_s > longest_s:
        enough_s = (1.1 * needed_s + grace_s(math.inf)) / share
        return (
            f"no training step was finished and validated in {longest_s:.1f} s; the first takes about "
            f"{rounded(needed_s)}, so {rounded(enough_s)} would do ({cure})"
        )
    if longest_s:
        enough_s = max(2 * policy.budget_s, 2 * longest_s / share)
        return (
            f"no training step was finished and validated in {longest_s:.1f} s, how long one takes is not "
            f"known: try {rounded(enough_s)} ({cure})"
        )
    return f"no trial was started: {ending}"


def first_step_s(probe: ProbeRecord | None, judged: int) -> float | None:
    """Return the seconds until a first step is trained and validated, by a first look; None if not known."""
    if probe is None or probe.user_s is None:
        return None
    step_s = probe.pass_s
    if probe.step_rows is not None and probe.row_s is not None:
        step_s = probe.step_rows * probe.row_s
    return None if step_s is None else (probe.start_s or 0.0) + step_s + judged * probe.user_s


def rounded(seconds: float) -> str:
    """Return seconds that are enough, in a round number.

    >>> rounded(7.2), rounded(47.0), rounded(403.0)
    ('8s', '50s', '7m')
    """
    step = 1 if seconds < 20 else 10 if seconds < 120 else 60
    return write_seconds(step * math.ceil(seconds / step)) or "0s"
