"""The contract that every adapter keeps, as tests to inherit.

    from benchmark.testing import AdapterContract

    class TestMine(AdapterContract):
        adapter = Mine
        config = {"dim": 8}  # optional: fields that differ from their defaults

pytest finds the inherited tests; nothing here imports pytest.
"""

from benchmark.testing.contract import AdapterContract
from benchmark.testing.planted import planted_parts
from benchmark.testing.ranking_quality import ndcg

__all__ = ["AdapterContract", "ndcg", "planted_parts"]
