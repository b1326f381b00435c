"""Stored rows become a ranked table with intervals, corrected p-values and ties.

Works on run directories alone: no framework, no Optuna, nothing is refitted.
"""

from benchmark.leaderboard.across import Across
from benchmark.leaderboard.board import Board, Compare, board
from benchmark.leaderboard.search import Search
from benchmark.leaderboard.table import COST_COLUMNS, DRAWS, Row, Table, columns

__all__ = [
    "COST_COLUMNS",
    "DRAWS",
    "Across",
    "Board",
    "Compare",
    "Row",
    "Search",
    "Table",
    "board",
    "columns",
]
