"""``bench report``: the board of runs, in the terminal or as files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmark.cli.parser import Command
from benchmark.cli.terminal import console
from benchmark.errors import BenchError

TABLES = ("board", "folds", "groups", "pairs", "across")
FORMATS = ("terminal", "md", "csv", "json", "latex", "html")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench report``."""
    parser.add_argument(
        "runs",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="a run directory, such as results/movielens/latest; several make one board",
    )
    parser.add_argument("--format", choices=FORMATS, help="default: terminal, or by the name of --out")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write to this file; in a folder: every format, or with --format csv every table",
    )
    parser.add_argument(
        "--table", choices=TABLES, default="board", help="the table that --format csv writes (default: board)"
    )
    parser.add_argument(
        "--by",
        action="append",
        metavar="SUBGROUP",
        help="the same board for subgroups: user.activity, item.popularity, or user.COLUMN for a column of "
        "the user table; repeatable",
    )
    parser.add_argument(
        "--compare",
        choices=("reference", "all"),
        default="reference",
        help="all: also compare every pair of models, corrected over all pairs",
    )
    parser.add_argument(
        "--baseline", metavar="MODEL", help="compare with this model instead of the best on validation"
    )


def report(options: argparse.Namespace) -> int:
    """Show the board of runs, or write it in the format asked for."""
    from benchmark import api
    from benchmark.files import write_text
    from benchmark.reporting import FORMATS as WRITERS
    from benchmark.reporting import as_csv, write_all, write_csvs

    is_folder = options.out is not None and options.out.is_dir()
    wanted = options.format or ("all" if is_folder else format_of_file(options.out))
    refuse_combination(options, wanted, is_folder=is_folder)
    board = api.report(*options.runs, compare=options.compare, baseline=options.baseline, by=options.by)
    if is_folder:
        (write_csvs if wanted == "csv" else write_all)(board, options.out)
        return 0
    if wanted == "terminal":
        console().print(board)
        return 0
    text = as_csv(board, options.table) if wanted == "csv" else WRITERS[wanted](board)
    if options.out is None:
        sys.stdout.write(text)
    else:
        write_text(options.out, text)
    return 0


def format_of_file(out: Path | None) -> str:
    """Return the format that the name of a file asks for.

    Raises:
        BenchError: it asks for none.
    """
    if out is None:
        return "terminal"
    suffix = out.suffix.removeprefix(".").replace("tex", "latex")
    if suffix not in FORMATS[1:]:
        raise BenchError(
            f"--out {out}: must end in .md, .csv, .json, .tex or .html, come with --format, or be a folder"
        )
    return suffix


def refuse_combination(options: argparse.Namespace, wanted: str, *, is_folder: bool) -> None:
    """Refuse options that contradict one another.

    Raises:
        BenchError: they do.
    """
    if wanted == "terminal" and options.out is not None:
        raise BenchError(
            "--format terminal writes to the terminal; leave out --out, or choose another format"
        )
    if is_folder and wanted not in {"all", "csv"}:
        raise BenchError(
            f"--out {options.out}: is a folder, but --format {wanted} writes one file; name the file, "
            "or leave out --format to write every format into the folder"
        )
    if options.table != "board" and (wanted != "csv" or is_folder):
        raise BenchError(
            f"--table {options.table}: requires --format csv; other formats, and folders, hold every table"
        )


COMMAND = Command(
    report,
    "show the board of one or more runs, or write it to files",
    add_options,
)
