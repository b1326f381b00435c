"""What a reader is told under a board, in the words of the field."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import boards
import numpy as np
import pytest
import ranked
from written_run import split_manifest

from benchmark.datasets.manifest import Candidates, ColdCounts, UserSample
from benchmark.datasets.specs import EVERY_RATING
from benchmark.leaderboard.notes import (
    evaluated_note,
    likes_notes,
    package_notes,
    sample_notes,
    search_notes,
    unused_notes,
)
from benchmark.records import AdapterCode, TestCounts


def test_counts_are_told_in_the_plural_and_the_singular() -> None:
    counts = TestCounts(users=943, without_relevant=62, short_lists=1)
    split = split_manifest()
    audit = replace(split.audited, cold=ColdCounts(users=0, items=22, rows=30))
    note = evaluated_note(replace(split, audit=audit), counts, ["ndcg@10", "rmse"])

    assert note.text == (
        "943 users evaluated; 62 users have no relevant test items and are excluded from ranking metrics; "
        "1 list is shorter than k (too few candidates); 22 test items do not occur in training. "
        "Full ranking over all unseen items. rmse over interactions."
    )


def test_counts_of_nothing_are_left_out() -> None:
    note = evaluated_note(split_manifest(), TestCounts(users=1, without_relevant=0), ["ndcg@10"])
    assert note.text == "1 user evaluated. Full ranking over all unseen items."


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("train", "items that occur in training"),
        ("test-items", "items that occur in test"),
        ("cold-items", "items that do not occur in training"),
        ("given", "a list of items given by the suite"),
    ],
)
def test_ranking_over_a_subset_says_which(rule: str, said: str) -> None:
    split = split_manifest(candidates=Candidates(rule=rule))
    note = evaluated_note(split, TestCounts(users=2, without_relevant=0), ["ndcg@10"])
    assert note.text.endswith(f"Full ranking over a subset of the unseen items: {said}.")


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ("allow", "all items, those that a user has had included"),
        ("hide-negative", "all items but a user's known dislikes"),
    ],
)
def test_ranking_says_which_seen_items_compete(seen: str, said: str) -> None:
    note = evaluated_note(split_manifest(seen=seen), TestCounts(users=2, without_relevant=0), ["ndcg@10"])
    assert note.text.endswith(f"Full ranking over {said}.")


def test_best_value_at_the_boundary_is_a_warning_with_a_cure() -> None:
    row = boards.row("a/b", 0.3, 1, at_edge="lr=0.1")
    (note,) = search_notes([row], [boards.search("a/b", *[0.1] * 10)])
    assert note.is_warning
    assert note.text == (
        "best value lies at the boundary of its search range; consider widening it: a/b lr=0.1."
    )


def test_board_says_which_rows_are_likes_and_how_many() -> None:
    split = split_manifest(positive=">= 4", negative="<= 2", weight="plays")
    (note,) = likes_notes(split, ["ndcg@10"])
    assert note.text == (
        "Likes (positive): >= 4; known dislikes (negative): <= 2; weights (weight): plays; 96 of 96 rows are "
        "likes."
    )


@pytest.mark.parametrize(
    ("positive", "metrics", "warned"),
    [(None, ["ndcg@10", "rmse"], True), (None, ["rmse", "mae"], False), (">= 1", ["ndcg@10"], False)],
)
def test_scale_without_positive_is_a_warning_where_lists_are_judged(
    positive: str | None, metrics: list[str], *, warned: bool
) -> None:
    split = split_manifest(positive=positive)
    rated = replace(split, provenance=replace(split.provenance, scale=(1.0, 5.0)))
    warnings = [note.text for note in likes_notes(rated, metrics) if note.is_warning]
    assert [f"{EVERY_RATING}."] * warned == warnings


def test_board_says_who_uses_weights_and_dislikes_and_who_ignores_them() -> None:
    study = ranked.study_of("a/b")
    studies = [replace(study, model="native/ials", uses=("weights", "negatives")), study]
    split = split_manifest(negative="< 0", weight="plays")
    assert [note.text for note in unused_notes(split, studies)] == [
        "The weights are used by native/ials; ignored by a/b.",
        "The known dislikes are used by native/ials; ignored by a/b.",
    ]
    assert [*unused_notes(split_manifest(), studies)] == []


def test_board_says_on_how_many_validation_users_models_were_tuned() -> None:
    drawn = UserSample(users=6500, of=162_541, wanted="auto", seed=42, sha256="", sd=0.1532, error=0.0019)
    (note,) = sample_notes(split_manifest(valid_sample=drawn))
    assert not note.is_warning
    assert note.text == (
        "Tuned on 6,500 of 162,541 validation users (seed 42; standard error of a value about 0.0019)."
    )
    (few,) = sample_notes(split_manifest(valid_sample=replace(drawn, users=99, error=None)))
    assert few.is_warning
    assert few.text == (
        "Tuned on 99 of 162,541 validation users (seed 42); with fewer than 100 the choice of a "
        "configuration is largely chance."
    )


def test_board_warns_that_test_values_are_of_a_sample() -> None:
    drawn = UserSample(users=20_000, of=162_541, wanted=20_000, seed=42, sha256="")
    (note,) = sample_notes(split_manifest(test_sample=drawn))
    assert note.is_warning
    assert note.text == (
        "Test values are of 20,000 of 162,541 test users, a sample (finals.users, seed 42): not comparable "
        "with values of all users."
    )


def test_board_says_nothing_of_samples_where_there_is_none() -> None:
    assert not list(sample_notes(split_manifest()))


def test_adapters_of_others_are_named_with_the_version_of_their_package(tmp_path: Path) -> None:
    results = ranked.results_of(
        tmp_path, {"theirs/a": np.ones(3), "theirs/b": np.ones(3), "native/ease": np.ones(3)}
    )
    theirs = AdapterCode(source_sha256="1" * 64, versions={}, package="their-models==1.2")
    (origin,) = boards.board().origins
    codes = {"theirs/a": theirs, "theirs/b": theirs, "native/ease": replace(theirs, package=None)}
    run = replace(origin.manifest, adapters=codes)
    stored = replace(results.stored, runs=dict.fromkeys(codes, run))

    assert [note.text for note in package_notes(stored)] == [
        "Adapters of the package their-models 1.2: theirs/a, theirs/b."
    ]
