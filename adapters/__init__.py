"""The adapters that ship with bench: name to ``module:Class``, strings only, so listing imports nothing.

The part of a name before the slash is also the pip extra that installs its library.
"""

ADAPTERS: dict[str, str] = {
    "baselines/random": "adapters.baselines:Random",
    "baselines/popularity": "adapters.baselines:Popularity",
    "surprise/svd": "adapters.surprise:Svd",
    "surprise/knn-means": "adapters.surprise:KnnMeans",
    "lightfm/warp": "adapters.lightfm:Warp",
    "keras/mlp": "adapters.keras.mlp:Mlp",
    "torch/ncf": "adapters.torch.ncf:Ncf",
    "torch/ease": "adapters.torch.ease:Ease",
}
