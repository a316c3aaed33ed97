"""How sure a cross-validated number is.

Two intervals that answer two questions. `fold_mean`: how much would the mean over folds vary with
other training sets? `bootstrap`: how much would the pooled metric vary with other patients, the
trained models being what they are?
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

FOLD_MEAN = "corrected resampled t interval (Nadeau & Bengio 2003, Machine Learning 52:239-281)"
BOOTSTRAP = "bootstrap over {unit}s, {method} (Efron & Tibshirani 1993, chapters 13 and 14)"
# More patients than this and the jackknife leaves out blocks instead: the skewness of a block's
# sum falls with its size just as their number does, so that the acceleration stays the same.
JACKKNIFE_UNITS = 400
MIN_USABLE = 0.5


@dataclass(frozen=True)
class Interval:
    """Two-sided confidence interval; NaN bounds where it cannot be given."""

    low: float
    high: float
    level: float
    n: int


def fold_mean(
    values: Sequence[float],
    test_over_train: float,
    level: float = 0.95,
    limits: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    """Interval of the mean over J folds whose training sets overlap.

    mean +- t(J-1) * sqrt((1/J + n_test/n_train) * s^2), s^2 the sample variance over folds:
    Nadeau & Bengio 2003, section 3. Without the second term it is too narrow, as folds share
    training samples. values: (J,); test_over_train: n_test / n_train, 1/(J-1) for J equal folds;
    limits: what the metric can be, where the interval ends too.
    """
    folds = np.asarray(values, dtype=np.float64)
    n = len(folds)
    if n < 2 or np.isnan(folds).any():
        return Interval(float("nan"), float("nan"), level, n)
    error = corrected_error(folds, test_over_train)
    reach = float(t.ppf(0.5 + level / 2, n - 1)) * error
    mean = float(folds.mean())
    return Interval(max(mean - reach, limits[0]), min(mean + reach, limits[1]), level, n)


def corrected_error(values: np.ndarray, test_over_train: float) -> float:
    """Standard error of the mean over folds, sqrt((1/J + n_test/n_train) s^2)."""
    return float(np.sqrt((1 / len(values) + test_over_train) * np.var(values, ddof=1)))


def bootstrap(
    statistic: Callable[[np.ndarray], dict[str, float]],
    groups: Sequence[str],
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
    method: str = "BCa",
) -> dict[str, Interval]:
    """Intervals of every metric of `statistic`, patients drawn with replacement.

    statistic: row numbers (n,) with repeats -> metric -> value. groups: (N,) patient of each row;
    a patient is drawn with all rows. method: "percentile" or "BCa" (bias corrected and
    accelerated, Efron 1987, JASA 82:171). Patients are numbered by first appearance, so that the
    draws do not depend on their names. `n` of an interval is how many resamples gave a value; a
    metric that fewer than half of them gave (a rare class missing in most) has NaN bounds, and so
    has every metric of one patient alone.
    """
    members = _members(groups)
    if len(members) < 2:
        # All draws are one and the same set: their spread would be 0, and it is not known.
        nothing = Interval(float("nan"), float("nan"), level, 0)
        return dict.fromkeys(statistic(np.arange(len(groups))), nothing)
    drawn = np.random.default_rng(seed).integers(0, len(members), (resamples, len(members)))
    draws = [statistic(np.concatenate([members[i] for i in one])) for one in drawn]
    whole = statistic(np.arange(len(groups)))
    left_out = _jackknife(statistic, members) if method == "BCa" else []
    return {
        name: _interval(
            np.array([draw[name] for draw in draws]),
            value,
            np.array([one[name] for one in left_out]),
            level,
        )
        for name, value in whole.items()
    }


def _members(groups: Sequence[str]) -> list[np.ndarray]:
    rows: dict[str, list[int]] = {}
    for i, group in enumerate(groups):
        rows.setdefault(group, []).append(i)
    return [np.array(found) for found in rows.values()]


def _jackknife(
    statistic: Callable[[np.ndarray], dict[str, float]], members: list[np.ndarray]
) -> list[dict[str, float]]:
    blocks = np.array_split(np.arange(len(members)), min(len(members), JACKKNIFE_UNITS))
    everyone = np.arange(len(members))
    return [
        statistic(np.concatenate([members[i] for i in np.delete(everyone, block)]))
        for block in blocks
        if len(block) < len(members)
    ]


def _interval(draws: np.ndarray, value: float, left_out: np.ndarray, level: float) -> Interval:
    usable = draws[~np.isnan(draws)]
    if np.isnan(value) or len(usable) < MIN_USABLE * len(draws):
        return Interval(float("nan"), float("nan"), level, len(usable))
    tail = np.array([(1 - level) / 2, (1 + level) / 2])
    if len(left_out):
        tail = _bca_tails(tail, usable, value, left_out[~np.isnan(left_out)])
    low, high = np.quantile(usable, tail)
    return Interval(float(low), float(high), level, len(usable))


def _bca_tails(
    tail: np.ndarray, draws: np.ndarray, value: float, left_out: np.ndarray
) -> np.ndarray:
    """Percentiles that correct for bias and skewness (Efron & Tibshirani 1993, 14.9 to 14.15)."""
    below = ((draws < value).sum() + (draws <= value).sum()) / (2 * len(draws))
    if below in (0, 1):
        return tail  # All draws on one side, such as accuracy 1: the correction is not defined.
    bias = norm.ppf(below)
    distance = left_out.mean() - left_out if len(left_out) else np.zeros(1)
    spread = (distance**2).sum() ** 1.5
    acceleration = (distance**3).sum() / (6 * spread) if spread > 0 else 0.0
    z = bias + norm.ppf(tail)
    return norm.cdf(bias + z / (1 - acceleration * z))
