"""``bench recommend``: recommendations from a bundle."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.cli.parser import Command, listed
from benchmark.cli.terminal import write, write_json
from benchmark.errors import BundleError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench recommend``."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's folder")
    parser.add_argument("--user", metavar="ID", help="one user")
    parser.add_argument("-k", type=int, default=10, metavar="K", help="length of the list (default: 10)")
    parser.add_argument("--history", metavar="A,B", help="items of a new user")
    parser.add_argument("--exclude", default="", metavar="A,B", help="items to leave out")
    parser.add_argument(
        "--users", type=Path, metavar="FILE", help="many users: a .csv or .parquet with a column user"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the .csv or .parquet to write their lists to"
    )
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def recommend(options: argparse.Namespace) -> int:
    """Print one user's list, or write those of many."""
    from benchmark import api
    from benchmark.cli.views.recommendation import list_as_json, list_as_text

    refuse_combination(options)
    exclude = listed(options.exclude) or []
    if options.users is not None:
        from benchmark.bundle.batch import check_target, read_users, write_lists

        users, target = read_users(options.users), check_target(options.out)
        unknown = write_lists(api.load(options.bundle), users, options.k, exclude, target)
        write(f"{len(users)} lists in {target}; {unknown} users are unknown and got the most popular items")
        return 0
    user = [] if options.user is None else [options.user]
    (found,) = api.recommend(
        options.bundle, user, options.k, history=listed(options.history), exclude=exclude
    )
    if options.json:
        write_json(list_as_json(found))
    else:
        write(list_as_text(found))
    return 0


def refuse_combination(options: argparse.Namespace) -> None:
    """Refuse options that name no user, or contradict one another.

    Raises:
        BundleError: they do.
    """
    if options.users is not None and (options.user is not None or options.history is not None):
        raise BundleError("--users FILE cannot be combined with --user or --history")
    if options.users is None and options.user is None and options.history is None:
        raise BundleError("for whom? give --user ID, --history A,B or --users FILE --out FILE")
    if options.users is None and options.out is not None:
        raise BundleError("--out FILE requires --users FILE")


COMMAND = Command(recommend, "recommend from a bundle, for one user or many", add_options)
