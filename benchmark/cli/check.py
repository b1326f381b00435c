"""``bench check``: validate a suite."""

from __future__ import annotations

import argparse
import sys

from benchmark.cli.parser import Command, add_bent_suite
from benchmark.cli.terminal import printable, warn


def check(options: argparse.Namespace) -> int:
    """Print a suite with every default."""
    import yaml

    from benchmark import api
    from benchmark.records import warning
    from benchmark.suite.advice import advice, sample_advice

    suite = api.check(options.suite, set=options.set, say=warn)
    for text in (*(f"extends {base}" for base in suite.bases), *(f"--set {one}" for one in options.set)):
        sys.stdout.write(f"# {' '.join(printable(text).split())}\n")
    sys.stdout.write(yaml.safe_dump(suite.model_dump(mode="json"), sort_keys=False, allow_unicode=True))
    for note in (*map(warning, advice(suite)), *sample_advice(suite)):
        sys.stderr.write(f"bench: {'WARNING' if note.is_warning else 'note'}: {note.text}\n")
    return 0


COMMAND = Command(check, "validate a suite and show it with every default filled in", add_bent_suite)
