"""Steam's reviews as published with SASRec: lines that are Python literals, not JSON; games with titles.

Addresses, fields and counts: README of github.com/kang205/SASRec (Kang and McAuley 2018, arXiv:1808.09781).
"""

from __future__ import annotations

import ast
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.log import LIST_SEPARATOR, Say
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.sources.lines import Codes, finished, text_lines
from benchmark.datasets.specs import LogSpec
from benchmark.errors import DataError

HOME = "https://cseweb.ucsd.edu/~wckang"
GAMES = "steam_games.json.gz"


def literals(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the number and the content of each line; nothing is executed.

    Raises:
        DataError: a line is no Python dictionary.
    """
    for number, line in text_lines(path):
        try:
            content = ast.literal_eval(line)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise DataError(
                f"{path}:{number}: {line[:40]!r} is not a Python dictionary, as the publisher writes one a "
                "line; fetch the file again"
            )
        yield number, content


def reviews(path: Path, log: LogSpec, say: Say) -> pd.DataFrame:
    """Return who reviewed which game on which day: the name of a user is all that tells them apart."""
    users, games = Codes(), Codes()
    days: dict[str, int] = {}
    times = array("q")
    for number, review in literals(path):
        user, game, date = (review.get(key) for key in (log.user, log.item, log.time))
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
    known = [game for _, game in literals(path) if game.get("id")]
    table = pd.DataFrame(
        {
            "item": [int(str(game["id"])) for game in known],
            "title": [str(game.get("title") or game.get("app_name") or "") for game in known],
            "developer": [str(game.get("developer") or "") for game in known],
            "genres": [joined(game.get("genres")) for game in known],
            "tags": [joined(game.get("tags")) for game in known],
        }
    )
    return table.drop_duplicates("item", ignore_index=True)


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
