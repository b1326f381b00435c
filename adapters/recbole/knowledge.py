"""RecBole's knowledge-aware models: they learn from pairs and from a graph of which items are a part.

Ranges and best configurations: recbole.io/hyperparameters/knowledge.html (MovieLens-1M).
"""

from __future__ import annotations

from adapters.recbole.entry import Entry
from benchmark.hyperparameters import COUNT
from benchmark.protocol import Choice, Range

SIZES = Choice(16, 32, 64)
BOTH = "A pass costs O((N + triples) dim), a full scoring O(U I dim)."

KNOWLEDGE = (
    Entry(
        "CFKG",
        "Users, items and entities translated by relations (Ai 2018, arXiv:1805.03352).",
        BOTH,
        own={"dim": 64, "loss_function": "inner_product", "margin": 1.0},
        space={
            "lr": Range(1e-4, 1e-2, log=True),
            "loss_function": Choice("inner_product", "transe"),
            "margin": Range(0.5, 2.0),
        },
    ),
    Entry(
        "CKE",
        "Matrix factorisation with vectors of entities by TransR (Zhang 2016, KDD).",
        BOTH,
        own={"dim": 64, "kg_embedding_size": 64, "reg_weights": "[0.01,0.01]"},
        space={
            "lr": Range(5e-5, 1e-3, log=True),
            "kg_embedding_size": Choice(16, 32, 64, 128),
            "reg_weights": Choice("[0.1,0.1]", "[0.01,0.01]", "[0.001,0.001]"),
        },
        published={"lr": 5e-4, "kg_embedding_size": 128, "reg_weights": "[0.001,0.001]"},
        serving="vectors",
    ),
    Entry(
        "KGCN",
        "Graph convolution over an item's neighbours in the graph (Wang 2019, arXiv:1904.12575).",
        "A pass costs O(N dim neighbour_sample_size^n_iter), a full scoring as much for U I pairs.",
        own={"dim": 64, "n_iter": 1, "aggregator": "sum", "l2": 1e-7, "neighbor_sample_size": 4},
        space={
            "lr": Range(5e-4, 2e-3, log=True),
            "n_iter": Range(1, 2),
            "l2": Range(1e-7, 1e-4, log=True),
            "aggregator": Choice("sum", "concat", "neighbor"),
        },
        published={"lr": 2e-3, "n_iter": 2, "l2": 1e-5},
        limits={"n_iter": COUNT, "neighbor_sample_size": COUNT},
    ),
    Entry(
        "KGNNLS",
        "KGCN with labels that are smooth over the graph (Wang 2019, arXiv:1905.04413).",
        "A pass costs O(N dim neighbour_sample_size^n_iter), a full scoring as much for U I pairs.",
        own={
            "dim": 64,
            "n_iter": 1,
            "l2": 1e-7,
            "neighbor_sample_size": 4,
            "ls_weight": 0.5,
        },
        space={
            "lr": Range(5e-4, 2e-3, log=True),
            "n_iter": Range(1, 2),
            "l2": Range(1e-7, 1e-3, log=True),
            "ls_weight": Range(1e-3, 1.0, log=True),
        },
        published={"lr": 5e-4, "l2": 1e-5, "ls_weight": 1.0},
        limits={"n_iter": COUNT, "neighbor_sample_size": COUNT},
    ),
    Entry(
        "KTUP",
        "Recommendation and completion of the graph in turn (Cao 2019, arXiv:1902.06236).",
        BOTH,
        own={
            "dim": 64,
            "train_rec_step": 5,
            "train_kg_step": 5,
            "margin": 1.0,
            "kg_weight": 1.0,
            "align_weight": 1.0,
        },
        space={
            "lr": Range(1e-3, 1e-2, log=True),
            "train_rec_step": Range(5, 10),
            "train_kg_step": Range(0, 5),
        },
        published={"train_rec_step": 8, "train_kg_step": 1},
        fixed={
            "use_st_gumbel": False
        },  # with it, which is RecBole's default, every scoring draws other scores
        limits={"train_rec_step": COUNT},
    ),
    Entry(
        "MKR",
        "Two tasks with layers that cross items and entities (Wang 2019, arXiv:1901.08907).",
        "A pass costs O((N + triples) dim^2), a full scoring O(U I dim^2).",
        own={
            "dim": 64,
            "kg_embedding_size": 64,
            "low_layers_num": 1,
            "high_layers_num": 1,
            "l2": 1e-6,
            "kge_interval": 3,
            "dropout": 0.0,
        },
        space={
            "lr": Range(5e-5, 1e-2, log=True),
            "low_layers_num": Range(1, 3),
            "high_layers_num": Range(1, 2),
            "l2": Range(1e-6, 1e-4, log=True),
            "kg_embedding_size": SIZES,
        },
    ),
    Entry(
        "RippleNet",
        "A history that spreads over the graph (Wang 2018, arXiv:1803.03467).",
        "A pass costs O(N n_memory dim^2), a full scoring O(U I n_memory dim).",
        own={"dim": 64, "n_hop": 2, "n_memory": 16, "kg_weight": 0.01, "l2": 1e-7},
        space={"lr": Range(1e-3, 0.05, log=True), "n_memory": Choice(4, 8, 16, 32)},
        published={"n_memory": 32},
        limits={"n_hop": COUNT, "n_memory": COUNT},
    ),
)
