"""Every command by name; runs one."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from benchmark.cli import (
    check,
    data,
    diff,
    doctor,
    env,
    export,
    export_split,
    init,
    metrics,
    models,
    pick,
    plan,
    recommend,
    report,
    run,
    runs,
    schema,
    score,
    verify,
)
from benchmark.cli.closed_pipe import ReaderGone, guarded_streams
from benchmark.cli.parser import Command, build_parser
from benchmark.cli.terminal import shown_warnings
from benchmark.errors import BenchError

COMMANDS: Mapping[str, Command] = {
    "init": init.COMMAND,
    "run": run.COMMAND,
    "report": report.COMMAND,
    "runs": runs.COMMAND,
    "pick": pick.COMMAND,
    "recommend": recommend.COMMAND,
    "verify": verify.COMMAND,
    "diff": diff.COMMAND,
    "export": export.COMMAND,
    "export-split": export_split.COMMAND,
    "score": score.COMMAND,
    "check": check.COMMAND,
    "plan": plan.COMMAND,
    "models": models.COMMAND,
    "metrics": metrics.COMMAND,
    "data": data.COMMAND,
    "doctor": doctor.COMMAND,
    "env": env.COMMAND,
    "schema": schema.COMMAND,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 done, 2 an error, 3 a regression, 130 stopped by the user."""
    with guarded_streams() as output, shown_warnings():
        options, unknown = build_parser(COMMANDS).parse_known_args(arguments)
        if unknown:
            options.parser.refuse(unknown[0])
        output.goes_on = options.outlives_reader
        try:
            code: int = options.call(options)
        except BenchError as error:
            print(f"bench: {error}", file=sys.stderr)
            return error.exit_code
        except KeyboardInterrupt:
            print("bench: stopped; finished work is saved", file=sys.stderr)
            return 130
        except ReaderGone:  # as with `bench models | head`
            return 0
        return code
