"""What models of the next item share. Imports torch only when used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from adapters.torch.base import TorchModel
from benchmark.protocol import Array, FitContext, Ids, Interactions, Longs, Scores

PREFIX = "history."  # what the names of stored histories start with


class NextItem(TorchModel):
    """A network that reads the last ``history`` items of a user and scores every item as the next one.

    Subclasses have the fields ``history`` and ``max_epochs``, build a network and train it. A network has
    ``score(items, lengths, users)``: histories (B, T), padded at the end with zeros, their lengths (B,),
    and users (B,), -1 for one who was not trained with; it returns scores (B, I).

    A user's last items are part of the state, so a model refitted on train and validation reads the
    validation item last, as the published protocols do. The order is that of time, and that of the log
    where times are equal or missing.
    """

    history: int
    folds_repeats: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        """Train on batches of transitions."""
        self._items, self._ends = recent(train, self.history)
        return super().fit_steps(train, context)

    def score(self, users: Ids) -> Scores:
        """Return scores (B, I) of every item as the next one of users (B,)."""
        first, lengths = self._ends[users], self._ends[users + 1] - self._ends[users]
        positions = first[:, None] + np.arange(max(lengths.max(initial=0), 1))
        inside = positions < (first + lengths)[:, None]
        items = np.zeros(positions.shape, dtype=np.int64)
        items[inside] = self._items[positions[inside]]
        return self._next_scores(items, lengths, users.astype(np.int64))

    def fold_in(self, items: Ids) -> Scores:
        """Return scores (I,) for a new user whose history is these items, the earliest first."""
        last = items[-self.history :].astype(np.int64)
        return self._next_scores(last[None], np.array([len(last)]), np.array([-1]))[0]

    def history_of(self, user: int) -> Ids:
        """Return a user's last ``history`` items, the earliest first."""
        items: Ids = self._items[self._ends[user] : self._ends[user + 1]].astype(np.int32)
        return items

    def _next_scores(self, items: Longs, lengths: Longs, users: Longs) -> Scores:
        import torch

        device = next(self._network.parameters()).device
        tensors = (torch.from_numpy(array).to(device) for array in (items, lengths, users))
        with torch.no_grad():
            scores: Scores = self._network.score(*tensors).cpu().numpy()
        return scores

    def state(self) -> dict[str, Array]:
        """Return the weights by the names of their layers, and each user's last items."""
        return super().state() | {f"{PREFIX}items": self._items, f"{PREFIX}ends": self._ends}

    def restore(self, state: dict[str, Array]) -> None:
        """Rebuild the network on the CPU.

        Raises:
            ValueError: a stored item or offset is out of bounds.
        """
        from adapters.torch.training import load_state

        weights = {name: array for name, array in state.items() if not name.startswith(PREFIX)}
        self._items, self._ends = state[f"{PREFIX}items"], state[f"{PREFIX}ends"]
        n_users, n_items = len(self._ends) - 1, len(weights["items.weight"])
        whole = self._ends[0] == 0 and self._ends[-1] == len(self._items) and (np.diff(self._ends) >= 0).all()
        if not whole or self._items.min(initial=0) < 0 or self._items.max(initial=0) >= n_items:
            raise ValueError(f"histories must consist of items 0 to {n_items - 1}, one user after another")
        self._network = self.network(n_users, n_items)
        load_state(self._network, weights)


def recent(train: Interactions, n: int) -> tuple[Ids, Longs]:
    """Return the last n items of each user, the earliest first: items (M,), and where they end (U + 1,).

    >>> log = Interactions(
    ...     users=np.array([1, 0, 1, 1], dtype=np.int32), items=np.array([5, 6, 7, 8], dtype=np.int32),
    ...     values=np.ones(4, dtype=np.float32), times=np.array([30, 0, 10, 20]),
    ...     positive=np.ones(4, dtype=np.bool_), n_users=3, n_items=9)
    >>> [array.tolist() for array in recent(log, 2)]
    [[6, 8, 5], [0, 1, 3, 3]]
    """
    starts, rows = train.histories()
    ends = starts[1:].repeat(np.diff(starts))
    kept = np.arange(len(rows)) >= ends - n
    lengths = np.minimum(np.diff(starts), n)
    return train.items[rows[kept]], np.concatenate([[0], lengths.cumsum()])
