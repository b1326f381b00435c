"""A suite to start from: what ``bench init`` writes after a look at a log. Guesses are said to be guesses.

What changes the meaning of rows (likes, seen rows, weights) is not guessed but left as comments: a run asks
for what it needs to know.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmark.datasets.sources.known import KNOWN, find_layout
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.first_rows import MOST_BYTES, FirstRows, first_rows
from benchmark.datasets.tables.read import read_log
from benchmark.errors import DataError, SuiteError
from benchmark.registry import Registry, install_hint
from benchmark.suite.column_roles import ColumnGuess, ColumnRole, ValueGuess, guess_roles, guess_value
from benchmark.suite.load import parse_suite
from benchmark.suite.yaml_text import Say

MODELS = (
    "baselines/popularity",
    "native/item-knn",
    "native/ease",
    "native/ials",
    "native/bpr",
    "lightfm/warp",
    "torch/multvae",
)
"""Models that are quick and good on most logs, of several libraries."""
RATING_MODELS = ("surprise/svd",)
"""Models that learn from ratings alone."""
WIDTH = 100
"""Characters of what a comment quotes from a file."""


MOST_COLUMNS = 5
"""Columns that a question names."""


@dataclass(frozen=True)
class LogLook:
    """What a look at a log found.

    Attributes:
        file: as the suite will name it.
        rows: its beginning.
        roles: which column is what.
        value: what the column of values holds; None without one.
        again: share of the rows looked at whose user has had the item before.
        trouble: why the log cannot be read as guessed; None if it can, as far as was looked.
    """

    file: str
    rows: FirstRows
    roles: dict[ColumnRole, ColumnGuess]
    value: ValueGuess | None
    again: float
    trouble: str | None

    @property
    def looked_at(self) -> str:
        """How much of the log was looked at."""
        count = f"{len(self.rows.frame):,} rows"
        return f"all {count}" if self.rows.whole else f"the first {count} (up to {MOST_BYTES >> 20} MB)"

    @property
    def unused(self) -> list[str]:
        """The columns that are nothing of what a log needs."""
        named = {guess.column for guess in self.roles.values()}
        return [str(name) for name in self.rows.frame.columns if str(name) not in named]

    @property
    def is_timed(self) -> bool:
        """Whether there is a column of times."""
        return "time" in self.roles

    def guesses(self) -> Iterator[str]:
        """Yield what was guessed, a sentence each."""
        for role, guess in self.roles.items():
            yield f"{role}: column {shown(guess.column)}, {guess.why}"
        if self.value is not None:
            scale = "" if self.value.scale is None else f", so a scale of {scale_of(self.value)}"
            yield f"values: {self.value.kind}, {self.value.found}{scale}"
        yield f"split: {self.split_reason}"

    @property
    def split_reason(self) -> str:
        """Which split was guessed, and why."""
        if self.is_timed:
            return "by user_time, each user's latest rows are test, as there are times"
        return "random, as there are no times"

    def questions(self) -> Iterator[str]:
        """Yield what the author of the suite has to say, a sentence each."""
        if self.value is not None:
            yield "which rows are likes? prepare.positive" + (
                ": without it every rating counts as one" if self.value.kind == "ratings" else ""
            )
        elif self.unused:
            listed = ", ".join(map(shown, self.unused[:MOST_COLUMNS]))
            more = ", ..." if len(self.unused) > MOST_COLUMNS else ""
            yield (
                f"does a column say how much an item was liked ({listed}{more})? value: without one every "
                "row is a like"
            )
        if self.again:
            yield (
                f"{self.again:.1%} of the rows repeat an earlier pair of user and item: prepare.duplicates, "
                "or prepare.pairs where users come back to items"
            )
        if self.trouble is not None:
            yield self.trouble


def look_at(path: Path, file: str) -> LogLook:
    """Return what the beginning of a log shows.

    Args:
        path: of the log.
        file: as the suite will name it.

    Raises:
        DataError: it cannot be read, or is no log.
    """
    rows = first_rows(path)
    try:
        roles = guess_roles(rows)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    column = roles["value"].column if "value" in roles else None
    value = None if column is None else guess_value(rows.frame[column], column)
    pairs = rows.frame[[roles["user"].column, roles["item"].column]]
    return LogLook(file, rows, roles, value, float(pairs.duplicated().mean()), trouble_of(path, rows, roles))


def trouble_of(path: Path, rows: FirstRows, roles: dict[ColumnRole, ColumnGuess]) -> str | None:
    """Return why a log cannot be read as guessed, values apart; None if it can, or is too large to try."""
    if not rows.whole:
        return None
    named = {role: guess.column for role, guess in roles.items() if role != "value"}
    columns = {} if rows.has_header else {"columns": ()}
    try:
        read_log(path, LogSpec.model_validate({"name": "log", **columns, **named}))
    except DataError as error:
        return str(error).partition("\n")[0]
    return None


def write_starting_suite(log: Path, out: Path | None, registry: Registry, say: Say) -> Path:
    """Write a suite for a log, and say what was guessed for it and what is open; return its path.

    Raises:
        DataError: the log cannot be read, or is a publisher's folder.
        SuiteError: the suite is there already, or cannot be written.
    """
    suite = Path(f"{suite_name(log)}.yaml") if out is None else out
    if os.path.lexists(suite):
        raise SuiteError(
            f"{suite}: is there already, and nothing is overwritten; name another with --out SUITE"
        )
    if log.is_dir() and (known := known_layout(log)) is not None:
        raise DataError(
            f"{log}: a folder in the layout of {known}, whose columns are known: write it into a suite as "
            f"datasets: [{{name: {known}, path: {log}}}]"
        )
    look = look_at(log, str(log) if log.is_absolute() else os.path.relpath(log, suite.parent))
    text = starting_suite(look, suite_name(log), registry)
    parse_suite(text, str(suite), registry)  # what cannot be checked is not written
    try:
        with suite.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise SuiteError(f"{suite}: cannot be written ({error.strerror or error})") from error
    say(f"{suite}: written, from {look.looked_at} of {log}")
    for guess in look.guesses():
        say(f"  guessed {guess}")
    for question in look.questions():
        say(f"  open: {question}")
    say(f"Look it over, then: bench data check {suite} && bench run {suite}")
    return suite


def known_layout(folder: Path) -> str | None:
    """Return the name of a known data set whose layout a folder has; None if it has none."""
    with suppress(DataError):
        layout = find_layout(folder)
        return next((name for name, known in KNOWN.items() if known.layout is layout), None)
    return None


def suite_name(path: Path) -> str:
    """Return the name of a suite for a file.

    >>> suite_name(Path("my events.csv.gz")), suite_name(Path("ratings.parquet"))
    ('my-events', 'ratings')
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "-", path.name.partition(".")[0]).strip("-_") or "mine"


