"""Items whose words are like those of a user's likes; knows nothing of other users."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from benchmark.errors import AdapterError
from benchmark.protocol import Array, Choice, FitContext, Ids, Interactions, Scores, Space


@dataclass
class TfIdf:
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
            token_pattern=r"(?u)\b\w+\b",  # noqa: S106 (a pattern of words, no password)
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

    def state(self) -> dict[str, Array]:
        """Return words (I, W) and histories (U, I) as the arrays of sparse matrices."""
        words, history = self._words, self._history
        return {
            "weights": words.data,
            "words": words.indices,
            "word_ends": words.indptr,
            "n_words": np.array(words.shape[1]),
            "items": history.indices,
            "item_ends": history.indptr,
        }

    def restore(self, state: dict[str, Array]) -> None:
        """Take back words and histories."""
        shape = len(state["word_ends"]) - 1, int(state["n_words"])
        self._words = _sparse(state["weights"], state["words"], state["word_ends"], shape)
        ones = np.ones(len(state["items"]), dtype=np.float32)
        self._history = _sparse(
            ones, state["items"], state["item_ends"], (len(state["item_ends"]) - 1, shape[0])
        )
        self._prepare()


def _sparse(values: Array, columns: Array, ends: Array, shape: tuple[int, int]) -> Any:
    """Return a csr matrix of stored arrays, checked: an index out of bounds would read foreign memory."""
    matrix = csr_matrix((values, columns, ends), shape=shape)
    matrix.check_format(full_check=True)
    return matrix
