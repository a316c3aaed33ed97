"""How sure a cross-validated number is.

Two intervals that answer two questions. `fold_mean`: how much would the mean over folds vary with
other training sets? `bootstrap`: how much would the pooled metric vary with other patients, the
trained models being what they are?
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm, t

from foldwise.hashing import stream_seed
from foldwise.settings.groups import unit_of

FOLD_MEAN = "corrected resampled t interval (Nadeau & Bengio 2003, Machine Learning 52:239-281)"
BOOTSTRAP = "bootstrap over {unit}s, {method} (Efron & Tibshirani 1993, chapters 13 and 14)"
# More patients than this and the jackknife leaves out blocks instead: the skewness of a block's
# sum falls with its size just as their number does, so that the acceleration stays the same.
JACKKNIFE_UNITS = 400
MIN_USABLE = 0.5
# Weights of rows in memory at one time (64 MB): draws are taken in blocks of so many.
WEIGHTS_AT_ONCE = 8_000_000

Statistic = Callable[[np.ndarray | None], dict[str, Any]]


@dataclass(frozen=True)
class Bootstrap:
    """How groups are drawn again: the study's seed, what a group is (data.group), how often."""

    seed: int
    group_by: str
    resamples: int = 2000
    level: float = 0.95
    method: str = "BCa"

    @property
    def described(self) -> str:
        """The method with its source, for the file that holds its intervals."""
        return BOOTSTRAP.format(unit=unit_of(self.group_by), method=self.method)

    def intervals(
        self, stream: str, statistic: "Statistic", groups: Sequence[str]
    ) -> dict[str, "Interval"]:
        """`bootstrap` with draws of this stream's own, so that no statistic shares another's."""
        seed = stream_seed(self.seed, stream)
        return bootstrap(statistic, groups, seed, self.resamples, self.level, self.method)


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
    statistic: Statistic,
    groups: Sequence[str],
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
    method: str = "BCa",
) -> dict[str, Interval]:
    """Intervals of every metric of `statistic`, patients drawn with replacement.

    statistic: weights (R, N), how often each row counts in each of R draws, -> metric -> (R,);
    None -> metric -> value. groups: (N,) patient of each row; a patient is drawn with all rows.
    method: "percentile" or "BCa" (bias corrected and accelerated, Efron 1987, JASA 82:171).
    Patients are numbered by first appearance, so that the draws do not depend on their names. `n`
    of an interval is how many resamples gave a value; a metric that fewer than half of them gave
    (a rare class missing in most) has NaN bounds, and so has every metric of one patient alone.
    """
    member, whole = numbered(groups), statistic(None)
    if member.max(initial=0) < 1:
        # All draws are one and the same set: their spread would be 0, and it is not known.
        return dict.fromkeys(whole, Interval(float("nan"), float("nan"), level, 0))
    draws = _in_blocks(statistic, member, _drawn(member, seed, resamples))
    left_out = _in_blocks(statistic, member, _without(member)) if method == "BCa" else {}
    nothing = np.zeros(0)
    return {
        name: _interval(draws[name], value, left_out.get(name, nothing), level)
        for name, value in whole.items()
    }


def numbered(groups: Sequence[str]) -> np.ndarray:
    """(N,) number of each row's patient, by first appearance."""
    place: dict[str, int] = {}
    return np.array([place.setdefault(group, len(place)) for group in groups], dtype=np.int64)


def _in_blocks(
    statistic: Statistic, member: np.ndarray, weights: Iterator[np.ndarray]
) -> dict[str, np.ndarray]:
    """Metric -> (R,) of draws that come in blocks of (r, G) weights of patients."""
    # Rows of all draws of a sample lie together: whatever picks samples moves whole rows.
    parts = [statistic(np.ascontiguousarray(block.T)[member].T) for block in weights]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _block(member: np.ndarray) -> int:
    """How many draws are weighed at once: memory stays the same for any number of rows."""
    return max(1, WEIGHTS_AT_ONCE // len(member))


def _drawn(member: np.ndarray, seed: int, resamples: int) -> Iterator[np.ndarray]:
    """How often each of G patients is drawn, in blocks of (r, G); one stream whatever the block."""
    random, size = np.random.default_rng(seed), int(member.max()) + 1
    for start in range(0, resamples, _block(member)):
        many = min(_block(member), resamples - start)
        drawn = random.integers(0, size, (many, size)) + size * np.arange(many)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=many * size)
        yield counts.reshape(many, size).astype(np.float64)


def _without(member: np.ndarray) -> Iterator[np.ndarray]:
    """All patients but one, or but one block of them, in blocks of (r, G)."""
    size = int(member.max()) + 1
    parts = np.array_split(np.arange(size), min(size, JACKKNIFE_UNITS))
    for start in range(0, len(parts), _block(member)):
        some = parts[start : start + _block(member)]
        weights = np.ones((len(some), size))
        for row, part in enumerate(some):
            weights[row, part] = 0
        yield weights


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
    # A draw of every patient once is the value itself, whatever the order of its sum rounds to.
    level = np.isclose(draws, value, rtol=1e-12, atol=1e-15)
    below = ((draws < value) & ~level).sum() + level.sum() / 2
    below = below / len(draws)
    if below in (0, 1):
        return tail  # All draws on one side, such as accuracy 1: the correction is not defined.
    bias = norm.ppf(below)
    distance = left_out.mean() - left_out if len(left_out) else np.zeros(1)
    spread = (distance**2).sum() ** 1.5
    acceleration = (distance**3).sum() / (6 * spread) if spread > 0 else 0.0
    z = bias + norm.ppf(tail)
    return norm.cdf(bias + z / (1 - acceleration * z))
