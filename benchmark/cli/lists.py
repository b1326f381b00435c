"""The verbs that list what there is: models, metrics, data, doctor."""

from __future__ import annotations

import argparse

from benchmark.cli.parser import add_data_folder, data_folder
from benchmark.cli.terminal import console, write_json
from benchmark.errors import BenchError


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench models``."""
    parser.add_argument(
        "--detail", metavar="NAME", help="one model in full: what it is, tunes and needs, and its evidence"
    )


def add_metrics(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench metrics``."""
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench data``."""
    parser.add_argument("action", choices=("list", "fetch", "check"), help="what to do")
    parser.add_argument("name", nargs="?", metavar="NAME", help="a data set for fetch, a suite for check")
    add_data_folder(parser)


def models(options: argparse.Namespace) -> int:
    """List all models, or show one in full."""
    from benchmark import api

    if options.detail is not None:
        from benchmark.cli.views.model_detail import show_detail
        from benchmark.results.reference import reference_boards

        show_detail(api.registry()[options.detail], reference_boards(), console())
        return 0
    from benchmark.cli.views.listings import show_models

    show_models(api.registry(), console())
    return 0


def metrics(options: argparse.Namespace) -> int:
    """List all metrics."""
    from benchmark import api

    if options.json:
        write_json(api.metrics(), ensure_ascii=False)
        return 0
    from benchmark.cli.views.listings import show_metrics

    show_metrics(api.metrics(), console())
    return 0


def data(options: argparse.Namespace) -> int:
    """List data sets, fetch one, or audit those of a suite."""
    from benchmark.cli.views import listings
    from benchmark.datasets.sources.folders import data_directory

    terminal, folder = console(), data_directory(data_folder(options))
    if options.action == "list":
        listings.show_data(folder, terminal)
    elif options.name is None:
        what = "a data set" if options.action == "fetch" else "a suite"
        raise BenchError(f"bench data {options.action} needs the name of {what}")
    elif options.action == "fetch":
        listings.fetch(options.name, terminal)
    else:
        from benchmark import api

        listings.show_audit(api.audit(options.name, folder), terminal)
    return 0


def doctor(_: argparse.Namespace) -> int:
    """Show this machine; 0 if nothing is missing, else 2."""
    from benchmark import api
    from benchmark.cli.views.listings import show_doctor

    return 0 if show_doctor(api.doctor(), console()) else 2
