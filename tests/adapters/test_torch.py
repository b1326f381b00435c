"""The PyTorch models: each formula beside its plain form, cold items."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from training_logs import all_users, fitted, interactions

from adapters.torch.deepfm import DeepFm
from adapters.torch.dmf import Dmf, rating_shares
from adapters.torch.fm import Fm
from adapters.torch.lightgcn import LightGcn
from adapters.torch.mf import Mf
from adapters.torch.multvae import MultVae
from adapters.torch.neumf import NeuMf
from benchmark.protocol import Features, FitContext, Interactions
from benchmark.testing import planted_parts


def log(n_users: int = 6, n_items: int = 5, n: int = 14, seed: int = 0) -> Interactions:
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(n_users * n_items)[:n]
    users, items = (pairs // n_items).astype(np.int32), (pairs % n_items).astype(np.int32)
    values = rng.integers(1, 6, n)
    return interactions(users, items, values, n_users=n_users, n_items=n_items, scale=(1.0, 5.0))


def test_lightgcn_vectors_are_the_mean_of_the_dense_powers_of_its_graph():
    import torch

    from adapters.torch.lightgcn_network import LightGCNNetwork

    positives = log().matrix()
    network = LightGCNNetwork(positives, 3, 3, "cpu")
    dense = positives.toarray().astype(np.float64)
    graph = np.block([[np.zeros((6, 6)), dense], [dense.T, np.zeros((5, 5))]])
    roots = np.sqrt(np.maximum(graph.sum(1), 1))
    graph = graph / roots[:, None] / roots
    mean = sum(np.linalg.matrix_power(graph, k) for k in range(4)) / 4
    vectors = torch.cat(network())
    np.testing.assert_allclose(vectors.detach().numpy(), mean @ network.own.detach().numpy(), atol=1e-6)
    vectors.square().sum().backward()
    expected = 2 * mean.T @ mean @ network.own.detach().numpy()
    np.testing.assert_allclose(network.own.grad.numpy(), expected, atol=1e-5)


def likelihood(logits, train: Interactions):
    return -logits.log_softmax(1)[train.users.astype(np.int64), train.items.astype(np.int64)].sum()


def test_multinomial_and_its_gradient_equal_the_log_softmax_at_each_like():
    import torch

    from adapters.torch.losses import Histories, multinomial

    train = log()
    ours, theirs = (torch.linspace(-2, 3, 30).sin().view(6, 5).requires_grad_() for _ in range(2))
    likes = Histories(train, torch.device("cpu")).select(torch.arange(6))
    found, expected = multinomial(ours, likes), likelihood(theirs, train)
    (found + expected).backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    np.testing.assert_allclose(ours.grad, theirs.grad, atol=1e-6)


def test_sampled_softmax_of_a_large_catalogue_is_near_the_full_one(monkeypatch):
    import torch

    from adapters.torch import losses

    train, _ = planted_parts()
    histories = losses.Histories(train, torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    users, items = (torch.randn(n, 4, generator=generator) / 2 for n in (train.n_users, train.n_items))
    likes = histories.select(torch.arange(train.n_users))
    full = float(losses.softmax_of_products(users, items, likes, generator))
    monkeypatch.setattr(losses, "MAX_SOFTMAX_ITEMS", train.n_items - 1)
    drawn = [float(losses.softmax_of_products(users, items, likes, generator)) for _ in range(20)]
    assert np.mean(drawn) == pytest.approx(full, rel=0.01)
    assert np.std(drawn) > 0


def test_multvae_loss_is_the_negative_evidence_lower_bound():
    import torch

    from adapters.torch.losses import Histories
    from adapters.torch.multvae_network import MultVAENetwork

    train = log()
    torch.manual_seed(0)
    network = MultVAENetwork(np.zeros(5, np.float32), 3, 4)
    likes = Histories(train, torch.device("cpu")).select(torch.arange(6))
    found = network.loss(likes, 0.0, 0.3, torch.Generator().manual_seed(1)).item()
    generator = torch.Generator().manual_seed(1)
    torch.bernoulli(torch.ones(len(train)), generator=generator)  # the mask of the input comes first
    history = torch.tensor(train.matrix().toarray())
    hidden = torch.tanh(torch.nn.functional.normalize(history) @ network.items + network.items_bias)
    mean, log_variance = network.latent(hidden).chunk(2, 1)
    posterior = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    z = mean + torch.randn(mean.shape, generator=generator) * posterior.scale
    prior = torch.distributions.Normal(torch.zeros_like(mean), 1.0)
    divergence = torch.distributions.kl_divergence(posterior, prior).sum()
    expected = (likelihood(network.decode(z), train) + 0.3 * divergence) / 6
    assert found == pytest.approx(expected.item(), rel=1e-5)


def test_average_of_weights_follows_what_it_is_made_of():
    import torch

    from adapters.torch.training import MovingAverage

    source = torch.nn.Linear(1, 1, bias=False)
    source.weight.data.fill_(0.0)
    average = MovingAverage(source, decay=0.5)
    source.weight.data.fill_(1.0)
    average.update()
    assert average.network.weight.item() == pytest.approx(0.9)  # 1 - 1 / 10: the first moves are long
    for _ in range(30):
        average.update()
    assert average.network.weight.item() == pytest.approx(1.0)


def test_multvae_served_by_numpy_equals_its_network():
    import torch

    from adapters.torch.losses import Histories
    from adapters.torch.multvae_network import MultVAENetwork
    from adapters.torch.training import load_state

    train = log()
    model = fitted(MultVae(dim=3), train, steps=1)
    network = MultVAENetwork(np.zeros(5, np.float32), 3, 9)
    load_state(network, {k: v for k, v in model.state().items() if not k.startswith("history.")})
    likes = Histories(train, torch.device("cpu")).select(torch.arange(6))
    with torch.no_grad():
        expected = network.decode(network.encode(likes, torch.ones(len(train)))[0])
    np.testing.assert_allclose(model.score(all_users(train)), expected, atol=1e-5)


def test_multvae_folds_a_user_in_as_if_it_had_been_trained_with():
    train = log()
    model = fitted(MultVae(dim=3), train, steps=1)
    items = train.items[train.users == 2]
    np.testing.assert_allclose(model.fold_in(items), model.score(np.array([2]))[0], atol=1e-6)


def test_mf_ratings_are_clipped_and_rank_like_its_scores():
    train = log()
    model = fitted(Mf(dim=2, lr=0.05, batch_size=4), train, steps=20)
    everything = np.arange(5, dtype=np.int32)
    ratings = model.rate(np.zeros(5, np.int32), everything)
    inside = (ratings > 1) & (ratings < 5)
    assert inside.sum() >= 2
    assert ratings[~inside].tolist() == np.clip(ratings[~inside], 1, 5).tolist()
    offsets = (ratings - model.score(np.array([0], dtype=np.int32))[0])[inside]
    assert np.ptp(offsets) < 1e-5


def test_dmf_input_is_the_rating_over_the_highest_one():
    train = log()
    rated = rating_shares(train)
    assert rated[train.users[0], train.items[0]] == pytest.approx(train.values[0] / 5)
    assert set(np.unique(rating_shares(replace(train, scale=None)).data)) == {1.0}


def test_dmf_input_of_a_pair_with_several_rows_is_their_mean():
    train = interactions([0, 0, 1], [0, 0, 1], [2, 4, 5], scale=(1.0, 5.0))
    np.testing.assert_allclose(rating_shares(train).toarray(), [[0.6, 0.0], [0.0, 1.0]], rtol=1e-6)


def test_dmf_scores_are_cosines():
    train = log()
    state = fitted(Dmf(dim=4, hidden=8), train, steps=1).state()
    for side in ("users", "items"):
        lengths = np.linalg.norm(state[side], axis=1)
        np.testing.assert_allclose(lengths[lengths > 0], 1, rtol=1e-5)
        assert (lengths > 0).mean() > 0.5


def with_genres(cold_item: int) -> Interactions:
    """Return the planted log in which an item has no row; each item is of the kind of its fellows."""
    train, _ = planted_parts()
    kinds = np.arange(train.n_items) % 3
    keep = (train.items != cold_item) & (train.users % 3 == kinds[train.items])  # who likes which kind
    matrix = csr_matrix((np.ones(train.n_items), (np.arange(train.n_items), kinds)), dtype=np.float32)
    return replace(train.rows(keep), item_features=Features(matrix, ("a", "b", "c")))


@pytest.mark.parametrize("model", [Fm(dim=8, batch_size=32), DeepFm(dim=8, lr=0.01, batch_size=64)])
def test_cold_item_is_ranked_by_its_features(model):
    train = with_genres(cold_item=4)
    scores = fitted(model, train, steps=20).score(all_users(train)[:-2])
    fans = np.arange(len(scores)) % 3 == 4 % 3
    ranks = (scores > scores[:, [4]]).mean(1)
    assert ranks[fans].mean() < ranks[~fans].mean() - 0.2


def test_negatives_are_hardly_ever_likes():
    import torch

    from adapters.torch.losses import unseen

    users, items = torch.arange(50).repeat_interleave(50), torch.arange(50).repeat(50)
    codes = (users * 100 + items).sort().values  # half of the 100 items
    drawn = unseen(users, codes, 100, 4, torch.Generator().manual_seed(0))
    assert drawn.shape == (2500, 4)
    assert (drawn < 50).float().mean() < 0.08  # 1/16 expected after three redraws
    assert len(drawn.unique()) > 50


def test_negatives_are_never_items_that_nobody_liked():
    import torch

    from adapters.torch.losses import Negatives

    train = interactions(np.arange(200) % 50, np.arange(200) % 20 * 3, n_items=70)
    users = torch.from_numpy(train.users.astype(np.int64))
    drawn = Negatives(train, users).draw(3, torch.Generator().manual_seed(0))
    assert set(drawn.unique().tolist()) == set(range(0, 60, 3))


def test_fm_scores_equal_the_sum_over_all_pairs_of_fields():
    import torch

    from adapters.torch.fm_network import FMNetwork

    train = with_genres(cold_item=4)
    torch.manual_seed(0)
    network = FMNetwork(train, 3, "cpu")
    with torch.no_grad():
        (users, user_bias, _), (items, item_bias, _) = network.users(), network.items()
    fields = [network.users.ids[7], network.items.ids[5], network.items.features[5 % 3]]
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = sum((fields[a][:-1] @ fields[b][:-1]).item() for a, b in pairs)
    expected += sum(field[-1].item() for field in fields)
    found = users[7] @ items[5] + user_bias[7] + item_bias[5]
    assert found.item() == pytest.approx(expected, rel=1e-4)


def test_deepfm_scores_of_all_items_equal_those_of_its_training_pass_up_to_a_constant():
    import torch

    from adapters.torch.deepfm_network import DeepFMNetwork, DeepFMScorer

    train, _ = planted_parts()
    torch.manual_seed(0)
    network = DeepFMNetwork(train, 4, 2, "cpu")
    users, items = torch.arange(3), torch.arange(train.n_items)
    with torch.no_grad():
        pairs = network(users, items.repeat(3, 1), torch.ones(3, 8))
        difference = pairs - DeepFMScorer(network.tables(), network.tower).score(users)
    assert float((difference - difference[:, :1]).abs().max()) < 1e-6


def test_neumf_scores_of_all_items_equal_those_of_its_training_pass():
    import torch

    model = fitted(NeuMf(), planted_parts()[0], steps=1)
    users, items = torch.arange(3), torch.arange(model.score(np.array([0])).shape[1])
    with torch.no_grad():
        pairs = model._network(users, items.repeat(3, 1), torch.ones(3, 2 * model.dim))
    np.testing.assert_allclose(pairs.numpy(), model.score(users.numpy()), atol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("model", [Mf(), Dmf(), MultVae(), LightGcn(), Fm(), DeepFm()])
def test_model_learns_on_cuda(model):
    train, _ = planted_parts()
    context = FitContext(device="cuda")
    model.open_device(context)
    for _ in islice(model.fit_steps(train, context), 2):
        pass
    scores = model.score(all_users(train))
    assert scores.shape == (train.n_users, train.n_items)
    assert np.isfinite(scores).all()


def test_first_negative_is_a_known_dislike_of_the_user_in_half_of_the_cases():
    import torch

    from adapters.torch.losses import Negatives, pair_tensors

    likes = interactions([0] * 500 + [1] * 500, [0, 1, 2, 3] * 250, n_users=3, n_items=9)
    train = replace(likes, dislikes=interactions([0, 0, 2], [7, 8, 6], n_users=3, n_items=9))
    users, _ = pair_tensors(train, torch.device("cpu"))
    drawn = Negatives(train, users).draw(3, torch.Generator().manual_seed(0)).numpy()
    disliked = np.isin(drawn[:500], [7, 8])
    assert disliked[:, 1:].sum() == 0
    assert 0.4 < disliked[:, 0].mean() < 0.6
    assert {7, 8} <= set(drawn[:500, 0])
    assert (drawn[500:] < 4).all()


def test_passes_over_a_large_log_have_few_batches(monkeypatch):
    import torch

    from adapters.torch.training import Options, epochs
    from benchmark.modelkit import pace

    monkeypatch.setattr(pace, "LARGE", 100)
    monkeypatch.setattr(pace, "BATCHES", 5)
    sizes = []
    weight = torch.zeros(1, requires_grad=True)

    def loss(batch):
        sizes.append(len(batch))
        return (weight**2).sum()

    steps = epochs([weight], 200, lambda: loss, Options(0.1, 0.0, 8, pace.Pace(200)), torch.Generator())
    assert next(steps) == 200
    assert sizes == [40] * 5


def test_batch_moves_and_shrinks_those_rows_of_a_large_table_that_it_looks_up(monkeypatch):
    import torch

    from adapters.torch import layers
    from adapters.torch.training import Options, epochs, sparse_tables
    from benchmark.modelkit import pace

    monkeypatch.setattr(layers, "LARGE_TABLE", 9)
    monkeypatch.setattr(pace, "LARGE", 1)
    network = torch.nn.ModuleList([layers.vectors(10, 2), layers.vectors(9, 2)])
    (table,) = sparse_tables(network)
    assert table is network[0].weight
    torch.nn.init.constant_(table, 0.5)  # a step of 0.1 would lead past zero what is near it
    before, looked_up = table.detach().clone(), []

    def loss(batch):
        looked_up.append(batch)
        return 0.0 * network[0](batch).sum() + 0.0 * network[1].weight.sum()  # l2 alone moves them

    options = Options(0.1, 1.0, 2, pace.Pace(4), sparse=(table,))
    next(epochs(network.parameters(), 4, lambda: loss, options, torch.Generator()))
    assert [len(batch) for batch in looked_up] == [2, 2]  # nothing is saved by larger ones
    moved = (table.detach() - before).abs().amax(1) > 0
    assert moved.nonzero()[:, 0].tolist() == [0, 1, 2, 3]
    assert (table.detach()[:4].abs() < before[:4].abs()).all()


def test_neumf_with_large_tables_ranks_what_is_liked_first(monkeypatch):
    monkeypatch.setattr("adapters.torch.layers.LARGE_TABLE", 3)
    likes = np.kron(np.eye(2), np.ones((10, 5))) > 0  # two groups of users, who like other items
    users, items = likes.nonzero()
    train = interactions(users, items, n_users=20, n_items=10)
    model = fitted(NeuMf(dim=8, batch_size=16, dropout=0.0, lr=0.02), train, 20)
    scores = model.score(all_users(train))
    assert (np.where(likes, scores, np.inf).min(1) > np.where(likes, -np.inf, scores).max(1)).all()


def test_mf_whose_tables_are_all_large_learns_the_ratings(monkeypatch):
    """It has no parameter with a dense gradient then."""
    monkeypatch.setattr("adapters.torch.layers.LARGE_TABLE", 3)
    values = np.kron([[5.0, 1.0], [1.0, 5.0]], np.ones((10, 5)))
    users, items = (axis.ravel() for axis in np.indices(values.shape))
    train = interactions(users, items, values.ravel(), n_users=20, n_items=10, scale=(1.0, 5.0))
    model = fitted(Mf(dim=8, batch_size=16, lr=0.02, l2=3e-3), train, 20)
    assert np.abs(model.rate(users, items) - values.ravel()).mean() < 1.0
