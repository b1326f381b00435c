"""Vectors as named arrays, and the model that they are: what serves a model whose framework is not here."""

from __future__ import annotations

import numpy as np

from benchmark.errors import AdapterError
from benchmark.protocol import Array, Ids, Scores, Vectors

PREFIX = "vectors."


def vectors_as_state(vectors: Vectors) -> dict[str, Array]:
    """Return vectors as named arrays; a bias or an offset that there is not has none.

    >>> one = np.ones((2, 1), dtype=np.float32)
    >>> sorted(vectors_as_state(Vectors(one, one, bias=one[:, 0])))
    ['vectors.bias', 'vectors.items', 'vectors.users']
    """
    return {PREFIX + name: array for name, array in vars(vectors).items() if array is not None}


class StoredVectors:
    """The scores of vectors that were stored, ``users[u] @ items[i] + bias[i] + offset[u]``: numpy alone."""

    def __init__(self, state: dict[str, Array]) -> None:
        """Take what :func:`vectors_as_state` made.

        Raises:
            AdapterError: the arrays are no vectors, or do not fit one another.
        """
        arrays = {name.removeprefix(PREFIX): array for name, array in state.items()}
        try:
            found = Vectors(**arrays)
            lengths = len(found.users), len(found.items)
            fits = found.users.ndim == found.items.ndim == 2 and found.users.shape[1] == found.items.shape[1]
        except (TypeError, AttributeError) as error:
            raise AdapterError(f"stored vectors must be users, items, bias and offset ({error})") from error
        for name, part, length in zip(("offset", "bias"), (found.offset, found.bias), lengths, strict=True):
            fits = fits and (part is None or part.shape == (length,))
            if not fits:
                raise AdapterError(f"stored vectors and their {name} do not fit one another")
        self._vectors = found

    def vectors(self) -> Vectors:
        """Return the vectors."""
        return self._vectors

    def score(self, users: Ids) -> Scores:
        """Return scores (B, I)."""
        own = self._vectors
        scores = own.users[users] @ own.items.T
        if own.bias is not None:
            scores += own.bias
        if own.offset is not None:
            scores += own.offset[users][:, None]
        return scores.astype(np.float32, copy=False)
