"""A finished run written by hand: fixed numbers, a fake clock, models that no library knows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.datasets.store.parts import write_part
from benchmark.protocol import Interactions
from benchmark.results import FORMAT, RunDirectory, file_hash, gather

USERS = 16
ITEMS = 6
COSTS: dict[str, Any] = {
    "fit_s": 0.25,
    "latency_ms_p50": 0.125,
    "latency_ms_p95": 0.5,
    "users_per_s": 4096.0,
    "memory_mb": 64.0,
    "size_mb": 0.25,
    "params": 96,
}
HASH = "0123456789abcdef" * 4


@dataclass
class Written:
    """One model as a run would have stored it.

    Attributes:
        name: on the board.
        scores: (S, U) primary values of each seed.
        valid: value on validation.
        errors: (S, U) squared errors; None where it predicts no ratings.
        feedback: what it learns from.
        status: how its study ended.
        reason: why.
        excluded: (status, reason) where it never ran.
        default: (U,) primary values of the default configuration, seed 0; None where none was stored.
    """

    name: str
    scores: Sequence[Sequence[float]] = ()
    valid: float = 0.5
    errors: Sequence[Sequence[float]] | None = None
    feedback: str = "implicit"
    status: str = "ok"
    reason: str = "2 trials"
    excluded: tuple[str, str] | None = None
    default: Sequence[float] | None = None

    @property
    def deterministic(self) -> bool:
        """One seed is enough."""
        return len(self.scores) == 1


@dataclass
class WrittenRun:
    """Writes a run directory with these models.

    With ``columns`` the split is stored too: user u has u + 1 training rows, and these columns. ``extra``
    are more per-user columns of every final, ``costs`` other costs of some models.
    """

    models: Sequence[Written]
    reference: str | None
    primary: str = "ndcg@2"
    also: Sequence[str] = ("coverage@2", "rmse")
    synthetic: bool = False
    gathered: bool = True
    dataset: str = "toy"
    fold: Mapping[str, Any] | None = None
    columns: Mapping[str, Sequence[Any]] | None = None
    extra: Mapping[str, Sequence[float]] = field(default_factory=dict)
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def write(self, path: Path) -> RunDirectory:
        """Write everything that a board is made of."""
        run = RunDirectory.create(path)
        for model in self.models:
            self._study(model)
            for seed, values in enumerate(model.scores):
                self._of_seed(model, seed, values).to_parquet(run / self._part(model, seed))
            if model.default is not None:
                place = run / self._part(model, 0, "default")
                self._of_seed(model, 0, model.default).to_parquet(place)
        if self.columns is not None:
            self._split(run / "splits" / self.dataset)
        if self.reference is not None:
            at_hand = {model.name: model for model in self.models}
            self._line(
                "reference",
                dataset=self.dataset,
                model=self.reference,
                key="key",
                value=at_hand[self.reference].valid,
            )
        for model in self.models:
            self._finals(model, run)
        (run / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in self.lines))
        (run / "suite.json").write_text(json.dumps(self._suite()))
        if self.gathered:
            gather(run, run.ledger())
        (run / "manifest.json").write_text(json.dumps(self._manifest()))
        return run

    def _split(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        users = np.repeat(np.arange(USERS, dtype=np.int32), np.arange(USERS) + 1)
        rows = len(users)
        ones, none = np.ones(rows, dtype=np.float32), np.empty(0, dtype=np.int64)
        log = Interactions(users, users % ITEMS, ones, none, ones.astype(bool), USERS, ITEMS)
        write_part(log, np.arange(rows), folder / "train.npz")
        table = {"id": range(USERS), **(self.columns or {})}
        pd.DataFrame(table).to_parquet(folder / "users.parquet", index=False)
        (folder / "manifest.json").write_text(json.dumps({"dataset": self.dataset, "hash": HASH}))

    def _line(self, event: str, **entry: Any) -> None:
        clock = f"2026-01-02T03:04:{len(self.lines):02d}.000+00:00"
        self.lines.append({"at": clock, "event": event, **entry})

    def _identity(self, model: Written) -> dict[str, Any]:
        study = f"{self.dataset}/{model.name}"
        return {"study": study, "key": "key", "dataset": self.dataset, "model": model.name}

    def _study(self, model: Written) -> None:
        if model.excluded is not None:
            return
        identity, space = self._identity(model), {} if model.deterministic else {"lr": "0.001..0.1 log"}
        for trial, value in enumerate([model.valid - 0.25] * bool(space) + [model.valid]):
            ran = {**identity, "role": "trial", "trial": trial, "entry": f"{model.name}#{trial}"}
            config = {"lr": 0.01 + 0.01 * trial}
            self._line("open", **ran, config=config, device="cpu")
            ended = {"outcome": "crash", "value": None, "reason": model.reason, "steps": {}}
            if model.status == "ok":
                ended = {"outcome": "complete", "value": value, "reason": "patience", "steps": {"1": value}}
            self._line(
                "close",
                **ran,
                **ended,
                charged_s=1.5,
                lease_s=1.75,
                best_step=1,
                stopped_by="patience",
                config=config,
                device="cpu",
            )
        unused = 7.0 if space else 8.5
        self._line(
            "settled", **identity, status=model.status, reason=model.reason, unused_s=unused, space=space
        )

    def _part(self, model: Written, seed: int, train_on: str = "train") -> str:
        return f"parts/{self.models.index(model)}-{seed}-{train_on}.parquet"

    def _wanted(self, model: Written) -> list[tuple[int, str]]:
        default = [(0, "default")] if model.default is not None else []
        return [*((seed, "train") for seed in range(len(model.scores))), *default]

    def _finals(self, model: Written, run: RunDirectory) -> None:
        for seed, train_on in self._wanted(model):
            self._line(
                "close",
                **{**self._identity(model), "key": f"final-{seed}-{train_on}"},
                study_key="key",
                role="final",
                entry=f"{model.name}#final-{seed}-{train_on}",
                outcome="complete",
                train_on=train_on,
                seed=seed,
                part=self._part(model, seed, train_on),
                sha256=file_hash(run / self._part(model, seed, train_on)),
                charged_s=0.5,
                config={"lr": 0.02},
                **COSTS | dict(self.costs.get(model.name, {})),
                counts={"users": USERS, "without_relevant": 1},
            )

    def _of_seed(self, model: Written, seed: int, values: Sequence[float]) -> pd.DataFrame:
        users = np.arange(len(values), dtype=np.int32)
        errors = np.full(len(values), np.nan) if model.errors is None else np.asarray(model.errors[seed])
        rows: Mapping[str, Any] = {
            "user": users,
            self.primary if self.primary != "rmse" else "ndcg@2": np.asarray(values, dtype=float),
            "squared_error": errors,
            "absolute_error": np.sqrt(errors),
            "ratings": np.where(np.isnan(errors), np.nan, 1.0),
            **self.extra,
            "items": [[int(user) % ITEMS, (int(user) + 1 + seed) % ITEMS] for user in users],
        }
        return pd.DataFrame(rows)

    def _suite(self) -> dict[str, Any]:
        return {
            "name": "written",
            "metrics": {"primary": self.primary, "also": list(self.also)},
            "finals": {"seeds": 2, "train_on": "train"},
            "budget": {
                "per_model": 10.0,
                "max_trials": 100,
                "slot": {"cores": 1, "memory": 4096.0, "gpu": "no"},
            },
            "verdict": {"alpha": 0.05, "margin": 0.03, "test": "permutation", "correct": "holm"},
        }

    def _manifest(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "suite": "written",
            "suite_hash": "5" * 64,
            "started": "2026-01-02T03:04:00+00:00",
            "finished": "2026-01-02T03:05:00+00:00",
            "state": "finished",
            "environment": {"python": "3.11.0", "cores": 1, "gpus": [], "versions": {}, "hash": "e" * 64},
            "datasets": {
                self.dataset: {
                    "dataset": self.dataset,
                    "hash": HASH,
                    **({"fold": dict(self.fold)} if self.fold else {}),
                    "rule": {"by": "random", "test": 0.1, "valid": 0.1, "seed": 42, "files": None},
                    "n_users": USERS,
                    "n_items": ITEMS,
                    "parts": {"train": {"rows": 64}, "valid": {"rows": 16}, "test": {"rows": 16}},
                    "origin": "written by hand",
                    "licence": "none",
                    "synthetic": self.synthetic,
                    "audit": {"flags": [], "notes": []},
                }
            },
            "studies": [self._described(model) for model in self.models],
        }

    def _described(self, model: Written) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "model": model.name,
            "adapter": model.name,
            "library": model.name.split("/")[0],
            "feedback": model.feedback,
            "rates": model.errors is not None,
            "deterministic": model.deterministic,
            "devices": ["cpu"],
            "space": {} if model.deterministic else {"lr": "0.001..0.1 log"},
            "default": {"lr": 0.01},
            "excluded": list(model.excluded) if model.excluded else None,
        }
