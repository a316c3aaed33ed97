"""Small sums that say NaN where a number does not exist."""

from collections.abc import Mapping

import numpy as np


def ratio(part: np.ndarray | float, whole: np.ndarray | float) -> np.ndarray:
    """part / whole in float64, NaN where whole is 0, without a warning. Any shape."""
    whole = np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole != 0)


def mean_defined(values: np.ndarray) -> float:
    """Mean of those that are not NaN; NaN if there is none."""
    values = np.asarray(values, dtype=np.float64)
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def undefined(
    measured: Mapping[str, float], reasons: Mapping[str, str], otherwise: str
) -> dict[str, str]:
    """Metric -> why it has no value, of those that are NaN."""
    return {
        name: reasons.get(name, otherwise) for name, value in measured.items() if np.isnan(value)
    }


def pearson(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's r of two (N,) arrays; NaN if one of them does not vary."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])
