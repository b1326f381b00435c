"""``bench check``: validate a suite."""

from __future__ import annotations

import argparse
import sys

from benchmark.cli.parser import Command, add_suite
from benchmark.cli.terminal import warn


def check(options: argparse.Namespace) -> int:
    """Print a suite with every default."""
    import yaml

    from benchmark import api

    suite = api.check(options.suite, say=warn)
    sys.stdout.write(yaml.safe_dump(suite.model_dump(mode="json"), sort_keys=False, allow_unicode=True))
    return 0


COMMAND = Command(check, "validate a suite and show it with every default filled in", add_suite)
