"""The run directory: what a run writes, and how it is read back without trusting anything in it.

suite.yaml         resolved, every default written out
manifest.json      hashes, versions, hardware, how the run ended
ledger.jsonl       device-seconds and outcomes; a close line commits a trial or final
journal.log        the Optuna studies
splits/DATASET/    the stored split
parts/             per-user values of each final, one file each, complete or absent
models/            state of each model's seed 0, as safetensors: what a bundle is made of
trials.parquet     every trial, from the ledger
per_user.parquet   every final's per-user values and lists, from parts/
leaderboard.*      the board
log.txt            what the children printed, and every message
"""

from benchmark.results.directory import FOLDERS, FORMAT, RunDirectory, runs_under
from benchmark.results.files import (
    content_hash,
    disk_full_as_run_error,
    file_hash,
    write_atomically,
    write_bytes,
    write_errors_as_run_error,
)
from benchmark.results.per_user import gather, latest, read_part, read_per_user, write_part

__all__ = [
    "FOLDERS",
    "FORMAT",
    "RunDirectory",
    "content_hash",
    "disk_full_as_run_error",
    "file_hash",
    "gather",
    "latest",
    "read_part",
    "read_per_user",
    "runs_under",
    "write_atomically",
    "write_bytes",
    "write_errors_as_run_error",
    "write_part",
]
