"""The tower over pairs scores many items by columns as it scores few by rows."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("depth", [1, 3])
def test_scores_of_many_items_are_those_of_few(depth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from adapters.torch import layers

    torch.manual_seed(0)
    tower = layers.PairTower(16, depth)
    users, items = torch.randn(5, 16), torch.randn(700, 16)
    with torch.no_grad():
        by_rows = tower.all_pairs(users, items)
        monkeypatch.setattr(layers, "CHUNK", 100)
        monkeypatch.setattr(layers, "BLOCK", 256)
        by_columns = tower.all_pairs(users, items)
    assert by_columns.shape == (5, 700)
    torch.testing.assert_close(by_columns, by_rows, rtol=1e-5, atol=1e-5)
