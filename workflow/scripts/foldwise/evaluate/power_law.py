"""A learning curve: a metric against the number of patients, as an inverse power law.

value(n) = a - b n^-c (Figueroa et al 2012, Predicting sample size required for classification
performance, BMC Medical Informatics and Decision Making 12:8).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Exponents tried: from a curve that is still nearly straight to one that has levelled off.
EXPONENTS = np.geomspace(0.05, 3.0, 120)


@dataclass(frozen=True)
class PowerLaw:
    """Curves of R draws: a, b, c each (R,)."""

    a: np.ndarray
    b: np.ndarray
    c: np.ndarray

    def at(self, n: float | np.ndarray) -> np.ndarray:
        """(R,) values at n patients; (M, R) of (M,) numbers of patients."""
        return self.a - self.b * np.asarray(n, dtype=np.float64)[..., None] ** -self.c


def fit(n: Sequence[float], values: np.ndarray, limits: tuple[float, float]) -> PowerLaw:
    """Least squares of (R, J) values at n (J,) patients; `limits` are those of the metric.

    For each exponent a and b are a straight line's, a cut off at the limits; the exponent with the
    least error is taken. b may be negative: a curve that falls is not made to rise.
    """
    sizes, values = np.asarray(n, dtype=np.float64), np.atleast_2d(values)
    errors, lines = [], []
    # A grid: with the exponent fixed the rest is linear, and no start can lead astray.
    for exponent in EXPONENTS:
        # In units of the largest part, so that no power is tiny.
        x = (sizes / sizes.max()) ** -exponent
        a, b = _line(x, values, limits)
        errors.append(((values - a[:, None] + b[:, None] * x) ** 2).sum(axis=1))
        lines.append((a, b * sizes.max() ** exponent))
    best, draws = np.argmin(errors, axis=0), np.arange(len(values))
    table = np.array(lines)
    return PowerLaw(table[best, 0, draws], table[best, 1, draws], EXPONENTS[best])


def _line(
    x: np.ndarray, values: np.ndarray, limits: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """a and b of a - b x, (R,) each, a within the limits."""
    off, mean = x - x.mean(), values.mean(axis=1)
    b = -(values @ off) / (off @ off)
    # The line without limits; where it breaks them, a is fixed at the limit and b fitted again.
    a = mean + b * x.mean()
    within = np.clip(a, *limits)
    cut = ((within[:, None] - values) @ x) / (x @ x)
    return within, np.where(within == a, b, cut)
