"""Scores of image zones, 0-3, where a reader may also say "unknown" (class 4).

Two questions are kept apart. How good is a score where the truth has one? And: is "unknown" found?
A zone that the truth scores and the prediction calls unknown is a miss for exact, within_one and
F1; kappa takes the zones that both scored, and `coverage` says what share that is. Shapes: N
images, Z zones, classes 0..3 and 4.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from foldwise.evaluate.metrics.classification import collapsed, surprise
from foldwise.evaluate.metrics.confusion import Counts, confusion, quadratic_kappa
from foldwise.evaluate.metrics.numbers import (
    Measured,
    ReadOnce,
    Weights,
    cell_sums,
    mean_defined,
    pearson,
    plain,
    ratio,
    undefined,
)
from foldwise.evaluate.metrics.ranking import Ranks, binary_auc, counted
from foldwise.evaluate.metrics.zone_counts import OF_COUNTS, UNKNOWN, zone_scores
from foldwise.metrics import monitors

# Upper bounds of the two lower severity bands of the mean score; above the second is severe.
BANDS = (1.3, 2.2)
BAND_NAMES = ("mild", "moderate", "severe")
MEASURED = Measured()


class Answers:
    """labels: (N, Z) integers 0..4. probabilities: (N, Z, 5). What no draw of images changes."""

    def __init__(self, labels: np.ndarray, probabilities: np.ndarray) -> None:
        self.labels, self.probabilities = labels, probabilities
        self.predicted = probabilities.argmax(axis=2)

    @cached_property
    def image_of_zone(self) -> np.ndarray:
        """(N * Z,) number of each zone's image."""
        return np.repeat(np.arange(len(self.labels)), self.labels.shape[1])

    @cached_property
    def means(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(N,) mean scores of truth and prediction, NaN where one has none; where both have one."""
        truth, guess = mean_score(self.labels), mean_score(self.predicted)
        both = ~np.isnan(truth) & ~np.isnan(guess)
        return np.where(both, truth, np.nan), np.where(both, guess, np.nan), np.flatnonzero(both)

    @cached_property
    def unknown(self) -> tuple[np.ndarray, np.ndarray]:
        """(N * Z,) whether a zone is unknown, and the probability of that."""
        return self.labels.ravel() == UNKNOWN, self.probabilities[..., UNKNOWN].ravel()

    @cached_property
    def unknown_ranks(self) -> Ranks:
        """Zones in the order of their probability of being unknown."""
        return Ranks(*self.unknown, self.image_of_zone)

    @cached_property
    def surprise(self) -> np.ndarray:
        """(N, Z) -log of the probability of the truth."""
        each = surprise(self.labels.ravel(), self.probabilities.reshape(-1, UNKNOWN + 1))
        return each.reshape(self.labels.shape)


class Zones:
    """Counts and means of answers. weights: (R, N)."""

    def __init__(self, answers: Answers, weights: Weights = None) -> None:
        self.answers, self.weights = answers, weights

    @cached_property
    def matrix(self) -> np.ndarray:
        """(..., 5, 5) counts of all zones."""
        side = UNKNOWN + 1
        cells = (self.answers.labels * side + self.answers.predicted).ravel()
        if self.weights is None:
            return np.bincount(cells, minlength=side**2).reshape(side, side)
        sums = cell_sums(cells, side**2, self.counted, self.answers.image_of_zone)
        # float64 again: products of two such counts exceed what float32 holds exactly.
        return sums.T.astype(np.float64).reshape(-1, side, side)

    @cached_property
    def counted(self) -> np.ndarray:
        """The weights in half the memory."""
        return counted(self.weights)

    def mean_error(self, of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray | float:
        """Mean over images of a function of the mean score's error."""
        truth, guess, _ = self.answers.means
        return mean_defined(of(guess - truth), self.weights)

    @cached_property
    def bands(self) -> np.ndarray:
        """(..., 3, 3) counts of images by severity band."""
        truth, guess, both = self.answers.means
        bands = severity(truth[both]), severity(guess[both])
        return confusion(*bands, len(BAND_NAMES), self.weights, both)


@MEASURED.metric("mean_score_mae")
def _mean_score_mae(zones: Zones) -> np.ndarray | float:
    return zones.mean_error(np.abs)


@MEASURED.metric("mean_score_rmse")
def _mean_score_rmse(zones: Zones) -> np.ndarray:
    return np.sqrt(zones.mean_error(np.square))


@MEASURED.metric("mean_score_bias")
def _mean_score_bias(zones: Zones) -> np.ndarray | float:
    return zones.mean_error(np.positive)


@MEASURED.metric("mean_score_r")
def _mean_score_r(zones: Zones) -> np.ndarray | float:
    truth, guess, _ = zones.answers.means
    return pearson(truth, guess, zones.weights)


@MEASURED.metric("band_accuracy")
def _band_accuracy(zones: Zones) -> np.ndarray:
    counts = Counts(zones.bands)
    return ratio(counts.hits.sum(axis=-1), counts.n)


@MEASURED.metric("band_kappa")
def _band_kappa(zones: Zones) -> np.ndarray:
    return quadratic_kappa(zones.bands)


@MEASURED.metric("unknown_auc")
def _unknown_auc(zones: Zones) -> np.ndarray | float:
    if zones.weights is None:
        return binary_auc(*zones.answers.unknown)
    return zones.answers.unknown_ranks.areas(zones.counted)


@MEASURED.metric("log_loss")
def _log_loss(zones: Zones) -> np.ndarray | float:
    each = zones.answers.surprise
    if zones.weights is None:
        return mean_defined(each.ravel())
    # All images have as many zones, so that the mean over images is that over zones.
    return mean_defined(each.mean(axis=1), zones.weights)


def scores(
    labels: np.ndarray, probabilities: np.ndarray, weights: Weights = None
) -> dict[str, Any]:
    """Every scalar metric over all zones together, and of the image's mean score.

    labels: (N, Z) integers 0..4. probabilities: (N, Z, 5). Floats, or (R,) arrays with `weights`.
    """
    return _scores(Answers(labels, probabilities), weights)


def _scores(answers: Answers, weights: Weights) -> dict[str, Any]:
    zones = Zones(answers, weights)
    return plain(OF_COUNTS.of(zones.matrix) | MEASURED.of(zones))


def mean_score(zones: np.ndarray) -> np.ndarray:
    """(N,) mean over the zones that have a score; NaN for an image without any. zones: (N, Z)."""
    scored = zones != UNKNOWN
    total = np.where(scored, zones, 0).sum(axis=1).astype(np.float64)
    count = scored.sum(axis=1)
    return np.divide(total, count, out=np.full(len(zones), np.nan), where=count > 0)


def severity(score: np.ndarray) -> np.ndarray:
    """(N,) band of a mean score: 0 up to 1.3, 1 up to 2.2, 2 above."""
    # "left": a mean score at a bound belongs to the lower band.
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
) -> Callable[[Weights], dict[str, Any]]:
    """A function from weights (None: each row once) to `scores`: the table is read once."""
    answers = Answers(*arrays(rows, zones))
    return lambda weights: _scores(answers, weights)


