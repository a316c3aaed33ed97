"""Calibration before and after it is mended, judged on samples that the map was not fitted to.

The map of a fold is fitted to the validation predictions of the other folds, whose groups it does
not share (cross-fitting). What remains: the models of these folds have seen the judged fold's
labels in training. A map of one number, or of one step function a class, can carry none of them
over; a holdout is free of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from foldwise.evaluate.fold import plain
from foldwise.evaluate.metrics.calibration import BinGaps, bins_of
from foldwise.evaluate.metrics.classification import surprise
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.metrics.numbers import Weights, mean_defined
from foldwise.evaluate.pooled import bounds
from foldwise.metrics import DISTANCE
from foldwise.reliability.calibrators import METHODS, apply, fit
from foldwise.reliability.decision import THRESHOLDS, helps, net_benefit, of_all
from foldwise.reliability.parts import Part, Row, crossed, few, parts_of

BEFORE = "before"
# Groups to fit on: one number needs few; a step function of fewer repeats its samples.
LEAST = {"temperature": 10, "isotonic": 50}
METRICS = ("log_loss", "brier", "ece")


def mend(
    rows: Sequence[Row], task: Mapping[str, Any], method: str, bootstrap: Bootstrap
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The content of calibration.json, and the rows with probabilities mended by `method`.

    rows: those of val_predictions.csv of all folds. Rows of a label that is too small to be mended
    stay as they are; `few` in its part says why.
    """
    mended_rows = [dict(row) for row in rows]
    parts = []
    for part in parts_of(rows, task):
        summary, tables = _of_part(part, bootstrap)
        parts.append(summary)
        for k, name in enumerate(part.classes):
            column = tables.get(method, part.probabilities)[:, k]
            for row, value in zip(mended_rows, column, strict=True):
                # repr reads back to the same bits.
                row[part.prefix + name] = repr(float(value))
    return plain({"method": method, "parts": parts, "level": bootstrap.level}), mended_rows


def cross_fitted(part: Part, method: str) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """(N, K) mended probabilities, each by a map of the other folds; and these maps."""
    mended, maps = np.zeros_like(part.probabilities), []
    for fitted, judged in crossed(part):
        one = fit(method, part.labels[fitted], part.probabilities[fitted])
        mended[judged] = apply(one, part.probabilities[judged])
        maps.append(one)
    return mended, maps


def _of_part(part: Part, bootstrap: Bootstrap) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What is told of one label, and its mended probabilities by method."""
    reasons = {method: few(part, LEAST[method]) for method in METHODS}
    tables, maps = {}, {}
    for method in (one for one in METHODS if not reasons[one]):
        tables[method], crossed_maps = cross_fitted(part, method)
        whole = fit(method, part.labels, part.probabilities)
        # The map for other samples than these is fitted to all of them.
        maps[method] = {"all": whole, "folds": crossed_maps}
    shown = {BEFORE: part.probabilities, **tables}
    summary = {
        "name": part.name,
        "classes": part.classes,
        "n": len(part.labels),
        "groups": part.groups,
        "few": {method: reason for method, reason in reasons.items() if reason},
        "metrics": measured(part, shown, bootstrap),
        "reliability": {name: _reliability(part.labels, table) for name, table in shown.items()},
        "maps": maps,
        "decision": {
            name: _decision(part.labels == k, {key: table[:, k] for key, table in shown.items()})
            for k, name in enumerate(part.classes)
        },
    }
    return summary, tables


def measured(
    part: Part, tables: Mapping[str, np.ndarray], bootstrap: Bootstrap
) -> dict[str, dict[str, Any]]:
    """Table -> metric -> value and interval; of mended tables also `change` of log loss."""
    if not len(part.labels):
        return {}

    def statistic(weights: Weights) -> dict[str, Any]:
        values = {}
        for name, table in tables.items():
            values |= {f"{name}_{k}": v for k, v in _metrics(part.labels, table, weights).items()}
            loss = values[f"{name}_log_loss"] - values[f"{BEFORE}_log_loss"]
            values[f"{name}_change"] = loss
        return values

    groups = [str(one) for one in part.group]
    # All tables in one statistic: each draw is of the same groups for all, so a change is paired.
    intervals, values = bootstrap.of_table("calibration", statistic, groups), statistic(None)
    return {
        name: {
            key: {"value": values[f"{name}_{key}"]} | bounds(intervals[f"{name}_{key}"])
            for key in (*METRICS, *(["change"] if name != BEFORE else []))
        }
        for name in tables
    }


def _metrics(labels: np.ndarray, table: np.ndarray, weights: Weights) -> dict[str, Any]:
    truth, gaps = np.eye(table.shape[1])[labels], BinGaps(labels, table, weights)
    values = {
        "log_loss": mean_defined(surprise(labels, table), weights),
        "brier": mean_defined(((table - truth) ** 2).sum(axis=1), weights),
        "ece": gaps.error,
    }
    return values if weights is None else values | {"ece" + DISTANCE: gaps.distance}


def _reliability(labels: np.ndarray, table: np.ndarray) -> dict[str, list[float]]:
    return binned(table.max(axis=1, initial=0), table.argmax(axis=1) == labels)


def binned(confidence: np.ndarray, right: np.ndarray) -> dict[str, list[float]]:
    """Mean confidence, share that is right and number, of each tenth of confidence in use."""
    bins = bins_of(confidence)
    filled = [bins == b for b in np.unique(bins)]
    return {
        "confidence": [float(confidence[here].mean()) for here in filled],
        "right": [float(right[here].mean()) for here in filled],
        "n": [int(here.sum()) for here in filled],
    }


def _decision(truth: np.ndarray, tables: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Net benefit at each threshold of a class against the rest; empty where nobody is of it."""
    if not truth.any():
        return {}
    everybody = of_all(truth)
    curves = {name: net_benefit(truth, table) for name, table in tables.items()}
    benefits = {"thresholds": THRESHOLDS.tolist(), "all": everybody.tolist()}
    benefits |= {name: curve.tolist() for name, curve in curves.items()}
    return benefits | {"helps": {name: helps(curve, everybody) for name, curve in curves.items()}}
