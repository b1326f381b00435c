"""The parser of all verbs, and options that several of them take."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn

from benchmark.errors import DataError, did_you_mean

EPILOG = """examples:
  bench run quickstart                   offline, under a minute: what a board looks like
  bench run suites/movielens.yaml        tune, test, rank; the same command goes on after a stop
  bench report results/movielens/latest  the board again, from stored rows
  bench pick results/movielens/latest --export best      the model for production, as a bundle
  bench recommend best --user 196        what it recommends
"""


class Verb(NamedTuple):
    """One verb.

    Attributes:
        call: takes the options, returns the exit code.
        add_options: declares the options.
        text: what the help says of it.
    """

    call: Callable[[argparse.Namespace], int]
    add_options: Callable[[argparse.ArgumentParser], None]
    text: str


class Parser(argparse.ArgumentParser):
    """Complains in one line, and names the nearest word when one is mistyped."""

    def error(self, message: str) -> NoReturn:
        """Leave with the complaint and exit code 2."""
        known = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if known:
            options = [option.strip("' ") for option in known[2].split(",")]
            what = "verb" if self.prog == "bench" else "choice"
            message = f"there is no {what} {known[1]!r}{did_you_mean(known[1], options)}"
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help says what there is)\n")

    def refuse(self, unknown: str) -> NoReturn:
        """Complain about an argument that this verb does not take."""
        flags = [flag for action in self._actions for flag in action.option_strings]
        near = did_you_mean(unknown, flags) if unknown.startswith("-") else ""
        self.error(f"takes no argument {unknown!r}{near}")


def build_parser(verbs: Mapping[str, Verb]) -> Parser:
    """Return the parser of all verbs; what it returns has the verb's call and parser among its options."""
    parser = Parser(
        prog="bench",
        description="Which recommender should I put into production for this data?",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name, verb in verbs.items():
        sub = subparsers.add_parser(name, help=verb.text, description=verb.text, allow_abbrev=False)
        verb.add_options(sub)
        sub.set_defaults(verb=verb.call, parser=sub)
    return parser


def no_options(parser: argparse.ArgumentParser) -> None:
    """Take nothing."""


def add_data_folder(parser: argparse.ArgumentParser) -> None:
    """Add ``--data``; :func:`data_folder` reads it."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of data sets (default $BENCH_DATA)")


def data_folder(options: argparse.Namespace) -> Path | None:
    """Return the folder that --data names.

    Raises:
        DataError: it is no folder; without --data, $BENCH_DATA may point to nothing.
    """
    folder: Path | None = options.data
    if folder is not None and not os.path.isdir(folder):  # noqa: PTH112 - false, not an error, for any text
        raise DataError(
            f"--data {folder}: there is no such folder; give the one that holds ml-100k and others"
        )
    return folder
