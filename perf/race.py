"""One model of one package on its way to a validation NDCG@10: started by ``perf/models.py``, in any Python.

    python perf/race.py FILE.npz PACKAGE MODEL SETTING TARGET SECONDS

Prints one line of JSON. The clock is the process's core seconds, one thread, from the arrays of the log to
the end of a pass: conversion counts, imports and validation do not. Nothing of bench is imported for a peer.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

K = 10
PASSES = 100_000  # more than any clock allows
PATIENCE = 30  # passes without a better value end a race, as more of them would not
BLOCK = 500  # users scored at once


class Over(Exception):  # noqa: N818 - the race is over, nothing went wrong
    """The target is reached, the time is used up, or nothing improves any more."""


@dataclass
class Race:
    """A log, who is ranked on validation, and the clock."""

    log: dict[str, Any]
    target: float
    seconds: float
    spent: float = 0.0
    curve: list[tuple[float, float]] = field(default_factory=list)
    mark: float = 0.0

    @cached_property
    def hidden(self) -> np.ndarray:
        """What each judged user has in train, (J, I)."""
        return self._pairs("users", "items")

    @cached_property
    def wanted(self) -> np.ndarray:
        """What each judged user has in validation, (J, I)."""
        return self._pairs("valid_users", "valid_items")

    def _pairs(self, users: str, items: str) -> np.ndarray:
        pairs = np.zeros(tuple(self.log["shape"]), dtype=bool)
        pairs[self.log[users], self.log[items]] = True
        return pairs[self.log["judged"]]

    def start(self) -> None:
        """Start the clock, imports done."""
        self.mark = time.process_time()

    def passed(self, score: Callable[[np.ndarray], np.ndarray]) -> None:
        """Stop the clock after a pass, validate, and go on unless the race is over."""
        self.spent += time.process_time() - self.mark
        self.curve.append((self.spent, ndcg(self, score)))
        values = [value for _, value in self.curve]
        tired = len(values) - values.index(max(values)) > PATIENCE
        if values[-1] >= self.target or self.spent >= self.seconds or tired:
            raise Over
        self.mark = time.process_time()

    def matrix(self) -> Any:
        """Return the likes (U, I), sparse, float32."""
        from scipy.sparse import csr_matrix

        ones = np.ones(len(self.log["users"]), dtype=np.float32)
        return csr_matrix((ones, (self.log["users"], self.log["items"])), shape=tuple(self.log["shape"]))


def ndcg(race: Race, score: Callable[[np.ndarray], np.ndarray]) -> float:
    """Return the mean NDCG@10 of the judged users over all items but those of train; binary gains, log 2."""
    gains = 1 / np.log2(np.arange(2, K + 2))
    total, users = 0.0, race.log["judged"]
    for block in np.array_split(np.arange(len(users)), max(1, len(users) // BLOCK)):
        scores = np.where(race.hidden[block], -np.inf, score(users[block]))
        best = np.argpartition(-scores, K, axis=1)[:, :K]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        wanted = race.wanted[block]
        hits = np.take_along_axis(wanted, np.take_along_axis(best, order, axis=1), axis=1)
        ideal = gains.cumsum()[np.minimum(wanted.sum(axis=1), K) - 1]
        total += float((hits @ gains / ideal).sum())
    return total / len(users)


def ours(race: Race, model: str, setting: dict[str, Any]) -> None:
    """Drive the adapter of this name as the engine does."""
    from adapters import ADAPTERS
    from benchmark.protocol import FitContext, Interactions
    from benchmark.registry import Adapter, load

    adapter = Adapter(model, ADAPTERS[model])
    for module in adapter.preload:
        __import__(module)
    log, context = race.log, FitContext(seed=0, threads=1)
    if hasattr(adapter.cls, "open_device"):
        adapter.cls.open_device(context)
    n = len(log["users"])
    columns = log["users"], log["items"], np.ones(n, np.float32), np.empty(0, np.int64), np.ones(n, bool)
    train = Interactions(*columns, *map(int, log["shape"]))
    one = load(adapter.target)(**setting | {"max_epochs": PASSES})
    race.start()
    for _ in one.fit_steps(train, context):
        race.passed(one.score)


def implicit(race: Race, model: str, setting: dict[str, Any]) -> None:
    """Run implicit's factorisations on the CPU; both call back after each pass."""
    if model == "bpr":
        from implicit.cpu.bpr import BayesianPersonalizedRanking as Model
    else:
        from implicit.cpu.als import AlternatingLeastSquares as Model
    one = Model(**setting, iterations=PASSES, num_threads=1, random_state=0)

    def passed(*_: object) -> None:
        race.passed(lambda users: one.user_factors[users] @ one.item_factors.T)

    race.start()
    one.fit(race.matrix(), show_progress=False, callback=passed)


