"""The register: what a suite may call a metric, and how one is added."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
from metrics.test_evaluator import evaluate, log

from benchmark.errors import MetricError
from benchmark.metrics import register
from benchmark.metrics.inputs import ListInputs
from benchmark.metrics.register import listing, metric, parse_metric, registered

LABELS = [entry.label for entry in registered().values()]


@pytest.mark.parametrize("written", LABELS)
def test_parse_every_known_name_is_accepted_and_described(written):
    found = parse_metric(written.replace("@k", "@7"), n_items=7)
    assert found.name == written.replace("@k", "@7")
    assert found.k == (7 if "@" in written else None)
    assert found.formula
    assert found.source


def test_parse_errors_and_inequality_are_better_low():
    low = {base for base, entry in registered().items() if not entry.higher_is_better}
    assert low == {"rmse", "mae", "mse", "logloss", "gini", "popularity", "popularitylift"}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("ndgc@10", "no metric is called 'ndgc@10'; did you mean 'ndcg@10'?"),
        ("NDCG@5", "did you mean 'ndcg@5'?"),
        ("recall10", "did you mean 'recall@10'?"),
        ("zzzz", "known metrics are precision@k"),
        ("ndcg@", "did you mean 'ndcg@10'?"),
        ("ndcg", "needs a cut-off; write 'ndcg@10'"),
        ("auc@10", "takes no cut-off; write 'auc'"),
        ("rmse@5", "takes no cut-off; write 'rmse'"),
        ("ndcg@0", "k is 0; k must be between 1 and the number of items"),
        (
            "rmse/99neg",
            "only ranking metrics at a cut-off are measured among sampled negatives; write 'rmse'",
        ),
        ("novelty@5/99neg", "write 'novelty@5'"),
        ("hit@10/0neg", "sample at least one negative"),
        ("hit@10/neg", "did you mean 'hit@10'?"),
        ("ndcg@-3", "k is -3; k must be between 1"),
    ],
)
def test_parse_bad_name_says_what_to_write(written, message):
    with pytest.raises(MetricError, match=re.escape(message)):
        parse_metric(written)


def test_parse_a_sampled_metric_has_a_name_of_its_own():
    found = parse_metric("hit@10/99neg")
    assert (found.name, found.base, found.k, found.sampled) == ("hit@10/99neg", "hit", 10, 99)
    assert parse_metric("hit@10").sampled is None


def test_parse_list_longer_than_the_catalogue_is_refused():
    assert parse_metric("map@30", n_items=30).k == 30
    with pytest.raises(MetricError, match="k is 31; k must be between 1 and the 30 items"):
        parse_metric("map@31", n_items=30)


def test_parsing_a_name_loads_no_compiled_code():
    code = (
        "import sys; from benchmark.metrics.register import parse_metric; parse_metric('auc');"
        "sys.exit('numba' in sys.modules or 'scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_metrics_are_listed_in_one_order_whichever_module_is_loaded_first():
    code = (
        "import benchmark.metrics.rating, benchmark.metrics.diversity;"
        "from benchmark.metrics.register import registered; print(*registered())"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert shown.split() == list(registered())


@pytest.fixture
def own_register(monkeypatch):
    """A copy of the register, which a test may add to."""
    monkeypatch.setattr(register, "_REGISTER", dict(register._REGISTER))


@pytest.mark.usefixtures("own_register")
def test_decorated_function_is_parsed_listed_and_measured():
    @metric("last", kind="ranking", formula="1 if the k-th item is relevant, else 0", source="this test")
    def last(hits, k):
        return hits[:, k - 1].astype(float)

    target, train = log([(0, 1), (1, 2)], shape=(2, 3)), log([], shape=(2, 3))
    scores = np.tile(np.array([3, 2, 1], np.float32), (2, 1))
    got = evaluate(target, train, scores, [parse_metric("last@2"), parse_metric("last@1/1neg")])
    assert got.per_user["last@2"].tolist() == [1.0, 0.0]
    assert got.values["last@2"] == 0.5
    assert listing()[-1]["formula"] == "1 if the k-th item is relevant, else 0"


@pytest.mark.usefixtures("own_register")
def test_metric_that_asks_for_what_nobody_offers_is_refused_where_it_is_defined():
    with pytest.raises(MetricError, match=r"'odd' asks for hits, weather, .* ListInputs offers .*gains"):

        @metric("odd", kind="ranking", formula="none", source="none")
        def odd(hits, weather):
            """Is never called."""


@pytest.mark.usefixtures("own_register")
def test_metric_of_hits_without_a_cut_off_is_refused_where_it_is_defined():
    with pytest.raises(MetricError, match="metric 'first' is made from hits, so it must take k"):
        metric("first", kind="ranking", formula="none", source="none")(lambda hits, relevant: hits[:, 0])


@pytest.mark.usefixtures("own_register")
@pytest.mark.parametrize("empty", ["formula", "source"])
def test_metric_without_a_formula_or_a_source_is_refused_where_it_is_defined(empty):
    said = {"formula": "none", "source": "none", empty: " "}
    with pytest.raises(MetricError, match=f"metric 'first': {empty} is empty"):
        metric("first", kind="ranking", **said)(lambda hits, k: hits[:, k - 1])


@pytest.mark.usefixtures("own_register")
def test_name_that_is_taken_is_refused():
    with pytest.raises(MetricError, match="'ndcg' is registered twice"):
        metric("ndcg", kind="ranking", formula="none", source="none")(lambda hits: hits)


def test_metrics_on_lists_alone_take_a_cut_off():
    assert {base for base, entry in registered().items() if not entry.made_from(ListInputs)} == {
        "rprecision", "auc", "rmse", "mae", "mse", "r2", "accuracy", "rocauc", "logloss",
    }  # fmt: skip
