"""``bench verify``: check a bundle."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.cli.parser import Command
from benchmark.cli.terminal import write, write_json


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench verify``."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's folder")
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")


def verify(options: argparse.Namespace) -> int:
    """Check a bundle; 0 if everything holds, else 2."""
    from benchmark import api

    checks = api.verify(options.bundle)
    if options.json:
        write_json([vars(check) for check in checks])
    else:
        for check in checks:
            write(f"{'ok    ' if check.ok else 'FAILED'}  {check.name}: {check.detail}")
    return 0 if all(check.ok for check in checks) else 2


COMMAND = Command(verify, "check a bundle: its files, its lists, its latency", add_options)
