"""The ``bench`` command: words to verbs. Nothing heavy is imported before a verb needs it.

    parser      the parser, and what it says of words that it does not know
    terminal    where the output goes
    running     run, check, plan, schema: a suite file comes in
    boards      report, runs: stored rows come in
    handover    pick, verify, recommend, diff: on the way into production
    lists       models, metrics, data, doctor: what there is

A verb has an ``add_...`` that declares its options and a function of its name that takes them, makes the
Python call of the same name and prints what comes back.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmark.cli import boards, handover, lists, running
from benchmark.cli.parser import Verb, build_parser, no_options
from benchmark.errors import BenchError

VERBS: dict[str, Verb] = {
    "run": Verb(running.run, running.add_run, "tune, test, rank: write a run directory and show the board"),
    "report": Verb(
        boards.report,
        boards.add_report,
        "show the board of runs, or write it as markdown, csv, json, LaTeX or one HTML page",
    ),
    "pick": Verb(
        handover.pick,
        handover.add_pick,
        "name the model for production, with a record; --export makes its bundle",
    ),
    "verify": Verb(handover.verify, handover.add_verify, "check a bundle: files, lists, latency"),
    "recommend": Verb(
        handover.recommend, handover.add_recommend, "recommend from a bundle, for one user or many"
    ),
    "diff": Verb(handover.diff, handover.add_diff, "compare two runs of one split, model by model"),
    "runs": Verb(boards.runs, boards.add_runs, "list what was run, where, and how it ended"),
    "check": Verb(running.check, running.add_suite, "validate a suite and show it with every default"),
    "plan": Verb(
        running.plan, running.add_changed_suite, "show what a suite would run and what it may spend"
    ),
    "models": Verb(
        lists.models,
        lists.add_models,
        "list models: what they tune, where they run, whether they are installed; or one in full",
    ),
    "metrics": Verb(
        lists.metrics, lists.add_metrics, "list metrics: formula, direction, range and source of each"
    ),
    "data": Verb(
        lists.data, lists.add_data, "list known data sets, fetch one, or check the data and split of a suite"
    ),
    "doctor": Verb(lists.doctor, no_options, "show what this machine offers and what is missing"),
    "schema": Verb(running.schema, no_options, "print the JSON schema of suites, for editors"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return its exit code: 0 done, 2 a complaint, 3 a regression, 130 stopped by the user."""
    options, unknown = build_parser(VERBS).parse_known_args(arguments)
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
