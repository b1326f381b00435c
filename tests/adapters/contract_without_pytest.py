"""Runs the contract of adapters where there is no pytest: ``python contract_without_pytest.py FOLDER NAME=CONFIG ...``.

FOLDER holds what the planted log is made with and the environment lacks: it is looked into last. Prints a line of JSON for each adapter: its name, and the message of each test that failed by the test's name.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from unittest import SkipTest

from adapters import ADAPTERS

if __name__ == "__main__":
    sys.path.append(sys.argv[1])

from benchmark.testing import AdapterContract


def failures(name: str, config: dict[str, object], about: dict[str, object]) -> dict[str, str]:
    """Return the message of each test that failed or was skipped."""
    module, _, cls = ADAPTERS[name].partition(":")
    contract = AdapterContract()
    for attribute, value in {"adapter": getattr(import_module(module), cls), "config": config, **about}.items():
        setattr(contract, attribute, value)
    found: dict[str, str] = {}
    for test in sorted(dir(AdapterContract)):
        if test.startswith("test_"):
            try:
                getattr(contract, test)()
            except (Exception, SkipTest) as error:  # noqa: BLE001 - whatever a test raises is reported
                found[test] = f"{type(error).__name__}: {error}"
    return found


if __name__ == "__main__":
    for argument in sys.argv[2:]:
        name, _, said = argument.partition("=")
        given = json.loads(said or "{}")
        print(json.dumps({"name": name, "failures": failures(name, given.get("config", {}), given.get("about", {}))}), flush=True)
