"""How programs of comparison judge: results of a run, pairs of models on a sample, values of two commits."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from commits import equal
from large_run import row_of
from run_results import Result, results_of
from sample_agreement import pair_of
from watched import memory_mb, tree, watch

SAMPLE = np.arange(100) < 20


def closed(event="trial-closed", **more):
    common = {"event": event, "dataset": "log", "model": "a/b", "charged_s": 2.0, "reason": "finished"}
    return common | {"outcome": "complete", "trial": 0} | more


def written(path, *lines, excluded=None):
    studies = [{"dataset": "log", "model": "a/b", "excluded": excluded}]
    (path / "manifest.json").write_text(json.dumps({"studies": studies}))
    (path / "ledger.jsonl").write_text("\n".join([*map(json.dumps, lines), '{"event": "tri']))
    return results_of(path, "ndcg@10")["log", "a/b"]


def test_result_is_that_of_the_best_trial_and_of_every_tuned_final(tmp_path):
    result = written(
        tmp_path,
        closed(value=0.2, best_step=3, at_best={"ndcg@10": 0.2, "rmse": 1.0}, first_step_s=1.5),
        closed(trial=1, value=0.1, best_step=9, at_best={"ndcg@10": 0.1}),
        closed("final-closed", config_source="tuned", test={"values": {"ndcg@10": 0.3}}),
        closed("final-closed", config_source="default", test={"values": {"ndcg@10": 0.4}}),
    )
    assert (result.outcome, result.trials, result.charged_s, result.steps) == ("ok", 2, 4.0, 3)
    assert result.valid == {"ndcg@10": 0.2, "rmse": 1.0}
    assert (result.tests, result.first_value_s) == ([{"ndcg@10": 0.3}], 1.5)


def test_result_without_a_final_keeps_how_its_trial_ended(tmp_path):
    result = written(tmp_path, closed(outcome="oom", reason="killed at 4 GB"))
    assert (result.outcome, result.reason, result.tests) == ("oom", "killed at 4 GB", [])


def test_model_that_is_excluded_says_why(tmp_path):
    result = written(tmp_path, excluded={"status": "skipped", "reason": "no GPU"})
    assert (result.outcome, result.reason) == ("skipped", "no GPU")


def test_model_at_size_must_be_above_popularity_and_a_rating_model_below_the_means_rmse():
    values = Result(outcome="ok", tests=[{"ndcg@10": 0.1, "rmse": 0.9}])
    assert row_of("native/ials", values, 0.05, 1.0).counts
    assert not row_of("native/ials", values, 0.2, 1.0).counts
    assert row_of("surprise/svd", values, 0.2, 1.0).counts
    assert not row_of("surprise/svd", values, 0.05, 0.8).counts
    assert not row_of("native/ials", Result(outcome="oom"), 0.05, 1.0).counts


def test_what_does_not_fit_counts_only_if_it_is_free():
    assert row_of("native/ease", Result(outcome="does-not-fit"), 0.05, 1.0).counts
    assert not row_of("native/ease", Result(outcome="does-not-fit", charged_s=3.0), 0.05, 1.0).counts


def test_pair_that_the_sample_has_the_other_way_round_is_swapped():
    first = np.where(SAMPLE, 0.2, 0.6) + np.zeros((2, 1))
    pair = pair_of(("a", "b"), (first, np.full((2, 100), 0.4)), SAMPLE)
    assert pair.difference == pytest.approx(0.12)
    assert (pair.differs, pair.swapped) == (True, True)


def test_pair_within_the_chance_of_its_seeds_does_not_differ():
    first = np.full((2, 100), 0.5) + np.array([[0.1], [-0.05]])
    pair = pair_of(("a", "b"), (first, np.full((1, 100), 0.5)), SAMPLE)
    assert (pair.differs, pair.swapped) == (False, False)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((0.2,), (0.2001,), True),
        ((0.2,), (0.21,), False),
        ((0.20, 0.22, 0.21), (0.21, 0.23, 0.20), True),
        ((0.20, 0.201, 0.202), (0.25, 0.251, 0.252), False),
        ((), (0.2,), False),
        ((), (), False),
    ],
)
def test_values_are_equal_within_the_noise_of_seeds(old, new, expected):
    assert equal(old, new, models=2) is expected


HOLDER = """
import mmap, subprocess, sys
file = open(sys.argv[1], "rb")
pages = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
touched = sum(pages[::4096])
block = "block = bytearray(60 * 2**20); print('up', flush=True); input()"
subprocess.run([sys.executable, "-c", block], check=True)
"""


def test_memory_of_a_program_is_that_of_its_children_too_and_of_no_mapped_file(tmp_path):
    (tmp_path / "mapped").write_bytes(bytes(90 * 2**20))
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "mapped")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True) as program:
        assert program.stdout.readline() == "up\n"
        held = [memory_mb(pid) for pid in tree(program.pid)]
        program.communicate("\n")
    assert len(held) == 2
    assert 60 < sum(held) < 90


def test_program_that_is_watched_tells_its_exit_code():
    assert watch([sys.executable, "-c", "raise SystemExit(3)"]).exit_code == 3
