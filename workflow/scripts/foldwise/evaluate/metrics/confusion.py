"""What follows from counts of truth and prediction alone: (..., K, K), row = truth."""

import numpy as np

from foldwise.evaluate.metrics.numbers import Weights, cell_sums, mean_over, ratio


def confusion(
    labels: np.ndarray,
    predicted: np.ndarray,
    n_classes: int,
    weights: Weights = None,
    member: np.ndarray | None = None,
) -> np.ndarray:
    """(K, K) counts, row = truth, column = prediction; (R, K, K) of draws.

    member: (N,) column of `weights` that weighs each sample; None where it is its own.
    """
    flat = labels * n_classes + predicted
    if weights is None:
        return np.bincount(flat, minlength=n_classes**2).reshape(n_classes, n_classes)
    return cell_sums(flat, n_classes**2, weights, member).T.reshape(-1, n_classes, n_classes)


class Counts:
    """A (..., K, K) matrix with its sums: of the truth, of the prediction, of hits, each (..., K).

    A class that is not there and not predicted has no F1, and is left out of means.
    """

    def __init__(self, matrix: np.ndarray) -> None:
        self.matrix = matrix
        self.truth, self.predicted = matrix.sum(axis=-1), matrix.sum(axis=-2)
        self.hits = matrix.diagonal(axis1=-2, axis2=-1)

    @property
    def n(self) -> np.ndarray:
        """(...) samples."""
        return self.matrix.sum(axis=(-2, -1))

    @property
    def recall(self) -> np.ndarray:
        """(..., K), NaN of classes that are not there."""
        return ratio(self.hits, self.truth)

    @property
    def f1(self) -> np.ndarray:
        """(..., K) F1 of each class."""
        return ratio(2 * self.hits, self.truth + self.predicted)


def quadratic_kappa(matrix: np.ndarray) -> np.ndarray:
    """Cohen's kappa with weights (i - j)^2 of (..., K, K) counts (Cohen 1968, Psychol Bull 70:213).

    NaN where truth and prediction are one class.
    """
    rank = np.arange(matrix.shape[-1])
    # Not divided by (K - 1)^2, which stands above and below the line and cancels.
    weight = (rank[:, None] - rank[None, :]) ** 2
    truth, predicted = matrix.sum(axis=-1), matrix.sum(axis=-2)
    # At least 1: draws without a sample get NaN from `ratio` below, not a warning here.
    n = np.maximum(matrix.sum(axis=(-2, -1)), 1)[..., None, None]
    expected = truth[..., :, None] * predicted[..., None, :] / n
    return 1 - ratio((weight * matrix).sum(axis=(-2, -1)), (weight * expected).sum(axis=(-2, -1)))


def weighted_f1(counts: Counts) -> np.ndarray:
    """(...) mean F1, classes weighted by their number."""
    f1 = counts.f1
    return ratio(np.nansum(f1 * counts.truth, axis=-1), counts.truth.sum(axis=-1))


def macro_f1(counts: Counts) -> np.ndarray:
    """(...) mean F1 over classes."""
    return mean_over(counts.f1)
