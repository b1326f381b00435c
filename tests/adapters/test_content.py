"""Content: the score written out with scikit-learn's own weights."""

from __future__ import annotations

import numpy as np
from training_logs import fitted

from adapters.content import TfIdf
from benchmark.testing import planted_parts


def test_tfidf_scores_are_summed_cosines_of_words():
    from sklearn.feature_extraction.text import TfidfVectorizer

    train, _ = planted_parts()
    words = TfidfVectorizer(token_pattern=r"(?u)\b\w+\b").fit_transform(train.item_features.texts)
    liked = np.unique(train.items[train.users == 3])
    expected = (words @ words[liked].T).sum(axis=1)
    found = fitted(TfIdf(), train).score(np.array([3]))[0]
    assert np.allclose(found, np.asarray(expected).ravel(), atol=1e-4)
