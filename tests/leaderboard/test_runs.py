"""Boards of real run directories: one, several together, and those that do not belong together."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark import runner
from benchmark.datasets.manifest import UserSample
from benchmark.errors import RunError
from benchmark.leaderboard import board
from benchmark.registry import Registry
from benchmark.results import RunDirectory
from benchmark.suite import parse_suite

SUITE = """
name: small
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400, seed: SEED}}]
prepare: {positive: ">= 3"}
metrics: {primary: ndcg@5, also: [recall@5]}
budget: {per_model: 1s, max_trials: 4, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 2}
models: [MODELS]
"""


@pytest.fixture(scope="module")
def run_of(fakes: Registry, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., RunDirectory]:
    """Run a small suite: ``run_of("fake/fixed", seed=3)``; each is run once."""
    done: dict[tuple[str, int], RunDirectory] = {}

    def run(models: str, seed: int = 3) -> RunDirectory:
        if (models, seed) not in done:
            out = tmp_path_factory.mktemp("runs") / "run"
            text = SUITE.replace("SEED", str(seed)).replace("MODELS", models)
            done[models, seed] = runner.run(
                parse_suite(text, "small.yaml", fakes), fakes, runner.RunOptions(out=out)
            )
        return done[models, seed]

    return run


def test_board_of_two_runs_on_one_split_ranks_all_models(run_of: Callable[..., RunDirectory]) -> None:
    made = board(run_of("fake/fixed"), run_of("fake/steady"))

    assert len(made.tables) == 1
    assert {row.model for row in made.tables[0].ranked} == {"fake/fixed", "fake/steady"}
    assert [row.rank for row in made.tables[0].ranked] == [1, 2]
    assert made.tables[0].ranked[0].best_set is True


def test_board_of_different_splits_of_a_data_set_is_refused(run_of: Callable[..., RunDirectory]) -> None:
    with pytest.raises(
        RunError, match=r"planted \(synthetic\) was split differently|planted was split differently"
    ):
        board(run_of("fake/fixed"), run_of("fake/steady", seed=4))


def test_model_that_two_runs_hold_is_named_after_its_run_in_both(
    run_of: Callable[..., RunDirectory], tmp_path: Path
) -> None:
    one, other = (
        RunDirectory(shutil.copytree(run_of("fake/fixed").path, tmp_path / name)) for name in ("one", "other")
    )
    (table,) = board(one, other, run_of("fake/steady")).tables
    assert {row.model for row in table.ranked} == {"fake/fixed@one", "fake/fixed@other", "fake/steady"}
    assert len({row.value for row in table.ranked if row.model != "fake/steady"}) == 1
    names = {row.model: row.is_reference for row in table.ranked}
    assert sum(names.values()) == 1, "the reference has its new name too"


def test_runs_in_folders_of_one_name_are_told_apart_by_more_of_their_paths(
    run_of: Callable[..., RunDirectory], tmp_path: Path
) -> None:
    copies = [RunDirectory(shutil.copytree(run_of("fake/fixed").path, tmp_path / n / "run")) for n in "ab"]
    (table,) = board(*copies).tables
    assert {row.model for row in table.ranked} == {"fake/fixed@a/run", "fake/fixed@b/run"}


def test_run_that_is_named_twice_is_refused(run_of: Callable[..., RunDirectory]) -> None:
    with pytest.raises(RunError, match="names a run twice"):
        board(run_of("fake/fixed"), run_of("fake/fixed"))


def test_board_of_different_primary_metrics_is_refused(
    run_of: Callable[..., RunDirectory], tmp_path: Path
) -> None:
    other = shutil.copytree(run_of("fake/steady").path, tmp_path / "other")
    suite = json.loads((other / "suite.json").read_text("utf-8"))
    suite["metrics"] = {"primary": "recall@5", "also": ["ndcg@5"]}
    (other / "suite.json").write_text(json.dumps(suite), encoding="utf-8")

    with pytest.raises(RunError, match=r"different metrics"):
        board(run_of("fake/fixed"), RunDirectory(other))


def test_board_of_models_tuned_on_other_users_is_refused(
    run_of: Callable[..., RunDirectory], tmp_path: Path
) -> None:
    other = RunDirectory(shutil.copytree(run_of("fake/steady").path, tmp_path / "other"))
    drawn = UserSample(users=20, of=40, wanted=20, seed=1, sha256="ab" * 32)
    (split,) = other.manifest().datasets.values()
    other.update(datasets={split.dataset: replace(split, valid_sample=drawn)})

    sample = r"another sample of validation users \(all users and 20 of 40 users \(abababab\)\)"
    with pytest.raises(RunError, match=sample):
        board(run_of("fake/fixed"), other)


def test_board_against_a_baseline_says_who_chose_it(run_of: Callable[..., RunDirectory]) -> None:
    table = board(run_of("fake/fixed, fake/steady"), baseline="Fake/FIXED").tables[0]
    rows = {row.model: row for row in table.rows}

    assert table.reference == "fake/fixed"
    assert rows["fake/fixed"].diff_to_reference is None
    assert rows["fake/steady"].diff_to_reference is not None
    assert any("chosen by the reader" in note.text for note in table.notes)


def test_board_against_an_unknown_baseline_names_the_nearest(run_of: Callable[..., RunDirectory]) -> None:
    with pytest.raises(RunError, match=r"did you mean 'fake/fixed'"):
        board(run_of("fake/fixed"), baseline="fake/fixd")


def test_board_of_all_pairs_agrees_with_the_set_of_the_best(run_of: Callable[..., RunDirectory]) -> None:
    table = board(run_of("fake/fixed, fake/steady"), compare="all").tables[0]
    first, second = table.ranked

    assert [(pair.a, pair.b) for pair in table.pairs] == [(first.model, second.model)]
    assert table.pairs[0].difference == pytest.approx(first.score - second.score)
    assert (table.pairs[0].p > 0.05) is second.best_set


def test_board_changes_nothing_in_the_run_directory(run_of: Callable[..., RunDirectory]) -> None:
    run = run_of("fake/fixed")
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    board(run)

    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


def test_board_needs_no_stored_split(run_of: Callable[..., RunDirectory], tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(run_of("fake/fixed").path, bare, ignore=shutil.ignore_patterns("splits"))
    whole, stripped = (board(run).tables[0].rows[0] for run in (run_of("fake/fixed"), RunDirectory(bare)))

    assert 0.5 < whole.popularity_lift < 2
    assert whole.recall_head is not None
    assert stripped == whole


def test_board_of_no_run_is_refused() -> None:
    with pytest.raises(RunError, match="at least one run"):
        board()
