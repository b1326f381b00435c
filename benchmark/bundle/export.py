"""From a run's stored seed 0 to a bundle; nothing is fitted again."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.budget import Line
from benchmark.bundle.format import GOLDEN_K, GOLDEN_USERS, MANIFEST, sealed
from benchmark.bundle.model_card import model_card
from benchmark.cold_start import Cold
from benchmark.datasets.store.candidates import candidates_for
from benchmark.datasets.store.parts import load_parts
from benchmark.errors import BundleError
from benchmark.leaderboard.evidence import Evidence
from benchmark.leaderboard.user_scores import PerUserScores
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Array, Interactions, Scores
from benchmark.results import content_hash, file_hash, read_part, write_errors_as_run_error
from benchmark.trial import packed

PROMISED = ("latency_ms_p50", "latency_ms_p95", "memory_mb", "size_mb", "params")
TIE_SEED = 0
"""The scorer's: lists must equal those that the run stored."""


@dataclass(frozen=True)
class Contents:
    """What goes into a bundle.

    Attributes:
        state: the adapter's state, as safetensors.
        user_ids: raw ids in the order of dense ids.
        item_ids: likewise.
        titles: of the items; None where there is none.
        seen: what is never recommended to whom, rows of one or more parts.
        popularity: likes of each item in the training data, (I,).
        cold: who and what the model learned nothing about.
        barred: items that were no candidates, (I,).
        golden: dense users and their lists.
        about: bundle.json without the hashes of files.
        record: texts of pick.md and pick.json, by name.
    """

    state: bytes
    user_ids: list[Any]
    item_ids: list[Any]
    titles: list[str | None]
    seen: Interactions
    popularity: Scores
    cold: Cold
    barred: NDArray[np.bool_]
    golden: dict[str, Any]
    about: dict[str, Any]
    record: Mapping[str, str]


def export(known: Evidence, model: str, place: Path, record: Mapping[str, str] | None = None) -> Path:
    """Write the bundle of a model to a new folder, whole or not at all; return the folder.

    Args:
        known: the data set's evidence.
        model: its name on the board.
        place: a folder that does not exist yet, or is empty.
        record: texts of pick.md and pick.json.

    Raises:
        BundleError: there is something in the way, or the run has stored no state of the model.
        RunError: the place cannot be written, or what the run stored was changed.
    """
    return assemble(_contents(known, model, record or {}), place)


def assemble(contents: Contents, place: Path) -> Path:
    """Write a bundle to a new folder, whole or not at all; return the folder.

    Raises:
        BundleError: there is something in the way.
        RunError: the place cannot be written.
    """
    place = place.absolute()
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise BundleError(f"{place}: is there already; name another place for the bundle")
    with write_errors_as_run_error(place.parent):
        place.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
        try:
            _write(contents, scratch)
            scratch.chmod(0o755)
            scratch.replace(place)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return place


def _write(contents: Contents, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(contents.state)
    seen = contents.seen.matrix()
    seen.sort_indices()
    arrays: dict[str, Array] = {"ends": seen.indptr.astype(np.int64), "items": seen.indices.astype(np.int32)}
    (folder / "seen.safetensors").write_bytes(packed(arrays))
    (folder / "popularity.safetensors").write_bytes(packed({"counts": contents.popularity}))
    (folder / "cold.safetensors").write_bytes(packed(_cold_arrays(contents.cold, contents.barred)))
    _write_json(folder / "users.json", {"ids": contents.user_ids})
    _write_json(folder / "items.json", {"ids": contents.item_ids, "titles": contents.titles})
    _write_json(folder / "golden.json", contents.golden)
    (folder / "README.md").write_text(model_card(contents.about), encoding="utf-8")
    for name, text in contents.record.items():
        (folder / name).write_text(text, encoding="utf-8")
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": file_hash(path)}
        for path in sorted(folder.iterdir())
    }
    (folder / MANIFEST).write_bytes(sealed(contents.about | {"files": files}))


def _cold_arrays(cold: Cold, barred: NDArray[np.bool_]) -> dict[str, Array]:
    flags = {"users": cold.users, "items": cold.items, "barred": barred}
    return {name: flag.astype(np.uint8) for name, flag in flags.items()} | {"counts": cold.popularity}


def _contents(known: Evidence, model: str, record: Mapping[str, str]) -> Contents:
    final = known.finals[model]
    state = _state(known, model, final)
    part = read_part(known.run / final["part"], final["sha256"])
    users = pd.read_parquet(known.split / "users.parquet")
    items = pd.read_parquet(known.split / "items.parquet")
    titles = items["title"].tolist() if "title" in items else [None] * len(items)
    rows = load_parts(known.split, *final["train_on"].split("+"))
    likes = rows.likes()
    seen = load_parts(known.split, "train", "valid")
    study = _study(known, model)
    return Contents(
        state.read_bytes(),
        users["id"].tolist(),
        items["id"].tolist(),
        [None if pd.isna(title) else str(title) for title in titles],
        seen,
        np.bincount(likes.items, minlength=likes.n_items).astype(np.float32),
        _cold(likes if study["feedback"] == "implicit" else rows, study, final),
        _barred(known, seen),
        _golden(part),
        _describe(known, model, final, part),
        record,
    )


