"""DeepCTR adapters, on Keras and TensorFlow.

One light file a model; ``base.py`` (light) holds what they share, ``click_network.py`` their network. Only
networks, training and layers import frameworks at module level.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

os.environ.update(KERAS_BACKEND="tensorflow")  # Keras reads it once, when it is first imported
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # a trial's output should not hold start-up notes


def keep_offline() -> None:
    """Keep ``import deepctr`` from asking for its latest version.

    Its first line calls ``deepctr.utils.check_version``, which starts a thread that asks the package index:
    nothing here reaches the network at import, and a process with a thread cannot be forked safely. The
    module holds that one function and the rest of the package does without it, so an empty module replaces
    it. It does so here, not where we import it: the engine imports what ``requires`` names before that.
    """
    empty = ModuleType("deepctr.utils", "Does not ask the package index.")
    empty.check_version = lambda version: None  # type: ignore[attr-defined]  # noqa: ARG005
    sys.modules.setdefault("deepctr.utils", empty)


keep_offline()
