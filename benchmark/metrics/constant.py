"""Metrics that cannot differ between models on a given split: one value only, so they say nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmark.metrics.register import Metric, parse_metric
from benchmark.records import JudgedUsers, LogAudit

IN_ANY_ORDER = frozenset(
    {
        *("precision", "recall", "hit", "f1"),
        *("coverage", "gini", "personalisation", "novelty", "popularity", "popularitylift", "diversity"),
    }
)
"""Metrics of a list that do not depend on its order."""
NEEDS_BOTH = frozenset({"rocauc", "logloss"})
"""Rating metrics that need held-out rows of both kinds, positive and not."""


def constant_metrics(names: Sequence[str], log: LogAudit | None) -> Mapping[str, str]:
    """Return the metrics that have one value at most, whatever a model does, each with the reason.

    Args:
        names: as a suite writes them.
        log: the audit of a log that was split; None where none was stored: then nothing is known.
    """
    if log is None or log.judged is None:
        return {}
    reasons = {name: constant_because(parse_metric(name), log, log.judged) for name in names}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def constant_because(metric: Metric, log: LogAudit, judged: JudgedUsers) -> str | None:
    """Return why a metric cannot differ between models; None if it can."""
    if metric.kind == "rating":
        return constant_rating(metric, log, judged)
    if metric.kind == "ranking" and not judged.users:
        return "no user has anything to find in test"
    if metric.sampled is not None or metric.part is not None:
        return None if metric.sampled is None else constant_sampled(metric, judged)
    if metric.kind == "ranking" and not judged.most_irrelevant:
        return "all that can be listed for a judged user is relevant"
    if metric.base in IN_ANY_ORDER and metric.k is not None and metric.k >= judged.most_candidates:
        return (
            f"lists of {metric.k} hold everything that can be listed, at most {judged.most_candidates} items"
        )
    return None


def constant_rating(metric: Metric, log: LogAudit, judged: JudgedUsers) -> str | None:
    """Return why a rating metric cannot differ between models; None if it can."""
    if log.lowest_value is not None and log.lowest_value == log.highest_value:
        return f"every rating is {log.lowest_value:g}"
    if metric.base == "accuracy" and log.likes_share in {0.0, 1.0}:
        return "every rating counts as a like" if log.likes_share else "no rating counts as a like"
    if metric.base in NEEDS_BOTH and judged.likes in {0, judged.rows}:
        return f"{'every' if judged.likes else 'no'} test row is a like"
    return None


def constant_sampled(metric: Metric, judged: JudgedUsers) -> str | None:
    """Return why a metric among sampled negatives cannot differ between models; None if it can."""
    assert metric.sampled is not None
    assert metric.k is not None
    longest = metric.sampled + judged.most_relevant
    if metric.base in IN_ANY_ORDER and metric.k >= longest:
        return f"lists of {metric.k} hold every sampled negative and every relevant item, {longest} at most"
    return None
