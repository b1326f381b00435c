"""Sequential models: what they read, and what their losses are."""

from __future__ import annotations

from importlib import import_module
from typing import ClassVar

import numpy as np
import pytest
import torch  # noqa: TID253 - the subject
import training_logs
from torch.nn.functional import cross_entropy  # noqa: TID253 - likewise

from adapters import ADAPTERS
from adapters.torch.sequence.caser_network import CaserNetwork
from adapters.torch.sequence.layers import Dropout
from adapters.torch.sequence.losses import (
    PopularityNegatives,
    Proposal,
    Targets,
    softmax_loss,
    top_gains,
)
from adapters.torch.sequence.sasrec_network import SASRecNetwork
from adapters.torch.sequence.training import Positions, Sequences
from benchmark.protocol import Interactions
from benchmark.testing import AdapterContract

SMALL = {
    "sasrec": {"dim": 32, "history": 20, "batch_size": 32},
    "gru4rec": {"dim": 64, "history": 20, "batch_size": 16, "lr": 0.01},
    "caser": {"dim": 32, "batch_size": 256},
}


def load(name: str) -> type:
    module, _, cls = ADAPTERS[f"torch/{name}"].partition(":")
    return getattr(import_module(module), cls)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def log(histories: list[list[int]], n_items: int) -> Interactions:
    """Return a log of these histories, its rows in a drawn order."""
    users = np.repeat(np.arange(len(histories)), [len(items) for items in histories]).astype(np.int32)
    items = np.concatenate([np.array(items, dtype=np.int32) for items in histories])
    times, order = np.arange(len(items)), np.random.default_rng(0).permutation(len(items))
    columns = users[order], items[order], None, times[order]
    return training_logs.interactions(*columns, n_users=len(histories), n_items=n_items)


def fitted(name: str, train: Interactions, steps: int = 1, **config):
    return training_logs.fitted(load(name)(**{**SMALL[name], **config}), train, steps)


def cyclic(users: int = 60, n_items: int = 30) -> Interactions:
    """Return histories in which the item after ``i`` is always ``i + 1``, from drawn starts."""
    starts = np.random.default_rng(1).integers(n_items, size=users)
    return log([((start + np.arange(12)) % n_items).tolist() for start in starts], n_items)


class TestBprMax(AdapterContract):
    adapter = load("gru4rec")
    config: ClassVar = {**SMALL["gru4rec"], "loss": "bpr-max", "negatives": 64, "max_epochs": 12}


@pytest.mark.parametrize("name", SMALL)
def test_next_item_of_a_known_order_comes_first(name):
    alone = {"ahead": 1} if name == "caser" else {}  # else the next three are equal
    model = fitted(name, cyclic(), steps=40, lr=1e-2, dropout=0.0, **alone)
    for last in (4, 17, 29):
        history = (last - 4 + np.arange(5)).astype(np.int32) % 30
        assert model.fold_in(history).argmax() == (last + 1) % 30


