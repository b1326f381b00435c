"""A suite file becomes frozen, validated objects; a complaint names file, line, key and cure."""

from benchmark.suite.lists_row import ListsRow
from benchmark.suite.load import find_suite, load_suite, parse_suite, shipped_suites, suite_from_mapping
from benchmark.suite.schema import Model, Suite

__all__ = [
    "ListsRow",
    "Model",
    "Suite",
    "find_suite",
    "load_suite",
    "parse_suite",
    "shipped_suites",
    "suite_from_mapping",
]
