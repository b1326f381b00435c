"""RecBole's own program, then our adapter, on the same rows; ``recbole_beside.py`` starts it.

Takes a folder with ``parts.npz`` and ``asked.json``; leaves ``figures.json``, RecBole's figures on test by
its own evaluation, and ``scores.npy``, the adapter's scores (U, I).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from recbole.data import create_dataset, data_preparation  # noqa: TID253 - it runs there alone

from adapters.recbole.models import MODELS
from adapters.recbole.training import Config, get_model, get_trainer, init_seed
from benchmark.protocol import FitContext, Interactions

PARTS = ("train", "valid", "test")


def by_recbole(name: str, settings: dict[str, Any], parts: Any, folder: Path, seed: int) -> dict[str, float]:
    """Return RecBole's figures on test, by the steps of its ``run_recbole`` without validation.

    It reads the parts as atomic files, in the order of ours.
    """
    (folder / "rows").mkdir()
    for part in PARTS:
        lines = "".join(f"{user}\t{item}\n" for user, item in parts[part])
        (folder / "rows" / f"rows.{part}.inter").write_text(f"user_id:token\titem_id:token\n{lines}")
    own = {
        "data_path": str(folder),
        "benchmark_filename": list(PARTS),
        "load_col": {"inter": ["user_id", "item_id"]},
        "seed": seed,
        "use_gpu": False,
        "gpu_id": "",
        "show_progress": False,
        "metrics": ["Recall", "NDCG", "MRR", "Precision"],
        "topk": [10],
        "metric_decimal_place": 6,
    }
    config = Config(model=name, dataset="rows", config_dict={**settings, **own})
    init_seed(config["seed"], config["reproducibility"])
    train, _, test = data_preparation(config, create_dataset(config))
    init_seed(config["seed"] + config["local_rank"], config["reproducibility"])
    model = get_model(name)(config, train._dataset).to(config["device"])  # noqa: SLF001 - as run_recbole does
    trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)
    trainer.fit(train, None, saved=False, show_progress=False)
    found = trainer.evaluate(test, load_best_model=False, show_progress=False)
    return {metric: float(value) for metric, value in found.items()}


def main() -> None:
    """Fit both, one after the other, and leave what they say."""
    folder = Path(sys.argv[1])
    parts, asked = np.load(folder / "parts.npz"), json.loads((folder / "asked.json").read_text())
    adapter = MODELS[asked["model"]](**asked["fields"])
    began = time.monotonic()
    figures = by_recbole(asked["model"], adapter.settings(), parts, folder, asked["seed"])
    between = time.monotonic()
    rows = parts["train"]
    ones = np.ones(len(rows), dtype=np.float32)
    train = Interactions(
        users=rows[:, 0].copy(),
        items=rows[:, 1].copy(),
        values=ones,
        times=np.empty(0, dtype=np.int64),
        positive=ones > 0,
        n_users=asked["n_users"],
        n_items=asked["n_items"],
    )
    for _ in adapter.fit_steps(train, FitContext(seed=asked["seed"])):
        pass
    np.save(folder / "scores.npy", adapter.score(np.arange(train.n_users, dtype=np.int32)))
    seconds = {"recbole_s": between - began, "adapter_s": time.monotonic() - between}
    (folder / "figures.json").write_text(json.dumps({"figures": figures, **seconds}))


if __name__ == "__main__":
    main()
