"""The studies of a run are Optuna's own: its storage, and so its dashboard, opens them."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from benchmark.protocol import Range
from benchmark.tuner import Journal, Tuner


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal as a run leaves it: two trials of one model, told and closed."""
    path = tmp_path / "journal.log"
    own = Tuner(
        Journal(path), "toy/lib/model@key", {"dim": Range(8, 256)}, [{"dim": 64}], seed=0, maximise=True
    )
    for value in (0.25, 0.5):
        asked = own.ask()
        own.report(asked.number, 1, value)
        own.tell(asked.number, value, pruned=False)
    return path


def test_journal_opens_in_optuna_and_lists_studies_with_their_trials(journal: Path) -> None:
    before = journal.read_bytes()
    storage = JournalStorage(JournalFileBackend(str(journal)))
    study = optuna.load_study(study_name="toy/lib/model@key", storage=storage)
    assert optuna.get_all_study_names(storage) == ["toy/lib/model@key"]
    assert [(trial.number, trial.value) for trial in study.trials] == [(0, 0.25), (1, 0.5)]
    assert journal.read_bytes() == before
