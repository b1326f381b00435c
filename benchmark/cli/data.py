"""``bench data``: list or fetch data sets, check those of a suite, or melt a matrix into rows."""

from __future__ import annotations

import argparse

from benchmark.cli.parser import Command, add_data_folder, add_set
from benchmark.cli.terminal import console
from benchmark.errors import BenchError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench data``."""
    parser.add_argument("action", choices=("list", "fetch", "check", "melt"), help="what to do")
    what = "a data set to fetch, a part of the names to list, a suite to check, or a matrix to melt"
    parser.add_argument("name", nargs="?", metavar="NAME", help=what)
    parser.add_argument("out", nargs="?", metavar="OUT", help="melt: the rows, a .csv or .parquet file")
    parser.add_argument("--zeros", choices=("keep", "drop"), help="melt: whether a cell of 0 is a value")
    parser.add_argument("--numbered", action="store_true", help="melt: the matrix has no ids; number them")
    add_set(parser)
    add_data_folder(parser)


def data(options: argparse.Namespace) -> int:
    """List data sets, fetch one, audit those of a suite, or melt a matrix."""
    from benchmark import api
    from benchmark.cli.views.audit import show_audit
    from benchmark.cli.views.data import show_data

    terminal = console()

    def say(text: str) -> None:
        terminal.print(text, markup=False, highlight=False, soft_wrap=True)

    if options.set and options.action != "check":
        raise BenchError(f"bench data {options.action} reads no suite, so it takes no --set")
    if options.action == "list":
        found = [one for one in api.data(options.data) if (options.name or "") in one.known.name]
        if not found:
            raise BenchError(f"bench data list: no data set has {options.name!r} in its name")
        show_data(found, terminal, in_families=options.name is None)
    elif options.name is None:
        what = {"fetch": "a data set", "check": "a suite", "melt": "a matrix"}[options.action]
        raise BenchError(f"bench data {options.action} requires the name of {what}")
    elif options.action == "melt":
        if options.out is None:
            raise BenchError("bench data melt requires the file to write: bench data melt MATRIX OUT.csv")
        api.melt(options.name, options.out, zeros=options.zeros, numbered=options.numbered, say=say)
    elif options.out is not None:
        raise BenchError(f"bench data {options.action} takes one name, not {options.out!r} besides")
    elif options.action == "fetch":
        folder = api.fetch(options.name, say=say)
        say(f"{options.name}: {folder}")
    else:
        suite = api.check(options.name, set=options.set)
        show_audit(api.audit(suite, data=options.data), terminal, suite.metrics.all)
    return 0


COMMAND = Command(
    data,
    "list or fetch data sets, check those of a suite, or melt a matrix into rows",
    add_options,
    outlives_reader=True,
)