@pytest.mark.parametrize("name", ["sasrec", "gru4rec"])
def test_new_user_with_the_history_of_an_old_one_gets_the_same_scores(name):
    histories = [[3, 1, 4, 1, 5, 9, 2, 6], [2, 7], [1, 8, 2]]
    model = fitted(name, log(histories, 10), history=5)
    scores = model.score(np.array([0, 1, 2], dtype=np.int32))
    for user, items in enumerate(histories):
        np.testing.assert_allclose(model.fold_in(np.array(items, dtype=np.int32)), scores[user], atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_order_of_a_history_matters_and_what_is_older_than_history_does_not(name):
    model = fitted(name, cyclic(), steps=3, history=4)
    items = np.array([9, 1, 2, 3, 4], dtype=np.int32)
    assert np.array_equal(model.fold_in(items), model.fold_in(np.array([7, 1, 2, 3, 4])))
    assert np.abs(model.fold_in(items) - model.fold_in(np.array([9, 4, 2, 3, 1]))).max() > 1e-4


@pytest.mark.parametrize("name", SMALL)
def test_log_in_which_nobody_has_two_items_still_steps_and_scores(name):
    model = fitted(name, log([[0], [1]], 3), steps=2)
    assert np.isfinite(model.score(np.array([0, 1], dtype=np.int32))).all()


@pytest.mark.parametrize("name", SMALL)
def test_state_with_an_item_out_of_bounds_is_refused(name):
    state = fitted(name, log([[0, 1], [1, 2]], 3)).state()
    state["history.items"] = state["history.items"] + 3
    with pytest.raises(ValueError, match="items 0 to 2"):
        load(name)(**SMALL[name]).restore(state)


def test_windows_hold_each_transition_once():
    sequences = Sequences(log([list(range(23)), [5], [7, 8], list(range(4))], 23), torch.device("cpu"))
    rng = generator()
    cuts = set()
    for _ in range(5):
        first, lengths = sequences.windows(4, rng)
        spans = zip(first.tolist(), lengths.tolist(), strict=True)
        held = [position for start, n in spans for position in range(start, start + n)]
        assert sorted(held) == [*range(22), 24, 26, 27, 28]
        assert 1 <= lengths.min() <= lengths.max() <= 4
        cuts.add(tuple(first.tolist()))
    assert len(cuts) > 1  # cut elsewhere in each pass


def test_packed_windows_give_each_item_and_the_one_after_it():
    histories = [list(range(10, 30)), list(range(3)), list(range(5, 10))]
    sequences, pairs = Sequences(log(histories, 30), torch.device("cpu")), []
    for batch in sequences.packed(6, 2, generator()):
        items, targets, counts = sequences.inputs_and_targets(*batch)
        assert items.numel() <= 12 or len(items) == 1
        pairs += zip(items[counts].tolist(), targets[counts].tolist(), strict=True)
    assert sorted(pairs) == sorted((i, i + 1) for items in histories for i in items[:-1])


def test_positions_give_items_before_and_ahead_within_one_history():
    positions = Positions(log([[4, 5, 6], [7, 8]], 9), torch.device("cpu"))
    batches = positions.batches(2, generator())
    assert sorted(torch.cat([position for (position,) in batches]).tolist()) == [1, 2, 4]
    users, items, present = positions.around(torch.tensor([1, 4]), 2, 2)
    assert users.tolist() == [0, 1]
    assert present.tolist() == [[False, True, True, True], [False, True, True, False]]
    assert items[present].tolist() == [4, 5, 6, 7, 8]


def proposal(n_items: int) -> Proposal:
    """Return what a softmax draws from, where item 0 is liked 40 times and each other one once."""
    return Proposal(log([[0] * 40, list(range(n_items))], n_items), generator(4))


def test_large_catalogue_is_drawn_by_a_power_of_popularity_and_a_small_one_uniformly(monkeypatch):
    drawn, likelier = proposal(9).draw(40_000)
    assert likelier is None
    np.testing.assert_allclose(torch.bincount(drawn) / 40_000, np.full(9, 1 / 9), atol=0.01)
    monkeypatch.setattr("adapters.torch.sequence.losses.LARGE_TABLE", 8)
    drawn, likelier = proposal(9).draw(40_000)
    chances = np.array([42, *[2] * 8]) ** 0.75
    chances /= chances.sum()
    np.testing.assert_allclose(torch.bincount(drawn) / 40_000, chances, atol=0.01)
    np.testing.assert_allclose(likelier, np.log(chances * 9)[drawn], rtol=1e-5)


def test_sasrec_over_a_large_catalogue_moves_only_the_items_that_batches_look_up(monkeypatch):
    monkeypatch.setattr("adapters.torch.layers.LARGE_TABLE", 29)
    train = log([[3, 5, 3, 5, 3], [5, 3, 5, 3, 5]], 30)
    before, after = (
        fitted("sasrec", train, negatives=2, dropout=0.0, lr=lr).state()["items.weight"]
        for lr in (1e-12, 0.1)
    )
    moved = np.flatnonzero(np.abs(after - before).max(1) > 1e-6)
    assert {3, 5} <= set(moved)
    assert len(moved) <= 4  # two of 30 are drawn for a batch


def test_sasrec_over_a_large_catalogue_learns_a_known_order(monkeypatch):
    monkeypatch.setattr("adapters.torch.layers.LARGE_TABLE", 29)
    model = fitted("sasrec", cyclic(), steps=40, lr=1e-2, dropout=0.0, negatives=8)
    for last in (4, 17, 29):
        history = (last - 4 + np.arange(5)).astype(np.int32) % 30
        assert model.fold_in(history).argmax() == (last + 1) % 30


def softmax_case():
    rng = generator(3)
    hidden = torch.randn(50, 8, generator=rng, requires_grad=True)
    table = torch.randn(20, 8, generator=rng, requires_grad=True)
    items = torch.randint(20, (50, 2), generator=rng)
    counts = torch.rand((50, 2), generator=rng) < 0.7
    expected = cross_entropy((hidden @ table.T).repeat_interleave(2, 0)[counts.flatten()], items[counts])
    return hidden, table, Targets(items, counts), expected


def test_full_softmax_and_its_gradients_equal_those_of_autograd(monkeypatch):
    monkeypatch.setattr("adapters.torch.sequence.losses.CHUNK", 140)  # seven rows at a time
    hidden, table, targets, expected = softmax_case()
    ours = softmax_loss(hidden, table, targets, 0, proposal(20))
    torch.testing.assert_close(ours, expected)
    for found, right in zip(
        torch.autograd.grad(2 * ours, [hidden, table]),
        torch.autograd.grad(2 * expected, [hidden, table]),
        strict=True,
    ):
        torch.testing.assert_close(found, right)


@pytest.mark.parametrize("large", [False, True])
def test_sampled_softmax_comes_near_the_full_one(monkeypatch, large):
    if large:
        monkeypatch.setattr("adapters.torch.sequence.losses.LARGE_TABLE", 1999)
    rng, items = generator(3), proposal(2000)
    hidden, table = torch.randn(40, 4, generator=rng) / 2, torch.randn(2000, 4, generator=rng)
    targets = Targets(torch.randint(2000, (40, 1), generator=rng), torch.ones(40, 1, dtype=torch.bool))
    full = softmax_loss(hidden, table, targets, 0, items)
    drawn = torch.stack([softmax_loss(hidden, table, targets, 500, items) for _ in range(20)])
    assert abs(drawn.mean() - full) < 0.02
    assert drawn.std() > 1e-4


def gru_case():
    scores = torch.randn(3, 2, 5, generator=generator(), dtype=torch.float64)
    counts = torch.tensor([[True, True], [True, True], [False, True]])
    return scores, counts


def negatives_of(t: int, b: int) -> list[int]:
    """Return the negatives of a target in :func:`gru_case`: sequence 0 has ended in time step 2."""
    return [c for c in range(5) if c != b and not (t == 2 and c == 0)]


def test_gru4rec_cross_entropy_equals_the_written_out_formula():
    scores, counts = gru_case()
    terms = []
    for t, b in counts.nonzero().tolist():
        row = scores[t, b].numpy()
        all_of_them = row[[b, *negatives_of(t, b)]]
        terms.append(-row[b] + np.log(np.exp(all_of_them).sum()))
    assert float(top_gains(scores, counts, "cross-entropy", 0.0)) == pytest.approx(np.mean(terms))


def test_gru4rec_bpr_max_equals_the_written_out_formula():
    scores, counts = gru_case()
    terms = []
    for t, b in counts.nonzero().tolist():
        row = scores[t, b].numpy()
        row = np.where(row > 0, row, 0.5 * np.expm1(row))  # the exponential linear unit
        others = row[negatives_of(t, b)]
        weights = np.exp(others) / np.exp(others).sum()
        pairs = (weights / (1 + np.exp(others - row[b]))).sum()
        terms.append(-np.log(pairs) + 0.7 * (weights * others**2).sum())
    assert float(top_gains(scores, counts, "bpr-max", 0.7)) == pytest.approx(np.mean(terms))


def test_gru4rec_samples_follow_popularity_to_the_power_alpha():
    train = log([[0] * 16, [1] * 4, [2], [4]], 6)
    drawn, penalty = PopularityNegatives(train, 0.5, 1.0, generator()).sample(torch.tensor([[0, 4]]), 40_000)
    assert drawn[0, :2].tolist() == [0, 4]
    shares = torch.bincount(drawn[0, 2:], minlength=6) / 40_000
    np.testing.assert_allclose(shares, np.array([4, 2, 1, 0, 1, 0]) / 8, atol=0.01)
    assert penalty[0, :2].tolist() == pytest.approx([np.log(16), 0.0])
    np.testing.assert_allclose(penalty[0, 2:], np.log([4, 2, 1, 1, 1, 1])[drawn[0, 2:]], atol=1e-6)


def test_sasrec_state_at_a_position_knows_nothing_of_later_items():
    torch.manual_seed(0)
    network, items = SASRecNetwork(9, 8, 2, 6, sparse=False), torch.tensor([[1, 2, 3, 4, 5]])
    changed = items.clone()
    changed[0, 3:] = 7
    with torch.no_grad():
        torch.testing.assert_close(network(items)[0, :3], network(changed)[0, :3])
        assert (network(items)[0, 3] - network(changed)[0, 3]).abs().max() > 1e-3


def test_caser_banded_product_equals_sliding_each_filter():
    torch.manual_seed(0)
    network, image = CaserNetwork(3, 9, 4, 3, (2, 1)), torch.randn(5, 3, 4)
    with torch.no_grad():
        swept = network._sweep(image.flatten(1))
        slid = [
            layer(image[:, start : start + height].flatten(1))
            for height, layer in enumerate(network.across, start=1)
            for start in range(3 - height + 1)
        ]
    torch.testing.assert_close(swept, torch.cat(slid, 1))


def test_dropout_zeroes_its_share_and_keeps_the_mean():
    dropped = Dropout(0.3, generator())(torch.ones(400, 500))
    assert (dropped == 0).float().mean() == pytest.approx(0.3, abs=0.01)
    assert dropped.mean() == pytest.approx(1.0, abs=0.01)
