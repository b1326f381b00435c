"""How alike two rows of likes are: their overlap, divided by what a measure makes of their sizes.

The measures are those of Ferrari Dacrema et al. 2019 (RecSys, arXiv:1907.06902) in their reference program
(RecSys2019_DeepLearning_Evaluation, ``Compute_Similarity_Python``), without the 1e-6 that it adds to every
denominator: none is 0 here where rows overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.hyperparameters import AT_LEAST_0, Allowed, Limits, OneOf
from benchmark.protocol import Values

MEASURES = ("cosine", "jaccard", "asymmetric", "tversky", "dice")


@dataclass(frozen=True)
class Denominator:
    """What the overlap of row i with row j is divided by.

    A product, ``rows[i] * columns[j] + shrinkage``, or a sum where ``overlap`` is given,
    ``rows[i] + columns[j] + overlap * (overlap of i and j) + shrinkage``.

    Attributes:
        rows: (n,), no entry below 0.
        columns: (m,), no entry below 0.
        shrinkage: draws similarities with little support towards 0.
        overlap: how often the overlap counts in a sum; None for a product.
    """

    rows: Values
    columns: Values
    shrinkage: float = 0.0
    overlap: float | None = None

    def of(self, row: int, overlaps: Values) -> Values:
        """Return the denominators (m,) of one row, whose overlaps (m,) with all columns are given."""
        if self.overlap is None:
            scale = self.columns * self.rows[row] + self.shrinkage
        else:
            scale = self.rows[row] + self.columns + self.overlap * overlaps + self.shrinkage
        safe: Values = np.maximum(scale, np.finfo(np.float32).tiny)
        return safe


@dataclass
class Likeness:
    """The hyperparameters of a measure; with i the row that looks for neighbours and j the other one.

    ==========  ==============================================================================
    cosine      ``i.j / (|i| |j| + shrinkage)``, lengths of the weighted rows (Sarwar 2001)
    asymmetric  ``i.j / (|i|^2a |j|^2(1-a) + shrinkage)``, a = ``asymmetric_alpha`` (Aiolli 2013)
    jaccard     ``n_ij / (n_i + n_j - n_ij + shrinkage)``, counts of likes (Jaccard 1912; Tanimoto)
    dice        ``n_ij / (n_i + n_j + shrinkage)``: half of Dice's (1945) coefficient, as in the program
    tversky     ``n_ij / (n_ij + alpha (n_i - n_ij) + beta (n_j - n_ij) + shrinkage)`` (Tversky 1977)
    ==========  ==============================================================================

    ``normalize: false`` leaves the lengths out of cosine and asymmetric: the overlap itself, over
    ``shrinkage`` unless that is 0.
    """

    similarity: str = "cosine"
    normalize: bool = True
    asymmetric_alpha: float = 0.5
    tversky_alpha: float = 1.0
    tversky_beta: float = 1.0

    limits: ClassVar[Limits] = {
        "similarity": OneOf(MEASURES),
        "asymmetric_alpha": Allowed(0, 1),
        "tversky_alpha": AT_LEAST_0,
        "tversky_beta": AT_LEAST_0,
    }

    @property
    def compares_sets(self) -> bool:
        """Whether the measure asks which likes there are, and nothing else: then no like has a weight."""
        return self.similarity not in {"cosine", "asymmetric"}

    def denominator(self, rows: Values, columns: Values, shrinkage: float) -> Denominator:
        """Return what overlaps are divided by.

        Args:
            rows: Euclidean length (n,) of each row; of a row of ones the root of their number.
            columns: likewise (m,), of the rows that they are compared with.
            shrinkage: as in the table above.

        >>> one, other = np.array([2.0]), np.array([3.0])
        >>> Likeness("dice").denominator(one, other, 1.0).of(0, np.array([1.0])).tolist()
        [14.0]
        """
        own = 2 * self.asymmetric_alpha
        alpha, beta = self.tversky_alpha, self.tversky_beta
        match self.similarity:
            case "jaccard":
                return Denominator(rows**2, columns**2, shrinkage, -1.0)
            case "dice":
                return Denominator(rows**2, columns**2, shrinkage, 0.0)
            case "tversky":
                return Denominator(alpha * rows**2, beta * columns**2, shrinkage, 1.0 - alpha - beta)
            case _ if not self.normalize:
                return Denominator(np.zeros_like(rows), np.zeros_like(columns), shrinkage or 1.0)
            case "asymmetric":
                return Denominator(rows**own, columns ** (2 - own), shrinkage)
            case _:
                return Denominator(rows, columns, shrinkage)
