"""The contract of an adapter with an environment of its own, skipped where that was not made."""

from __future__ import annotations

from typing import ClassVar

import pytest

from adapters import ENVIRONMENTS
from benchmark import api
from benchmark.testing import AdapterContract
from benchmark.traits import traits


def skip_unless_made(name: str) -> None:
    """Skip a test where an environment was not made."""
    (own,) = api.env(name)
    state, why = own.state()
    if state != "ready":
        pytest.skip(f"{name}: {why}")


class InItsEnvironment(AdapterContract):
    """The contract, run by the Python of the adapter's environment."""

    lock_files: ClassVar = ENVIRONMENTS

    @pytest.fixture(autouse=True)
    def _environment(self) -> None:
        """Skip where the environment was not made."""
        skip_unless_made(traits(self.adapter).environment)
