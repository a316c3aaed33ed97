"""How good class probabilities are: agreement, ranking and calibration.

A metric is a function of `Answers` under its name in the table (`foldwise.metrics`), written once
for one set of samples and for many draws from it. The tests hold them against scikit-learn to
1e-9. Shapes: N samples, K classes in their order (A < B < C < D), R draws. A metric that the
samples cannot give is NaN, never a stand-in; `undefined` says why.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from foldwise.evaluate.metrics import numbers
from foldwise.evaluate.metrics.calibration import BinGaps
from foldwise.evaluate.metrics.confusion import (
    Counts,
    confusion,
    macro_f1,
    quadratic_kappa,
    weighted_f1,
)
from foldwise.evaluate.metrics.numbers import (
    Measured,
    ReadOnce,
    Weights,
    mean_defined,
    mean_over,
    ratio,
)
from foldwise.evaluate.metrics.ranking import Ranks, class_auc, counted
from foldwise.metrics import DISTANCE, NO_SAMPLE, monitors

MEASURED = Measured()


class Samples:
    """labels: (N,) integers 0..K-1. probabilities: (N, K). What no draw of samples changes."""

    def __init__(self, labels: np.ndarray, probabilities: np.ndarray) -> None:
        self.labels, self.probabilities = labels, probabilities

    @cached_property
    def predicted(self) -> np.ndarray:
        """(N,) class of the largest probability."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def ranks(self) -> list[Ranks]:
        """Order by the probability of each class."""
        return [Ranks(self.labels == k, p) for k, p in enumerate(self.probabilities.T)]

    @cached_property
    def surprise(self) -> np.ndarray:
        """(N,) negative log probability of the truth."""
        return surprise(self.labels, self.probabilities)

    @cached_property
    def squared_error(self) -> np.ndarray:
        """(N,) summed over classes."""
        truth = np.eye(self.probabilities.shape[1])[self.labels]
        return ((self.probabilities - truth) ** 2).sum(axis=1)


class Answers:
    """Counts and means of samples. weights: (R, N)."""

    def __init__(self, samples: Samples, weights: Weights = None) -> None:
        self.samples, self.weights = samples, weights

    @cached_property
    def counts(self) -> Counts:
        """Of truth and predicted class."""
        samples = self.samples
        k = samples.probabilities.shape[1]
        return Counts(confusion(samples.labels, samples.predicted, k, self.weights))

    @cached_property
    def gaps(self) -> BinGaps:
        """Of calibration."""
        return BinGaps(self.samples.labels, self.samples.probabilities, self.weights)


@MEASURED.metric("accuracy")
def _accuracy(answers: Answers) -> np.ndarray:
    return ratio(answers.counts.hits.sum(axis=-1), answers.counts.n)


@MEASURED.metric("kappa")
def _kappa(answers: Answers) -> np.ndarray:
    return quadratic_kappa(answers.counts.matrix)


@MEASURED.metric("macro_f1")
def _macro_f1(answers: Answers) -> np.ndarray:
    return macro_f1(answers.counts)


@MEASURED.metric("weighted_f1")
def _weighted_f1(answers: Answers) -> np.ndarray:
    return weighted_f1(answers.counts)


@MEASURED.metric("macro_precision")
def _macro_precision(answers: Answers) -> np.ndarray:
    counts = answers.counts
    # A class that is there and never predicted has precision 0, as in scikit-learn: leaving it
    # out would reward not predicting it.
    never = (counts.truth > 0) & (counts.predicted == 0)
    return mean_over(np.where(never, 0.0, ratio(counts.hits, counts.predicted)))


@MEASURED.metric("balanced_accuracy")
def balanced_accuracy(answers: Answers) -> np.ndarray:
    """Mean recall over the classes that are there."""
    return mean_over(answers.counts.recall)


@MEASURED.metric("balanced_accuracy_adjusted")
def _balanced_accuracy_adjusted(answers: Answers) -> np.ndarray:
    chance = ratio(1, (answers.counts.truth > 0).sum(axis=-1))
    return ratio(balanced_accuracy(answers) - chance, 1 - chance)


