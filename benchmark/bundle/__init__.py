"""The production model as named arrays and JSON: made from a run, loaded anywhere, checked, never trusted."""

from benchmark.bundle.serving import Bundle, Item, Recommendation, load

__all__ = ["Bundle", "Item", "Recommendation", "load"]
