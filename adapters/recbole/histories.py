"""RecBole's autoencoders and diffusion models: they learn from the whole history of a user at once.

Ranges and best configurations: recbole.io/hyperparameters/general.html (MovieLens-1M); of DiffRec and
LDiffRec, which are newer, the ranges of recbole.io/docs/user_guide/model/general/diffrec.html.
"""

from __future__ import annotations

from adapters.recbole.entry import Entry
from benchmark.hyperparameters import Allowed
from benchmark.protocol import Choice, Range, Space

DIFFUSION: Space = {
    "lr": Range(1e-5, 1e-3, log=True),
    "dims_dnn": Choice("[300]", "[200,600]", "[1000]"),
    "steps": Range(2, 50, log=True),
    "noise_scale": Range(1e-5, 0.1, log=True),
    "noise_min": Range(5e-4, 5e-3, log=True),
    "noise_max": Range(5e-3, 1e-2, log=True),
}
AUTOENCODER_RATES = Range(5e-5, 7e-3, log=True)
COST = "A pass and a full scoring cost O(U I dim)."

HISTORIES = (
    Entry(
        "CDAE",
        "A denoising autoencoder with a vector of each user (Wu 2016, WSDM).",
        COST,
        own={"dim": 64, "loss_type": "BCE", "corruption_ratio": 0.5, "l1": 0.0, "l2": 0.01},
        space={
            "lr": Range(5e-4, 1e-2, log=True),
            "loss_type": Choice("BCE", "MSE"),
            "corruption_ratio": Range(0.1, 0.5),
            "l1": Range(0.0, 0.01),
            "l2": Range(0.0, 0.01),
        },
        published={"lr": 5e-3, "l1": 0.01, "l2": 0.0},
        keys={"l1": ("reg_weight_1",), "l2": ("reg_weight_2",)},
        limits={"corruption_ratio": Allowed(0, 1, without_high=True)},
    ),
    Entry(
        "DiffRec",
        "Diffusion over a user's interactions (Wang 2023, arXiv:2304.04971).",
        COST,
        own={
            "dims_dnn": "[300]",
            "steps": 5,
            "noise_scale": 1e-3,
            "noise_min": 5e-4,
            "noise_max": 5e-3,
            "dim": 10,
        },
        space=DIFFUSION,
    ),
    Entry(
        "LDiffRec",
        "Diffusion over a user's interactions in a latent space (Wang 2023, arXiv:2304.04971).",
        COST,
        own={
            "dims_dnn": "[300]",
            "steps": 5,
            "noise_scale": 0.1,
            "noise_min": 1e-3,
            "noise_max": 5e-3,
            "dim": 10,
        },
        space=DIFFUSION,
    ),
    Entry(
        "MacridVAE",
        "A variational autoencoder whose parts stand for kinds of items (Ma 2019, arXiv:1910.14238).",
        COST,
        own={
            "dim": 64,
            "dropout": 0.5,
            "kfac": 10,
            "std": 0.01,
            "tau": 0.1,
            "anneal_cap": 0.2,
            "total_anneal_steps": 200_000,
        },
        space={"lr": Range(5e-4, 0.05, log=True), "kfac": Choice(3, 5, 10, 20)},
        published={"lr": 5e-3, "kfac": 20},
    ),
    Entry(
        "MultiDAE",
        "A denoising autoencoder with a multinomial likelihood (Liang 2018, arXiv:1802.05814).",
        COST,
        own={"dim": 64, "dropout": 0.5},
        space={"lr": AUTOENCODER_RATES},
        published={"lr": 7e-3},
        keys={"dim": ("latent_dimension",)},
    ),
    Entry(
        "MultiVAE",
        "A variational autoencoder with a multinomial likelihood (Liang 2018, arXiv:1802.05814).",
        COST,
        own={
            "dim": 128,
            "dropout": 0.5,
            "anneal_cap": 0.2,
            "total_anneal_steps": 200_000,
        },
        space={"lr": AUTOENCODER_RATES},
        published={"lr": 7e-3},
        keys={"dim": ("latent_dimension",)},
    ),
    Entry(
        "RecVAE",
        "A variational autoencoder with a composite prior (Shenbin 2020, arXiv:1912.11160).",
        COST,
        own={
            "dim": 200,
            "hidden_dimension": 600,
            "dropout": 0.5,
            "beta": 0.2,
            "gamma": 0.005,
            "n_enc_epochs": 3,
            "n_dec_epochs": 1,
        },
        space={"lr": AUTOENCODER_RATES},
        published={"lr": 7e-4},
        keys={"dim": ("latent_dimension",)},
    ),
)
