"""What counts of zones alone say: (..., 5, 5), row = truth, scores 0-3 and 4, "unknown"."""

import numpy as np

from foldwise.evaluate.metrics.confusion import (
    Counts,
    confusion,
    macro_f1,
    quadratic_kappa,
    weighted_f1,
)
from foldwise.evaluate.metrics.numbers import Measured, plain, ratio

UNKNOWN = 4
# What the numbers 0 to 4 of a zone stand for.
VALUES = ("0", "1", "2", "3", "unknown")
# Of all zones, and of each zone in a table of its own.
OF_COUNTS = Measured()


def _scored(matrix: np.ndarray) -> np.ndarray:
    """(..., 4, 4) zones that both sides scored."""
    return matrix[..., :UNKNOWN, :UNKNOWN]


def _with_score(matrix: np.ndarray) -> np.ndarray:
    """(...) zones that the truth scores."""
    return matrix[..., :UNKNOWN, :].sum(axis=(-2, -1))


def _far(matrix: np.ndarray, most: int) -> np.ndarray:
    """(...) zones scored on both sides at most `most` apart."""
    rank = np.arange(UNKNOWN)
    near = np.abs(rank[:, None] - rank) <= most
    return (_scored(matrix) * near).sum(axis=(-2, -1))


def _scored_counts(matrix: np.ndarray) -> Counts:
    """Classes 0..3 of the zones that the truth scores; one called unknown is a miss."""
    scored = np.array(matrix)
    # Columns stay whole: a zone called unknown is still one of its class that was missed.
    scored[..., UNKNOWN, :] = 0
    counts = Counts(scored)
    counts.truth, counts.predicted = counts.truth[..., :UNKNOWN], counts.predicted[..., :UNKNOWN]
    counts.hits = counts.hits[..., :UNKNOWN]
    return counts


@OF_COUNTS.metric("exact")
def _exact(matrix: np.ndarray) -> np.ndarray:
    return ratio(_far(matrix, 0), _with_score(matrix))


@OF_COUNTS.metric("within_one")
def _within_one(matrix: np.ndarray) -> np.ndarray:
    return ratio(_far(matrix, 1), _with_score(matrix))


@OF_COUNTS.metric("macro_f1")
def _macro_f1(matrix: np.ndarray) -> np.ndarray:
    return macro_f1(_scored_counts(matrix))


@OF_COUNTS.metric("weighted_f1")
def _weighted_f1(matrix: np.ndarray) -> np.ndarray:
    return weighted_f1(_scored_counts(matrix))


@OF_COUNTS.metric("kappa")
def _kappa(matrix: np.ndarray) -> np.ndarray:
    return quadratic_kappa(_scored(matrix))


@OF_COUNTS.metric("zone_mae")
def _zone_mae(matrix: np.ndarray) -> np.ndarray:
    rank = np.arange(UNKNOWN)
    distance = np.abs(rank[:, None] - rank)
    both = _scored(matrix)
    return ratio((both * distance).sum(axis=(-2, -1)), both.sum(axis=(-2, -1)))


@OF_COUNTS.metric("coverage")
def _coverage(matrix: np.ndarray) -> np.ndarray:
    return ratio(_scored(matrix).sum(axis=(-2, -1)), _with_score(matrix))


@OF_COUNTS.metric("unknown_precision")
def _unknown_precision(matrix: np.ndarray) -> np.ndarray:
    return ratio(matrix[..., UNKNOWN, UNKNOWN], matrix[..., :, UNKNOWN].sum(axis=-1))


@OF_COUNTS.metric("unknown_recall")
def _unknown_recall(matrix: np.ndarray) -> np.ndarray:
    return ratio(matrix[..., UNKNOWN, UNKNOWN], matrix[..., UNKNOWN, :].sum(axis=-1))


@OF_COUNTS.metric("unknown_f1")
def _unknown_f1(matrix: np.ndarray) -> np.ndarray:
    both = matrix[..., UNKNOWN, :].sum(axis=-1) + matrix[..., :, UNKNOWN].sum(axis=-1)
    return ratio(2 * matrix[..., UNKNOWN, UNKNOWN], both)


def zone_scores(labels: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """What the counts of M zones give. labels, predicted: (M,) integers 0..4."""
    return plain(OF_COUNTS.of(confusion(labels, predicted, UNKNOWN + 1)))
