"""Keras adapters, on TensorFlow.

One file a model, light, and beside it its network: ``multdae.py`` and ``multdae_network.py``. What they
share: ``base.py`` (light) holds the device, the epoch loop and how a model is served; ``training.py`` the
loop itself, ``losses.py`` what losses need, ``layers.py`` parts of networks. Only networks, training, losses
and layers import Keras and TensorFlow at module level.
"""

import os

os.environ.update(KERAS_BACKEND="tensorflow")  # Keras reads it once, when it is first imported
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # a trial's output should not hold start-up notes
