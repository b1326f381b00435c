"""Cutting a prepared log into train, validation and test: each rule a function from rows to labels."""

from benchmark.datasets.split.rules import Split, split

__all__ = ["Split", "split"]
