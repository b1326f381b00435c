"""Items whose words resemble those of a user's likes; other users play no part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from benchmark.errors import AdapterError
from benchmark.hyperparameters import COUNT, Limits
from benchmark.modelkit.serving_traits import Contributions, HistoryRows
from benchmark.modelkit.sparse_state import checked_matrix, history_matrix
from benchmark.protocol import Array, Choice, FitContext, Ids, Interactions, Scores, Space

STORED = ("weights", "words", "word_ends", "n_words", "items", "item_ends")
"""Names of the arrays of a stored model."""


@dataclass
class TfIdf(HistoryRows):
    """A score is the summed cosine between an item's words and those of each like (Lops 2011, 3.3.1).

    Words are title, genres and tags, weighted by TF-IDF (Salton & Buckley 1988, tfc; scikit-learn's smoothed
    idf, its default). Implicit feedback. Tuned: whether pairs of words count, and whether repetition does,
    as texts differ in length. A fit costs O((I + N) w), w being the words of an item; a full scoring costs
    at most O(U I v), v being the distinct words of a user's likes.
    """

    min_items: int = 1
    ngrams: int = 1
    sublinear: bool = False

    space: ClassVar[Space] = {
        "ngrams": Choice(1, 2),
        "sublinear": Choice(True, False),
    }
    limits: ClassVar[Limits] = {"min_items": COUNT, "ngrams": COUNT}
    deterministic: ClassVar[bool] = True
    requires: ClassVar[tuple[str, ...]] = ("sklearn.feature_extraction.text",)
    from_features: ClassVar[tuple[str, ...]] = ("items",)
    needs_features: ClassVar[tuple[str, ...]] = ("items",)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Weigh the words of all items in one step, those without a training row included."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        if train.item_features is None or not any(train.item_features.texts):
            raise AdapterError("content/tfidf needs words about items, and the data set has none")
        weigh = TfidfVectorizer(
            min_df=self.min_items,
            ngram_range=(1, self.ngrams),
            sublinear_tf=self.sublinear,
            token_pattern=r"(?u)\b\w+\b",  # noqa: S106 (a pattern of words, not a password)
            dtype=np.float32,
        )
        try:
            words = weigh.fit_transform(train.item_features.texts)
        except ValueError as error:
            raise AdapterError(f"content/tfidf: no word occurs in {self.min_items} items") from error
        self._words = csr_matrix(words)
        self._history = train.matrix()
        self._prepare()
        yield

    def _prepare(self) -> None:
        self._by_word = csr_matrix(self._words.T)
        self._profiles = self._history @ self._words

    def score(self, users: Ids) -> Scores:
        """Return the summed cosines (B, I)."""
        scores: Scores = (self._profiles[users] @ self._by_word).toarray()
        return scores

    def fold_in(self, items: Ids) -> Scores:
        """Return the summed cosines (I,) with the items of a new user's history."""
        profile = csr_matrix(self._words[items].sum(axis=0))
        scores: Scores = (profile @ self._by_word).toarray()[0]
        return scores

    def explain(self, user: int, items: Ids) -> Contributions:
        """Return the cosine of each like with these items; a score is their sum."""
        return self.explain_history(self.history_of(user), items)

    def explain_history(self, history: Ids, items: Ids) -> Contributions:
        """Return the cosine of each item of a new user's history with these items."""
        cosines = (self._words[history] @ self._words[items].T).toarray().astype(np.float64)
        return Contributions(history, cosines, np.zeros(len(items)))

    def similar_items(self, item: int) -> Scores:
        """Return the cosines (I,) of this item's words with those of all items."""
        return self.fold_in(np.array([item], dtype=np.int32))

    def state(self) -> dict[str, Array]:
        """Return words (I, W) and histories (U, I) as the arrays of sparse matrices."""
        words, history = self._words, self._history
        arrays = (words.data, words.indices, words.indptr, np.array(words.shape[1]))
        return dict(zip(STORED, (*arrays, history.indices, history.indptr), strict=True))

    def restore(self, state: dict[str, Array]) -> None:
        """Take back words and histories."""
        weights, words, word_ends, n_words, items, item_ends = (state[name] for name in STORED)
        n_items = len(word_ends) - 1
        self._words = checked_matrix(weights, words, word_ends, (n_items, int(n_words)))
        self._history = history_matrix(items, item_ends, n_items)
        self._prepare()