def details(rows: Sequence[dict[str, str]], zones: Sequence[str]) -> dict[str, Any]:
    """Per zone: metrics and (5, 5) confusion; bands; collapse; why a metric is undefined."""
    return _details(Answers(*arrays(rows, zones)), zones)


def _details(answers: Answers, zones: Sequence[str]) -> dict[str, Any]:
    labels, predicted, bands = answers.labels, answers.predicted, Zones(answers).bands
    per_zone = {
        zone: _of_zone(labels[:, z], answers.probabilities[:, z]) for z, zone in enumerate(zones)
    }
    counts = np.bincount(predicted.ravel(), minlength=UNKNOWN + 1)
    return {
        "per_zone": per_zone,
        "undefined": undefined(_scores(answers, None)),
        "bands": {
            "names": list(BAND_NAMES),
            "limits": list(BANDS),
            "confusion": bands.tolist(),
            "left_out": len(labels) - int(bands.sum()),
        },
        "predicted_counts": {str(k): int(n) for k, n in enumerate(counts)},
        "collapsed": collapsed(labels.ravel(), predicted.ravel()),
    }


def _of_zone(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """labels (N,), probabilities (N, 5) of one zone."""
    predicted = probabilities.argmax(axis=1)
    return {
        **zone_scores(labels, predicted),
        "unknown_auc": float(binary_auc(labels == UNKNOWN, probabilities[:, UNKNOWN])),
        "confusion": confusion(labels, predicted, UNKNOWN + 1).tolist(),
    }


class Measures:
    """Zone scores as evaluation asks for it; see `foldwise.evaluate.fold.Measured`."""

    monitors: ClassVar[dict[str, str]] = monitors("zones")

    def __init__(self, task: dict[str, Any]) -> None:
        self.zones = task["zones"]
        self.answers = ReadOnce(lambda rows: Answers(*arrays(rows, self.zones)))

    def scorer(self, rows: Sequence[dict[str, str]]) -> Callable[[Weights], dict[str, Any]]:
        answers = self.answers(rows)
        return lambda weights: _scores(answers, weights)

    def score(self, rows: Sequence[dict[str, str]]) -> dict[str, float]:
        return self.scorer(rows)(None)

    def details(self, rows: Sequence[dict[str, str]]) -> dict[str, Any]:
        return _details(self.answers(rows), self.zones)
