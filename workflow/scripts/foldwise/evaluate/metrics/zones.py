"""Scores of image zones, 0-3, where a reader may also say "unknown" (class 4).

Two questions are kept apart. How good is a score where the truth has one? And: is "unknown" found?
A zone that the truth scores and the prediction calls unknown is a miss for exact, within_one and
F1; kappa takes the zones that both scored, and `coverage` says what share that is. Shapes: N
images, Z zones, classes 0..3 and 4.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from foldwise.evaluate.metrics import classification
from foldwise.evaluate.metrics.numbers import mean_defined, pearson, undefined
from foldwise.metrics import monitors

UNKNOWN = 4
# Upper bounds of the two lower severity bands of the mean score; above the second is severe.
BANDS = (1.3, 2.2)
BAND_NAMES = ("mild", "moderate", "severe")
# Why a metric may have no value; of others: no zone has a score.
REASONS = {
    "kappa": "the zones that both scored have one score throughout, or there are none",
    "zone_mae": "no zone has a score on both sides",
    "unknown_precision": "no zone is called unknown",
    "unknown_recall": "no zone is unknown",
    "unknown_f1": "no zone is unknown or called so",
    "unknown_auc": "all zones are unknown, or none is",
    "mean_score_r": "mean scores do not vary",
    "band_kappa": "all images are in one band",
}


def scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Every scalar metric over all zones together, and of the image's mean score.

    labels: (N, Z) integers 0..4. probabilities: (N, Z, 5).
    """
    predicted = probabilities.argmax(axis=2)
    return {
        **zone_scores(labels.ravel(), predicted.ravel()),
        **unknown_scores(labels.ravel(), probabilities.reshape(-1, UNKNOWN + 1)),
        **mean_scores(labels, predicted),
        "log_loss": classification.log_loss(labels.ravel(), probabilities.reshape(-1, UNKNOWN + 1)),
    }


