"""Two runs on the same samples: is the difference more than chance?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest, t

from foldwise.evaluate.metrics.draws import Statistic
from foldwise.evaluate.metrics.intervals import (
    Bootstrap,
    Interval,
    corrected_error,
    fold_mean,
)
from foldwise.evaluate.metrics.numbers import Weights


@dataclass(frozen=True)
class McNemar:
    """Samples that only the first run has right, only the second, and the two-sided p."""

    only_first: int
    only_second: int
    p: float


@dataclass(frozen=True)
class CorrectedT:
    """Mean difference over folds, its t statistic, two-sided p and interval."""

    mean: float
    t: float
    p: float
    interval: Interval


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> McNemar:
    """Exact McNemar test (McNemar 1947; exact form: binomial of the discordant pairs, p = 1/2).

    first_right, second_right: (N,) bool, same samples in the same order. p is 1 if the runs never
    disagree. It takes samples as independent: with several images a patient, compare per patient.
    """
    if len(first_right) != len(second_right):
        raise ValueError(f"{len(first_right)} and {len(second_right)} samples are not pairs")
    only_first = int((first_right & ~second_right).sum())
    only_second = int((~first_right & second_right).sum())
    discordant = only_first + only_second
    p = binomtest(only_first, discordant, 0.5).pvalue if discordant else 1.0
    return McNemar(only_first, only_second, float(p))


def corrected_t(
    first: Sequence[float], second: Sequence[float], test_over_train: float, level: float = 0.95
) -> CorrectedT:
    """Corrected resampled t test of second - first over J folds (Nadeau & Bengio 2003).

    first, second: (J,) a metric on the same folds; test_over_train: n_test / n_train of a fold.
    Equal values in every fold give t = NaN and p = 1: no difference was seen.
    """
    difference = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    interval = fold_mean(difference, test_over_train, level)
    mean = float(difference.mean()) if len(difference) else float("nan")
    if len(difference) < 2 or np.isnan(difference).any():
        return CorrectedT(mean, float("nan"), float("nan"), interval)
    error = corrected_error(difference, test_over_train)
    if error == 0:
        return CorrectedT(mean, float("nan"), 1.0 if mean == 0 else 0.0, interval)
    statistic = mean / error
    p = 2 * t.sf(abs(statistic), len(difference) - 1)
    return CorrectedT(mean, statistic, float(p), interval)


def bootstrap_difference(
    first: Statistic,
    second: Statistic,
    groups: Sequence[str],
    settings: Bootstrap,
) -> dict[str, Interval]:
    """Interval of second - first for every metric both give; each patient drawn for both at once.

    first, second: scorers over the same rows in the same order (see `classification.scorer`);
    groups: (N,) patient of each row.
    """

    def difference(weights: Weights) -> dict[str, Any]:
        one, other = first(weights), second(weights)
        return {name: other[name] - one[name] for name in one if name in other}

    return settings.intervals("comparison", difference, groups)
