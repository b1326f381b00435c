"""RecBole's sequential models: they predict the next item of a user's history.

Ranges and best configurations: recbole.io/hyperparameters/sequential.html (MovieLens-1M, leave-one-out).
A user's rows count in the order of time; RecBole makes a row of every item but the first.
"""

from __future__ import annotations

from adapters.recbole.entry import Entry
from benchmark.hyperparameters import COUNT
from benchmark.protocol import Range

FIVE_RATES = {"lr": Range(3e-4, 5e-3, log=True)}
THREE_RATES = Range(5e-4, 3e-3, log=True)
FOUR_RATES = Range(1e-4, 5e-3, log=True)
CROSS_ENTROPY = {"train_neg_sample_args": None}
"""RecBole's loss over all items, for which it refuses to draw negatives."""
ALL_ITEMS = "A pass costs O(N I dim + N history dim^2), a full scoring O(U I dim)."
SAMPLED = "A pass costs O(N dim), a full scoring O(U I dim)."
TRANSFORMER = {"dim": 64, "layers": 2, "n_heads": 2, "inner_size": 256}
DROPOUTS = {"dropout": ("hidden_dropout_prob", "attn_dropout_prob"), "dim": ("hidden_size",)}

SEQUENTIAL = (
    Entry(
        "BERT4Rec",
        "A Transformer that fills masked items (Sun 2019, arXiv:1904.06690).",
        ALL_ITEMS,
        own={**TRANSFORMER, "dropout": 0.2, "mask_ratio": 0.2, "ft_ratio": 0.5},
        space=FIVE_RATES,
        published={"lr": 5e-3},
        keys=DROPOUTS,
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "CORE",
        "A Transformer whose session lies in the space of its items (Hou 2022, arXiv:2204.11067).",
        ALL_ITEMS,
        own={
            **TRANSFORMER,
            "dropout": 0.5,
            "sess_dropout": 0.2,
            "item_dropout": 0.2,
            "temperature": 0.07,
        },
        space={"lr": THREE_RATES, "temperature": Range(0.05, 0.2)},
        published={"lr": 5e-4},
        keys={"dropout": DROPOUTS["dropout"], "dim": ("embedding_size",)},
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "GCSAN",
        "A graph of the session with self-attention (Xu 2019, IJCAI).",
        ALL_ITEMS,
        own={**TRANSFORMER, "dropout": 0.5, "weight": 0.6, "step": 1, "l2": 5e-5},
        space=FIVE_RATES,
        keys=DROPOUTS,
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "GRU4Rec",
        "A recurrent network (Hidasi 2015, arXiv:1511.06939; Tan 2016, arXiv:1606.08117).",
        ALL_ITEMS,
        own={"dim": 64, "hidden_size": 128, "layers": 1, "dropout": 0.3},
        space={"lr": FOUR_RATES, "layers": Range(1, 2)},
        published={"lr": 5e-3, "layers": 2},
        keys={"layers": ("num_layers",)},
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "LightSANs",
        "Self-attention of low rank (Fan 2021, SIGIR).",
        ALL_ITEMS,
        own={**TRANSFORMER, "dropout": 0.5, "k_interests": 5},
        space={"lr": THREE_RATES, "k_interests": Range(3, 9)},
        published={"k_interests": 3},
        keys=DROPOUTS,
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "NARM",
        "A recurrent network with attention (Li 2017, arXiv:1711.04725).",
        ALL_ITEMS,
        own={"dim": 64, "hidden_size": 128, "layers": 1},
        space={"lr": FOUR_RATES, "layers": Range(1, 2)},
        published={"lr": 5e-3},
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "NextItNet",
        "Dilated convolutions (Yuan 2019, arXiv:1808.05163).",
        ALL_ITEMS,
        own={"dim": 64, "kernel_size": 3, "block_num": 5, "l2": 1e-5},
        space={"lr": THREE_RATES, "kernel_size": Range(2, 4)},
        published={"lr": 3e-3},
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "RepeatNet",
        "A recurrent network with a mode for items that come again (Ren 2019, arXiv:1812.02646).",
        ALL_ITEMS,
        own={"dim": 64, "hidden_size": 64, "dropout": 0.5},
        space=FIVE_RATES,
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "SASRec",
        "A Transformer that reads from left to right (Kang & McAuley 2018, arXiv:1808.09781).",
        ALL_ITEMS,
        own={**TRANSFORMER, "dropout": 0.5},
        space=FIVE_RATES,
        published={"lr": 5e-4},
        keys=DROPOUTS,
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "SINE",
        "A few interests out of many prototypes (Tan 2021, arXiv:2102.09267).",
        ALL_ITEMS,
        own={"dim": 64, "prototype_size": 50, "interest_size": 3, "tau_ratio": 0.1, "reg_loss_ratio": 0.5},
        space={"lr": THREE_RATES, "interest_size": Range(2, 4), "tau_ratio": Range(0.05, 0.2)},
        published={"lr": 3e-3, "tau_ratio": 0.07},
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "SRGNN",
        "A graph of the session (Wu 2019, arXiv:1811.00855).",
        ALL_ITEMS,
        own={"dim": 64, "step": 1},
        space=FIVE_RATES,
        published={"lr": 5e-3},
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "STAMP",
        "Attention between the last item and those before (Liu 2018, KDD).",
        ALL_ITEMS,
        own={"dim": 64},
        space=FIVE_RATES,
        published={"lr": 5e-3},
        fixed=CROSS_ENTROPY,
    ),
)