@MEASURED.metric("auc")
def _auc(answers: Answers) -> np.ndarray:
    samples, weights = answers.samples, answers.weights
    if weights is None:
        areas = class_auc(samples.labels, samples.probabilities)
    else:
        weights = counted(weights)
        areas = np.stack([ranks.areas(weights) for ranks in samples.ranks], axis=-1)
    # With two classes both areas are one number, but for ties that rounding makes or breaks.
    return areas[..., 1] if areas.shape[-1] == 2 else areas.mean(axis=-1)


@MEASURED.metric("log_loss")
def _log_loss(answers: Answers) -> np.ndarray | float:
    return mean_defined(answers.samples.surprise, answers.weights)


@MEASURED.metric("brier")
def _brier(answers: Answers) -> np.ndarray | float:
    """Mean over samples of the squared error summed over classes, 0 to 2 (Brier 1950)."""
    return mean_defined(answers.samples.squared_error, answers.weights)


@MEASURED.metric("ece")
def _ece(answers: Answers) -> np.ndarray:
    return answers.gaps.error


def measured_of(table: Measured, answers: Answers) -> dict[str, Any]:
    """Every metric of a table; of draws also what the interval of calibration error needs."""
    values = table.of(answers)
    if answers.weights is not None:
        values["ece" + DISTANCE] = answers.gaps.distance
    return values


def scores(
    labels: np.ndarray, probabilities: np.ndarray, weights: Weights = None
) -> dict[str, Any]:
    """Every scalar metric of one set of samples (float), or of many draws from it ((R,) arrays).

    labels: (N,) integers 0..K-1. probabilities: (N, K), rows sum to one.
    """
    return _scores(Samples(labels, probabilities), weights)


def _scores(samples: Samples, weights: Weights) -> dict[str, Any]:
    return numbers.plain(measured_of(MEASURED, Answers(samples, weights)))


def undefined(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> dict[str, str]:
    """Metric -> reason, for those that `scores` gives as NaN."""
    reasons = numbers.undefined(scores(labels, probabilities))
    if not len(labels):
        return dict.fromkeys(reasons, NO_SAMPLE)
    present = np.bincount(labels, minlength=probabilities.shape[1]) > 0
    absent = ", ".join(classes[k] for k in np.flatnonzero(~present))
    return reasons | ({"auc": f"no sample of class {absent}"} if absent else {})


def surprise(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(N,) negative log probability of the truth, in nats, clipped at float64's epsilon."""
    epsilon = np.finfo(np.float64).eps
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    # As scikit-learn clips: a truth that was given 0 would make the mean infinite.
    return -np.log(np.clip(of_truth, epsilon, 1 - epsilon))


def per_class(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Class name -> precision, recall, specificity, f1, auc, support and predicted (counts)."""
    counts = Answers(Samples(labels, probabilities)).counts
    truth, predicted, hits = counts.truth, counts.predicted, counts.hits
    negatives = counts.n - truth
    columns = {
        "precision": ratio(hits, predicted),
        "recall": counts.recall,
        "specificity": ratio(negatives - (predicted - hits), negatives),
        "f1": counts.f1,
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
) -> Callable[[Weights], dict[str, Any]]:
    """A function from weights (None: each row once) to `scores`: the table is read once."""
    samples = Samples(*arrays(rows, classes, label, prefix))
    return lambda weights: _scores(samples, weights)


class Measures:
    """Classification as evaluation asks for it; see `foldwise.evaluate.fold.Measured`."""

    monitors: ClassVar[dict[str, str]] = monitors("classification")

    def __init__(self, task: dict[str, Any]) -> None:
        self.classes = task["classes"]
        self.samples = ReadOnce(lambda rows: Samples(*arrays(rows, self.classes)))

    def scorer(self, rows: Sequence[dict[str, str]]) -> Callable[[Weights], dict[str, Any]]:
        samples = self.samples(rows)
        return lambda weights: _scores(samples, weights)

    def score(self, rows: Sequence[dict[str, str]]) -> dict[str, float]:
        return self.scorer(rows)(None)

    def details(self, rows: Sequence[dict[str, str]]) -> dict[str, Any]:
        samples = self.samples(rows)
        return details(samples.labels, samples.probabilities, self.classes)
