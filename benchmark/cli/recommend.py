"""``bench recommend``: recommendations from a bundle."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cli.parser import Command, listed
from benchmark.cli.terminal import warn, write, write_json
from benchmark.errors import BundleError

if TYPE_CHECKING:
    from benchmark.bundle import Bundle, Recommendation


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench recommend``."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's folder")
    parser.add_argument("--user", metavar="ID", help="one user")
    parser.add_argument("-k", type=int, default=10, metavar="K", help="length of the list (default: 10)")
    parser.add_argument(
        "--history",
        metavar="A,B",
        help="items of a new user, or those that a known user has had since training; the earliest first",
    )
    parser.add_argument("--similar-to", metavar="ITEM", help="items like this one, instead of a user's list")
    parser.add_argument("--exclude", default="", metavar="A,B", help="items to leave out")
    parser.add_argument(
        "--only",
        type=Path,
        metavar="FILE",
        help="recommend only these items: a text file with one id a line, or a .csv or .parquet with a "
        "column item",
    )
    parser.add_argument(
        "--why",
        action="store_true",
        help="show which items of the history carried each score, if the model can say",
    )
    parser.add_argument(
        "--users",
        type=Path,
        metavar="FILE",
        help="many users: a .csv or .parquet with a column user, or one column",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the .csv or .parquet to write lists to; --users needs one"
    )
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def recommend(options: argparse.Namespace) -> int:
    """Print one user's list, or items like one, or write the lists of many users."""
    from benchmark import api
    from benchmark.bundle.batch import check_suffix, check_target, write_lists

    refuse_combination(options)
    if options.users is not None:
        check_suffix("--users", options.users)
        check_target(options.out)
    elif options.out is not None:
        check_target(options.out)
    loaded = api.load(options.bundle)
    exclude, only = listed(options.exclude) or [], read_only(loaded, options.only)
    if options.similar_to is not None:
        return show_similar(loaded, options, exclude, only)
    if options.users is not None:
        users = read_users(loaded, options.users)
        lists = loaded.recommend(users, options.k, exclude=exclude, only=only, why=options.why)
        write_lists(lists, options.out, why=options.why)
        say_of_all(loaded, lists, only, options.out)
        return 0
    user = [] if options.user is None else [options.user]
    history = listed(options.history)
    (found,) = api.recommend(
        loaded, user, options.k, history=history, exclude=exclude, only=only, why=options.why
    )
    show_list(found, options)
    return 0


def show_list(found: Recommendation, options: argparse.Namespace) -> None:
    """Print one user's list, or write it to a file."""
    from benchmark.bundle.batch import write_lists
    from benchmark.cli.views.recommendation import list_as_json, list_as_text

    if options.out is not None:
        write_lists([found], options.out, why=options.why)
    if options.json:
        write_json(list_as_json(found))
    elif options.out is not None:
        write("; ".join(filter(None, [f"1 list in {options.out}", found.note])))
    else:
        write(list_as_text(found))


def show_similar(
    loaded: Bundle, options: argparse.Namespace, exclude: list[str], only: list[str] | None
) -> int:
    """Print the items like one, or write them to a file."""
    from benchmark.bundle.batch import write_similar
    from benchmark.cli.views.recommendation import similar_as_json, similar_as_text

    found = loaded.similar(options.similar_to, options.k, exclude=exclude, only=only)
    if options.out is not None:
        write_similar(found, options.out)
    if options.json:
        write_json(similar_as_json(found))
    elif options.out is not None:
        write("; ".join(filter(None, [f"{len(found.items)} items in {options.out}", found.note])))
    else:
        write(similar_as_text(found))
    return 0


def read_users(loaded: Bundle, path: Path) -> list[str]:
    """Return the users in a file, and say what was made of its first line if that could be read otherwise."""
    from benchmark.bundle.id_files import read_ids

    read = read_ids(path, "user", "--users", loaded.knows)
    if read.said:
        warn(read.said)
    return read.ids


def read_only(loaded: Bundle, path: Path | None) -> list[str] | None:
    """Return the items in a file, likewise; None if none is named."""
    from benchmark.bundle.id_files import read_ids

    if path is None:
        return None
    read = read_ids(path, "item", "--only", lambda item: not loaded.unknown_items([item]))
    if read.said:
        warn(read.said)
    return read.ids


def say_of_all(loaded: Bundle, lists: list[Recommendation], only: list[str] | None, path: Path) -> None:
    """Say how many lists were written, and what must be known of them."""
    unknown = sum(found.source == "popularity" for found in lists)
    write(f"{len(lists)} lists in {path}; {unknown} users are unknown and got the most popular items")
    if only is None:
        return
    if note := loaded.wanted(1, (), only).note:
        write(note)
    if empty := sum(not found.items for found in lists):
        write(
            f"{empty} lists are empty: none of the {len(only)} items to choose from is left for these users"
        )


def refuse_combination(options: argparse.Namespace) -> None:
    """Refuse options that name no user, or contradict one another.

    Raises:
        BundleError: they do.
    """
    somebody = options.user is not None or options.history is not None
    if options.users is not None and somebody:
        raise BundleError("--users FILE cannot be combined with --user or --history")
    if options.similar_to is not None and (somebody or options.users is not None or options.why):
        raise BundleError(
            "--similar-to ITEM asks for no user: it cannot be combined with --user, --history, --users or "
            "--why"
        )
    if options.similar_to is None and options.users is None and not somebody:
        raise BundleError(
            "for whom? give --user ID, --history A,B or --users FILE --out FILE; or --similar-to ITEM for "
            "items like one"
        )


COMMAND = Command(recommend, "recommend from a bundle, for one user or many, or items like one", add_options)
