"""What RecBole 1.2.1 needs on numpy 2, SciPy 1.17 and PyTorch 2.13, and what keeps it quiet.

Applied in the process of RecBole's environment alone, by ``training.py``. Its arithmetic is not touched.
``torch.load`` needs ``weights_only=False`` there too, to read RecBole's checkpoints; nothing here reads one,
so that it stays safe.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

import numpy as np

GONE = {"float_": np.float64, "complex_": np.complex128, "unicode_": np.str_}
"""Names that numpy 2 has removed, which RecBole's ``Config`` asks for."""


class Nowhere:
    """A TensorBoard writer that writes nothing."""

    def __getattr__(self, name: str) -> Any:
        """Return a method that does nothing."""
        return lambda *_, **__: None


def apply() -> None:
    """Patch numpy, SciPy and RecBole in this process."""
    import recbole.config.configurator
    import recbole.trainer.trainer
    from scipy.sparse import dok_matrix

    for name, type_ in GONE.items():
        if not hasattr(np, name):
            setattr(np, name, type_)
    if not hasattr(dok_matrix, "_update"):
        dok_matrix._update = lambda self, cells: self._dict.update(cells)  # type: ignore[attr-defined]  # noqa: SLF001
    config, trainer = recbole.config.configurator.Config, recbole.trainer.trainer
    config._load_cmd_line = lambda _: {}  # noqa: SLF001 - or it reads this process's arguments
    config._convert_config_dict = lambda _, given: given  # noqa: SLF001 - or it evaluates every string
    trainer.get_tensorboard = lambda _: Nowhere()  # or it makes a folder log_tensorboard
    trainer.ensure_dir = lambda _: None  # or it makes a folder for checkpoints, which nobody asks for
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