def starting_suite(look: LogLook, name: str, registry: Registry) -> str:
    """Return the text of a suite for a log."""
    parts = (head(look, name), data_section(look, name), prepare_section(look), split_section(look))
    budget = (
        "budget:\n  per_model: 60s  # device-seconds that each model may spend: bench plan adds them up\n"
    )
    return "\n".join(
        ["".join(f"{line}\n" for line in part) for part in parts] + [budget, models(look, registry)]
    )


def head(look: LogLook, name: str) -> Iterator[str]:
    """Yield the first lines."""
    yield f"# Written by bench init after a look at {look.looked_at}. Check what is marked as a guess."
    yield "# Every key: docs/suites.md, or bench schema. All defaults filled in: bench check."
    yield f"name: {name}"


def data_section(look: LogLook, name: str) -> Iterator[str]:
    """Yield the entry of the data set."""
    yield "datasets:"
    yield f"  - name: {name}"
    yield f"    path: {plain(look.file)}"
    if not look.rows.has_header:
        yield "    columns: []  # guess: there is no header line, so columns have numbers from 1"
    for role, guess in look.roles.items():
        found = f"; {look.value.kind}: {look.value.found}" if role == "value" and look.value else ""
        yield f"    {role}: {plain(guess.column)}  # guess, {guess.why}{found}"
    value = look.value
    if value is not None and value.scale is not None:
        yield f"    scale: {scale_of(value)}  # guess: the lowest and the highest rating that can be"
    elif value is not None and value.kind == "unclear":
        yield "    # scale: [1, 5]  # if the values are ratings: the lowest and the highest that can be"
    yield "    # How much a row counts to models that take confidences: a column of numbers, or"
    yield "    # a number for each event type."
    yield f"    # weight: {weight_example(look)}"


