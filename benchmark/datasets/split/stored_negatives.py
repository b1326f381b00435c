"""Negatives stored with test rows, as the reference program of NCF does (He et al. 2017, arXiv:1708.05031).

A line a user of test, as in ``ml-1m.test.negative``: the test row as ``(user,item)``, then the items that it
is ranked among, separated by tabs. Only the process that scores finals ever opens what is stored of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.log import hash_arrays
from benchmark.datasets.manifest import GivenNegatives
from benchmark.datasets.split.rules import Split
from benchmark.datasets.tables.identifiers import codes_among
from benchmark.datasets.tables.raw_file import require_file
from benchmark.datasets.tables.table_file import Location, open_table, read_file
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.errors import DataError
from benchmark.protocol import Array, Ids, Interactions, Longs

LINES = TextFormat(columns=(), separator="\t", quoted=False)
PAIR = r"\((.+),(.+)\)"
SHAPE = "(user,item) and the negatives, separated by tabs"


@dataclass(frozen=True)
class NegativeLines:
    """The lines of a file of negatives, L of them, entries as written.

    Attributes:
        path: the file.
        location: where its lines stand.
        pairs: user and item of the test row that each line is about, two columns of text.
        negatives: n columns, categories of text.
    """

    path: Path
    location: Location
    pairs: pd.DataFrame
    negatives: pd.DataFrame


def read_negatives(path: Path) -> NegativeLines:
    """Return the lines of a file of negatives.

    Raises:
        DataError: it is missing, lines differ in length, or one does not begin with a pair.
    """
    require_file(path, "split.files.negatives")
    file = open_table(path, LINES)
    names = file.names
    if len(names) < 2:
        raise DataError(f"{path}: has one column; every line must be {SHAPE}")
    frame, location = read_file(file, names, names, LINES)
    pairs = frame[names[0]].astype("str").str.strip().str.extract(f"^{PAIR}$")
    wrong = pairs[0].isna().to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{location.row(row)}: begins with {str(frame[names[0]].iloc[row])[:40]!r}; every line must be "
            f"{SHAPE}: correct the line"
        )
    return NegativeLines(path, location, pairs, frame[names[1:]])


def with_negatives(made: Split, lines: NegativeLines) -> Split:
    """Return a split with the negatives of its users of test; what is unusual about them becomes a note.

    An item that comes twice in a line counts once, and one that the user has a row with in train or
    validation is ranked all the same: so it is in the program.

    Raises:
        DataError: a user of test has no line or two, a line is about a pair that is no row of test, or a
            negative is no item of the log or is a test row of the user.
    """
    prepared, test = made.prepared, made.test
    tested = np.flatnonzero(np.bincount(test.users, minlength=test.n_users)).astype(np.int32)
    order = lines_of(lines, tested, made)
    columns = [codes_among(lines.negatives[name], prepared.item_ids)[order] for name in lines.negatives]
    negatives = np.stack(columns, axis=1)
    refuse(lines, order, negatives < 0, "is no item of the log")
    refuse(lines, order, has_row(test, tested, negatives), "is a test row of this user")
    known = sum(int(has_row(part, tested, negatives).sum()) for part in (made.train, made.valid))
    negatives.sort(axis=1)
    twice = np.append(np.zeros((len(negatives), 1), np.bool_), negatives[:, 1:] == negatives[:, :-1], axis=1)
    negatives[twice] = -1
    negatives.sort(axis=1)
    name, count = lines.path.name, negatives.shape[1]
    notes = [
        f"{name}: test rows are ranked among its {count} negatives, those of validation among {count} drawn"
    ]
    if others := len(lines.pairs) - len(order):
        notes.append(f"{name}: {others} lines of users without a row in test are left out")
    if known:
        notes.append(
            f"{name}: {known} negatives are rows of their user in train or validation, ranked all the same"
        )
    if twice.any():
        notes.append(f"{name}: {int(twice.sum())} negatives come twice in their line and count once")
    given = GivenNegatives(count=count, sha256=hash_arrays([("negatives", negatives)]))
    manifest = replace(made.manifest, negatives=given, reading_notes=(*made.manifest.reading_notes, *notes))
    return replace(made, negatives=negatives, manifest=manifest)


def lines_of(lines: NegativeLines, tested: Ids, made: Split) -> Longs:
    """Return which line is about each user of test, (E,).

    Raises:
        DataError: none is, or two are, or it is about a pair that is no row of test.
    """
    users, items = (
        codes_among(lines.pairs[column], ids)
        for column, ids in enumerate((made.prepared.user_ids, made.prepared.item_ids))
    )
    about = np.flatnonzero(np.isin(users, tested))
    order = about[np.argsort(users[about], kind="stable")]
    again = np.flatnonzero(users[order][1:] == users[order][:-1])
    if len(again):
        row = int(order[again[0] + 1])
        raise DataError(
            f"{lines.location.row(row)}: a second line of user {lines.pairs[0].iloc[row]}; each user of test "
            "must have one: remove the others"
        )
    lacking = np.setdiff1d(tested, users[order])
    if len(lacking):
        raise DataError(
            f"{lines.path}: no line of user {made.prepared.user_ids[lacking[0]]}, who has a row in test "
            f"({len(lacking)} such users of {len(tested)}); each must have one: check that the files belong "
            "together and write ids alike"
        )
    wrong = ~has_row(made.test, tested, items[order][:, None])[:, 0]
    if wrong.any():
        row = int(order[wrong.argmax()])
        pair = ",".join(lines.pairs.iloc[row])
        raise DataError(
            f"{lines.location.row(row)}: ({pair}) is no row of test; the pair must be the user's test row: "
            "check that the files belong together"
        )
    return order


def refuse(lines: NegativeLines, order: Longs, wrong: Array, why: str) -> None:
    """Check that no negative is wrong, (E, n).

    Raises:
        DataError: one is; names it and its line.
    """
    if wrong.any():
        user, column = (int(place[0]) for place in np.nonzero(wrong))
        row = int(order[user])
        raise DataError(
            f"{lines.location.row(row)}: the negative {lines.negatives.iloc[row, column]!r} {why} "
            f"({int(wrong.sum())} such); a negative must be an item with a row in the log, and none that the "
            "user has in test: correct the file"
        )


def has_row(rows: Interactions, users: Ids, items: Ids) -> Array:
    """Return whether users (E,) have a row with items (E, n), as booleans (E, n)."""
    wanted = users.astype(np.int64)[:, None] * rows.n_items + items
    there = np.unique(rows.users.astype(np.int64) * rows.n_items + rows.items)
    place = np.minimum(there.searchsorted(wanted), max(len(there) - 1, 0))
    found: Array = (items >= 0) & (there[place] == wanted)
    return found
