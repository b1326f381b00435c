"""``bench models``: list models, or show one in full."""

from __future__ import annotations

import argparse

from benchmark.cli.parser import Command
from benchmark.cli.terminal import console


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench models``."""
    parser.add_argument(
        "--detail",
        metavar="NAME",
        help="one model in full: what it is, tunes and needs, and its results on reference boards",
    )


def models(options: argparse.Namespace) -> int:
    """List all models, or show one in full."""
    from benchmark import api
    from benchmark.cli.views.models import show_model, show_models
    from benchmark.results import reference

    if options.detail is None:
        show_models(api.models(), console())
    else:
        (adapter,) = api.models(options.detail)
        show_model(adapter, reference.reference_boards(), console())
    return 0


COMMAND = Command(models, "list models, or show one in full", add_options)