def weight_example(look: LogLook) -> str:
    """Return what a key for weights could say."""
    value = look.value
    if value is not None and value.words:
        return "{" + ", ".join(f"{plain(word)}: {at}" for at, word in enumerate(value.words[:3], 1)) + "}"
    return plain(look.roles["value"].column) if value is not None and value.kind == "counts" else "plays"


def prepare_section(look: LogLook) -> Iterator[str]:
    """Yield the questions of preparation, as comments."""
    value = look.value
    if value is None:
        if look.unused:
            yield "# No column was taken for values, so every row is a like: name one with value if it says"
            yield "# how much an item was liked."
        else:
            yield "# There are no values, so every row is a like."
        positive = None
    elif value.kind == "ratings" and value.scale is not None:
        yield "# Which ratings are likes? Until positive says it, every rating counts as one, the lowest too."
        positive = f'">= {4 if value.scale[1] == 5 else 7}"'
    elif value.kind == "counts":
        yield "# Which counts are likes? Until positive says it, every row is one."
        positive = '">= 1"'
    else:
        yield "# Which rows are likes? Until positive says it, a run refuses this log and asks."
        positive = {
            "yes and no": "true",
            "event types": f"[{plain(value.words[0])}]" if value.words else "",
        }.get(value.kind, '"> 0"')
    yield "# prepare:"
    if positive is not None:
        yield f"#   positive: {positive}"
        yield '#   negative: "<= 2"  # known dislikes, if any'
    yield f"# Several rows of one user and item are refused ({look.again:.1%} of the rows seen) until"
    yield "# prepare says that one of them counts, or that users come back to items:"
    yield "#   duplicates: last  # or first, mean, sum"
    yield "#   pairs: repeat  # in place of duplicates"
    yield "#   seen: allow  # items that a user has had are recommended again; by default they are hidden"
    if look.trouble is not None:
        yield "# The log cannot be read like this yet:"
        yield f"#   {shown(look.trouble, 400)}"


def split_section(look: LogLook) -> Iterator[str]:
    """Yield how the log is split."""
    if look.is_timed:
        yield "# Guess: there are times, so each user's latest rows are test. Stricter, where users stay"
        yield "# long: by: global_time, which trains on nothing that lies after the first row of test."
        yield "split: {by: user_time, test: 10%, valid: 10%}"
    else:
        yield "# Guess: there are no times, so a share of each user's rows is drawn at random."
        yield "split: {by: random, test: 10%, valid: 10%, seed: 42}"


def models(look: LogLook, registry: Registry) -> str:
    """Return the models: what is installed here, the others as comments with what installs them."""
    lines = ["# bench models lists all there are.", "models:"]
    rated = look.value is not None and look.value.kind == "ratings"
    for name in (*MODELS, *(RATING_MODELS if rated else ())):
        adapter = registry[name]
        cure = f"  # not installed here: {install_hint([adapter])}" if adapter.lack else ""
        lines.append(f"  # - {name}{cure}" if cure else f"  - {name}")
    return "\n".join(lines) + "\n"


def scale_of(value: ValueGuess) -> str:
    """Return a scale as a suite writes it."""
    low, high = value.scale or (1.0, 5.0)
    return f"[{low:g}, {high:g}]"


def plain(text: str) -> str:
    """Return text as YAML writes it, in quotes where it needs them.

    >>> plain("user id"), plain("no"), plain("a: b")
    ('user id', "'no'", "'a: b'")
    """
    return yaml.safe_dump([text], default_flow_style=True, width=1_000_000, allow_unicode=True).strip()[1:-1]


def shown(text: str, most: int = WIDTH) -> str:
    """Return text from a file as a comment can quote it: on one line, and no longer than a screen."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= most else f"{line[:most]}..."
