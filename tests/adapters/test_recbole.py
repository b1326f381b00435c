"""RecBole's models: what the tables say, and what is served without RecBole; the rest in its environment."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from environment_contract import InItsEnvironment
from scipy.sparse import csr_matrix

from adapters import RECBOLE
from adapters.recbole import models
from adapters.recbole.models import BPR, CKE, DMF, EASE, MODELS, SimpleX, SLIMElastic
from adapters.recbole.rows import Rows
from benchmark.api.adapters import registry
from benchmark.errors import AdapterError
from benchmark.protocol import Choice, Hyperparameter, KnowledgeGraph
from benchmark.testing import planted_parts
from benchmark.traits import traits


def rows() -> Rows:
    """Three rows and a graph of two triples."""
    users, items = np.array([0, 1, 1], dtype=np.int32), np.array([2, 0, 1], dtype=np.int32)
    one, two = np.array([0, 1], dtype=np.int32), np.array([3, 3], dtype=np.int32)
    return Rows(users, items, 2, 3, KnowledgeGraph(one, one, two, 4, ("0", "1")))


def test_every_model_of_the_tables_is_listed_by_its_name_in_recbole() -> None:
    assert sorted(RECBOLE) == sorted(MODELS)
    assert registry()["recbole/EASE"].cls is EASE


def test_every_default_and_published_configuration_lies_in_its_space() -> None:
    for cls in MODELS.values():
        own, model = traits(cls), cls()
        for name, domain in own.space.items():
            value = getattr(model, name)
            assert value in domain, (cls, name)
            assert own.published.get(name, value) in domain, (cls, name)


def test_fields_reach_recbole_under_its_own_keys() -> None:
    assert EASE(l2=1000.0).settings() == {"reg_weight": 1000.0}
    assert BPR(lr=0.01).settings() == {
        "embedding_size": 64,
        "learning_rate": 0.01,
        "train_batch_size": 2048,
        "epochs": 300,
    }
    drawn = SimpleX(negatives=50).settings()["train_neg_sample_args"]
    assert drawn == {"distribution": "uniform", "sample_num": 50}
    both = DMF(hidden="[64,32]").settings()
    assert both["user_hidden_size_list"] == both["item_hidden_size_list"] == [64, 32]
    assert models.MODELS["SASRec"]().settings()["train_neg_sample_args"] is None


def test_every_list_among_the_fields_can_be_read() -> None:
    for cls in MODELS.values():
        assert cls().settings()
        for name, domain in cls.space.items():
            for value in domain.options if isinstance(domain, Choice) else ():
                assert cls(**{name: value}).settings()


def test_text_in_brackets_that_is_no_list_is_refused_and_never_evaluated() -> None:
    with pytest.raises(AdapterError, match=r"recbole/DMF: hidden is .* must be a list of numbers"):
        DMF(hidden="[__import__('os').getcwd()]").settings()


def test_model_of_a_graph_is_given_it_and_the_engine_knows_that_it_needs_one() -> None:
    train, _ = planted_parts()
    assert traits(CKE).needs_graph
    assert CKE().rows(train).graph is train.graph is not None


def test_rows_and_graph_come_back_from_their_arrays() -> None:
    state = rows().state()
    found = Rows.restored({name: np.array(array) for name, array in state.items()})
    assert {name: array.tolist() for name, array in found.state().items()} == {
        name: array.tolist() for name, array in state.items()
    }


def test_rows_with_an_id_out_of_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="ids must be 0 to 2, found 0 to 3"):
        Rows.restored({**rows().state(), "rows.items": np.array([0, 3], dtype=np.int32)})


class Solved:
    """A session whose model is ready: weights from each item to the next."""

    def __init__(self, weights: Any) -> None:
        self.item_weights = lambda: weights


@pytest.mark.parametrize(
    ("cls", "weights"), [(EASE, np.eye(122, k=1)), (SLIMElastic, csr_matrix(np.eye(122, k=1)))]
)
def test_item_weights_score_and_come_back_without_recbole(cls: Any, weights: Any) -> None:
    train, _ = planted_parts()
    model, again = cls(), cls()
    model._history = train.counts()
    model.keep(Solved(weights.astype(np.float32)))
    again.restore(model.state())
    users = np.array([3, 7, 201], dtype=np.int32)
    shifted = np.roll(train.matrix()[users].toarray(), 1, axis=1)
    np.testing.assert_array_equal(model.score(users), shifted)
    np.testing.assert_array_equal(again.score(users), shifted)
    np.testing.assert_array_equal(again.fold_in(np.array([4, 9])).nonzero()[0], [5, 10])


@pytest.mark.slow
class TestEase(InItsEnvironment):
    adapter = EASE


@pytest.mark.slow
class TestBpr(InItsEnvironment):
    adapter = BPR
    config: ClassVar[dict[str, Hyperparameter]] = {"lr": 0.02, "batch_size": 128}


@pytest.mark.slow
class TestMultiVae(InItsEnvironment):
    adapter = models.MultiVAE
    config: ClassVar[dict[str, Hyperparameter]] = {"lr": 0.005, "batch_size": 32}


@pytest.mark.slow
class TestStamp(InItsEnvironment):
    adapter = models.STAMP
    config: ClassVar[dict[str, Hyperparameter]] = {"lr": 0.01, "batch_size": 256, "history": 20, "dim": 32}
