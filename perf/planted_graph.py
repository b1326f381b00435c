"""Does a knowledge model use its graph? ``python perf/planted_graph.py [--seconds 20] [--json FILE]``.

A log is planted whose taste lies in its graph: an item has a theme and a studio, a user likes two themes, and
there are too few rows to find that out without the graph. The model, its ablation without a triple and
popularity are tuned and tested as in any suite: on the log with its graph, and with the tails of each
relation shuffled, which leaves every entity as many triples as it had and says nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark import api

USERS, ITEMS, THEMES, STUDIOS = 500, 2_000, 40, 40
ROWS_OF_A_USER, TRUE_TO_TASTE = 10, 0.9
MODEL = "torch/kgin"
WITHOUT = "without-graph"


def planted(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a log (user, item) and a graph (head, relation, tail) that explains it."""
    rng = np.random.default_rng(seed)
    themes, studios = (rng.permutation(np.arange(ITEMS) % n) for n in (THEMES, STUDIOS))
    rows = []
    for user in range(USERS):
        liked = rng.choice(THEMES, size=2, replace=False)
        weights = np.where(np.isin(themes, liked), TRUE_TO_TASTE / np.isin(themes, liked).sum(), 0.0)
        weights += (1 - TRUE_TO_TASTE) / ITEMS
        items = rng.choice(ITEMS, size=ROWS_OF_A_USER, replace=False, p=weights / weights.sum())
        rows += [(f"u{user}", f"i{item}") for item in items]
    triples = [(f"i{item}", "theme", f"theme {theme}") for item, theme in enumerate(themes)]
    triples += [(f"i{item}", "studio", f"studio {studio}") for item, studio in enumerate(studios)]
    return pd.DataFrame(rows, columns=["user", "item"]), pd.DataFrame(
        triples, columns=["head", "relation", "tail"]
    )


def shuffled(graph: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return the graph with the tails of each relation dealt out anew."""
    rng = np.random.default_rng(seed)
    return graph.assign(tail=graph.groupby("relation")["tail"].transform(rng.permutation))


def suite(folder: Path, budget: dict[str, Any]) -> dict[str, Any]:
    """Write log and graphs to a folder, and return the suite that compares on them."""
    log, graph = planted()
    log.to_csv(folder / "log.csv", index=False)
    graph.to_csv(folder / "graph.csv", index=False)
    shuffled(graph).to_csv(folder / "shuffled.csv", index=False)
    log_file = str(folder / "log.csv")
    return {
        "name": "planted-graph",
        "datasets": [
            {"name": name, "path": log_file, "graph": {"path": str(folder / f"{name}.csv")}}
            for name in ("graph", "shuffled")
        ],
        "metrics": {"primary": "ndcg@10", "also": []},
        "budget": {"slot": {"cores": 1, "memory": "2GB", "gpu": "no"}, **budget},
        "finals": {"seeds": 3},
        "models": [
            "baselines/popularity",
            MODEL,
            {"use": MODEL, "name": WITHOUT, "set": {"graph": False}},
        ],
    }


def compared(budget: dict[str, Any]) -> pd.DataFrame:
    """Return the rows of the boards: data set, model, value, difference to the best on validation, its p."""
    with tempfile.TemporaryDirectory(prefix="planted-graph-") as scratch:
        run = api.run(suite(Path(scratch), budget), out=Path(scratch) / "run")
        rows = api.report(run.path).rows()
        columns = (
            "dataset",
            "model",
            "status",
            "diff_to_reference",
            "p_vs_reference",
            "is_reference",
            "trials",
        )
        return pd.DataFrame(
            [
                {**{name: getattr(row, name) for name in columns}, "ndcg@10": row.metrics["ndcg@10"]}
                for row in rows
            ]
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=20, help="budget of each model")
    parser.add_argument("--json", type=Path, help="write the rows here")
    arguments = parser.parse_args()
    found = compared({"per_model": f"{arguments.seconds}s"})
    print(found.to_string(index=False))
    if arguments.json:
        arguments.json.write_text(json.dumps(found.to_dict("records"), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
