"""``bench env``: make, list, check or remove the environments of foreign frameworks."""

from __future__ import annotations

import argparse

from benchmark.cli.parser import Command
from benchmark.cli.terminal import console
from benchmark.errors import BenchError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench env``."""
    parser.add_argument("action", choices=("create", "list", "check", "remove"), help="what to do")
    parser.add_argument("name", nargs="?", metavar="NAME", help="of the environment, such as recbole")


def env(options: argparse.Namespace) -> int:
    """Make, list, check or remove environments; 2 if a checked one cannot be used."""
    from benchmark import api
    from benchmark.cli.views.environment_table import show_environments

    terminal = console()

    def say(text: str) -> None:
        terminal.print(text, markup=False, highlight=False, soft_wrap=True)

    if options.action == "list":
        show_environments(api.env(options.name), terminal)
        return 0
    if options.name is None:
        raise BenchError(
            f"bench env {options.action} requires the name of an environment: see `bench env list`"
        )
    if options.action == "create":
        api.create_env(options.name, say=say)
    elif options.action == "remove":
        api.remove_env(options.name)
        say(f"{options.name}: removed")
    else:
        api.check_env(options.name)
        say(f"{options.name}: is ready")
    return 0


COMMAND = Command(
    env,
    "make, list, check or remove the environments of foreign frameworks",
    add_options,
    outlives_reader=True,
)
