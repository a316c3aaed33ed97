"""How sure a cross-validated number is.

Two intervals that answer two questions. `fold_mean`: how much would the mean over folds vary with
other training sets? `bootstrap`: how much would the pooled metric vary with other patients, the
trained models being what they are?
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm, t

from foldwise.evaluate.metrics.draws import Draws, Statistic, resample
from foldwise.hashing import stream_seed
from foldwise.metrics import BIASED, BOOTSTRAP, DISTANCE, PROPORTION, metric_of
from foldwise.settings.groups import unit_of

FOLD_MEAN = (
    "corrected resampled t interval (Nadeau & Bengio 2003, Machine Learning 52:239-281), on the "
    "scale on which a metric has no end: logit between two limits, logarithm above one"
)
BOOTSTRAP_OF = (
    "bootstrap over {unit}s, {method} (Efron & Tibshirani 1993, chapters 13 and 14); of shares "
    "Wilson's interval (1927) with the number of samples that the bootstrap's variance leaves; of "
    "calibration error what its bins move in the draws, added up, to either side: wide, and it "
    "begins at 0 where a calibrated model may have as large a one (docs/statistics.md)"
)
MIN_USABLE = 0.5


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
        return BOOTSTRAP_OF.format(unit=unit_of(self.group_by), method=self.method)

    def intervals(
        self, stream: str, statistic: Statistic, groups: Sequence[str]
    ) -> dict[str, "Interval"]:
        """`bootstrap` with draws of this stream's own, so that no statistic shares another's."""
        seed = stream_seed(self.seed, stream)
        return bootstrap(statistic, groups, seed, self.resamples, self.level, self.method)

    def of_table(
        self, stream: str, statistic: Statistic, groups: Sequence[str]
    ) -> dict[str, "Interval"]:
        """`intervals`, each made as the table of metrics says."""
        seed = stream_seed(self.seed, stream)
        draws = resample(statistic, groups, seed, self.resamples, jackknife=self.method == "BCa")
        table = {name: metric_of(name) for name in draws.whole}
        return {
            name: of_draws(draws, name, self.level, metric.interval if metric else BOOTSTRAP)
            for name, metric in table.items()
        }


@dataclass(frozen=True)
class Interval:
    """Two-sided confidence interval; NaN bounds where it cannot be given, and `why` not."""

    low: float
    high: float
    level: float
    n: int
    why: str = ""

    @property
    def there(self) -> bool:
        """Whether it has bounds."""
        return not (np.isnan(self.low) or np.isnan(self.high))


def no_interval(level: float, n: int, why: str) -> Interval:
    """None, and why."""
    return Interval(float("nan"), float("nan"), level, n, why)


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
    limits: what the metric can be. Where it has limits the step is made on the scale of `_scale`,
    so that the interval ends inside of them; cut off at 1 instead, an AUC near 1 was covered 63 to
    87 times of 100.
    """
    folds = np.asarray(values, dtype=np.float64)
    n = len(folds)
    if n < 2 or np.isnan(folds).any():
        return no_interval(level, n, "fewer than two folds have it")
    error = corrected_error(folds, test_over_train)
    mean = float(folds.mean())
    # Not 0: equal values may differ by the rounding of their sums.
    if error <= 1e-12 * max(1.0, abs(mean)):
        return no_interval(level, n, "all folds have one and the same value: spread is not seen")
    to, back, slope = _scale(*limits)
    # The mean's own error carried to the scale: a single fold may well be at the limit itself.
    reach = float(t.ppf(0.5 + level / 2, n - 1)) * error * slope(mean)
    return Interval(float(back(to(mean) - reach)), float(back(to(mean) + reach)), level, n)


