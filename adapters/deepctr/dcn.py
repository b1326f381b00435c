"""Deep & Cross by DeepCTR, as a ranker (Wang 2017, arXiv:1708.05123)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from adapters.deepctr.base import SHARED, ClickModel
from benchmark.hyperparameters import COUNT, Limits
from benchmark.protocol import Range, Space


@dataclass
class Dcn(ClickModel):
    """Cross layers, each of which raises the degree by one, beside a perceptron (Deep & Cross, Wang 2017).

    Implicit feedback; loss, fields, users and items without a row as ``deepctr/deepfm``. Tuned in addition
    to what is tuned there: ``crosses``, the number of cross layers, in the 1 to 6 of Wang 2017
    (arXiv:1708.05123, section 4.2); the default is DeepCTR's, which adds a linear part. With F fields and
    W = 4 dim, a pass costs O(N negatives (crosses F dim + W (F dim + W))), a full scoring the same with U I
    in place of N negatives.
    """

    crosses: int = 2

    space: ClassVar[Space] = {**SHARED, "crosses": Range(1, 6)}
    limits: ClassVar[Limits] = {"crosses": COUNT}
    kind: ClassVar[str] = "DCN"

    def extra(self) -> Mapping[str, float | tuple[int, ...]]:
        """Return the number of cross layers, and their penalty."""
        return {"cross_num": self.crosses, "l2_reg_cross": self.l2}
