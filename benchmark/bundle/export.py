"""Make a bundle from a run's stored seed 0; nothing is fitted again."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.bundle.format import (
    GOLDEN_K,
    GOLDEN_USERS,
    MANIFEST,
    BoardExcerpt,
    BundleManifest,
    DataOrigin,
    MeasuredCost,
    ModelOrigin,
    RunReference,
    Score,
    write_manifest,
    write_sums,
)
from benchmark.bundle.model_card import model_card
from benchmark.bundle.served import Id
from benchmark.cold_start import Cold
from benchmark.datasets.log import hidden_rows
from benchmark.datasets.specs import Seen
from benchmark.datasets.store.candidates import candidates_for
from benchmark.datasets.store.parts import load_parts
from benchmark.errors import BundleError
from benchmark.files import content_hash, file_sha256, write_errors_as_run_error
from benchmark.leaderboard import RankedResults
from benchmark.leaderboard.dataset_results import LEARNED_PARTS
from benchmark.leaderboard.stored_columns import StoredColumns
from benchmark.leaderboard.user_scores import PerUserScores
from benchmark.measure import packed
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Array, Ids, Interactions, Scores
from benchmark.records import Measurements, Provenance, StudyRecord, TestScores
from benchmark.results import PerUserPart

HIDDEN: Mapping[Seen, str] = {
    "hide": "every row of train and validation",
    "allow": "nothing: items come again",
    "hide-negative": "the known dislikes of train and validation",
}
"""What is never recommended again, in words."""
TIE_SEED = 0
"""The scorer's: lists must equal those that the run stored."""


@dataclass(frozen=True)
class GoldenLists:
    """Lists that the run stored: dense users (G,) and their items (G, k)."""

    users: Ids
    lists: Ids


@dataclass(frozen=True)
class Contents:
    """What goes into a bundle.

    Attributes:
        manifest: bundle.json.
        state: the adapter's state, as safetensors.
        user_ids: raw ids in the order of dense ids.
        item_ids: likewise.
        titles: of the items; None where there is none.
        seen: what is never recommended to whom, rows of one or more parts.
        popularity: positives of each item in the training data, (I,).
        cold: users and items that the model learned nothing about.
        excluded: items that were not candidates, (I,).
        golden: lists to compare with.
        record: texts of pick.md and pick.json, by name.
    """

    manifest: BundleManifest
    state: bytes
    user_ids: Sequence[Id]
    item_ids: Sequence[Id]
    titles: Sequence[str | None]
    seen: Interactions
    popularity: Scores
    cold: Cold
    excluded: NDArray[np.bool_]
    golden: GoldenLists
    record: Mapping[str, str]


def export(results: RankedResults, model: str, path: Path, record: Mapping[str, str] | None = None) -> Path:
    """Write the bundle of a model to a new folder, whole or not at all; return the folder.

    Args:
        results: of the data set.
        model: its name on the board.
        path: a folder that does not exist yet, or is empty.
        record: texts of pick.md and pick.json.

    Raises:
        BundleError: there is something in the way, or the run has stored no state of the model.
        RunError: the folder cannot be written, or what the run stored was changed.
    """
    return assemble(gather_contents(results, model, record or {}), path)


def assemble(contents: Contents, path: Path) -> Path:
    """Write a bundle to a new folder, whole or not at all; return the folder.

    An empty folder that is there already stays the same folder: it may be where a shell stands, or a disk is
    mounted. It is filled, bundle.json last: what is interrupted is no bundle.

    Raises:
        BundleError: there is something in the way.
        RunError: the folder cannot be written.
    """
    path = path.absolute()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise BundleError(f"{path}: already exists; name another folder for the bundle")
    inside = path.is_dir()
    holder = path if inside else path.parent
    with write_errors_as_run_error(holder, "name another folder for the bundle"):
        holder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=holder))
        try:
            write_files(contents, scratch)
            scratch.chmod(0o755)
            if inside:
                fill(path, scratch)
            else:
                scratch.replace(path)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return path


def fill(folder: Path, scratch: Path) -> None:
    """Move the files of a bundle into the folder around them, bundle.json last; all or none of them."""
    moved: list[Path] = []
    try:
        for file in sorted(scratch.iterdir(), key=lambda file: file.name == MANIFEST):
            moved += [file.rename(folder / file.name)]
    except BaseException:
        for file in moved:
            file.unlink(missing_ok=True)
        raise


