"""What each column of a board means, in one sentence: on the pointer, and in the page's list of words."""

from __future__ import annotations

from benchmark.errors import MetricError
from benchmark.metrics.register import parse_metric

MEANINGS = {
    "rank": "Place by the primary metric on test; 1 is best.",
    "model": "Library and name; the reference is the best on validation, named before scoring on test.",
    "best_set": "Whether it cannot be told apart from the best model (joint sign flips over all pairs).",
    "diff_to_reference": "Difference of the means to the reference's; above 0 is higher.",
    "diff_low": "Interval of that difference over users and seeds, not corrected.",
    "p_vs_reference": "Chance of such a difference if both were equal; seeds counted, corrected by Holm.",
    "verdict": "The difference in words: by p, and by the margin that the suite allows.",
    "popularity_lift": "Popularity of what it recommends, relative to that of the log; 1 means equal.",
    "recall_head": "Recall of popular items: the fewest that hold a third of the training rows.",
    "recall_tail": "Recall of all other items.",
    "seeds": "Refits of the chosen configuration behind the mean.",
    "trials": "Configurations that were tried.",
    "test_gain_over_default": "What the chosen configuration gained over the default, on test.",
    "charged_s": "Device-seconds of its tuning, and the budget: one is a slot held for a second.",
    "core_s": "CPU time of the same trials, in seconds of one core.",
    "device": "What its trials ran on.",
    "fit_s": "Seconds that one training of the chosen configuration took; the median over refits.",
    "latency_ms_p50": "Milliseconds to score one user; the median.",
    "size_mb": "Size of the stored model.",
    "status": "How its study ended; only ok has a result.",
    "relative_diff": "Difference as a share of the reference's value.",
    "users_better": "Share of users that it serves better than the reference does.",
    "smallest_detectable": "Smallest difference that these users and seeds would show four times in five.",
    "p_these_models": "The same p for these very fits, chance in training left out.",
    "first_places": "Share of first places when users and seeds are drawn again.",
    "first_places_if_equal": "The same if all models were equal.",
    "valid": "Value on validation that chose the configuration.",
    "train_only": "Value on test of refits on train alone.",
    "valid_gain_over_default": "What tuning gained on validation; too high by nature.",
    "margin_bound": "The most that it may lose against the reference, as a share of its value.",
    "at_edge": "Best values at the boundary of their search range: widen it.",
    "still_improving": "Whether the best trial was stopped while it still improved.",
    "unused_s": "Seconds of the budget that its search left.",
    "latency_ms_p50_low": "95 % interval of the median, from the lowest end over refits to the highest.",
    "latency_ms_p95": "Milliseconds to score one user; 95 of 100 calls are faster.",
    "latency_ms_p95_low": "Its 95 % interval, from the lowest end over refits to the highest.",
    "latency_is_steady": "Unsteady: within the time for measuring, the interval did not become narrow.",
    "users_per_s": "Users scored in a second, in batches.",
    "memory_mb": "Peak memory of the processes that train it.",
    "params": "Numbers in the stored model.",
    "filled_users": "Users without a training row, who got what is popular.",
    "filled_items": "Items without a training row, which it ranks last.",
}
"""By the column of leaderboard.csv; ``valid`` and ``train_only`` stand for those of any metric."""


def meaning(key: str, primary: str) -> str:
    """Return what a column means.

    >>> meaning("ndcg@10_low", "ndcg@10")
    'Interval of the mean over users (bootstrap).'
    """
    if key == f"{primary}_low":
        return "Interval of the mean over users (bootstrap)."
    short = {f"valid_{primary}": "valid", f"train_only_{primary}": "train_only"}.get(key, key)
    if short in MEANINGS:
        return MEANINGS[short]
    try:
        metric = parse_metric(key)
    except MetricError:
        return ""
    best = "higher is better" if metric.higher_is_better else "lower is better"
    return f"{metric.formula} ({best}; {metric.source})."
