"""Words alone: TF-IDF (Sparck Jones 1972) and logistic regression; and words with pixel statistics.

Of an image with a text, what the text says may be most of what a network learns.
"""

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from foldwise.baselines.statistics import statistics_of

Features = tuple[Any, Any]  # of the training and of the validation part, (N, F) each


def logistic_text(
    params: Any, task: Any, images: Any, train_rows: Any, val_rows: Any
) -> dict[str, np.ndarray]:
    """{"p_<label>": (N, K)} of the words of the text."""
    return _of_heads(task, train_rows, _words(train_rows, val_rows))


def logistic_pixels(
    params: Any, task: Any, images: Any, train_rows: Any, val_rows: Any
) -> dict[str, np.ndarray]:
    """{"p_<label>": (N, K)} of pixel statistics, as `logistic_statistics`."""
    return _of_heads(task, train_rows, _pixels(params, images, train_rows, val_rows))


def logistic_text_pixels(
    params: Any, task: Any, images: Any, train_rows: Any, val_rows: Any
) -> dict[str, np.ndarray]:
    """{"p_<label>": (N, K)} of both side by side."""
    pixels = _pixels(params, images, train_rows, val_rows)
    both = zip(_words(train_rows, val_rows), pixels, strict=True)
    train, val = (hstack([words, csr_matrix(of_pixels)]).tocsr() for words, of_pixels in both)
    return _of_heads(task, train_rows, (train, val))


def _words(train_rows: Any, val_rows: Any) -> Features:
    train, val = ([_text(row) for row in rows] for rows in (train_rows, val_rows))
    # Without text in the training part there is one empty column, and the share of each class.
    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    try:
        return words.fit_transform(train), words.transform(val)
    except ValueError as error:
        if "empty vocabulary" not in str(error):
            raise
        return csr_matrix((len(train), 1)), csr_matrix((len(val), 1))


def _text(row: dict[str, Any]) -> str:
    return " ".join(filter(None, (row.get("texts") or {}).values()))


def _pixels(params: Any, images: Any, train_rows: Any, val_rows: Any) -> Features:
    channels = params["image"]["channels"]
    train, val = (statistics_of(images, rows, channels) for rows in (train_rows, val_rows))
    scaler = StandardScaler().fit(train)
    return scaler.transform(train), scaler.transform(val)


def _of_heads(task: Any, train_rows: Any, features: Features) -> dict[str, np.ndarray]:
    return {
        f"p_{head}": fitted(features, task.labels(head, train_rows), len(names))
        for head, names in task.heads.items()
    }


def fitted(features: Features, labels: np.ndarray, classes: int) -> np.ndarray:
    """(N, K) probabilities; a class that the training part lacks has 0."""
    train, val = features
    probability = np.zeros((val.shape[0], classes))
    if len(set(labels)) == 1:
        probability[:, labels[0]] = 1
        return probability
    model = LogisticRegression(max_iter=2000, C=10).fit(train, labels)
    probability[:, model.classes_] = model.predict_proba(val)
    return probability
