"""The contract that every adapter keeps, as tests to inherit.

    from benchmark.testing import AdapterContract

    class TestMine(AdapterContract):
        adapter = Mine
        config = {"dim": 8}  # optional: fields that differ from their defaults

pytest finds the inherited tests; nothing here imports pytest.
"""

from benchmark.testing.contract import AdapterContract, ndcg
from benchmark.testing.planted import planted_parts

__all__ = ["AdapterContract", "ndcg", "planted_parts"]
