"""The production model as named arrays and JSON: made from a run, loaded anywhere, checked, never trusted."""

from benchmark.bundle.serving import Bundle, Item, Recommendation, load
from benchmark.bundle.verify import Check, verify

__all__ = ["Bundle", "Check", "Item", "Recommendation", "load", "verify"]
