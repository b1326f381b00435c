"""xDeepFM by DeepCTR, as a ranker (Lian 2018, arXiv:1803.05170)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from adapters.deepctr.base import SHARED, ClickModel
from benchmark.hyperparameters import Allowed, Limits
from benchmark.protocol import Range, Space


@dataclass
class XDeepFm(ClickModel):
    """A linear model, a perceptron, and two layers of compressed interactions of fields (Lian 2018).

    Implicit feedback; loss, fields, users and items without a row as ``deepctr/deepfm``. Tuned in addition
    to what is tuned there: ``maps``, the interactions that each layer keeps. Lian 2018 (arXiv:1803.05170,
    section 4.4) finds no gain beyond three such layers; here they are two. The paper keeps 100 or 200 maps of
    10 dimensions; the defaults are what one core trains in seconds per pass, untuned. With F fields, M maps
    and W = 4 dim, a pass costs O(N negatives (dim F M (F + M) + W (F dim + W))), a full scoring the same with
    U I in place of N negatives.
    """

    dim: int = 8
    maps: int = 16

    space: ClassVar[Space] = {**SHARED, "maps": Range(8, 128, log=True)}
    limits: ClassVar[Limits] = {"maps": Allowed(2, 2**31 - 1)}  # DeepCTR halves it
    kind: ClassVar[str] = "xDeepFM"

    def extra(self) -> Mapping[str, float | tuple[int, ...]]:
        """Return the maps of both layers: an even number, as DeepCTR halves it."""
        return {"cin_layer_size": (self.maps // 2 * 2, self.maps // 2 * 2)}
