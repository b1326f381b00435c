"""A suite file becomes frozen, validated objects; a complaint names file, line, key and cure."""

from benchmark.suite.load import find, known_suites, load, parse
from benchmark.suite.schema import Model, Suite

__all__ = ["Model", "Suite", "find", "known_suites", "load", "parse"]
