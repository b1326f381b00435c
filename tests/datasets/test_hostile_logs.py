"""Two hundred logs as people really have them: each is read exactly, or refused with its place and cure."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hostile_logs import HostileLog, hostile_logs, judge
from hypothesis import HealthCheck, given, settings


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(log=hostile_logs())
def test_a_hostile_log_is_read_exactly_or_refused(log: HostileLog) -> None:
    with TemporaryDirectory() as folder:
        judge(log, Path(folder))
