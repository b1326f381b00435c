"""Models on a CUDA slot, through the real trial code. Needs a GPU: pytest -m gpu."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark import api

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("model", ["native/ease", "torch/neumf"])
def test_model_runs_on_the_gpu_and_the_board_names_the_device(model: str, tmp_path: Path) -> None:
    changes = {"budget": {"per_model": "20s", "max_trials": 3, "slot": {"gpu": "yes"}}}
    suite = api.check("quickstart", changes, models=["baselines/popularity", model])
    finished = api.run(suite, out=tmp_path / "run")
    rows = {row["model"]: row for row in finished.board.tables[0].rows}
    assert (rows[model]["status"], rows[model]["device"]) == ("ok", "cuda")
    assert rows["baselines/popularity"]["device"] == "cpu"
    assert 0 < rows[model]["charged_s"] <= 20.5
    assert rows[model]["ndcg@10"] > rows["baselines/popularity"]["ndcg@10"]
