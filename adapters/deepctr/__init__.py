"""DeepCTR adapters, on Keras and TensorFlow. Light files, apart from networks.py and training.py."""

from __future__ import annotations

import os
import sys
from types import ModuleType

from benchmark.protocol import FitContext

os.environ["KERAS_BACKEND"] = "tensorflow"  # Keras reads it once, when it is first imported
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # the trial's output is not the place for start-up notes


def _keep_offline() -> None:
    """Let ``import deepctr`` ask nobody for its latest version.

    Its first line calls ``deepctr.utils.check_version``, which starts a thread that asks the package index:
    nothing here reaches the network at import, and a process with a thread cannot be forked safely. The
    module holds that one function and the rest of the package does without it, so an empty stand-in takes its
    place. Here, and not where we import it: the engine imports what ``requires`` names before that.
    """
    stand_in = ModuleType("deepctr.utils", "No look at the package index.")
    stand_in.check_version = lambda version: None  # type: ignore[attr-defined]  # noqa: ARG005
    sys.modules.setdefault("deepctr.utils", stand_in)


_keep_offline()


def open_device(context: FitContext) -> None:
    """Give TensorFlow the threads of the slot, before it first computes; it cannot change them later."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(context.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.zeros(())
