"""The adapters that ship with bench: name to ``module:Class``, strings only, so listing imports nothing.

The part of a name before the slash is also the pip extra that installs its library; baselines and native
models need none, except ``native/ease``, which solves with PyTorch.
"""

from pathlib import Path

RECBOLE = (
    *(
        "ADMMSLIM",
        "AsymKNN",
        "BPR",
        "CDAE",
        "ConvNCF",
        "DGCF",
        "DMF",
        "DiffRec",
        "EASE",
        "ENMF",
        "FISM",
        "GCMC",
    ),
    *(
        "ItemKNN",
        "LDiffRec",
        "LINE",
        "LightGCN",
        "MacridVAE",
        "MultiDAE",
        "MultiVAE",
        "NAIS",
        "NCEPLRec",
        "NGCF",
    ),
    *("NNCF", "NeuMF", "Pop", "RecVAE", "SGL", "SLIMElastic", "SimpleX", "SpectralCF"),
    *(
        "BERT4Rec",
        "CORE",
        "GCSAN",
        "GRU4Rec",
        "LightSANs",
        "NARM",
        "NextItNet",
        "RepeatNet",
        "SASRec",
        "SINE",
    ),
    *("SRGNN", "STAMP", "Caser", "FOSSIL", "FPMC", "HGN", "HRM", "NPE", "SHAN", "TransRec"),
    *("CFKG", "CKE", "KGCN", "KGNNLS", "KTUP", "MKR", "RippleNet"),
)
"""Models of RecBole by the names of its classes: general, sequential, knowledge-aware."""

ADAPTERS: dict[str, str] = {
    "baselines/random": "adapters.baselines:Random",
    "baselines/popularity": "adapters.baselines:Popularity",
    "baselines/recent-popularity": "adapters.baselines:RecentPopularity",
    "baselines/most-frequent": "adapters.baselines:MostFrequent",
    "baselines/most-recent": "adapters.baselines:MostRecent",
    "surprise/normal": "adapters.surprise.baselines:NormalPredictor",
    "surprise/baseline": "adapters.surprise.baselines:BaselineOnly",
    "surprise/knn-basic": "adapters.surprise.knn:KnnBasic",
    "surprise/knn-means": "adapters.surprise.knn:KnnMeans",
    "surprise/knn-zscore": "adapters.surprise.knn:KnnZScore",
    "surprise/knn-baseline": "adapters.surprise.knn:KnnBaseline",
    "surprise/svd": "adapters.surprise.factors:Svd",
    "surprise/svdpp": "adapters.surprise.factors:SvdPlusPlus",
    "surprise/pmf": "adapters.surprise.factors:Pmf",
    "surprise/nmf": "adapters.surprise.factors:Nmf",
    "surprise/slope-one": "adapters.surprise.slope_one:SlopeOne",
    "surprise/co-clustering": "adapters.surprise.co_clustering:CoClustering",
    "lightfm/logistic": "adapters.lightfm:Logistic",
    "lightfm/bpr": "adapters.lightfm:Bpr",
    "lightfm/warp": "adapters.lightfm:Warp",
    "lightfm/warp-kos": "adapters.lightfm:WarpKos",
    "lightfm/hybrid": "adapters.lightfm:Hybrid",
    "content/tfidf": "adapters.content:TfIdf",
    "keras/mf": "adapters.keras.mf:Mf",
    "keras/mlp": "adapters.keras.mlp:Mlp",
    "keras/neumf": "adapters.keras.neumf:NeuMf",
    "keras/multdae": "adapters.keras.multdae:MultDae",
    "keras/gru": "adapters.keras.recurrent:Gru",
    "keras/lstm": "adapters.keras.recurrent:Lstm",
    "keras/two-tower": "adapters.keras.two_tower:TwoTower",
    "deepctr/deepfm": "adapters.deepctr.deepfm:DeepFm",
    "deepctr/xdeepfm": "adapters.deepctr.xdeepfm:XDeepFm",
    "deepctr/dcn": "adapters.deepctr.dcn:Dcn",
    "torch/neumf": "adapters.torch.neumf:NeuMf",
    "torch/mf": "adapters.torch.mf:Mf",
    "native/bpr": "adapters.native.bpr:Bpr",
    "torch/dmf": "adapters.torch.dmf:Dmf",
    "torch/multvae": "adapters.torch.multvae:MultVae",
    "torch/lightgcn": "adapters.torch.lightgcn:LightGcn",
    "torch/kgin": "adapters.torch.kgin:Kgin",
    "torch/fm": "adapters.torch.fm:Fm",
    "torch/deepfm": "adapters.torch.deepfm:DeepFm",
    "torch/sasrec": "adapters.torch.sequence.sasrec:SasRec",
    "torch/gru4rec": "adapters.torch.sequence.gru4rec:Gru4Rec",
    "torch/caser": "adapters.torch.sequence.caser:Caser",
    "native/ease": "adapters.native.ease:Ease",
    "native/slim": "adapters.native.slim:Slim",
    "native/ials": "adapters.native.ials:Ials",
    "native/item-knn": "adapters.native.item_knn:ItemKnn",
    "native/user-knn": "adapters.native.user_knn:UserKnn",
    "native/rp3beta": "adapters.native.rp3beta:Rp3Beta",
    **{f"recbole/{name}": f"adapters.recbole.models:{name}" for name in RECBOLE},
}

RENAMED: dict[str, str] = {
    "torch/ncf": "torch/neumf",
    "torch/bpr": "native/bpr",
    "torch/ease": "native/ease",
    "torch/slim": "native/slim",
    "torch/ials": "native/ials",
    "torch/item-knn": "native/item-knn",
    "torch/user-knn": "native/user-knn",
    "torch/rp3beta": "native/rp3beta",
}
"""Former names and the present ones: who uses a former name is told the present one."""

ENVIRONMENTS: dict[str, Path] = {
    name: Path(__file__).with_name("environments") / f"{name}.txt" for name in ("recbole",)
}
"""The lock file of each framework that runs in an environment of its own."""
