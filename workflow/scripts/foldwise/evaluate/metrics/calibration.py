"""Calibration error: gaps between confidence and accuracy, in bins of confidence."""

from functools import cached_property

import numpy as np

from foldwise.evaluate.metrics.numbers import Weights, cell_sums, ratio

ECE_BINS = 10


class BinGaps:
    """Gaps between confidence and accuracy of the predicted class, summed in 10 equal bins."""

    def __init__(
        self, labels: np.ndarray, probabilities: np.ndarray, weights: Weights = None
    ) -> None:
        # `initial`, since a maximum of no rows is an error and not nothing.
        confidence = probabilities.max(axis=1, initial=0)
        self.gap = confidence - (probabilities.argmax(axis=1) == labels)
        self.bins, self.weights = bins_of(confidence), weights

    @cached_property
    def whole(self) -> np.ndarray:
        """(ECE_BINS,) of all samples."""
        return np.bincount(self.bins, weights=self.gap, minlength=ECE_BINS)

    @cached_property
    def drawn(self) -> np.ndarray:
        """(ECE_BINS, R) of draws."""
        return cell_sums(self.bins, ECE_BINS, self.weights, values=self.gap)

    @property
    def error(self) -> np.ndarray | float:
        """Expected calibration error: Guo et al. 2017, "On calibration of modern neural networks",
        equation 3."""
        # A gap is signed until it is summed over a bin: within one they may cancel, as defined.
        if self.weights is None:
            return float(ratio(np.abs(self.whole).sum(), len(self.gap)))
        return ratio(np.abs(self.drawn).sum(axis=0), self.weights.sum(axis=1))

    @property
    def distance(self) -> np.ndarray:
        """(R,) how far a draw's bins lie from those of all samples, summed: no draw's error differs
        from the error of all by more, and unlike that difference it has no bias."""
        share = ratio(self.drawn, self.weights.sum(axis=1)[None].repeat(ECE_BINS, axis=0))
        return np.abs(share - self.whole[:, None] / len(self.gap)).sum(axis=0)


def expected_calibration_error(
    labels: np.ndarray, probabilities: np.ndarray, weights: Weights = None
) -> np.ndarray | float:
    """`BinGaps.error`, of all samples or (R,) of draws."""
    return BinGaps(labels, probabilities, weights).error


def bins_of(confidence: np.ndarray) -> np.ndarray:
    """(N,) bin from 0 of each confidence: bin m of M holds those in (m/M, (m+1)/M], 0 the first."""
    return np.clip(np.ceil(confidence * ECE_BINS).astype(int) - 1, 0, ECE_BINS - 1)
