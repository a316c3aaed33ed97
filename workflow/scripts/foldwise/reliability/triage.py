"""Which share can be decided at a stated error, when the least sure cases go to a reader.

Selective prediction: Geifman & El-Yaniv 2017, "Selective classification for deep neural networks",
NeurIPS. The confidence from which predictions are let stand is chosen on the other folds.
"""

from typing import Any

import numpy as np

from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.metrics.numbers import Weights, mean_defined
from foldwise.evaluate.pooled import bounds
from foldwise.reliability.parts import Part, crossed

NOBODY = np.inf  # above any confidence: all go to a reader


def threshold_for(confidence: np.ndarray, right: np.ndarray, error: float) -> float:
    """Least confidence from which at most the share `error` of the predictions is wrong."""
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    # Equal confidences are let stand together or not at all.
    last = np.append(np.diff(confidence[order]) != 0, True)
    # The last that holds, not the first that fails: among the surest one error weighs too much.
    good = np.flatnonzero((wrong <= error) & last)
    return float(confidence[order][good[-1]]) if len(good) else NOBODY


def of_confidence(part: Part, error: float, bootstrap: Bootstrap) -> dict[str, Any]:
    """Share decided and error among the decided, and the curve of both over all samples."""
    confidence = part.probabilities.max(axis=1)
    right = part.probabilities.argmax(axis=1) == part.labels
    decided = np.zeros(len(right), bool)
    for fitted, judged in crossed(part):
        limit = threshold_for(confidence[fitted], right[fitted], error)
        decided[judged] = confidence[judged] >= limit

    def statistic(weights: Weights) -> dict[str, Any]:
        wrong = np.where(decided, ~right, np.nan)
        return {"decided": mean_defined(decided, weights), "error": mean_defined(wrong, weights)}

    # For new cases: of all folds together, where none of these samples is judged by it.
    whole = threshold_for(confidence, right, error)
    limit = None if whole == NOBODY else whole
    return with_intervals(statistic, part, bootstrap) | {
        "threshold": limit,
        "curve": _curve(confidence, right),
    }


def _curve(confidence: np.ndarray, right: np.ndarray) -> dict[str, list[float]]:
    """Error among the surest share of the samples, at each hundredth."""
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order])
    # Each number once: of fewer than a hundred samples several hundredths are the same.
    counts = np.unique(np.ceil(np.arange(1, 101) / 100 * len(order)).astype(int))
    return {
        "decided": (counts / len(order)).tolist(),
        "error": (wrong[counts - 1] / counts).tolist(),
    }


def with_intervals(statistic: Any, part: Part, bootstrap: Bootstrap) -> dict[str, Any]:
    """Name -> value and interval over groups of each number of a statistic."""
    groups = [str(one) for one in part.group]
    intervals, values = bootstrap.of_table("conformal", statistic, groups), statistic(None)
    return {name: {"value": value} | bounds(intervals[name]) for name, value in values.items()}
