"""What a reader is told under a board, in the words of the field."""

from __future__ import annotations

from dataclasses import replace

import boards
import pytest
from written_run import split_manifest

from benchmark.datasets.manifest import Candidates, ColdCounts
from benchmark.leaderboard.notes import evaluated_note, search_notes
from benchmark.records import TestCounts


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
