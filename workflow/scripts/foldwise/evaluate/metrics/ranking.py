"""Area under the ROC curve by ranks, of one set of samples or of many draws from it."""

from math import isqrt

import numpy as np

from foldwise.evaluate.metrics.numbers import Weights, ratio


def class_auc(labels: np.ndarray, probabilities: np.ndarray, weights: Weights = None) -> np.ndarray:
    """(..., K) area under the ROC curve of each class against the rest; NaN without both sides."""
    areas = [
        binary_auc(labels == k, probabilities[:, k], weights) for k in range(probabilities.shape[1])
    ]
    return np.stack([np.asarray(area) for area in areas], axis=-1)


def binary_auc(
    positive: np.ndarray, score: np.ndarray, weights: Weights = None
) -> np.ndarray | float:
    """Area under the ROC curve. positive: (N,) bool, score: (N,). NaN if one side is empty.

    By ranks with ties shared (Hanley & McNeil 1982, Radiology 143:29).
    """
    if weights is not None:
        return _of_draws(positive, score, weights)
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return float("nan")
    _, place, ties = np.unique(score, return_inverse=True, return_counts=True)
    rank = np.cumsum(ties) - (ties - 1) / 2
    rank_sum = rank[place[positive]].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def _of_draws(positive: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(R,) areas: for each positive the drawn negatives below it, and half of those level."""
    # The smaller side asks, the larger is summed up: in one pass over the draws.
    asks = positive if positive.sum() * 2 <= len(positive) else ~positive
    asked = np.flatnonzero(~asks)
    order = asked[np.argsort(score[asked], kind="stable")]
    below, upto = (np.searchsorted(score[order], score[asks], side) for side in ("left", "right"))
    own, sums = weights.T[asks], running_sums(weights.T[order])
    credit = sums[below]
    if (below != upto).any():
        credit = (credit + sums[upto]) / 2
    pairs = np.einsum("nr,nr->r", own, credit)
    area = ratio(pairs, own.sum(axis=0) * sums[-1])
    return area if asks is positive else 1 - area


def running_sums(values: np.ndarray) -> np.ndarray:
    """(n + 1, r) sums of the first 0, 1 .. n rows of values (n, r).

    In steps of whole rows, first within blocks and then from block to block: numpy's own goes
    element by element and takes six times as long.
    """
    n, r = values.shape
    size = max(1, isqrt(n))
    blocks = -(-n // size)
    sums = np.zeros((blocks * size + 1, r))
    sums[1 : n + 1] = values
    parts = sums[1:].reshape(blocks, size, r)
    for i in range(1, size):
        parts[:, i] += parts[:, i - 1]
    for i in range(1, blocks):
        parts[i] += parts[i - 1, -1]
    return sums[: n + 1]
