"""The parser of all commands, and the options that several of them take."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from benchmark.errors import did_you_mean

DESCRIPTION = """\
Find the recommender to put into production for your data: tune models of
different libraries under the same budget, test the differences, pick one."""
EPILOG = """\
examples:
  bench run quickstart                 a first board, offline, in under a minute
  bench init events.csv                a commented suite from a look at your file
  bench run suites/movielens.yaml      tune, test and rank; run it again to resume
  bench report results/movielens/latest                 show the board again
  bench pick results/movielens/latest --export best     export the best choice
  bench recommend best --user 196      what it recommends to a user

`bench COMMAND --help` shows the options of a command.
"""


class Command(NamedTuple):
    """One command.

    Attributes:
        call: takes the options, returns the exit code.
        help: what it does, in one line.
        add_options: declares the options; a command without options has none.
        outlives_reader: goes on where nobody reads its output any more: what it makes is not its output.
    """

    call: Callable[[argparse.Namespace], int]
    help: str
    add_options: Callable[[argparse.ArgumentParser], None] = lambda _: None
    outlives_reader: bool = False


class Parser(argparse.ArgumentParser):
    """Complains in one line, and names the most similar word for a mistyped one."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a word that is not among the choices; argparse suggests none before Python 3.14."""
        if action.choices is not None and value not in action.choices:
            what = str(action.metavar or "choice").lower()
            text = f"there is no {what} {value!r}{did_you_mean(value, action.choices)}"
            raise argparse.ArgumentError(action if action.option_strings else None, text)

    def error(self, message: str) -> NoReturn:
        """Exit with the complaint and code 2."""
        self.exit(2, f"{self.prog}: {message} (see `{self.prog} --help`)\n")

    def refuse(self, unknown: str) -> NoReturn:
        """Complain about an argument that this command does not take."""
        flags = [flag for action in self._actions for flag in action.option_strings]
        hint = did_you_mean(unknown, flags) if unknown.startswith("-") else ""
        self.error(f"takes no argument {unknown!r}{hint}")


class HelpText(argparse.RawDescriptionHelpFormatter):
    """Keeps a command on one line with its help: argparse forgets that commands are indented once more."""

    def add_argument(self, action: argparse.Action) -> None:
        """Leave room for the longest command."""
        super().add_argument(action)
        commands = [self._format_action_invocation(one) for one in self._iter_indented_subactions(action)]
        longest = max(map(len, commands), default=0) + 2 * self._indent_increment
        self._action_max_length = max(self._action_max_length, longest)


class ShowVersion(argparse.Action):
    """Print the version of bench and leave; it is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Leave with code 0."""
        import benchmark

        sys.stdout.write(f"bench {benchmark.__version__}\n")
        parser.exit(0)


def build_parser(commands: Mapping[str, Command]) -> Parser:
    """Return the parser of all commands; the options it returns hold the command's call and parser too."""
    parser = Parser(
        prog="bench",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=HelpText,
    )
    parser.add_argument(
        "-V", "--version", action=ShowVersion, nargs=0, help="show the version of bench and exit"
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in commands.items():
        sentence = f"{command.help[0].upper()}{command.help[1:]}."
        sub = subparsers.add_parser(name, help=command.help, description=sentence, allow_abbrev=False)
        command.add_options(sub)
        sub.set_defaults(call=command.call, parser=sub, outlives_reader=command.outlives_reader)
    return parser


def add_suite(parser: argparse.ArgumentParser) -> None:
    """Add the suite alone."""
    parser.add_argument(
        "suite", metavar="SUITE", help="a YAML file, or the name of a suite that ships with bench"
    )


def add_bent_suite(parser: argparse.ArgumentParser) -> None:
    """Add the suite and single keys that may be set."""
    add_suite(parser)
    add_set(parser)


def add_set(parser: argparse.ArgumentParser) -> None:
    """Add single keys of a suite that may be set."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set one key of the suite, such as budget.per_model=60s or models.native/bpr.dim=64; "
        "repeatable, the last wins",
    )


def add_changed_suite(parser: argparse.ArgumentParser) -> None:
    """Add the suite and what may be changed in it."""
    add_bent_suite(parser)
    parser.add_argument("--budget", metavar="TIME", help="device-seconds per model, such as 30s or 5m")
    parser.add_argument("--models", metavar="A,B", help="only these models, of the suite or any adapter")
    parser.add_argument("--seeds", type=int, metavar="N", help="refits of each stochastic model")


def add_data_folder(parser: argparse.ArgumentParser) -> None:
    """Add the folder of data sets."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of data sets (default: $BENCH_DATA)")


def listed(text: str | None) -> list[str] | None:
    """Return the entries of a list with commas; None for None.

    >>> listed("torch/mf, native/ease,")
    ['torch/mf', 'native/ease']
    """
    return None if text is None else [entry.strip() for entry in text.split(",") if entry.strip()]
