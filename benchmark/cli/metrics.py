"""``bench metrics``: list metrics."""

from __future__ import annotations

import argparse

from benchmark.cli.parser import Command
from benchmark.cli.terminal import console, write_json


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench metrics``."""
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def metrics(options: argparse.Namespace) -> int:
    """List all metrics."""
    from benchmark import api
    from benchmark.cli.views.metrics import show_metrics
    from benchmark.metrics.register import listing

    if options.json:
        write_json(listing(), ensure_ascii=False)
    else:
        show_metrics(api.metrics(), console())
    return 0


COMMAND = Command(metrics, "list metrics: formula, direction, range and source", add_options)
