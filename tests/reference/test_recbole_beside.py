"""RecBole's own program and our adapter on the same rows: the same figures."""

from __future__ import annotations

import pytest
from recbole_beside import beside
from repository import real_data

from benchmark import api


@pytest.fixture(autouse=True)
def _environment():
    (own,) = api.env("recbole")
    state, why = own.state()
    if state != "ready":
        pytest.skip(f"recbole: {why}")


@pytest.mark.slow
def test_recboles_ease_on_movielens_1m_has_its_own_programs_figures():
    assert beside("EASE", real_data() / "ml-1m", {"l2": 1000.0}).apart < 0.0005


@pytest.mark.slow
def test_recboles_bpr_with_the_same_seed_and_batches_has_its_own_programs_figures():
    assert beside("BPR", real_data() / "ml-100k", {"max_epochs": 5}).apart < 0.002