def _cold(learned: Interactions, study: Mapping[str, Any], final: Line) -> Cold:
    """Return what the engine filled in for the run's scores; nothing where features do for all."""
    cold = Cold.from_log(learned, study.get("from_features", ()))
    filled_users, filled_items = (bool(final.get(f"filled_{side}")) for side in ("users", "items"))
    return replace(cold, users=cold.users & filled_users, items=cold.items & filled_items)


def _barred(known: Evidence, seen: Interactions) -> NDArray[np.bool_]:
    """Return which items (I,) were no candidates for test.

    Raises:
        BundleError: the candidates were the items of the test part, which no bundle can know.
    """
    rule = known.data.get("candidates") or "all"
    if rule == "test-items":
        raise BundleError(
            f"{known.run.path}: only items of the test part were candidates (candidates: test-items); a "
            "model that serves has no such list: run the suite with candidates all or train"
        )
    train = load_parts(known.split, "train")
    mask = candidates_for(rule, known.split, train=train, seen=seen, target=seen)
    return np.zeros(seen.n_items, dtype=np.bool_) if mask is None else ~mask


def _state(known: Evidence, model: str, final: Line) -> Path:
    path = known.run / str(final.get("state"))
    if not final.get("state_sha256") or not path.is_file():
        raise BundleError(
            f"{known.run.path}: has no stored state of {model}; run the suite again, or pick another model"
        )
    if file_hash(path) != final["state_sha256"]:
        raise BundleError(f"{path}: was changed after the run wrote it; run the suite again")
    return path


def _golden(part: pd.DataFrame) -> dict[str, Any]:
    """Return lists of users spread evenly over those the run evaluated, as dense ids."""
    chosen = np.unique(np.linspace(0, len(part) - 1, min(GOLDEN_USERS, len(part))).astype(np.int64))
    rows = part.iloc[chosen]
    lists = [np.asarray(places)[:GOLDEN_K].tolist() for places in rows["items"]]
    if not lists or not lists[0]:
        return {"users": [], "lists": []}
    return {"users": rows["user"].tolist(), "lists": lists}


def _describe(known: Evidence, model: str, final: Line, part: pd.DataFrame) -> dict[str, Any]:
    manifest = known.run.manifest()
    study = _study(known, model)
    row = next(row for row in known.table.rows if row["model"] == model)
    keys = ("dataset", "licence", "synthetic", "rule", "n_users", "n_items", "positive", "scale")
    hashes = {"split_sha256": known.data["hash"]} | {
        key: known.data.get(key) for key in ("source_sha256", "prepared_sha256")
    }
    return {
        "model": model,
        "adapter": {"name": study["adapter"], "library": study["library"], "feedback": study["feedback"]},
        "params": final["config"],
        "training": {"train_on": final["train_on"], "seed": final["seed"], "steps": final["steps"]},
        "data": {key: known.data.get(key) for key in keys} | hashes,
        "versions": _versions(manifest["environment"]),
        "metrics": _scores(known, model, part),
        "board": {
            "reference": known.table.reference,
            "primary": known.table.primary,
            "value": row[known.table.primary],
            "low": row[f"{known.table.primary}_low"],
            "high": row[f"{known.table.primary}_high"],
            "seeds": row["seeds"],
            "level": 1 - known.alpha,
        },
        "promise": {key: _number(final.get(key)) for key in PROMISED}
        | {"device": row["device"], "processor": manifest["environment"].get("processor")},
        "ranking": {"tie_seed": TIE_SEED, "hidden": "every row of train and validation"},
        "run": {"suite": manifest["suite"], "suite_sha256": manifest["suite_hash"], "final": final["key"]},
    }


def _study(known: Evidence, model: str) -> Mapping[str, Any]:
    studies: list[Mapping[str, Any]] = known.run.manifest()["studies"]
    name = known.table.dataset, model
    return next(study for study in studies if (study["dataset"], study["model"]) == name)


def _versions(environment: Mapping[str, Any]) -> dict[str, Any]:
    versions = {"python": environment["python"], **environment["versions"]}
    return versions | {"environment_sha256": environment.get("hash") or content_hash(versions)}


def _scores(known: Evidence, model: str, part: pd.DataFrame) -> dict[str, Any]:
    """Return this very model's test value of each metric, with its interval over users where it has one."""
    rows = part.assign(model=model, seed=0, train_on="")
    found = {}
    for name in known.table.metrics:
        metric = parse_metric(name)
        finals = PerUserScores(rows, metric, "", known.data["n_items"])
        value = finals.value(metric, model)
        if value is None or not math.isfinite(value):
            continue
        has_interval = metric.per_user or metric.kind == "rating"
        low, high = finals.interval(model, 1 - known.alpha) if has_interval else (None, None)
        found[name] = {"value": value, "low": _number(low), "high": _number(high)}
    return found


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")
