"""The ``bench`` command: words to verbs. Nothing heavy is imported before a verb needs it."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from benchmark import handover
from benchmark.errors import BenchError, DataError, RunError, SuiteError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from benchmark.runner import Order

EPILOG = """examples:
  bench run quickstart                   offline, under a minute: what a board looks like
  bench run suites/movielens.yaml        tune, test, rank; the same command goes on after a stop
  bench report results/movielens/latest  the board again, from stored rows
  bench pick results/movielens/latest --export best      the model for production, as a bundle
  bench recommend best --user 196        what it recommends
"""


REPORT_TABLES = ("board", "folds", "groups", "pairs", "across")
REPORT_FORMATS = ("terminal", "md", "csv", "json", "latex", "html")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return its exit code: 0 done, 2 a complaint, 3 a regression, 130 stopped by the user."""
    options, unknown = build_parser().parse_known_args(arguments)
    if unknown:
        options.parser.refuse(unknown[0])
    try:
        code: int = options.verb(options)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("bench: stopped; nothing that was finished is lost", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as with `bench models | head`
        sys.stderr.close()
        return 0
    return code


class _Parser(argparse.ArgumentParser):
    """Complains in one line, and names the nearest word when one is mistyped."""

    def error(self, message: str) -> NoReturn:
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


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    parser = _Parser(
        prog="bench",
        description="Which recommender should I put into production for this data?",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name, (verb, text, add_options) in VERBS.items():
        sub = verbs.add_parser(name, help=text, description=text, allow_abbrev=False)
        add_options(sub)
        sub.set_defaults(verb=verb, parser=sub)
    return parser


def _run_options(parser: argparse.ArgumentParser) -> None:
    _suite_options(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="this run's directory (default results/SUITE/TIME)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="start anew even where a run of this suite waits"
    )
    parser.add_argument(
        "--skip-missing", action="store_true", help="keep a row for models whose library is missing"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="one step of every model, to find what is broken"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress, only the board")


def _suite_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("suite", metavar="SUITE", help="a YAML file, or the bare name of a suite that ships")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of data sets (default $BENCH_DATA)")
    parser.add_argument("--budget", metavar="TIME", help="device-seconds per model, such as 30s or 5m")
    parser.add_argument("--models", metavar="A,B", help="only these models of the suite")
    parser.add_argument("--seeds", type=int, metavar="N", help="refits of each stochastic model")
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="studies side by side (default: as many slots as fit)"
    )


def _report_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="a run directory, such as results/movielens/latest; of several, one board is made",
    )
    parser.add_argument("--format", choices=REPORT_FORMATS, help="default terminal, or what --out ends in")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write there instead of to the terminal; into a folder: all formats, or all tables as csv",
    )
    parser.add_argument(
        "--table",
        choices=REPORT_TABLES,
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


def _data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "fetch", "check"), help="what to do")
    parser.add_argument("name", nargs="?", metavar="NAME", help="a data set for fetch, a suite for check")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of data sets (default $BENCH_DATA)")


def _runs_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, default=Path("results"), metavar="DIR", help="where runs lie")


def _no_options(parser: argparse.ArgumentParser) -> None:
    """Take nothing."""