OF_A_USER = (
    Entry(
        "Caser",
        "Convolutions over the last items, with a vector of each user (Tang & Wang 2018, arXiv:1809.07426).",
        ALL_ITEMS,
        own={"dim": 64, "dropout": 0.4, "l2": 1e-4, "nv": 4, "nh": 8},
        space=FIVE_RATES,
        published={"lr": 3e-3},
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "FOSSIL",
        "Factored similarities of items with a Markov chain (He & McAuley 2016, arXiv:1609.09152).",
        ALL_ITEMS,
        own={"dim": 64, "l2": 0.0, "order_len": 3, "alpha": 0.6},
        space={
            "lr": THREE_RATES,
            "l2": Range(0.0, 1e-4),
            "order_len": Range(1, 3),
            "alpha": Range(0.2, 0.6),
        },
        published={"lr": 3e-3, "l2": 1e-4, "order_len": 1},
        fixed=CROSS_ENTROPY,
        limits={"order_len": COUNT},
    ),
    Entry(
        "FPMC",
        "Factors of users and of transitions (Rendle 2010, WWW).",
        SAMPLED,
        own={"dim": 64, "negatives": 1},
        space=FIVE_RATES,
        published={"lr": 5e-4},
    ),
    Entry(
        "HGN",
        "Gates over features and items of a history (Ma 2019, arXiv:1906.09217).",
        ALL_ITEMS,
        own={"dim": 64},
        space=FIVE_RATES,
        published={"lr": 3e-4},
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "HRM",
        "Pooled vectors of the last items and the user (Wang 2015, SIGIR).",
        ALL_ITEMS,
        own={"dim": 64, "high_order": 2, "dropout": 0.2},
        space={"lr": THREE_RATES, "high_order": Range(1, 3)},
        published={"lr": 5e-4, "high_order": 3},
        fixed=CROSS_ENTROPY,
        limits={"high_order": COUNT},
    ),
    Entry(
        "NPE",
        "Vectors of users and histories (Nguyen & Takasu 2018, arXiv:1805.06563).",
        ALL_ITEMS,
        own={"dim": 64, "dropout": 0.3},
        space={"lr": THREE_RATES, "dropout": Range(0.1, 0.5)},
        published={"lr": 3e-3, "dropout": 0.1},
        fixed=CROSS_ENTROPY,
    ),
    Entry(
        "SHAN",
        "Two layers of attention over a user's long and short history (Ying 2018, IJCAI).",
        ALL_ITEMS,
        own={"dim": 64, "short_item_length": 2},
        space={"lr": THREE_RATES, "short_item_length": Range(1, 3)},
        fixed=CROSS_ENTROPY,
        limits={"short_item_length": COUNT},
    ),
    Entry(
        "TransRec",
        "A user as a translation from one item to the next (He 2017, arXiv:1707.02410).",
        SAMPLED,
        own={"dim": 64, "negatives": 1},
        space=FIVE_RATES,
        published={"lr": 3e-3},
    ),
)