def cornac(race: Race, model: str, setting: dict[str, Any]) -> None:
    """Run cornac's models: those with early stopping ask for a value after each pass."""
    import cornac.models
    from cornac.data import Dataset

    def dataset() -> Any:
        log = race.log
        triples = list(
            zip(log["users"].tolist(), log["items"].tolist(), np.ones(len(log["users"])), strict=True)
        )
        maps = (OrderedDict((place, place) for place in range(size)) for size in log["shape"])
        return Dataset.build(triples, global_uid_map=next(maps), global_iid_map=next(maps), seed=0)

    if model == "bpr":
        race.start()
        _cornac_bpr(race, dataset(), setting)
        return
    kinds = {"lightgcn": cornac.models.LightGCN, "neumf": cornac.models.NeuMF}

    class Watched(kinds[model]):  # type: ignore[misc]
        """The same, with our clock where its own validation would be."""

        def monitor_value(self, *_: object) -> float:
            race.passed(lambda users: np.stack([self.score(int(user)) for user in users]))
            return 0.0

    stop = {"min_delta": -1.0, "patience": PASSES}
    one = Watched(**setting, num_epochs=PASSES, early_stopping=stop, verbose=False, seed=0)
    race.start()
    one.fit(dataset(), dataset())


def _cornac_bpr(race: Race, train: Any, setting: dict[str, Any]) -> None:
    """Run cornac's BPR pass by pass: it has no callback, but goes on from factors that it is given."""
    from cornac.models import BPR

    rng = np.random.default_rng(0)
    factors: dict[str, Any] = {}
    while True:
        seed = int(rng.integers(2**31))  # with a seed it runs on one thread
        one = BPR(**setting, max_iter=1, init_params=factors, seed=seed).fit(train)
        users, items, bias = one.u_factors, one.i_factors, one.i_biases
        factors = {"U": users, "V": items, "Bi": bias}
        race.passed(lambda chosen, u=users, v=items, b=bias: u[chosen] @ v.T + b)


def recbole(race: Race, model: str, setting: dict[str, Any]) -> None:
    """Run RecBole's models by its own trainer, epoch by epoch.

    Its ``fit`` calls back only behind a validation of its own, which would count.
    """
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.trainer import Trainer
    from recbole.utils import get_model, init_seed

    sys.argv = sys.argv[:1]  # it reads the command line
    name = {"bpr": "BPR", "lightgcn": "LightGCN", "neumf": "NeuMF"}[model]
    with tempfile.TemporaryDirectory() as scratch:
        _recbole_files(race.log, Path(scratch) / "race")
        os.chdir(scratch)  # its trainer writes log_tensorboard where it stands
        options = {
            "data_path": scratch,
            "checkpoint_dir": scratch,
            "benchmark_filename": ["train", "valid", "valid"],
            "load_col": {"inter": ["user_id", "item_id"]},
            "use_gpu": False,
            "show_progress": False,
        }
        config = Config(model=name, dataset="race", config_dict=options | setting)
        init_seed(0, True)
        race.start()
        dataset = create_dataset(config)
        train = data_preparation(config, dataset)[0]
        one = get_model(name)(config, train.dataset)
        trainer = Trainer(config, one)
        users, items = (
            np.array([dataset.field2token_id[key].get(str(place), 0) for place in range(size)])
            for key, size in zip(("user_id", "item_id"), race.log["shape"], strict=True)
        )
        for epoch in range(PASSES):
            one.train()
            trainer._train_epoch(train, epoch, show_progress=False)  # noqa: SLF001 - see above
            one.eval()
            race.passed(lambda chosen: _recbole_scores(one, users[chosen], dataset.item_num)[:, items])


def _recbole_files(log: dict[str, Any], folder: Path) -> None:
    """Write the parts of a log as RecBole reads them."""
    folder.mkdir()
    for part, users, items in (("train", "users", "items"), ("valid", "valid_users", "valid_items")):
        lines = (f"{user}\t{item}\n" for user, item in zip(log[users], log[items], strict=True))
        text = "user_id:token\titem_id:token\n" + "".join(lines)
        (folder / f"race.{part}.inter").write_text(text, encoding="utf-8")


def _recbole_scores(model: Any, users: np.ndarray, n_items: int) -> np.ndarray:
    """Return scores (B, items) in RecBole's own order; its item 0 stands for what it has not seen."""
    import torch

    with torch.no_grad():
        inside, every = torch.as_tensor(users), torch.arange(n_items)
        if type(model).__name__ != "NeuMF":
            found = model.full_sort_predict({"user_id": inside}).view(len(users), n_items)
        else:
            rows = [model.predict({"user_id": user.expand(n_items), "item_id": every}) for user in inside]
            found = torch.stack([row.view(-1) for row in rows])
        scores: np.ndarray = found.numpy().copy()
    scores[:, 0] = -np.inf
    return scores


PACKAGES: dict[str, Callable[[Race, str, dict[str, Any]], None]] = {
    "ours": ours,
    "implicit": implicit,
    "cornac": cornac,
    "recbole": recbole,
}


def main() -> None:
    """Run the race and print its curve."""
    file, package, model, setting, target, seconds = sys.argv[1:]
    with np.load(Path(file)) as stored:
        log = {name: stored[name] for name in stored.files}
    race = Race(log, float(target), float(seconds))
    try:
        PACKAGES[package](race, model, json.loads(setting))
    except Over:
        pass
    except Exception as error:  # noqa: BLE001 - whatever a package raises is its result
        print(json.dumps({"error": f"{type(error).__name__}: {error}"[:300], "curve": race.curve}))
        return
    print(json.dumps({"curve": race.curve}))


if __name__ == "__main__":
    main()
