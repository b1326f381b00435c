"""Keras adapters, on TensorFlow. Light files, apart from networks.py and training.py."""

from __future__ import annotations

import os

from benchmark.protocol import FitContext

os.environ["KERAS_BACKEND"] = "tensorflow"  # Keras reads it once, when it is first imported
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # the trial's output is not the place for start-up notes


def open_device(context: FitContext) -> None:
    """Give TensorFlow the threads of the slot, before it first computes; it cannot change them later."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(context.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.zeros(())
