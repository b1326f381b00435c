"""Committed boards: read as evidence of a model, and searched for best values at an edge of their range."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from repository import ROOT

from adapters import ADAPTERS
from benchmark.leaderboard.tuning_history import at_edge
from benchmark.protocol import Hyperparameter
from benchmark.registry import Registry
from benchmark.results.reference import ReferenceBoard, ReferenceRow, reference_boards

OURS = Registry(ADAPTERS)
BOARDS = reference_boards(ROOT / "results" / "reference")
TUNED_FOR_NDCG = "a rating model tuned for NDCG: the less it learns, the nearer its order is to popularity's"
PUBLISHED = "RecBole's published range, kept as it is"
ENDS: dict[str, str] = {
    "recbole/ItemKNN shrinkage=0.0156125": PUBLISHED,
    "recbole/MultiVAE lr=0.007": PUBLISHED,
    "recbole/NeuMF dropout=0.1": PUBLISHED,
    "recbole/LightGCN lr=0.0005": PUBLISHED,
    "recbole/LightGCN layers=1": PUBLISHED,
    "recbole/LightGCN l2=0.01": PUBLISHED,
    "recbole/CDAE corruption_ratio=0.5": PUBLISHED,
    "recbole/CDAE l1=0.01": PUBLISHED,
    "recbole/CDAE l2=0": PUBLISHED,
    "recbole/DiffRec lr=0.001": PUBLISHED,
    "recbole/DiffRec noise_max=0.005": PUBLISHED,
    "recbole/DiffRec noise_min=0.0005": PUBLISHED,
    "recbole/SimpleX negatives=1": PUBLISHED,
    "recbole/CKE lr=0.001": PUBLISHED,
    "recbole/KGCN l2=1e-07": PUBLISHED,
    "recbole/KGNNLS l2=1e-07": PUBLISHED,
    "recbole/KTUP train_rec_step=10": PUBLISHED,
    "torch/kgin layers=1": "a limit: fewer than one layer there are not",
    "torch/lightgcn dim=254": "no factor model of ours is given more than 256",
    "torch/sasrec layers=1": "a limit: fewer than one layer there are not",
    "rectools/bert4rec layers=1": "a limit: fewer than one layer there are not",
    "surprise/svd lr=0.000202007": TUNED_FOR_NDCG,
    "surprise/svd max_epochs=10": TUNED_FOR_NDCG,
    "surprise/baseline l2_item=99.7005": TUNED_FOR_NDCG,
    "surprise/co-clustering user_clusters=12": "a rating model tuned for NDCG, of which it has "
    "none; tuned for RMSE its best values lie inside",
    "keras/mf lr=0.000517055": TUNED_FOR_NDCG,
    "keras/two-tower layers=0": "a limit: fewer than no hidden layers there are not",
    "lightfm/warp-kos positives=10": "a limit: the largest `kth` is the tenth",
    "native/item-knn shrinkage=9147.65": "a limit: with more, likeness is the number of common likes",
}
"""Best values that may lie at an edge, ``adapter hyperparameter=value``, each with the reason."""


def tuned(row: ReferenceRow) -> Mapping[str, Hyperparameter]:
    """Return the best configuration of a row: whole where the board holds it, else what it flagged."""
    if row.config is not None:
        return row.config
    flagged = (entry.partition("=") for entry in (row.at_edge or "").split(", ") if entry)
    return {name: json.loads(value) for name, _, value in flagged}


def edges(board: ReferenceBoard) -> set[str]:
    """Return the best values of a board at an edge of the range that the adapter has now.

    A range that the suite set itself says nothing about the adapter's.
    """
    own = {model.label: {*model.set, *model.tune} for model in board.suite.models}
    found = set()
    for row in board.rows:
        if row.status == "ok" and row.adapter in OURS:
            space = OURS[row.adapter].traits.space.items()
            domains = {name: domain for name, domain in space if name not in own[row.model]}
            found |= {f"{row.adapter} {edge}" for edge in at_edge(domains, tuned(row))}
    return found


SUITE = """
name: small
datasets: [movielens-100k]
metrics: {primary: ndcg@5}
models: [{use: native/ease, name: mine}, baselines/popularity]
"""


def write_board(folder: Path, **columns: str) -> Path:
    """Write a board of native/ease under another name, and of popularity without a result."""
    path = folder / "small"
    path.mkdir()
    (path / "suite.yaml").write_text(SUITE)
    first = {"rank": "1", "dataset": "d", "model": "mine", "status": "ok", "config": "", "at_edge": ""}
    with (path / "leaderboard.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerow(first | columns)
        writer.writerow({"dataset": "d", "model": "baselines/popularity", "status": "failed"})
    return folder


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder with one board."""
    return write_board(tmp_path)


def test_board_finds_a_model_by_its_adapter_whatever_its_name(written: Path) -> None:
    (board,) = reference_boards(written)
    assert (board.name, board.primary) == ("small", "ndcg@5")
    assert [(row.model, row.rank, row.value) for row in board.rows_of("native/ease")] == [("mine", 1, None)]


def test_model_without_a_result_is_no_evidence(written: Path) -> None:
    (board,) = reference_boards(written)
    assert board.rows_of("baselines/popularity") == []


def test_folder_without_a_suite_is_no_board(written: Path) -> None:
    (written / "small" / "suite.yaml").unlink()
    assert reference_boards(written) == []


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        ("config", '{"l2": 1e9}', {"native/ease l2=1e+09"}),
        ("config", '{"l2": 300.0}', set()),
        ("at_edge", "l2=1e9", {"native/ease l2=1e+09"}),
        ("at_edge", "l2=300", set()),  # the range has been widened since
    ],
)
def test_edges_are_those_of_the_ranges_as_they_are_now(
    tmp_path: Path, column: str, value: str, found: set[str]
) -> None:
    (board,) = reference_boards(write_board(tmp_path, **{column: value}))
    assert edges(board) == found


def test_there_are_committed_boards() -> None:
    assert {"movielens"} <= {board.name for board in BOARDS}
    assert all(row.adapter in OURS for board in BOARDS for row in board.rows)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_best_values_of_committed_boards_lie_inside_their_ranges(board: ReferenceBoard) -> None:
    """An optimum at an edge says that the range is too narrow; widen it, or say in ENDS why it ends there."""
    assert edges(board) - set(ENDS) == set()


def test_every_excused_edge_is_still_one() -> None:
    assert set(ENDS) <= set().union(*map(edges, BOARDS)), "take out of ENDS what is no longer at an edge"
