"""DatasetResults rows become a ranked table with intervals, corrected p-values and ties.

Works on run directories alone: no framework, no Optuna, nothing is refitted.
"""

from benchmark.leaderboard.across_datasets import Across
from benchmark.leaderboard.board import Board, Compare, board
from benchmark.leaderboard.table import COST_COLUMNS, DRAWS, Row, Table, columns
from benchmark.leaderboard.tuning_history import TuningHistory

__all__ = [
    "COST_COLUMNS",
    "DRAWS",
    "Across",
    "Board",
    "Compare",
    "Row",
    "Table",
    "TuningHistory",
    "board",
    "columns",
]
