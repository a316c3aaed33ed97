"""Area under the ROC curve by ranks, of one set of samples or of many draws from it."""

from math import isqrt

import numpy as np

from foldwise.evaluate.metrics.numbers import Weights, cell_sums, ratio

# Rows that are widened to float64 together: so few stay in the processor's cache.
ROWS_AT_ONCE = 256


def class_auc(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(K,) area under the ROC curve of each class against the rest; NaN without both sides."""
    return np.array([binary_auc(labels == k, p) for k, p in enumerate(probabilities.T)])


def binary_auc(
    positive: np.ndarray,
    score: np.ndarray,
    weights: Weights = None,
    member: np.ndarray | None = None,
) -> np.ndarray | float:
    """Area under the ROC curve. positive: (N,) bool, score: (N,). NaN if one side is empty.

    By ranks with ties shared (Hanley & McNeil 1982, Radiology 143:29). member: (N,) column of
    `weights` that weighs each sample, such as its image; None where it is its own.
    """
    if weights is not None:
        return Ranks(positive, score, member).areas(counted(weights))
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return float("nan")
    _, place, ties = np.unique(score, return_inverse=True, return_counts=True)
    # The mean rank of those that are level.
    rank = np.cumsum(ties) - (ties - 1) / 2
    rank_sum = rank[place[positive]].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def counted(weights: np.ndarray) -> np.ndarray:
    """The same numbers in half the memory, where all sums of them stay exact in it."""
    if weights.dtype == np.float32:
        return weights
    # Of whole numbers float32 holds all up to 2^24, and their halves up to 2^23.
    most = weights.sum(axis=1).max(initial=0) if len(weights) else 0
    return weights.astype(np.float32) if most < 2**20 else weights


class Ranks:
    """Order of N scores, sorted once for all draws from them. Arguments as of `binary_auc`."""

    def __init__(
        self, positive: np.ndarray, score: np.ndarray, member: np.ndarray | None = None
    ) -> None:
        member = np.arange(len(positive)) if member is None else member
        # The smaller side asks, and the larger is summed up between those that ask.
        self.positive_asks = bool(positive.sum() * 2 <= len(positive))
        asks = positive if self.positive_asks else ~positive
        asking, others = np.flatnonzero(asks), np.flatnonzero(~asks)
        asking = asking[np.argsort(score[asking], kind="stable")]
        self.above, self.level = (
            np.searchsorted(score[asking], score[others], side) for side in ("right", "left")
        )
        self.asking, self.others = member[asking], member[others]

    def areas(self, weights: np.ndarray) -> np.ndarray:
        """(R,) areas of draws: each positive's drawn negatives below it, and half of those level.

        weights: (R, N) as `counted` gives them.
        """
        sums = self._between(weights)
        credit, columns = running_sums(sums)[1:-1], weights.T
        drawn, pairs = np.zeros((2, len(weights)))
        for start in range(0, len(self.asking), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            # float64 here: products of two such sums exceed what float32 holds exactly.
            own = columns[self.asking[some]].astype(np.float64)
            drawn += own.sum(axis=0)
            pairs += np.einsum("nr,nr->r", own, credit[some].astype(np.float64))
        area = ratio(pairs, drawn * sums.sum(axis=0, dtype=np.float64))
        return area if self.positive_asks else 1 - area

    def _between(self, weights: np.ndarray) -> np.ndarray:
        """(asking + 1, R) drawn others before, between and after those that ask."""
        cells = len(self.asking) + 1
        if (self.above == self.level).all():
            return cell_sums(self.above, cells, weights, self.others)
        # One half counts from the first that is level, the other from the first that is above.
        halves = np.full(2 * len(self.others), 0.5, weights.dtype)
        both = np.concatenate([self.level, self.above])
        return cell_sums(both, cells, weights, np.tile(self.others, 2), halves)


def running_sums(values: np.ndarray) -> np.ndarray:
    """(n + 1, r) sums of the first 0, 1 .. n rows of values (n, r).

    In steps of whole rows, first within blocks and then from block to block: numpy's own goes
    element by element and takes six times as long.
    """
    n, r = values.shape
    size = max(1, isqrt(n))
    blocks = -(-n // size)
    sums = np.zeros((blocks * size + 1, r), values.dtype)
    sums[1 : n + 1] = values
    parts = sums[1:].reshape(blocks, size, r)
    for i in range(1, size):
        parts[:, i] += parts[:, i - 1]
    for i in range(1, blocks):
        parts[i] += parts[i - 1, -1]
    return sums[: n + 1]
