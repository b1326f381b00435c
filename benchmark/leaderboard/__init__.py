"""Stored rows become ranked tables with intervals, corrected p-values and ties.

Works on run directories alone: no framework, no Optuna, nothing is refitted.
"""

from benchmark.leaderboard.across_datasets import Across
from benchmark.leaderboard.board import Board, Compare, RunOrigin, board
from benchmark.leaderboard.ranked_results import RankedResults, dataset_names, ranked_results
from benchmark.leaderboard.rows import BoardRow, TableKind, columns
from benchmark.leaderboard.table import Facts, Groups, Table
from benchmark.leaderboard.text_tables import Column, TextTable
from benchmark.leaderboard.tuning_history import TuningHistory

__all__ = [
    "Across",
    "Board",
    "BoardRow",
    "Column",
    "Compare",
    "Facts",
    "Groups",
    "RankedResults",
    "RunOrigin",
    "Table",
    "TableKind",
    "TextTable",
    "TuningHistory",
    "board",
    "columns",
    "dataset_names",
    "ranked_results",
]
