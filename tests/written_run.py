"""A finished run made of records: fixed numbers, a fake clock, models that no library knows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.datasets.manifest import (
    ColdCounts,
    Fold,
    Overlap,
    PartCounts,
    PopularityDrift,
    SplitAudit,
    SplitManifest,
)
from benchmark.datasets.specs import SplitSpec
from benchmark.datasets.store.parts import write_part
from benchmark.files import write_text
from benchmark.ledger import Ledger
from benchmark.metrics.evaluation import Evaluation
from benchmark.protocol import Interactions, Range, Space
from benchmark.records import (
    ConfigSource,
    Exclusion,
    FinalRecord,
    Hardware,
    Measurements,
    Provenance,
    ReferenceNamed,
    StudyClosed,
    StudyRecord,
    TestCounts,
    TestScores,
    TrialOpened,
    TrialRecord,
    to_json,
)
from benchmark.results import RunDirectory, gather, write_per_user
from benchmark.suite import Suite

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
HARDWARE = Hardware(
    python="3.11.0",
    platform="linux",
    processor="none",
    cores=1,
    memory_mb=1024,
    gpus=(),
    versions={},
    hash="e" * 64,
)


def split_manifest(dataset: str = "toy", *, synthetic: bool = False, **more: Any) -> SplitManifest:
    """Return the manifest of a split without a fault."""
    rows = {"train": 64, "valid": 16, "test": 16}
    manifest = SplitManifest(
        provenance=Provenance(
            dataset=dataset, origin="written by hand", licence="none", synthetic=synthetic, sha256="d" * 64
        ),
        hash=HASH,
        prepared_sha256="f" * 64,
        rule=SplitSpec(),
        positive=None,
        has_values=True,
        n_users=USERS,
        n_items=ITEMS,
        parts={
            name: PartCounts(rows=count, positives=count, users=USERS, items=ITEMS)
            for name, count in rows.items()
        },
        prepare=(),
        audit=SplitAudit(
            overlap=Overlap(train_valid=0, train_test=0, valid_test=0),
            future=None,
            popularity=PopularityDrift(
                tau=1.0, gini_train=0.0, gini_test=0.0, fair_tau=1.0, fair_gini_test=0.0
            ),
            cold=ColdCounts(users=0, items=0, rows=0),
            users_without_test=0,
        ),
    )
    return replace(manifest, **more)


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
    feedback: Any = "implicit"
    status: Any = "ok"
    reason: str = "2 trials"
    excluded: tuple[Any, str] | None = None
    default: Sequence[float] | None = None

    @property
    def deterministic(self) -> bool:
        """One seed is enough."""
        return len(self.scores) == 1

    @property
    def space(self) -> Space:
        """What is tuned."""
        return {} if self.deterministic else {"lr": Range(0.001, 0.1, log=True)}

    @property
    def finals(self) -> Iterator[tuple[int, ConfigSource, Sequence[float]]]:
        """Seed, configuration and values of each final."""
        for seed, values in enumerate(self.scores):
            yield seed, "tuned", values
        if self.default is not None:
            yield 0, "default", self.default


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
    fold: Fold | None = None
    columns: Mapping[str, Sequence[Any]] | None = None
    extra: Mapping[str, Sequence[float]] = field(default_factory=dict)
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def write(self, path: Path) -> RunDirectory:
        """Write everything that a board is made of."""
        run = RunDirectory.create(path, self.suite(), "2026-01-02T03:04:00+00:00")
        run.update(
            suite_hash="5" * 64,
            finished="2026-01-02T03:05:00+00:00",
            state="finished",
            hardware=HARDWARE,
            datasets={self.dataset: self.split()},
            studies=tuple(self.study(model) for model in self.models),
        )
        if self.columns is not None:
            self._store_split(run / "splits" / self.dataset)
        ledger = run.ledger()
        for model in self.models:
            if model.excluded is None:
                self._append_study(model, ledger)
        valid = {model.name: model.valid for model in self.models}
        if self.reference is not None:
            named = self._identity(self.reference)
            ledger.append(ReferenceNamed(**named, value=valid[self.reference]))
        for model in self.models:
            for seed, source, values in model.finals:
                ledger.append(self._final(run, model, seed, source, values))
        if self.gathered:
            gather(run, ledger)
        ledger.shut()
        return run

    def suite(self) -> Suite:
        """Return the resolved suite."""
        return Suite.model_validate(
            {
                "name": "written",
                "datasets": [self.dataset],
                "metrics": {"primary": self.primary, "also": list(self.also)},
                "budget": {"per_model": 10.0, "slot": {"gpu": "no"}},
                "finals": {"seeds": 2, "train_on": "train"},
                "models": [model.name for model in self.models],
            }
        )

    def split(self) -> SplitManifest:
        """Return what the manifest says of the split."""
        dataset = self.dataset if self.fold is None else self.fold.dataset
        return split_manifest(dataset, synthetic=self.synthetic, fold=self.fold)

    def study(self, model: Written) -> StudyRecord:
        """Return a model's study as planned."""
        return StudyRecord(
            dataset=self.dataset,
            model=model.name,
            adapter=model.name,
            library=model.name.split("/")[0],
            feedback=model.feedback,
            rates=model.errors is not None,
            deterministic=model.deterministic,
            devices=("cpu",),
            from_features=(),
            space=model.space,
            default={"lr": 0.01},
            published=None,
            excluded=Exclusion(*model.excluded) if model.excluded else None,
        )

    def _identity(self, model: str) -> dict[str, Any]:
        return {"dataset": self.dataset, "model": model, "study_key": "key"}

    def _store_split(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        users = np.repeat(np.arange(USERS, dtype=np.int32), np.arange(USERS) + 1)
        rows = len(users)
        ones, none = np.ones(rows, dtype=np.float32), np.empty(0, dtype=np.int64)
        log = Interactions(users, users % ITEMS, ones, none, ones.astype(bool), USERS, ITEMS)
        write_part([log], None, folder / "train", liked=True)
        table = {"id": range(USERS), **(self.columns or {})}
        pd.DataFrame(table).to_parquet(folder / "users.parquet", index=False)
        write_text(folder / "manifest.json", json.dumps(to_json(self.split())))

    def _append_study(self, model: Written, ledger: Ledger) -> None:
        identity, ok = self._identity(model.name), model.status == "ok"
        for trial, value in enumerate([model.valid - 0.25] * bool(model.space) + [model.valid]):
            ran = identity | {"entry": f"{model.name}#{trial}", "trial": trial}
            ran |= {"config": {"lr": 0.01 + 0.01 * trial}, "device": "cpu"}
            ledger.append(TrialOpened(**ran, pid=1, start_ticks=1, namespace="none", hold_s=2.0))
            ledger.append(
                TrialRecord(
                    **ran,
                    outcome="complete" if ok else "crash",
                    reason="patience" if ok else model.reason,
                    lease_s=1.75,
                    charged_s=1.5,
                    value=value if ok else None,
                    best_step=1,
                    stopped_by="patience",
                    steps={1: value} if ok else {},
                )
            )
        ledger.append(
            StudyClosed(
                **identity,
                status=model.status,
                reason=model.reason,
                unused_s=7.0 if model.space else 8.5,
                space=model.space,
            )
        )

    def _final(
        self, run: RunDirectory, model: Written, seed: int, source: ConfigSource, values: Sequence[float]
    ) -> FinalRecord:
        costs = COSTS | dict(self.costs.get(model.name, {}))
        path = f"per_user/{self.models.index(model)}-{seed}-{source}.parquet"
        cost = {name: costs.pop(name) for name in ("fit_s", "memory_mb")}
        return FinalRecord(
            **self._identity(model.name),
            **cost,
            final_key=f"final-{seed}-{source}",
            config_source=source,
            train_on="train",
            seed=seed,
            entry=f"{model.name}#final-{seed}-{source}",
            outcome="complete",
            reason="finished",
            lease_s=0.75,
            charged_s=0.5,
            trial=1,
            config={"lr": 0.02},
            device="cpu",
            measured=Measurements(**costs, steps=1, filled_users=0, filled_items=0),
            test=TestScores(
                values={},
                counts=TestCounts(users=USERS, without_relevant=1),
                popularity_lift=None,
                path=path,
                sha256=write_per_user(run / path, self._evaluation(model, seed, values), self._more()),
            ),
        )

    def _more(self) -> Mapping[str, Any]:
        return {name: np.asarray(values, dtype=np.float64) for name, values in self.extra.items()}

    def _evaluation(self, model: Written, seed: int, values: Sequence[float]) -> Evaluation:
        users = np.arange(len(values), dtype=np.int32)
        errors = None if model.errors is None else np.asarray(model.errors[seed], dtype=np.float64)
        return Evaluation(
            users=users,
            per_user={self.primary if self.primary != "rmse" else "ndcg@2": np.asarray(values, dtype=float)},
            lists=np.stack([users % ITEMS, (users + 1 + seed) % ITEMS], axis=1),
            squared_error=errors,
            absolute_error=None if errors is None else np.sqrt(errors),
            ratings=None if errors is None else np.ones(len(users), dtype=np.int64),
            values={},
            counts={},
        )
