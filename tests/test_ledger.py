"""The ledger's promise: whole lines, typed, and an end for whatever a dead supervisor left open."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from records_made import closed_final, closed_trial, opened_final, opened_trial

from benchmark.budget import spent_s
from benchmark.ledger import Ledger
from benchmark.protocol import Choice, Range
from benchmark.records import (
    Closed,
    FinalRecord,
    LedgerRecord,
    Measurements,
    ReferenceNamed,
    Spent,
    StudyClosed,
    TestCounts,
    TestOpened,
    TestScores,
    TrialOpened,
    TrialRecord,
)

MEASURED = Measurements(
    steps=3,
    size_mb=0.5,
    params=120,
    latency_ms_p50=0.1,
    latency_ms_p95=0.2,
    users_per_s=1000.0,
    filled_users=0,
    filled_items=2,
)
SCORES = TestScores(
    values={"ndcg@5": 0.25},
    counts=TestCounts(users=40, without_relevant=3),
    popularity_lift=1.5,
    path="per_user/final.parquet",
    sha256="ab",
    state_path="models/final.safetensors",
    state_sha256="cd",
)
EVERY_KIND: list[LedgerRecord] = [
    opened_trial(),
    opened_final(),
    Spent(entry="a", charged_s=1.0, lease_s=2.0),
    Spent(entry="a", charged_s=1.5, step=3, value=0.25),
    replace(
        closed_trial(value=0.5), steps={1: 0.25, 12: 0.5}, at_best={"ndcg@5": 0.5}, stopped_by="patience"
    ),
    closed_trial(outcome="machine", reason="not ready after 60 s"),
    closed_final(),
    replace(closed_final(outcome="complete"), measured=MEASURED, test=SCORES),
    TestOpened(entry="a", split="1234"),
    ReferenceNamed(dataset="toy", model="lib/model", study_key="key", value=0.5),
    StudyClosed(
        dataset="toy",
        model="lib/model",
        study_key="key",
        status="no-result",
        reason="no validated step",
        unused_s=0.0,
        space={"dim": Range(8, 256, log=True), "lr": Range(0.001, 0.3), "kind": Choice("cosine", "msd")},
    ),
]


@pytest.mark.parametrize("record", EVERY_KIND, ids=lambda record: record.event)
def test_record_comes_back_from_the_file_as_it_was_written(tmp_path: Path, record: LedgerRecord) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append(record)
    ledger.shut()
    assert Ledger.read(tmp_path / "ledger.jsonl") == [record]


def test_config_comes_back_with_the_types_it_had(tmp_path: Path) -> None:
    config = {"dim": 8, "lr": 1.0, "kind": "msd", "bias": True}
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append(replace(closed_trial(), config=config))
    ledger.shut()
    (found,) = [one for one in Ledger.read(tmp_path / "ledger.jsonl") if isinstance(one, TrialRecord)]
    assert [type(value) for value in found.config.values()] == [int, float, str, bool]


def test_ledger_cut_in_the_middle_of_a_line_keeps_every_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    written: list[LedgerRecord] = [opened_trial(), Spent(entry="a", charged_s=1.0)]
    for record in written:
        ledger.append(record)
    ledger.shut()
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        again = Ledger(path)
        assert again.records(object) == written[: whole[:cut].count(b"\n")]
        again.append(closed_trial())
        again.shut()
        assert all(json.loads(line) for line in path.read_text("utf-8").splitlines())


def test_line_that_is_no_record_is_refused_by_its_event(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_text('{"event": "settled"}\n')
    with pytest.raises(ValueError, match="'settled'"):
        Ledger.read(tmp_path / "ledger.jsonl")


def test_records_are_found_by_kind_and_trials_by_their_study(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    other = replace(closed_trial(), study_key="another")
    for record in (opened_trial(), closed_trial(), other, closed_final()):
        ledger.append(record)
    ledger.shut()
    assert ledger.records(TrialOpened) == [opened_trial()]
    assert ledger.records(Closed) == [closed_trial(), other, closed_final()]
    assert ledger.trials("another") == [other]


def test_orphan_is_closed_as_lost_at_its_last_recorded_moment(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for entry, trial in (("a", 0), ("b", 1)):
        ledger.append(opened_trial(entry, trial))
    ledger.append(closed_trial("a", charged_s=1.0))
    ledger.append(Spent(entry="b", lease_s=2.0, charged_s=1.5))
    ledger.append(Spent(entry="b", charged_s=2.0, step=1, value=0.5))
    assert [one.entry for one in ledger.orphans()] == ["b"]
    ledger.close_orphans()
    assert ledger.orphans() == []
    closed = ledger.records(TrialRecord)[-1]
    assert (closed.entry, closed.outcome, closed.trial) == ("b", "lost", 1)
    assert (closed.lease_s, closed.charged_s) == (2.0, 2.0)
    assert (closed.study, closed.config) == ("toy/lib/model", {"dim": 8})
    assert spent_s(ledger.records(TrialRecord)) == 1.0
    ledger.shut()


def test_orphan_that_never_spent_is_closed_at_zero(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append(opened_final())
    ledger.close_orphans()
    (closed,) = ledger.records(FinalRecord)
    assert (closed.outcome, closed.charged_s, closed.final_key, closed.seed) == ("lost", 0.0, "final", 1)
    ledger.shut()