def _scale(low: float, high: float) -> tuple[Callable[[float], float], ...]:
    """To a scale without end, back from it, and the first's slope: logit, logarithm or itself."""
    if np.isinf(low):
        return lambda x: x, lambda x: x, lambda x: 1.0
    if np.isinf(high):
        return lambda x: np.log(x - low), lambda x: low + np.exp(x), lambda x: 1 / (x - low)
    span = high - low

    def slope(x: float) -> float:
        return span / ((x - low) * (high - x))

    return lambda x: logit((x - low) / span), lambda x: low + span * expit(x), slope


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
    draws = resample(statistic, groups, seed, resamples, jackknife=method == "BCa")
    return {name: of_draws(draws, name, level) for name in draws.whole}


def of_draws(draws: Draws, name: str, level: float, kind: str = BOOTSTRAP) -> Interval:
    """Interval of a metric, as the table says of it (`kind`), or none with the reason."""
    value, drawn = draws.whole[name], draws.drawn.get(name, np.zeros(0))
    usable = drawn[~np.isnan(drawn)]
    if draws.patients < 2:
        return no_interval(level, 0, "it takes at least two patients")
    if np.isnan(value):
        return no_interval(level, len(usable), "the metric is not defined")
    if len(usable) < MIN_USABLE * len(drawn):
        return no_interval(level, len(usable), "most draws of patients do not have the metric")
    if kind == PROPORTION:
        return _wilson(value, usable, draws.patients, level)
    if kind == BIASED:
        interval = _moved(draws.drawn[name + DISTANCE], value, draws.patients, level)
    else:
        interval = _interval(usable, value, draws.left_out.get(name, np.zeros(0)), level)
    if interval.high - interval.low <= 1e-12 * max(1.0, abs(value)):
        why = "all draws of patients have one and the same value: how far it varies is not seen"
        return no_interval(level, len(usable), why)
    return interval


def _wilson(value: float, drawn: np.ndarray, patients: int, level: float) -> Interval:
    """Wilson's interval (1927, JASA 22:209) of a share with n reduced by the design effect.

    n is value (1 - value) / variance, of the variance over draws of patients. With no sample wrong,
    or none right, there is no variance: n is then the number of patients, as if all images of one
    were right or wrong together.
    """
    # Drawing n patients with replacement gives a variance that is too small by (n - 1) / n.
    variance = float(drawn.var()) * patients / (patients - 1)
    free = value * (1 - value)
    n = free / variance if variance > 0 and free > 0 else float(patients)
    z = float(norm.ppf(0.5 + level / 2))
    middle = (value + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(free / n + z**2 / (4 * n**2))
    # Wilson's ends lie within 0 and 1 but for rounding.
    low, high = max(middle - reach, 0.0), min(middle + reach, 1.0)
    return Interval(float(low), float(high), level, len(drawn))


def _moved(distance: np.ndarray, value: float, patients: int, level: float) -> Interval:
    """Interval of a sum of absolute means, such as calibration error, cut off at 0 and 1.

    By the triangle inequality such a sum differs from the true one by no more than its means do,
    added up, and how far these lie from the truth the bootstrap tells without bias: as far as those
    of the draws lie from those of all samples, `distance` (R,). Percentiles of the sum itself lie
    above the truth (biased upward, and more so in a draw). A region for a vector of means by its
    norm: Hall 1987, "On the bootstrap and likelihood-based confidence regions", Biometrika 74:481.
    """
    # Drawing n patients with replacement gives a variance that is too small by (n - 1) / n.
    reach = float(np.quantile(distance[~np.isnan(distance)], level))
    reach *= np.sqrt(patients / (patients - 1))
    return Interval(max(value - reach, 0.0), min(value + reach, 1.0), level, len(distance))


def _interval(usable: np.ndarray, value: float, left_out: np.ndarray, level: float) -> Interval:
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
    # 0 where leaving any patient out changes nothing: then there is no skewness to correct.
    spread = (distance**2).sum() ** 1.5
    acceleration = (distance**3).sum() / (6 * spread) if spread > 0 else 0.0
    z = bias + norm.ppf(tail)
    return norm.cdf(bias + z / (1 - acceleration * z))
