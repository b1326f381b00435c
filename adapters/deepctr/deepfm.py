"""DeepFM by DeepCTR, as a ranker (Guo 2017, arXiv:1703.04247)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from adapters.deepctr.base import ClickModel


@dataclass
class DeepFm(ClickModel):
    """A factorisation machine and a perceptron over the same vectors, whose scores add up (Guo 2017).

    Implicit feedback, by the log loss of likes and of negatives drawn uniformly. The fields are the ids and
    one for each column of user and item features, of a list at most its 20 most frequent values. Users and
    items without a row are ranked by their features.

    Tuned: what Guo 2017 (arXiv:1703.04247) studies in section 3.3, the ``layers``, their width (by ``dim``)
    and ``dropout``; the step ``lr``, the penalty ``l2`` that DeepCTR puts on embeddings, and ``negatives``.
    Defaults: ``dropout`` is within the 0.1 to 0.4 that section 3.3 finds best; ``l2`` and ``negatives`` are
    NeuMF's (docs/decisions/0008); ``lr`` and ``batch_size``, likes and negatives together, were chosen on 900
    users of MovieLens-1M (docs/decisions/0029); ``dim`` is near the paper's 10. With F fields and W = 4 dim,
    the width of the first layer, a pass costs O(N negatives W (F dim + W)), a full scoring
    O(U I W (F dim + W)).
    """

    kind: ClassVar[str] = "DeepFM"
