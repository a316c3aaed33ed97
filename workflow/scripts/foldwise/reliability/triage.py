"""Which share can be decided at a stated error, when the least sure cases go to a reader.

Selective prediction: Geifman & El-Yaniv 2017, "Selective classification for deep neural networks",
NeurIPS. The confidence from which predictions are let stand is chosen on the other folds, and only
where a test shows the error above it to be small enough: Angelopoulos et al. 2021, "Learn then
test", arXiv:2110.01052, with its Hoeffding-Bentkus p-value. Units are groups, of each the share of
wrong predictions among those let stand.
"""

from typing import Any

import numpy as np
from scipy.special import rel_entr
from scipy.stats import binom

from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.metrics.numbers import Weights, mean_defined
from foldwise.evaluate.pooled import bounds
from foldwise.reliability.parts import Part, crossed

NOBODY = np.inf  # above any confidence: all go to a reader
TRIED = 5  # confidences that are tested; each more takes from the strength of all


def threshold_for(
    confidence: np.ndarray, right: np.ndarray, group: np.ndarray, error: float, level: float
) -> float:
    """Least confidence tried above which at most the share `error` is wrong, shown at `level`.

    With probability `level` or more over the groups (N,) it is chosen on, the mean over groups of
    the share of wrong predictions above it is at most `error`. NOBODY where none is shown to be so.
    """
    threshold, spent = NOBODY, 0.0
    for limit in _tried(confidence, group, error, level):
        # Fallback (Wiens 2003, Pharmaceutical Statistics 2:211): what a test did not need goes on
        # to the next, so that an unlucky one among the surest does not end all.
        spent += (1 - level) / TRIED
        stands = confidence >= limit
        if p_value(~right[stands], group[stands], error) <= spent:
            threshold = limit
        else:
            spent = 0.0
    return threshold


def groups_needed(error: float, level: float) -> int:
    """Groups without an error that it takes for a test to show anything."""
    return int(np.ceil(np.log((1 - level) / TRIED) / np.log1p(-error)))


def p_value(wrong: np.ndarray, group: np.ndarray, error: float) -> float:
    """Of groups whose mean share wrong is above `error`: how often this few are, at most.

    Exact (binomial) where each group is right or wrong as a whole, else by Hoeffding and Bentkus.
    """
    _, member, counts = np.unique(group, return_inverse=True, return_counts=True)
    shares = np.bincount(member, weights=wrong) / counts
    n, total = len(shares), float(shares.sum())
    if np.isin(shares, (0, 1)).all():
        return float(binom.cdf(round(total), n, error))
    mean = min(total / n, error)
    hoeffding = np.exp(-n * (rel_entr(mean, error) + rel_entr(1 - mean, 1 - error)))
    # Rounded before: sums of thirds must not reach the next whole number by their last bit.
    bentkus = np.e * binom.cdf(np.ceil(round(total, 9)), n, error)
    return float(min(hoeffding, bentkus, 1.0))


def _tried(confidence: np.ndarray, group: np.ndarray, error: float, level: float) -> list[float]:
    """Confidences to test, high ones first: evenly from as few groups as can show it to all.

    By confidences alone: which are tried must not depend on what is right.
    """
    order = np.argsort(-confidence, kind="stable")
    first = np.zeros(len(order), bool)
    first[np.unique(group[order], return_index=True)[1]] = True
    groups, least = np.cumsum(first), groups_needed(error, level)
    if not len(groups) or groups[-1] < least:
        return []
    wanted = np.unique(np.linspace(least, groups[-1], TRIED).round())
    # The last sample of so many groups; equal confidences are let stand together.
    places = np.searchsorted(groups, wanted, side="right") - 1
    return list(dict.fromkeys(confidence[order][places].tolist()))


def of_confidence(part: Part, error: float, bootstrap: Bootstrap) -> dict[str, Any]:
    """Share decided and error among the decided, and the curve of both over all samples."""
    confidence = part.probabilities.max(axis=1)
    right = part.probabilities.argmax(axis=1) == part.labels
    decided = np.zeros(len(right), bool)
    for fitted, judged in crossed(part):
        limit = threshold_for(
            confidence[fitted], right[fitted], part.group[fitted], error, bootstrap.level
        )
        decided[judged] = confidence[judged] >= limit

    def statistic(weights: Weights) -> dict[str, Any]:
        wrong = np.where(decided, ~right, np.nan)
        return {"decided": mean_defined(decided, weights), "error": mean_defined(wrong, weights)}

    # For new cases: of all folds together, where none of these samples is judged by it.
    whole = threshold_for(confidence, right, part.group, error, bootstrap.level)
    limit = None if whole == NOBODY else whole
    return with_intervals(statistic, part, bootstrap) | {
        "threshold": limit,
        "least": groups_needed(error, bootstrap.level),
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
