"""A finished run whose suite is changed, as if its directory went on with another one."""

from __future__ import annotations

import json

from benchmark.files import content_hash, write_text
from benchmark.results import RunDirectory, resolved
from benchmark.suite import Suite


def give_suite(run: RunDirectory, suite: Suite) -> RunDirectory:
    """Write another suite into the directory of a run, which is then to be resumed."""
    content = resolved(suite)
    write_text(run / "suite.json", json.dumps(content))
    run.update(state="running", suite_hash=content_hash(content))
    return run
