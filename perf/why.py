"""Whether reasons are true, on MovieLens-100K: against scores, and against leaving items out of histories.

``python perf/why.py [--log planted] [--users 40] [--json FILE]``. For each model that can say why, as it is
by default (Surprise's neighbours compare items): the largest difference between a score and the sum of
contributions and rest, and in how many cases the sign of a contribution is that of what the score loses when
the item is left out of the history: of all contributions, and of the three largest of each item in a list of
ten, which is what ``bench recommend --why`` shows. Models that fold histories in are asked for the shorter
one; the others are fitted again without the row, for one item of a history.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from adapters import ADAPTERS, ENVIRONMENTS
from benchmark.fit import handed_to
from benchmark.protocol import FitContext, Interactions
from benchmark.registry import Registry
from benchmark.testing import planted_parts
from benchmark.testing.explanations import first_unseen
from benchmark.traits import traits

SHOWN, REFITS, LEFT_OUT = 3, 10, 12
"""Contributions that are shown; users where a fit is needed; items of a history that are left out."""


def movielens() -> Interactions:
    """Return the ratings of MovieLens-100K, 4 and 5 as likes, with the words of titles and genres."""
    folder = Path(os.environ["BENCH_DATA"]) / "ml-100k"
    rows = pd.read_csv(folder / "u.data", sep="\t", names=["user", "item", "value", "time"])
    films = pd.read_csv(folder / "u.item", sep="|", encoding="latin-1", header=None)
    planted, _ = planted_parts()
    assert planted.item_features is not None
    genres = films.iloc[:, 5:].to_numpy(dtype=np.float32)
    words = films[1] + films.iloc[:, 5:].apply(
        lambda row: "".join(f" g{i}" for i in np.flatnonzero(row)), axis=1
    )
    names = tuple(map(str, range(genres.shape[1])))
    matrix = type(planted.item_features.matrix)(genres)
    return Interactions(
        users=(rows["user"] - 1).to_numpy(np.int32),
        items=(rows["item"] - 1).to_numpy(np.int32),
        values=rows["value"].to_numpy(np.float32),
        times=rows["time"].to_numpy(np.int64),
        positive=(rows["value"] >= 4).to_numpy(),
        n_users=int(rows["user"].max()),
        n_items=int(rows["item"].max()),
        scale=(1.0, 5.0),
        item_features=replace(planted.item_features, matrix=matrix, names=names, texts=tuple(words)),
    )


def compared(name: str, log: Interactions, n_users: int) -> dict[str, object]:
    """Return how true the reasons of a model are on a log."""
    adapter = Registry(ADAPTERS)[name].cls
    own = traits(adapter)
    train = handed_to(own, log)
    params = {"user_based": False} if name.startswith("surprise/knn") else {}

    def fit(rows: Interactions) -> Any:
        context, model = FitContext(), adapter(**params)
        if hasattr(model, "open_device"):
            model.open_device(context)
        list(model.fit_steps(rows, context))
        return model

    model = fit(train)
    starts, rows = train.histories()
    known = np.flatnonzero(np.diff(starts) > 1)
    worst, signs, shown, rng = 0.0, [], [], np.random.default_rng(0)
    n = n_users if own.folds_in else min(REFITS, n_users)
    for user in known[np.linspace(0, len(known) - 1, n).astype(int)].tolist():
        history = train.items[rows[starts[user] : starts[user + 1]]].copy()
        one = np.array([user], dtype=np.int32)
        scores = model.score(one)[0]
        items = first_unseen(scores, history)
        found = model.explain(user, items)
        apart = np.abs(np.asarray(found.values).sum(axis=0) + found.rest - scores[items])
        worst = max(worst, float((apart / np.maximum(1, np.abs(scores[items]))).max()))
        if own.folds_in:
            found, whole = model.explain_history(history, items), model.fold_in(history)[items]
            places = rng.permutation(len(found.history))[:LEFT_OUT]
            largest = np.abs(np.asarray(found.values)).sum(axis=1).argsort()[-SHOWN:]
            places = np.union1d(places, largest)
            again = [model.fold_in(history[history != item])[items] for item in found.history[places]]
        else:
            whole = scores[items]
            largest = np.abs(np.asarray(found.values)).sum(axis=1).argsort()[-1:]
            places = np.union1d(rng.permutation(len(found.history))[:1], largest)
            kept = [(train.users != user) | (train.items != item) for item in found.history[places]]
            again = [fit(train.rows(rest)).score(one)[0][items] for rest in kept]
        carried = np.asarray(found.values)
        values, changes = carried[places], whole - np.array(again)
        sizes = np.sort(np.abs(carried), axis=0)[-min(SHOWN, len(carried))]
        same = np.sign(values) == np.sign(changes)
        signs += same[values != 0].tolist()
        shown += same[(values != 0) & (np.abs(values) >= sizes)].tolist()
    return {
        "model": name,
        "off by": worst,
        "all": float(np.mean(signs)),
        "of": len(signs),
        "three largest": float(np.mean(shown)) if shown else None,
        "of them": len(shown),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--log", choices=["ml-100k", "planted"], default="ml-100k")
    parser.add_argument("--users", type=int, default=40)
    parser.add_argument("--models", help="A,B instead of all that can say why")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    log = movielens() if options.log == "ml-100k" else planted_parts()[0]
    ours = [one for one in ADAPTERS if one.partition("/")[0] not in ENVIRONMENTS]
    registry = Registry(ADAPTERS)
    names = options.models.split(",") if options.models else [n for n in ours if registry[n].traits.explains]
    table = []
    print(f"{'model':24} {'off by':>9} {'all':>7} {'of':>6} {'three largest':>14} {'of':>6}")
    for name in names:
        row = compared(name, log, options.users)
        table.append(row)
        share = row["three largest"]
        largest = "n/a" if share is None else f"{share:.3f}"
        line = (
            f"{name:24} {row['off by']:9.1e} {row['all']:7.3f} {row['of']:6} {largest:>14} {row['of them']:6}"
        )
        print(line, flush=True)
    if options.json:
        options.json.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
