"""How good class probabilities are: agreement, ranking and calibration.

Everything is plain numpy, because a bootstrap calls it thousands of times; the tests hold it
against scikit-learn to 1e-9. Shapes: N samples, K classes in their order (A < B < C < D).
A metric that the samples cannot give is NaN, never a stand-in; `undefined` says why.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from foldwise.evaluate.metrics import numbers
from foldwise.evaluate.metrics.numbers import mean_defined, ratio
from foldwise.metrics import monitors

ECE_BINS = 10


def scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Every scalar metric of one set of samples.

    labels: (N,) integers 0..K-1. probabilities: (N, K), rows sum to one.
    Keys: accuracy, kappa (quadratic weights), macro_f1, weighted_f1, macro_precision,
    balanced_accuracy (macro recall) and _adjusted for chance, auc (one against the rest, mean
    over classes), log_loss (nats), brier (0 to 2), ece. NaN where undefined.
    """
    predicted = probabilities.argmax(axis=1)
    matrix = confusion(labels, predicted, probabilities.shape[1])
    return {
        **scores_of_confusion(matrix),
        "auc": macro_auc(labels, probabilities),
        "log_loss": log_loss(labels, probabilities),
        "brier": brier(labels, probabilities),
        "ece": expected_calibration_error(labels, probabilities),
    }


