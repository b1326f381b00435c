"""The run directory: what a run writes, and how it is read back without trusting anything in it.

suite.yaml         resolved, every default written out
manifest.json      hashes, versions, hardware, how the run ended
ledger.jsonl       device-seconds and outcomes; a closing line commits a trial or final
journal.log        the Optuna studies
splits/DATASET/    the stored split
per_user/          per-user values of each final, one file each, complete or absent
models/            state of each model's seed 0, as safetensors: what a bundle is made of
trials.parquet     every trial, from the ledger: an export for your own analyses
per_user.parquet   every final's per-user values and lists, from per_user/
leaderboard.*      the board
log.txt            what the children printed, and every message
"""

from benchmark.results.directory import FOLDERS, FORMAT, RunDirectory, RunManifest, resolved, runs_under
from benchmark.results.per_user import (
    current_records,
    gather,
    latest,
    read_final,
    read_per_user,
    write_per_user,
)

__all__ = [
    "FOLDERS",
    "FORMAT",
    "RunDirectory",
    "RunManifest",
    "current_records",
    "gather",
    "latest",
    "read_final",
    "read_per_user",
    "resolved",
    "runs_under",
    "write_per_user",
]
