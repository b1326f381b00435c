"""Exports of a run for other people's analyses: every trial in one table, every final's rows in another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.files import atomic_path, write_errors_as_run_error
from benchmark.ledger import Ledger, best_trial, lineage, select
from benchmark.metrics.register import exposed_length, parse_metric
from benchmark.records import FinalRecord, StudyClosed, StudyEvent, StudyOpened, TrialRecord, to_json
from benchmark.results.directory import RunDirectory, RunManifest
from benchmark.results.per_user import ENCODING, PerUserPart
from benchmark.suite import Suite

if TYPE_CHECKING:
    import pyarrow as pa

IDENTITY = ("dataset", "model", "train_on", "config_source")
"""Columns of per_user.parquet that say whose rows they are, besides the seed."""


def gather(run: RunDirectory, ledger: Ledger) -> None:
    """Write trials.parquet and per_user.parquet from the ledger and the finals' files.

    Takes the memory of one final at a time. Nothing of ours reads them.
    """
    import pandas as pd

    with write_errors_as_run_error(run.path):
        kept = current_records(
            ledger.records(StudyEvent), run.manifest(), maximise=primary_grows(run.suite())
        )
        trials = pd.DataFrame([flat_row(record) for record in select(kept, TrialRecord)])
        with atomic_path(run / "trials.parquet") as temporary:
            trials.to_parquet(temporary, index=False)
        if finals := latest(select(kept, FinalRecord), run.suite().metrics.all):
            with atomic_path(run / "per_user.parquet") as temporary:
                stream_parts([PerUserPart(run, final) for final in finals], temporary)


def primary_grows(suite: Suite) -> bool:
    """Return whether a higher value of a suite's primary metric is better."""
    return parse_metric(suite.metrics.primary).higher_is_better


def current_records(
    records: Sequence[StudyEvent], manifest: RunManifest, *, maximise: bool
) -> list[StudyEvent]:
    """Return what rows of the board rest on now, under their names and keys of now.

    Left out is what rested on other data, settings or code, how a study ended that went on since, and finals
    of what is no longer its best trial.

    Args:
        records: of the ledger.
        manifest: of the run.
        maximise: whether a higher primary value is better.
    """
    opened = select(records, StudyOpened)
    rows = {key: row for row in manifest.rows if row.key for key in lineage(opened, row.key)}
    if not rows:  # nothing is planned yet
        return list(records)
    kept = [
        replace(one, dataset=row.dataset, model=row.model, study_key=row.key)
        for one in records
        if (row := rows.get(one.study_key)) is not None
        if one.study_key == row.key or not isinstance(one, StudyClosed)
    ]
    trials: dict[str, list[TrialRecord]] = {}
    for trial in select(kept, TrialRecord):
        trials.setdefault(trial.study_key, []).append(trial)
    best = {key: best_trial(found, maximise=maximise) for key, found in trials.items()}
    return [one for one in kept if not isinstance(one, FinalRecord) or is_of(best.get(one.study_key), one)]


def is_of(best: TrialRecord | None, final: FinalRecord) -> bool:
    """Return whether a final refits a study's best trial; those of the default, and of lists, have none."""
    return best is None or final.config_source != "tuned" or final.trial == best.trial


def flat_row(record: TrialRecord) -> dict[str, object]:
    """Return a trial as one row: what is nested becomes JSON."""
    return {
        name: json.dumps(value) if isinstance(value, dict) else value
        for name, value in to_json(record).items()
    }


def stream_parts(parts: Sequence[PerUserPart], path: Path) -> None:
    """Write the parts one after another, a row group each; what one lacks is null there.

    Whose rows they are is stored as categories, so that no reader holds a text for each row.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schemas = [pq.read_schema(part.path).remove_metadata() for part in parts]
    own = [field.with_nullable(True) for field in pa.unify_schemas(schemas, promote_options="permissive")]
    category = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([*own, *(pa.field(name, category) for name in IDENTITY), pa.field("seed", pa.int64())])
    with pq.ParquetWriter(
        path,
        schema,
        compression="none",
        use_dictionary=[*columns_with_dictionary(parts[0].path), *IDENTITY, "seed"],
        column_encoding=ENCODING,
        write_statistics=[*IDENTITY, "seed"],  # what readers choose row groups by
    ) as writer:
        for part in parts:
            writer.write_table(labelled_rows(part, schema))


def labelled_rows(part: PerUserPart, schema: pa.Schema) -> pa.Table:
    """Return the rows of one final in the columns of all of them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table, final = pq.read_table(part.path), part.final
    first = pa.repeat(pa.scalar(0, pa.int32()), len(table))
    columns = {name: table[name].cast(schema.field(name).type) for name in table.column_names}
    for name in IDENTITY:
        columns[name] = pa.DictionaryArray.from_arrays(first, [str(getattr(final, name))])
    columns["seed"] = pa.repeat(pa.scalar(final.seed, pa.int64()), len(table))
    arrays = [columns.get(field.name, pa.nulls(len(table), field.type)) for field in schema]
    return pa.table(arrays, schema=schema)


def columns_with_dictionary(path: Path) -> list[str]:
    """Return the columns of a part with few different values: its writer kept a dictionary of them."""
    import pyarrow.parquet as pq

    file = pq.read_metadata(path)
    if not file.num_row_groups:
        return []
    chunks = [file.row_group(0).column(index) for index in range(file.num_columns)]
    return [chunk.path_in_schema for chunk in chunks if chunk.has_dictionary_page]


def latest(finals: Sequence[FinalRecord], metrics: Sequence[str]) -> list[FinalRecord]:
    """Return one complete record of each final, of each study's last key: what changed is refitted.

    Of the records of the last fit it is the one that holds the most of the metrics, the latest among equals.
    """
    complete = [final for final in finals if final.outcome == "complete"]
    keys = {final.study: final.study_key for final in complete}
    fresh = [final for final in complete if final.study_key == keys[final.study]]
    identified = {(one.study, one.seed, one.train_on, one.config_source): one for one in fresh}
    return [most_measured(last, fresh, metrics) for last in identified.values()]


def most_measured(last: FinalRecord, finals: Sequence[FinalRecord], metrics: Sequence[str]) -> FinalRecord:
    """Return the final of the same fit that holds the most of the metrics, the latest among equals."""
    if not last.fit_key:
        return last

    def exposure(names: Sequence[str]) -> tuple[Sequence[str], int | None]:
        return tuple(names[:1]), exposed_length([parse_metric(name) for name in names])

    def rank(final: FinalRecord) -> tuple[int, bool]:
        held = sum(final.scores.holds(name) for name in metrics)
        return held, exposure(final.scores.metrics) == exposure(metrics)

    return max((one for one in reversed(finals) if one.fit_key == last.fit_key), key=rank)
