"""The production model as named arrays and JSON: made from a run, loaded anywhere, checked, never trusted."""

from benchmark.bundle.served import Contribution, Explanation, Item, Recommendation, SimilarItems
from benchmark.bundle.serving import Bundle, load

__all__ = ["Bundle", "Contribution", "Explanation", "Item", "Recommendation", "SimilarItems", "load"]
