"""Steam's reviews as published with SASRec: lines that are Python literals, not JSON; games with titles.

Addresses, fields and counts: README of github.com/kang205/SASRec (Kang and McAuley 2018, arXiv:1808.09781).
"""

from __future__ import annotations

import ast
import re
from array import array
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.log import LIST_SEPARATOR, Say
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.sources.lines import Codes, finished, text_lines
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.identifiers import plain_ids
from benchmark.datasets.tables.parse import words
from benchmark.errors import DataError

HOME = "https://cseweb.ucsd.edu/~wckang"
GAMES = "steam_games.json.gz"

FIELD = re.compile(
    r"u?'(\w+)': "
    r"(u?'[^'\\]*(?:\\.[^'\\]*)*'|u?\"[^\"\\]*(?:\\.[^\"\\]*)*\"|[\w.+-]+)"
    r"(?:, |\}$)"
)
"""A key, and text or a number or a word, up to the next."""


def fields(line: str) -> dict[str, str] | None:
    """Return the fields of a flat dictionary as they are written; None if the line is anything else.

    Ten times as fast as the parser of Python, to which lines go that this does not know.

    >>> fields("{u'a': u'x, y', 'b': 1.5}")
    {'a': "u'x, y'", 'b': '1.5'}
    >>> fields("{'a': [1]}") is fields("{'a': 1} ") is fields("f()") is None
    True
    """
    end, found = 1, {}
    for match in FIELD.finditer(line, 1):
        if match.start() != end:
            return None
        found[match[1]], end = match[2], match.end()
    return found if line.startswith("{") and end == len(line) else None


def text_of(written: str) -> object:
    """Return what is written, which is text without an escape nearly always."""
    quote = written[-1]
    if quote not in "'\"" or "\\" in written:
        return ast.literal_eval(written)
    return written[written.index(quote) + 1 : -1]


def literal(path: Path, number: int, line: str) -> dict[str, object]:
    """Return the dictionary that a line is; nothing is executed.

    Raises:
        DataError: it is none.
    """
    try:
        content = ast.literal_eval(line)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise DataError(
            f"{path}:{number}: {line[:40]!r} is not a Python dictionary, as the publisher writes one a line; "
            "fetch the file again"
        )
    return content


def reviews(path: Path, log: LogSpec, say: Say) -> pd.DataFrame:
    """Return who reviewed which game on which day: the name of a user is all that tells them apart."""
    users, games = Codes(), Codes()
    days: dict[str, int] = {}
    times = array("q")
    keys = (log.user, log.item, str(log.time))
    for number, line in text_lines(path):
        flat = fields(line) or {}
        review = (
            {key: text_of(flat[key]) for key in keys}
            if all(key in flat for key in keys)
            else literal(path, number, line)
        )
        user, game, date = (review.get(key) for key in keys)
        if not (isinstance(user, str) and isinstance(game, str) and isinstance(date, str)):
            raise DataError(
                f"{path}:{number}: lacks {log.user}, {log.item} or {log.time}; every review has them: "
                "fetch the file again"
            )
        users.append(user)
        games.append(game)
        times.append(days.setdefault(date, len(days)))
    if not days:
        raise DataError(f"{path}: no rows; it must contain one line per row")
    dates = pd.Series(list(days), dtype="str").take(np.array(times)).reset_index(drop=True)
    frame = pd.DataFrame({log.user: users.column(), log.item: games.column(), str(log.time): dates})
    return finished(frame, path, log, say)


def games(folder: Path) -> pd.DataFrame | None:
    """Return titles, genres, tags and developers of games; one that has no id is left out."""
    path = next((folder / name for name in (GAMES, GAMES[:-3]) if (folder / name).is_file()), None)
    if path is None:
        return None
    found = pd.DataFrame([literal(path, number, line) for number, line in text_lines(path)])
    found = found.reindex(columns=["id", "title", "app_name", "developer", "genres", "tags"])
    found = found[found["id"].notna()].drop_duplicates("id", ignore_index=True)
    lists = {name: [joined(names) for names in found[name]] for name in ("genres", "tags")}
    item = plain_ids(found["id"].astype("str"), lambda row: f"{path}: game {row + 1}")
    title = words(found["title"].fillna(found["app_name"]))
    return pd.DataFrame({"item": item, "title": title, "developer": words(found["developer"]), **lists})


def joined(names: object) -> str:
    """Return a list of words joined by |."""
    return LIST_SEPARATOR.join(map(str, names)) if isinstance(names, list) else ""


STEAM = KnownDataset(
    name="steam",
    layout=Layout(
        main="steam_reviews.json.gz",
        also=("steam_reviews.json",),
        log=LogSpec(name="steam", user="username", item="product_id", time="date"),
        rows=reviews,
        duplicates="last",  # a name may review a game again
        items=games,
        side_files=(GAMES, GAMES[:-3]),
        item_roles={"developer": "category", "genres": "list", "tags": "list"},
    ),
    folder="steam",
    url=f"{HOME}/steam_reviews.json.gz",
    more_urls=(f"{HOME}/{GAMES}",),
    download_mb=1300.0,
    rows=7_793_069,
    users=2_567_538,
    items=32_135,
    scale=None,
    licence="no licence stated; cite Kang and McAuley 2018",
    side_information="titles, genres, tags, developers",
)
