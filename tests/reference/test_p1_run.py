"""Protocol P1 through the whole product: half its budget, half its models, one-core slots, train only."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from benchmark import api
from benchmark.leaderboard.rows import BoardRow
from benchmark.records import LOST, TrialRecord
from benchmark.results import RunDirectory

pytestmark = [pytest.mark.slow, pytest.mark.alone]

ANCHORS = {
    "native/ease": (0.315, 0.33),
    "native/ials": (0.295, 0.33),
    "native/item-knn": (0.277, 0.33),
    "lightfm/warp": (0.285, 0.33),
    "torch/neumf": (0.24, 0.33),
    "keras/mlp": (0.22, 0.33),
    "baselines/popularity": (0.1395, 0.1405),
    "baselines/random": (0.005, 0.0105),
}
"""NDCG@10 on test that each reaches within 60 s."""


@pytest.fixture(scope="module")
def finished(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> api.Run:
    out = tmp_path_factory.mktemp("p1") / "run"
    suite = api.check("movielens-p1", {"budget": {"per_model": "60s"}}, models=list(ANCHORS))
    return api.run(suite, out=out, data=data_dir)


@pytest.fixture(scope="module")
def rows(finished: api.Run) -> dict[str, BoardRow]:
    return {row.model: row for row in finished.board.tables[0].rows}


@pytest.mark.parametrize("model", ANCHORS)
def test_tuned_model_reaches_its_anchor_on_p1(rows: dict[str, BoardRow], model: str) -> None:
    low, high = ANCHORS[model]
    value = rows[model].metrics["ndcg@10"]
    assert rows[model].status == "ok"
    assert value is not None
    assert low <= value <= high


def test_every_study_stays_inside_its_budget(finished: api.Run) -> None:
    run = RunDirectory.existing(finished.path)
    charged: dict[str, float] = defaultdict(float)
    defaults = {}
    for record in run.records():
        if isinstance(record, TrialRecord) and record.outcome != LOST:
            charged[record.study] += record.charged_s
            defaults.setdefault(record.study, record.config)
    assert len(charged) == len(ANCHORS)
    assert max(charged.values()) <= 60.5
    assert defaults == {study.name: study.default for study in run.manifest().studies}


def test_board_of_p1_shows_trials_budget_and_seconds(rows: dict[str, BoardRow]) -> None:
    for row in rows.values():
        assert row.trials is not None
        assert row.trials >= 1
        assert row.budget_s == 60.0
        assert row.charged_s is not None
        assert 0 < row.charged_s <= 60.5
