"""Decision curves: is it better to act on a prediction than to treat all, or none?

Vickers & Elkin 2006, "Decision curve analysis: a novel method for evaluating prediction models",
Medical Decision Making 26:565-574. At a threshold t, who is treated from probability t on is worth

    net benefit = true positives / n - false positives / n * t / (1 - t)
"""

import numpy as np

# Neither 0 nor 1: at 1 the odds are infinite, at 0 everybody is treated.
THRESHOLDS = np.arange(1, 100) / 100


def net_benefit(
    truth: np.ndarray, probability: np.ndarray, thresholds: np.ndarray = THRESHOLDS
) -> np.ndarray:
    """(T,) net benefit per sample. truth (N,) bool, probability (N,)."""
    treated = probability[:, None] >= thresholds
    odds = thresholds / (1 - thresholds)
    return treated[truth].sum(axis=0) / len(truth) - treated[~truth].sum(axis=0) / len(truth) * odds


def of_all(truth: np.ndarray, thresholds: np.ndarray = THRESHOLDS) -> np.ndarray:
    """(T,) of treating everybody; of treating nobody it is 0."""
    share = truth.mean()
    return share - (1 - share) * thresholds / (1 - thresholds)


def helps(curve: np.ndarray, everybody: np.ndarray) -> dict[str, float] | None:
    """Least and greatest threshold at which predictions beat treating all and treating nobody, and
    the share of all thresholds at which they do; None where they never do."""
    better = np.flatnonzero(curve > np.maximum(everybody, 0))
    if not len(better):
        return None
    low, high = THRESHOLDS[better[[0, -1]]]
    return {"low": float(low), "high": float(high), "share": len(better) / len(THRESHOLDS)}
