"""The run directory: what a run writes, and how it is read back without trusting anything in it.

suite.yaml         resolved, every default written out
manifest.json      hashes, versions, hardware, how the run ended
ledger.jsonl       device-seconds and outcomes; a closing line commits a trial or final
journal.log        the Optuna studies
splits/DATASET/    the stored split; DATASET@HASH one that a changed suite or log made otherwise since
boards/N/          former boards, each with its suite and manifest
per_user/          per-user values and lists of each final, one file each, complete or absent: read by column
lists/             lists made elsewhere, checked and in dense ids; made with the first of them
models/            state of each model's seed 0, as safetensors: what a bundle is made of
trials.parquet     every trial, from the ledger: an export for your own analyses
per_user.parquet   the same of all finals in one file: an export as well
leaderboard.*      the board
log.txt            what the children printed, and every message
"""

from benchmark.results.directory import FOLDERS, FORMAT, RunDirectory, RunManifest, resolved, runs_under
from benchmark.results.gathered import current_records, gather, latest, primary_grows
from benchmark.results.per_user import SUMS, PerUserFile, PerUserPart, PerUserRows, write_per_user
from benchmark.results.run_changes import run_changes
from benchmark.results.stored_pick import StoredPick, stored_picks

__all__ = [
    "FOLDERS",
    "FORMAT",
    "SUMS",
    "PerUserFile",
    "PerUserPart",
    "PerUserRows",
    "RunDirectory",
    "RunManifest",
    "StoredPick",
    "current_records",
    "gather",
    "latest",
    "primary_grows",
    "resolved",
    "run_changes",
    "runs_under",
    "stored_picks",
    "write_per_user",
]