def undefined(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> dict[str, str]:
    """Metric -> reason, for those that `scores` gives as NaN."""
    present = np.bincount(labels, minlength=probabilities.shape[1]) > 0
    absent = ", ".join(classes[k] for k in np.flatnonzero(~present))
    reasons = {
        "auc": f"no sample of class {absent}" if absent else "only one class is there",
        "kappa": "truth and prediction are one and the same class throughout",
        "balanced_accuracy_adjusted": "only one class is there",
    }
    return numbers.undefined(
        scores(labels, probabilities), reasons if len(labels) else {}, "no samples"
    )


def confusion(labels: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """(K, K) counts, row = truth, column = prediction."""
    flat = np.bincount(labels * n_classes + predicted, minlength=n_classes**2)
    return flat.reshape(n_classes, n_classes)


def scores_of_confusion(matrix: np.ndarray) -> dict[str, float]:
    """The metrics that need no more than the (K, K) counts."""
    truth, predicted, hits = matrix.sum(axis=1), matrix.sum(axis=0), matrix.diagonal()
    f1 = ratio(2 * hits, truth + predicted)
    # A class that is there and never predicted has precision 0, as in scikit-learn: leaving it
    # out would reward not predicting it.
    precision = np.where((truth > 0) & (predicted == 0), 0.0, ratio(hits, predicted))
    present = int((truth > 0).sum())
    balanced = mean_defined(ratio(hits, truth))
    chance = 1 / present if present else np.nan
    adjusted = (balanced - chance) / (1 - chance) if present > 1 else np.nan
    return {
        "accuracy": float(ratio(hits.sum(), matrix.sum())),
        "kappa": quadratic_kappa(matrix),
        # A class that is neither there nor predicted has no F1 and does not enter the mean.
        "macro_f1": mean_defined(f1),
        "weighted_f1": float(ratio(np.nansum(f1 * truth), truth.sum())),
        "macro_precision": mean_defined(precision),
        "balanced_accuracy": balanced,
        "balanced_accuracy_adjusted": float(adjusted),
    }


def quadratic_kappa(matrix: np.ndarray) -> float:
    """Cohen's kappa with weights (i - j)^2 of (K, K) counts (Cohen 1968, Psychol Bull 70:213)."""
    rank = np.arange(len(matrix))
    weight = (rank[:, None] - rank[None, :]) ** 2
    total = matrix.sum()
    expected = np.outer(matrix.sum(axis=1), matrix.sum(axis=0)) / max(total, 1)
    return float(1 - ratio((weight * matrix).sum(), (weight * expected).sum()))


def macro_auc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean over classes of `class_auc`; NaN if a class is absent. Of two classes, the second's."""
    # With two classes both areas are one number, but for ties that rounding makes or breaks.
    areas = class_auc(labels, probabilities)
    return float(areas[1] if len(areas) == 2 else areas.mean())


def class_auc(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(K,) area under the ROC curve of each class against the rest; NaN without both sides.

    By ranks with ties shared (Hanley & McNeil 1982, Radiology 143:29).
    """
    return np.array(
        [binary_auc(labels == k, probabilities[:, k]) for k in range(probabilities.shape[1])]
    )


def binary_auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve. positive: (N,) bool, score: (N,). NaN if one side is empty."""
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return float("nan")
    _, place, ties = np.unique(score, return_inverse=True, return_counts=True)
    rank = np.cumsum(ties) - (ties - 1) / 2
    rank_sum = rank[place[positive]].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean negative log probability of the truth, in nats, clipped at float64's epsilon."""
    if len(labels) == 0:
        return float("nan")
    epsilon = np.finfo(np.float64).eps
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(of_truth, epsilon, 1 - epsilon)).mean())


def brier(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean over samples of the squared error summed over classes, 0 to 2 (Brier 1950)."""
    if len(labels) == 0:
        return float("nan")
    error = probabilities - np.eye(probabilities.shape[1])[labels]
    return float((error**2).sum(axis=1).mean())


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Gap between confidence and accuracy of the predicted class, 10 equal bins.

    Guo et al. 2017, "On calibration of modern neural networks", equation 3.
    """
    if len(labels) == 0:
        return float("nan")
    confidence = probabilities.max(axis=1)
    gap = confidence - (probabilities.argmax(axis=1) == labels)
    # Bin m holds confidences in ((m-1)/M, m/M].
    bins = np.clip(np.ceil(confidence * ECE_BINS).astype(int) - 1, 0, ECE_BINS - 1)
    return float(np.abs(np.bincount(bins, weights=gap)).sum() / len(labels))


def per_class(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Class name -> precision, recall, specificity, f1, auc, support and predicted (counts)."""
    matrix = confusion(labels, probabilities.argmax(axis=1), len(classes))
    truth, predicted, hits = matrix.sum(axis=1), matrix.sum(axis=0), matrix.diagonal()
    negatives = matrix.sum() - truth
    columns = {
        "precision": ratio(hits, predicted),
        "recall": ratio(hits, truth),
        "specificity": ratio(negatives - (predicted - hits), negatives),
        "f1": ratio(2 * hits, truth + predicted),
        "auc": class_auc(labels, probabilities),
    }
    return {
        name: {metric: float(values[k]) for metric, values in columns.items()}
        | {"support": int(truth[k]), "predicted": int(predicted[k])}
        for k, name in enumerate(classes)
    }


def details(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> dict[str, Any]:
    """What does not fit into one number: classes, confusion, predicted counts, collapse."""
    predicted = probabilities.argmax(axis=1)
    counts = np.bincount(predicted, minlength=len(classes))
    return {
        "classes": list(classes),
        "per_class": per_class(labels, probabilities, classes),
        "confusion": confusion(labels, predicted, len(classes)).tolist(),
        "predicted_counts": {name: int(n) for name, n in zip(classes, counts, strict=True)},
        "collapsed": collapsed(labels, predicted),
        "undefined": undefined(labels, probabilities, classes),
    }


def collapsed(labels: np.ndarray, predicted: np.ndarray) -> bool:
    """True if one class alone is predicted although the truth has several."""
    return len(np.unique(predicted)) == 1 and len(np.unique(labels)) > 1


def arrays(
    rows: Sequence[dict[str, str]],
    classes: Sequence[str],
    label: str = "label",
    prefix: str = "p_",
) -> tuple[np.ndarray, np.ndarray]:
    """Labels (N,) int64 and probabilities (N, K) float64 of prediction rows.

    A row has the class name in column `label` and a probability in `<prefix><class>` each.
    """
    number = {name: k for k, name in enumerate(classes)}
    labels = np.array([number[row[label]] for row in rows], dtype=np.int64)
    table = [[float(row[prefix + name]) for name in classes] for row in rows]
    return labels, np.array(table, dtype=np.float64).reshape(len(rows), len(classes))


def scorer(
    rows: Sequence[dict[str, str]],
    classes: Sequence[str],
    label: str = "label",
    prefix: str = "p_",
) -> Callable[[np.ndarray], dict[str, float]]:
    """A function from row numbers (with repeats) to `scores`: the table is read once."""
    labels, probabilities = arrays(rows, classes, label, prefix)
    return lambda index: scores(labels[index], probabilities[index])


class Measures:
    """Classification as evaluation asks for it; see `foldwise.evaluate.fold.Measured`."""

    monitors: ClassVar[dict[str, str]] = monitors("classification")

    def __init__(self, task: dict[str, Any]) -> None:
        self.classes = task["classes"]

    def scorer(self, rows: Sequence[dict[str, str]]) -> Callable[[np.ndarray], dict[str, float]]:
        return scorer(rows, self.classes)

    def score(self, rows: Sequence[dict[str, str]]) -> dict[str, float]:
        return self.scorer(rows)(np.arange(len(rows)))

    def details(self, rows: Sequence[dict[str, str]]) -> dict[str, Any]:
        return details(*arrays(rows, self.classes), self.classes)
