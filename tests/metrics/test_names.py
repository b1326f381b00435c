"""What a suite may call a metric."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from benchmark.errors import MetricError
from benchmark.metrics.names import KNOWN, parse


@pytest.mark.parametrize("written", KNOWN)
def test_parse_every_known_name_is_accepted_and_described(written):
    metric = parse(written.replace("@k", "@7"), n_items=7)
    assert metric.name == written.replace("@k", "@7")
    assert metric.k == (7 if "@" in written else None)
    assert metric.formula == KNOWN[written]
    assert metric.source


def test_parse_errors_and_inequality_are_better_low():
    low = {name.split("@")[0] for name in KNOWN if not parse(name.replace("@k", "@5")).higher_is_better}
    assert low == {"rmse", "mae", "mse", "logloss", "gini", "popularity", "popularitylift"}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("ndgc@10", "no metric is called 'ndgc@10'; did you mean 'ndcg@10'?"),
        ("NDCG@5", "did you mean 'ndcg@5'?"),
        ("recall10", "did you mean 'recall@10'?"),
        ("zzzz", "known are precision@k"),
        ("ndcg@", "did you mean 'ndcg@10'?"),
        ("ndcg", "needs the length of the list; write 'ndcg@10'"),
        ("auc@10", "takes no k; write 'auc'"),
        ("rmse@5", "takes no k; write 'rmse'"),
        ("ndcg@0", "k is 0; k must be between 1 and the items"),
        ("rmse/99neg", "only ranking metrics at a k are measured among drawn items; write 'rmse'"),
        ("novelty@5/99neg", "write 'novelty@5'"),
        ("hit@10/0neg", "draw at least one item"),
        ("hit@10/neg", "did you mean 'hit@10'?"),
        ("ndcg@-3", "k is -3; k must be between 1"),
    ],
)
def test_parse_bad_name_says_what_to_write(written, message):
    with pytest.raises(MetricError, match=re.escape(message)):
        parse(written)


def test_parse_a_sampled_metric_has_a_name_of_its_own():
    metric = parse("hit@10/99neg")
    assert (metric.name, metric.base, metric.k, metric.sampled) == ("hit@10/99neg", "hit", 10, 99)
    assert parse("hit@10").sampled is None


def test_parse_list_longer_than_the_catalogue_is_refused():
    assert parse("map@30", n_items=30).k == 30
    with pytest.raises(MetricError, match="k is 31; k must be between 1 and the 30 items"):
        parse("map@31", n_items=30)


def test_names_import_no_numpy():
    code = "import sys, benchmark.metrics.names; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
