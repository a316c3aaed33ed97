"""Maps from class probabilities to better calibrated ones.

`temperature`: one number T divides the logits (Guo, Pleiss, Sun & Weinberger 2017, "On calibration
of modern neural networks", section 4.2); the order of classes stays. `isotonic`: a monotone step
function for each class against the rest, then divided by the sum (Zadrozny & Elkan 2002,
"Transforming classifier scores into accurate multiclass probability estimates", section 5); the
predicted class may change.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.isotonic import IsotonicRegression

METHODS = ("temperature", "isotonic")
# Limits of log T: without one error among few samples the likelihood falls for ever.
LIMITS = (np.log(0.05), np.log(20.0))
# Probabilities in files may be 0, and have no logarithm then.
EPSILON = 1e-12


def fit(method: str, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """What `apply` takes, JSON-ready. labels (N,) integers, probabilities (N, K)."""
    if method == "temperature":
        return {"method": method, "temperature": _temperature(labels, probabilities)}
    steps = [_steps(labels == k, probabilities[:, k]) for k in range(probabilities.shape[1])]
    return {"method": method, "steps": steps}


def apply(fitted: Mapping[str, Any], probabilities: np.ndarray) -> np.ndarray:
    """(N, K) mended probabilities, whose rows sum to one."""
    if fitted["method"] == "temperature":
        return softmax(_logits(probabilities) / fitted["temperature"], axis=1)
    columns = [
        np.interp(probabilities[:, k], step["from"], step["to"])
        for k, step in enumerate(fitted["steps"])
    ]
    mended = np.stack(columns, axis=1)
    total = mended.sum(axis=1, keepdims=True)
    # Where every class has 0 none is meant more than another, as in scikit-learn.
    even = np.full(mended.shape, 1 / mended.shape[1])
    return np.where(total > 0, mended / np.where(total > 0, total, 1), even)


def _logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.clip(probabilities, EPSILON, 1))


def _temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    logits, rows = _logits(probabilities), np.arange(len(labels))

    def loss(log_t: float) -> float:
        return -float(log_softmax(logits / np.exp(log_t), axis=1)[rows, labels].mean())

    # Of log T: the loss has one minimum there, and 1/2 is as far from 1 as 2.
    fit = minimize_scalar(loss, bounds=LIMITS, method="bounded", options={"xatol": 1e-8})
    return float(np.exp(fit.x))


def _steps(of_class: np.ndarray, probability: np.ndarray) -> dict[str, list[float]]:
    """Knots between which the map is a line."""
    # Clipped: the judged fold may have probabilities beyond those that the map was fitted to.
    model = IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1)
    model.fit(probability, of_class.astype(np.float64))
    return {"from": model.X_thresholds_.tolist(), "to": model.y_thresholds_.tolist()}
