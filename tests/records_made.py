"""Records of the ledger with everything filled in that a test does not care about."""

from __future__ import annotations

from benchmark.records import FinalOpened, FinalRecord, Outcome, TrialOpened, TrialRecord


def opened_trial(entry: str = "toy/lib/model@key#0", trial: int = 0) -> TrialOpened:
    """Return the opening line of a trial."""
    return TrialOpened(
        dataset="toy",
        model="lib/model",
        study_key="key",
        entry=entry,
        hold_s=5.0,
        trial=trial,
        config={"dim": 8},
        device="cpu",
        pid=4242,
        start_ticks=17,
        namespace="a boot",
    )


def closed_trial(
    entry: str = "toy/lib/model@key#0",
    trial: int = 0,
    *,
    outcome: Outcome = "complete",
    reason: str = "finished",
    charged_s: float = 1.0,
    value: float | None = None,
) -> TrialRecord:
    """Return a closed trial."""
    return TrialRecord(
        dataset="toy",
        model="lib/model",
        study_key="key",
        entry=entry,
        outcome=outcome,
        reason=reason,
        lease_s=charged_s + 0.5,
        charged_s=charged_s,
        trial=trial,
        config={"dim": 8},
        device="cpu",
        value=value,
        best_step=None if value is None else 1,
        steps={} if value is None else {1: value},
    )


def opened_final(entry: str = "toy/lib/model@final#0") -> FinalOpened:
    """Return the opening line of a final."""
    return FinalOpened(
        dataset="toy",
        model="lib/model",
        study_key="key",
        entry=entry,
        hold_s=20.0,
        trial=0,
        config={"dim": 8},
        device="cpu",
        final_key="final",
        config_source="tuned",
        train_on="train",
        seed=1,
    )


def closed_final(entry: str = "toy/lib/model@final#0", *, outcome: Outcome = "crash") -> FinalRecord:
    """Return a closed final without a result."""
    return FinalRecord(
        dataset="toy",
        model="lib/model",
        study_key="key",
        entry=entry,
        outcome=outcome,
        reason="because",
        lease_s=2.0,
        charged_s=1.0,
        trial=0,
        config={"dim": 8},
        final_key="final",
        config_source="default",
        train_on="train+valid",
        seed=1,
    )
