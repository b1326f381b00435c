"""``bench data``: list or fetch data sets, or check those of a suite."""

from __future__ import annotations

import argparse

from benchmark.cli.parser import Command, add_data_folder
from benchmark.cli.terminal import console
from benchmark.errors import BenchError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench data``."""
    parser.add_argument("action", choices=("list", "fetch", "check"), help="what to do")
    what = "a data set to fetch, a part of the names to list, or a suite to check"
    parser.add_argument("name", nargs="?", metavar="NAME", help=what)
    add_data_folder(parser)


def data(options: argparse.Namespace) -> int:
    """List data sets, fetch one, or audit those of a suite."""
    from benchmark import api
    from benchmark.cli.views.audit import show_audit
    from benchmark.cli.views.data import show_data

    terminal = console()
    if options.action == "list":
        found = [one for one in api.data(options.data) if (options.name or "") in one.known.name]
        if not found:
            raise BenchError(f"bench data list: no data set has {options.name!r} in its name")
        show_data(found, terminal, in_families=options.name is None)
    elif options.name is None:
        what = "a data set" if options.action == "fetch" else "a suite"
        raise BenchError(f"bench data {options.action} requires the name of {what}")
    elif options.action == "fetch":
        folder = api.fetch(options.name, say=lambda text: terminal.print(text, markup=False, highlight=False))
        terminal.print(f"{options.name}: {folder}", markup=False, highlight=False, soft_wrap=True)
    else:
        suite = api.check(options.name)
        show_audit(api.audit(suite, data=options.data), terminal, suite.metrics.all)
    return 0


COMMAND = Command(data, "list or fetch data sets, or check those of a suite", add_options)