def zone_scores(labels: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """exact, within_one, macro_f1, weighted_f1, kappa, zone_mae, coverage where truth is known.

    labels, predicted: (M,) integers 0..4. The F1s are over classes 0..3.
    """
    known = labels != UNKNOWN
    truth, guess = labels[known], predicted[known]
    both = guess != UNKNOWN
    distance = np.abs(truth - guess)
    matrix = classification.confusion(truth, guess, UNKNOWN + 1)
    scored = classification.confusion(truth[both], guess[both], UNKNOWN)
    f1 = _f1_known(matrix)
    support = matrix.sum(axis=1)[:UNKNOWN]
    return {
        "exact": mean_defined(truth == guess),
        "within_one": mean_defined(both & (distance <= 1)),
        "macro_f1": mean_defined(f1[~np.isnan(f1)]),
        "weighted_f1": float(np.nansum(f1 * support) / support.sum()) if support.sum() else np.nan,
        "kappa": classification.quadratic_kappa(scored),
        "zone_mae": mean_defined(distance[both]),
        "coverage": mean_defined(both),
    }


def _f1_known(matrix: np.ndarray) -> np.ndarray:
    """(4,) F1 of classes 0..3 from (5, 5) counts; NaN for one neither there nor predicted."""
    whole = (matrix.sum(axis=0) + matrix.sum(axis=1))[:UNKNOWN].astype(np.float64)
    hits = 2.0 * matrix.diagonal()[:UNKNOWN]
    return np.divide(hits, whole, out=np.full(UNKNOWN, np.nan), where=whole > 0)


def unknown_scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Finding "unknown" as a detection: precision, recall, F1, AUC. labels (M,), (M, 5)."""
    truth = labels == UNKNOWN
    found = probabilities.argmax(axis=1) == UNKNOWN
    hits = int((truth & found).sum())
    return {
        "unknown_precision": hits / found.sum() if found.any() else float("nan"),
        "unknown_recall": hits / truth.sum() if truth.any() else float("nan"),
        "unknown_f1": 2 * hits / total
        if (total := int(truth.sum() + found.sum()))
        else float("nan"),
        "unknown_auc": classification.binary_auc(truth, probabilities[:, UNKNOWN]),
    }


def mean_score(zones: np.ndarray) -> np.ndarray:
    """(N,) mean over the zones that have a score; NaN for an image without any. zones: (N, Z)."""
    known = zones != UNKNOWN
    total = np.where(known, zones, 0).sum(axis=1).astype(np.float64)
    count = known.sum(axis=1)
    return np.divide(total, count, out=np.full(len(zones), np.nan), where=count > 0)


def mean_scores(labels: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Agreement of the image's mean score: MAE, RMSE, Pearson r, bias, bands.

    labels, predicted: (N, Z). Images in which either side has no score at all are left out.
    """
    truth, guess = mean_score(labels), mean_score(predicted)
    both = ~np.isnan(truth) & ~np.isnan(guess)
    truth, guess = truth[both], guess[both]
    error = guess - truth
    bands = classification.confusion(severity(truth), severity(guess), len(BAND_NAMES))
    return {
        "mean_score_mae": mean_defined(np.abs(error)),
        "mean_score_rmse": float(np.sqrt(mean_defined(error**2))),
        "mean_score_bias": mean_defined(error),
        "mean_score_r": pearson(truth, guess),
        "band_accuracy": float(bands.trace() / bands.sum()) if bands.sum() else float("nan"),
        "band_kappa": classification.quadratic_kappa(bands),
    }


def severity(score: np.ndarray) -> np.ndarray:
    """(N,) band of a mean score: 0 up to 1.3, 1 up to 2.2, 2 above."""
    return np.searchsorted(BANDS, score, side="left")


def columns(zone: str) -> tuple[str, list[str]]:
    """Names in the prediction table: the label's column, and the five probabilities'."""
    return f"label_{zone}", [f"p_{zone}_{k}" for k in range(UNKNOWN + 1)]


def arrays(rows: Sequence[dict[str, str]], zones: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Labels (N, Z) and probabilities (N, Z, 5) of prediction rows."""
    names = [columns(zone) for zone in zones]
    labels = [[int(row[label]) for label, _ in names] for row in rows]
    table = [[[float(row[p]) for p in many] for _, many in names] for row in rows]
    return (
        np.array(labels, dtype=np.int64).reshape(len(rows), len(zones)),
        np.array(table, dtype=np.float64).reshape(len(rows), len(zones), UNKNOWN + 1),
    )


def scorer(
    rows: Sequence[dict[str, str]], zones: Sequence[str]
) -> Callable[[np.ndarray], dict[str, float]]:
    """A function from row numbers to `scores`: the table is read once."""
    labels, probabilities = arrays(rows, zones)
    return lambda index: scores(labels[index], probabilities[index])


def details(rows: Sequence[dict[str, str]], zones: Sequence[str]) -> dict[str, Any]:
    """Per zone: metrics and (5, 5) confusion; bands; collapse; why a metric is undefined."""
    labels, probabilities = arrays(rows, zones)
    predicted = probabilities.argmax(axis=2)
    per_zone = {
        zone: {
            **zone_scores(labels[:, z], predicted[:, z]),
            **unknown_scores(labels[:, z], probabilities[:, z]),
            "confusion": classification.confusion(
                labels[:, z], predicted[:, z], UNKNOWN + 1
            ).tolist(),
        }
        for z, zone in enumerate(zones)
    }
    counts = np.bincount(predicted.ravel(), minlength=UNKNOWN + 1)
    return {
        "per_zone": per_zone,
        "undefined": undefined(scores(labels, probabilities), REASONS, "no zone has a score"),
        "bands": _bands(labels, predicted),
        "predicted_counts": {str(k): int(n) for k, n in enumerate(counts)},
        "collapsed": classification.collapsed(labels.ravel(), predicted.ravel()),
    }


def _bands(labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    truth, guess = mean_score(labels), mean_score(predicted)
    both = ~np.isnan(truth) & ~np.isnan(guess)
    matrix = classification.confusion(severity(truth[both]), severity(guess[both]), 3)
    return {
        "names": list(BAND_NAMES),
        "limits": list(BANDS),
        "confusion": matrix.tolist(),
        "left_out": int((~both).sum()),
    }


class Measures:
    """Zone scores as evaluation asks for it; see `foldwise.evaluate.fold.Measured`."""

    monitors: ClassVar[dict[str, str]] = monitors("zones")

    def __init__(self, task: dict[str, Any]) -> None:
        self.zones = task["zones"]

    def scorer(self, rows: Sequence[dict[str, str]]) -> Callable[[np.ndarray], dict[str, float]]:
        return scorer(rows, self.zones)

    def score(self, rows: Sequence[dict[str, str]]) -> dict[str, float]:
        return self.scorer(rows)(np.arange(len(rows)))

    def details(self, rows: Sequence[dict[str, str]]) -> dict[str, Any]:
        return details(rows, self.zones)