def write_files(contents: Contents, folder: Path) -> None:
    """Write every file of a bundle into a folder, their hashes last."""
    seen, cold, golden = contents.seen.matrix(), contents.cold, contents.golden
    seen.sort_indices()
    arrays: Mapping[str, Mapping[str, Array]] = {
        "seen": {"ends": seen.indptr.astype(np.int64), "items": seen.indices.astype(np.int32)},
        "popularity": {"counts": contents.popularity},
        "cold": {
            "users": cold.users.astype(np.uint8),
            "items": cold.items.astype(np.uint8),
            "excluded": contents.excluded.astype(np.uint8),
            "counts": cold.popularity,
        },
    }
    (folder / "model.safetensors").write_bytes(contents.state)
    for name, named in arrays.items():
        (folder / f"{name}.safetensors").write_bytes(packed(dict(named)))
    documents: Mapping[str, Mapping[str, Any]] = {
        "users": {"ids": contents.user_ids},
        "items": {"ids": contents.item_ids, "titles": contents.titles},
        "golden": {"users": golden.users.tolist(), "lists": golden.lists.tolist()},
    }
    for name, content in documents.items():
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    (folder / "README.md").write_text(model_card(contents.manifest), encoding="utf-8")
    for name, text in contents.record.items():
        (folder / name).write_text(text, encoding="utf-8")
    write_manifest(contents.manifest, folder)
    write_sums(folder)


def gather_contents(results: RankedResults, model: str, record: Mapping[str, str]) -> Contents:
    """Return what goes into the bundle of a model, all of it read from the run.

    Raises:
        BundleError: the run has stored no state of the model, or no bundle can know the candidates.
        RunError: what the run stored was changed.
    """
    final, study = results.finals[model], results.stored.studies[model]
    assert final.measured is not None  # a final that is ranked is complete
    assert final.test is not None
    state = stored_state(results, model, final.test)
    part = PerUserPart(results.run_of(model), final)
    users = pd.read_parquet(results.split_folder / "users.parquet")
    items = pd.read_parquet(results.split_folder / "items.parquet")
    titles = items["title"].tolist() if "title" in items else [None] * len(items)
    rows = load_parts(results.split_folder, *LEARNED_PARTS[final.train_on])
    positives = rows.positives()
    known = load_parts(results.split_folder, "train", "valid")
    learned = positives if study.feedback == "implicit" else rows
    return Contents(
        describe(results, final.measured, part),
        state.read_bytes(),
        users["id"].tolist(),
        items["id"].tolist(),
        [None if pd.isna(title) else str(title) for title in titles],
        hidden_rows(known, results.stored.split.seen),
        np.bincount(positives.items, minlength=positives.n_items).astype(np.float32),
        filled_in(learned, study, final.measured),
        excluded_items(results, known),
        golden_lists(part),
        record,
    )


def stored_state(results: RankedResults, model: str, scores: TestScores) -> Path:
    """Return the file of a model's state after checking that it is unchanged.

    Raises:
        BundleError: there is none, or it was changed.
    """
    path = None if scores.state_path is None else results.run_of(model) / scores.state_path
    if path is None or scores.state_sha256 is None or not path.is_file():
        raise BundleError(
            f"{results.run_of(model).path}: has no stored state of {model}; run the suite again, or pick "
            "another model"
        )
    if file_sha256(path) != scores.state_sha256:
        raise BundleError(f"{path}: was changed after the run wrote it; run the suite again")
    return path


def filled_in(learned: Interactions, study: StudyRecord, measured: Measurements) -> Cold:
    """Return what the engine filled in when the run scored; nothing where features or a graph covered all."""
    cold = Cold.from_log(learned, study.from_features, from_graph=study.from_graph)
    return replace(
        cold,
        users=cold.users & bool(measured.filled_users),
        items=cold.items & bool(measured.filled_items),
    )