def _changes(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the command line changes in a suite."""
    changes: dict[str, Any] = {}
    if options.budget is not None:
        changes["budget"] = {"per_model": options.budget}
    if options.seeds is not None:
        changes["finals"] = {"seeds": options.seeds}
    return changes


def _loaded(options: argparse.Namespace) -> Any:
    from benchmark import verbs

    only = None
    if options.models is not None:
        only = [name.strip() for name in options.models.split(",") if name.strip()]
        if not only:
            raise SuiteError("--models: must name at least one model of the suite, such as surprise/svd")
    return verbs.check(options.suite, _changes(options), models=only, changed_by="command line")


def _data_folder(options: argparse.Namespace) -> Path | None:
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


def _order(options: argparse.Namespace) -> Order:
    from benchmark.runner import Order
    from benchmark.suite import find

    if options.jobs is not None and options.jobs < 1:
        raise SuiteError(f"--jobs {options.jobs}: must be 1 or more")
    return Order(
        out=getattr(options, "out", None),
        data=_data_folder(options),
        base=find(options.suite).parent,
        jobs=options.jobs,
        fresh=getattr(options, "fresh", False),
        skip_missing=getattr(options, "skip_missing", False),
    )


def _console(*, wide: bool = False) -> Console:
    """Return the terminal; wide enough for a whole board where the output is a file or a pipe."""
    from rich.console import Console

    console = Console()
    return Console(width=240) if wide and not console.is_terminal else console


def _run(options: argparse.Namespace) -> int:
    from benchmark import verbs
    from benchmark.metrics.names import parse
    from benchmark.reporting import show
    from benchmark.reporting.progress import Progress

    suite, order = _loaded(options), _order(options)
    if options.dry_run:
        return _rehearse(suite, order)
    console = _console(wide=True)
    better = parse(suite.metrics.primary).higher_is_better
    with Progress(console, higher_is_better=better, quiet=options.quiet) as progress:
        finished = verbs.run(suite, order, progress)
    show(finished.board, console)
    label = " (synthetic data: says nothing about the real data set)" if finished.board.synthetic else ""
    console.print(
        f"Report{label}: {finished.path / 'leaderboard.html'}", highlight=False, soft_wrap=True, markup=False
    )
    if not any(table.ranked for table in finished.board.tables):
        raise RunError(f"{finished.path}: no model has a result; the reasons stand under the board.")
    return 0


def _rehearse(suite: Any, order: Order) -> int:
    from benchmark import verbs
    from benchmark.reporting.listings import show_rehearsal

    steps = verbs.rehearse(suite, order)
    show_rehearsal(steps, _console(wide=True))
    return 0 if all(step.ok for step in steps) else 2


def _report(options: argparse.Namespace) -> int:
    from benchmark import verbs
    from benchmark.reporting import FORMATS, show, side_csv, write_all, write_csvs
    from benchmark.results import write_atomically

    folder = options.out is not None and options.out.is_dir()
    wanted = options.format or ("all" if folder else _format_of(options.out))
    _check_report(options, wanted, folder=folder)
    board = verbs.report(*options.runs, compare=options.compare, baseline=options.baseline, by=options.by)
    if folder:
        (write_csvs if wanted == "csv" else write_all)(board, options.out)
        return 0
    if wanted == "terminal":
        show(board, _console(wide=True))
        return 0
    text = side_csv(board, options.table) if options.table != "board" else FORMATS[wanted](board)
    if options.out is None:
        sys.stdout.write(text)
    else:
        write_atomically(options.out, text)
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
    if suffix not in REPORT_FORMATS[1:]:
        raise BenchError(
            f"--out {out}: must end in .md, .csv, .json, .tex or .html, come with --format, or be a folder"
        )
    return suffix


def _check(options: argparse.Namespace) -> int:
    import yaml

    from benchmark import verbs

    suite = verbs.check(options.suite)
    sys.stdout.write(yaml.safe_dump(suite.model_dump(mode="json"), sort_keys=False, allow_unicode=True))
    return 0


def _plan(options: argparse.Namespace) -> int:
    from benchmark import verbs
    from benchmark.reporting.listings import show_plan

    suite = _loaded(options)
    show_plan(suite, verbs.plan(suite), _console(wide=True))
    return 0


def _models_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--detail", metavar="NAME", help="one model in full: what it is, tunes and needs, and its evidence"
    )


def _models(options: argparse.Namespace) -> int:
    from benchmark import verbs

    if options.detail is not None:
        from benchmark.reporting.detail import show_detail
        from benchmark.results.reference import reference_boards

        show_detail(verbs.registry()[options.detail], reference_boards(), _console(wide=True))
        return 0
    from benchmark.reporting.listings import show_models

    show_models(verbs.registry(), _console(wide=True))
    return 0


def _metrics_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def _metrics(options: argparse.Namespace) -> int:
    from benchmark import verbs

    if options.json:
        import json

        print(json.dumps(verbs.metrics(), indent=2, ensure_ascii=False))
        return 0
    from benchmark.reporting.listings import show_metrics

    show_metrics(verbs.metrics(), _console(wide=True))
    return 0


def _data(options: argparse.Namespace) -> int:
    from benchmark.reporting import listings
    from benchmark.runner.data import data_directory

    console = _console(wide=True)
    data = data_directory(_data_folder(options))
    if options.action == "list":
        listings.show_data(data, console)
    elif options.name is None:
        what = "a data set" if options.action == "fetch" else "a suite"
        raise BenchError(f"bench data {options.action} needs the name of {what}")
    elif options.action == "fetch":
        listings.fetch(options.name, console)
    else:
        from benchmark import verbs

        listings.show_audit(verbs.audit(options.name, data), console)
    return 0


def _runs(options: argparse.Namespace) -> int:
    from benchmark.reporting.listings import show_runs
    from benchmark.results import runs_under

    show_runs(runs_under(options.results), _console(wide=True))
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from benchmark import verbs
    from benchmark.reporting.listings import show_doctor

    return 0 if show_doctor(verbs.doctor(), _console(wide=True)) else 2


def _schema(_: argparse.Namespace) -> int:
    import json

    from benchmark.suite import Suite

    print(json.dumps(Suite.model_json_schema(), indent=2))
    return 0


def _one_suite(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("suite", metavar="SUITE", help="a YAML file, or the bare name of a suite that ships")


VERBS: dict[
    str, tuple[Callable[[argparse.Namespace], int], str, Callable[[argparse.ArgumentParser], None]]
] = {
    "run": (_run, "tune, test, rank: write a run directory and show the board", _run_options),
    "report": (
        _report,
        "show the board of runs, or write it as markdown, csv, json, LaTeX or one HTML page",
        _report_options,
    ),
    **handover.VERBS,
    "runs": (_runs, "list what was run, where, and how it ended", _runs_options),
    "check": (_check, "validate a suite and show it with every default", _one_suite),
    "plan": (_plan, "show what a suite would run and what it may spend", _suite_options),
    "models": (
        _models,
        "list models: what they tune, where they run, whether they are installed; or one in full",
        _models_options,
    ),
    "metrics": (
        _metrics,
        "list metrics: formula, direction, range and source of each",
        _metrics_options,
    ),
    "data": (_data, "list known data sets, fetch one, or check the data and split of a suite", _data_options),
    "doctor": (_doctor, "show what this machine offers and what is missing", _no_options),
    "schema": (_schema, "print the JSON schema of suites, for editors", _no_options),
}

if __name__ == "__main__":
    sys.exit(main())
