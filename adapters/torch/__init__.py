"""PyTorch adapters.

One file a model, light, and beside it its network: ``lightgcn.py`` and ``lightgcn_network.py``. What they
share: ``base.py`` (light) holds the device, the epoch loop and how a model is served; ``training.py`` the
optimiser and the loop itself, ``losses.py`` what losses need, ``layers.py`` parts of networks. Only networks,
training, losses and layers import torch at module level.
"""