def excluded_items(results: RankedResults, known: Interactions) -> NDArray[np.bool_]:
    """Return which items (I,) were not candidates for test.

    Raises:
        BundleError: the candidates were the items of the test part, which no bundle can know.
    """
    rule, folder = results.stored.split.candidates.rule, results.split_folder
    if rule == "test-items":
        raise BundleError(
            f"{results.where}: only items of the test part were candidates (candidates: test-items); a "
            "model in production has no such list: run the suite with candidates all or train"
        )
    train = load_parts(folder, "train")
    mask = candidates_for(rule, folder, train=train, seen=known, target=known)
    return np.zeros(known.n_items, dtype=np.bool_) if mask is None else ~mask


def golden_lists(part: PerUserPart) -> GoldenLists:
    """Return lists of users spread evenly over those the run evaluated."""
    users, lists = part.column("user"), part.lists()
    chosen = np.unique(np.linspace(0, len(users) - 1, min(GOLDEN_USERS, len(users))).astype(np.int64))
    if not len(chosen) or not lists.shape[1]:
        return GoldenLists(np.empty(0, dtype=np.int32), np.empty((0, 0), dtype=np.int32))
    return GoldenLists(users[chosen].astype(np.int32), lists[chosen, :GOLDEN_K])


def describe(results: RankedResults, measured: Measurements, part: PerUserPart) -> BundleManifest:
    """Return bundle.json of a final."""
    final, table, split = part.final, results.table, results.stored.split
    study, run = results.stored.studies[final.model], results.stored.runs[final.model]
    row = next(row for row in table.ranked if row.model == final.model)
    hardware, code = run.hardware, run.adapters.get(study.adapter)
    assert hardware is not None  # written before anything is fitted
    assert row.seeds is not None
    versions = {"python": hardware.python, **hardware.versions}
    return BundleManifest(
        model=final.model,
        origin=ModelOrigin(
            adapter=study.adapter,
            library=study.library,
            feedback=study.feedback,
            train_on=final.train_on,
            seed=final.seed,
            steps=measured.steps,
            environment=study.environment,
            package=None if code is None else code.package,
            libraries={} if code is None else code.packages,
        ),
        params=final.config,
        data=DataOrigin(
            dataset=table.dataset,
            provenance=without_folders(split.provenance),
            rule=split.rule.model_dump(mode="json", exclude={"files"}),
            split_sha256=split.hash,
            prepared_sha256=split.prepared_sha256,
            positive=split.positive,
            negative=split.negative,
            weight=split.weight,
            n_users=split.n_users,
            n_items=split.n_items,
            pairs=split.pairs,
        ),
        versions=versions,
        environment_sha256=hardware.hash or content_hash(versions),
        scores=scores_on_test(results, part),
        board=BoardExcerpt(
            reference=table.reference,
            primary=table.primary,
            score=Score(row.score, row.low, row.high),
            seeds=row.seeds,
            level=1 - results.alpha,
        ),
        measured=MeasuredCost(
            latency_ms_p50=measured.latency_ms_p50,
            latency_ms_p95=measured.latency_ms_p95,
            latency_ms_p95_low=measured.latency_ms_p95_low,
            latency_ms_p95_high=measured.latency_ms_p95_high,
            memory_mb=final.memory_mb,
            size_mb=measured.size_mb,
            params=measured.params,
            device=row.device or final.device,
            processor=hardware.processor,
        ),
        tie_seed=TIE_SEED,
        hidden=HIDDEN[split.seen],
        run=RunReference(suite=run.suite, suite_sha256=run.suite_hash, final_key=final.final_key),
        seen=split.seen,
    )


def without_folders(provenance: Provenance) -> Provenance:
    """Return provenance that names a local file by its file name only."""
    origin = provenance.origin
    return provenance if "://" in origin else replace(provenance, origin=Path(origin).name)


def scores_on_test(results: RankedResults, part: PerUserPart) -> Mapping[str, Score]:
    """Return this very model's test value of each metric, with its interval over users where it has one."""
    stored, model, found = StoredColumns([part]), part.final.model, {}
    for name in results.table.metrics:
        metric = parse_metric(name)
        finals = PerUserScores(stored, metric, part.final.train_on, results.stored.split.n_items)
        value = finals.value(metric, model)
        if value is None or not math.isfinite(value):
            continue
        interval = None
        if metric.per_user or metric.kind == "rating":
            interval = finals.intervals([model], 1 - results.alpha)[model]
        ends = [end if math.isfinite(end) else None for end in interval or ()]
        found[name] = Score(value, *ends)
    return found
