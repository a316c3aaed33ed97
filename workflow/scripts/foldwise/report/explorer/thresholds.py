"""Each class against the rest at each threshold of its probability, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.evaluate.metrics import heads
from foldwise.evaluate.metrics.classification import arrays
from foldwise.evaluate.metrics.draws import Draws, resample
from foldwise.evaluate.metrics.intervals import of_draws
from foldwise.files import read_csv, write_json
from foldwise.metrics import PROPORTION

# A class is called where its probability is at least the threshold.
THRESHOLDS = np.arange(101) / 100
RESAMPLES, LEVEL, DIGITS = 1000, 0.95, 4
# Rates that are a share of the images of one truth, and which truth that is.
SHARE_OF = {"sensitivity": True, "specificity": False}


def write_operating_points(
    params: Mapping[str, Any], predictions: Sequence[str | Path], out: str | Path
) -> None:
    """Write operating_points.json: a curve a class of each part of the answer.

    `predictions`: val_predictions.csv of each fold, whose groups the bootstrap draws. Images whose
    truth or answer is missing are left out of that part; a task without classes has no curve.
    """
    rows = [row for path in predictions for row in read_csv(path)]
    curves = []
    for part, classes in heads.classes_of(params["task"]).items():
        label, prefix = heads.columns_of(part)
        usable = [
            row for row in rows if row.get(label) in classes and _finite(row, prefix, classes)
        ]
        labels, probabilities = arrays(usable, classes, label, prefix)
        of_row = [row["group"] for row in usable]
        for k, name in enumerate(classes):
            drawn = _Curve(labels == k, probabilities[:, k])
            curves.append({"part": part, "class": name, **drawn.as_json(of_row, params["seed"])})
    write_json(out, {"thresholds": THRESHOLDS.tolist(), "level": LEVEL, "curves": curves})


def _finite(row: Mapping[str, str], prefix: str, classes: Sequence[str]) -> bool:
    """Whether a row has a probability of each class."""
    return all(np.isfinite(float(row.get(prefix + name) or "nan")) for name in classes)


class _Curve:
    """One class against the rest. truth: (N,) bool, score: (N,) probabilities."""

    def __init__(self, truth: np.ndarray, score: np.ndarray) -> None:
        self.truth = truth
        # Probabilities are written with few digits: 0.3 must not miss a threshold of 0.3.
        self.called = score[:, None] >= THRESHOLDS - 1e-9

    def as_json(self, groups: Sequence[str], seed: int) -> dict[str, Any]:
        """Counts at each threshold, and low and high bound of each rate there."""
        positives, negatives, tp, fp = (part[0] for part in self._counts(None))
        curve = {"n": len(self.truth), "positives": int(positives[0])}
        counts = [tp, fp, positives - tp, negatives - fp]
        curve["counts"] = np.stack(np.broadcast_arrays(*counts), axis=1).astype(int).tolist()
        if not len(self.truth):
            return curve | {"bounds": {}}
        # Percentile intervals do here: BCa's jackknife would cost up to 400 draws more.
        draws = resample(self._rates, groups, seed, RESAMPLES, jackknife=False)
        patients = [
            len({group for group, one in zip(groups, self.truth, strict=True) if one == truth})
            for truth in (False, True)
        ]
        bounds: dict[str, list[Any]] = {}
        for name in draws.whole:
            bounds.setdefault(name.rpartition(" ")[0], []).append(_bounds(draws, name, patients))
        return curve | {"bounds": bounds}

    def _counts(self, weights: np.ndarray | None) -> tuple[np.ndarray, ...]:
        """Positives (R, 1), negatives (R, 1), true and false positives (R, T)."""
        weights = np.ones((1, len(self.truth))) if weights is None else weights
        truth, called = self.truth.astype(np.float64), self.called.astype(np.float64)
        positive = weights * truth
        tp = positive @ called
        positives = positive.sum(axis=1, keepdims=True)
        return positives, weights.sum(axis=1, keepdims=True) - positives, tp, weights @ called - tp

    def _rates(self, weights: np.ndarray | None) -> dict[str, Any]:
        """ "<rate> <number of the threshold>" -> (R,).

        `ppv_even` and `npv_even` are the predictive values at a prevalence of one half. At any
        other they follow from these, and rise with them, so that their bounds follow too.
        """
        positives, negatives, tp, fp = self._counts(weights)
        with np.errstate(invalid="ignore", divide="ignore"):
            odds = THRESHOLDS / (1 - THRESHOLDS)
            sensitivity, specificity = tp / positives, 1 - fp / negatives
            rates = {
                "sensitivity": sensitivity,
                "specificity": specificity,
                "ppv_even": sensitivity / (sensitivity + 1 - specificity),
                "npv_even": specificity / (specificity + 1 - sensitivity),
                # Vickers & Elkin 2006, Medical Decision Making 26:565-574
                "net_benefit": (tp - fp * odds) / (positives + negatives),
            }
        # At a threshold of 1 a false positive costs infinitely much.
        rates["net_benefit"][:, np.isinf(odds)] = np.nan
        columns = range(len(THRESHOLDS))
        if weights is None:
            return {f"{name} {t}": float(v[0, t]) for name, v in rates.items() for t in columns}
        return {f"{name} {t}": values[:, t] for name, values in rates.items() for t in columns}


def _bounds(draws: Draws, name: str, patients: Sequence[int]) -> list[float] | None:
    """Low and high bound of a rate; None where there is none. patients: without and with it."""
    rate, _, at = name.rpartition(" ")
    # At a threshold of 0 all are called whatever the model says: nothing varies.
    if rate in SHARE_OF and at != "0":
        # A share of the positives is known as well as there are patients who have any.
        one = of_draws(replace(draws, patients=patients[SHARE_OF[rate]]), name, LEVEL, PROPORTION)
    else:
        one = of_draws(draws, name, LEVEL)
    return [round(one.low, DIGITS), round(one.high, DIGITS)] if one.there else None
