"""The verbs that stored rows come in by: report, runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmark.cli.terminal import console
from benchmark.errors import BenchError

TABLES = ("board", "folds", "groups", "pairs", "across")
FORMATS = ("terminal", "md", "csv", "json", "latex", "html")


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench report``."""
    parser.add_argument(
        "runs",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="a run directory, such as results/movielens/latest; of several, one board is made",
    )
    parser.add_argument("--format", choices=FORMATS, help="default terminal, or what --out ends in")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write there instead of to the terminal; into a folder: all formats, or all tables as csv",
    )
    parser.add_argument(
        "--table",
        choices=TABLES,
        default="board",
        help="which table --format csv writes into one file (default board)",
    )
    parser.add_argument(
        "--by",
        action="append",
        metavar="PART",
        help="the same board for parts of the users or items: user.activity, item.popularity, or user.COLUMN "
        "for a column of the user table; repeatable",
    )
    parser.add_argument(
        "--compare",
        choices=("reference", "all"),
        default="reference",
        help="all: every pair of models too, corrected over all pairs",
    )
    parser.add_argument(
        "--baseline", metavar="MODEL", help="compare with this model instead of the best on validation"
    )


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench runs``."""
    parser.add_argument("--results", type=Path, default=Path("results"), metavar="DIR", help="where runs lie")


def report(options: argparse.Namespace) -> int:
    """Show the board of runs, or write it in the format asked for."""
    from benchmark import api
    from benchmark.files import write_text
    from benchmark.reporting import FORMATS as WRITERS
    from benchmark.reporting import as_csv, write_all, write_csvs

    folder = options.out is not None and options.out.is_dir()
    wanted = options.format or ("all" if folder else _format_of(options.out))
    _check_report(options, wanted, folder=folder)
    board = api.report(*options.runs, compare=options.compare, baseline=options.baseline, by=options.by)
    if folder:
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


def _check_report(options: argparse.Namespace, wanted: str, *, folder: bool) -> None:
    """Refuse what cannot be written as asked."""
    if wanted == "terminal" and options.out is not None:
        raise BenchError("--format terminal shows the board here; leave out --out, or choose another format")
    if folder and wanted not in {"all", "csv"}:
        raise BenchError(
            f"--out {options.out}: is a folder, and --format {wanted} is one file; name the file, "
            "or leave out --format to write every format into the folder"
        )
    if options.table != "board" and (wanted != "csv" or folder):
        raise BenchError(
            f"--table {options.table}: goes with --format csv; other formats, and folders, hold every table"
        )


def _format_of(out: Path | None) -> str:
    """Return the format of a file by its name."""
    if out is None:
        return "terminal"
    suffix = out.suffix.removeprefix(".").replace("tex", "latex")
    if suffix not in FORMATS[1:]:
        raise BenchError(
            f"--out {out}: must end in .md, .csv, .json, .tex or .html, come with --format, or be a folder"
        )
    return suffix


def runs(options: argparse.Namespace) -> int:
    """List the runs of a folder."""
    from benchmark.cli.views.listings import show_runs
    from benchmark.results import runs_under

    show_runs(runs_under(options.results), console())
    return 0
