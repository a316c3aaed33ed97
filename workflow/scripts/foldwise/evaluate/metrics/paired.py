"""Two runs on the same samples: is the difference more than chance?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest, norm, t

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
    Equal values in every fold give t = NaN and p = 1: no difference was seen. A difference that is
    the same in every fold has neither interval nor p (NaN): `interval.why`.
    """
    difference = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    interval = fold_mean(difference, test_over_train, level)
    mean = float(difference.mean()) if len(difference) else float("nan")
    if not interval.there:
        # What has no interval has no test: a spread that was not seen is not a spread of 0.
        p = 1.0 if len(difference) > 1 and not difference.any() else float("nan")
        return CorrectedT(mean, float("nan"), p, interval)
    statistic = mean / corrected_error(difference, test_over_train)
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


def sign_flip(differences: np.ndarray) -> float:
    """Two-sided p of the sign-flip test over patients, exact.

    differences: (G,) integers, images of a patient that the second run has right less those that
    the first has. If the runs are equal, a patient's difference might as well have the other sign
    (Fisher 1935, The Design of Experiments, section 21). Unlike McNemar's test it takes several
    images a patient without counting them as independent. The sums of all signs are counted one
    patient after another, since they are few whole numbers.
    """
    steps = np.abs(differences[differences != 0]).astype(int)
    reach = int(steps.sum())
    share = np.zeros(2 * reach + 1)
    # The middle of the array is the sum 0, from which each patient steps up or down.
    share[reach] = 1.0
    for step in steps:
        share = (np.roll(share, step) + np.roll(share, -step)) / 2
    sums = np.abs(np.arange(-reach, reach + 1))
    # At most 1: halves added up may round to a hair more.
    return float(min(share[sums >= abs(int(differences.sum()))].sum(), 1.0))


# Placements are whole numbers of half pairs: what differs by less has differed in rounding alone.
STEP = 1e-12
ALIKE = (
    "all samples differ between the runs by one and the same value: how far it varies is not seen"
)


@dataclass(frozen=True)
class DeLong:
    """Two areas under ROC curves of the same samples, and the two-sided p of their difference.

    Where there is none p is NaN, and `why` says what lacks.
    """

    first: float
    second: float
    p: float
    why: str = ""


def delong(positive: np.ndarray, first: np.ndarray, second: np.ndarray) -> DeLong:
    """DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837.

    positive: (N,) bool; first, second: (N,) scores of the two runs. Samples are taken as
    independent: one a patient. No p without two samples of each side, and none where all samples of
    a side differ alike, unless they do not differ at all: then it is 1.
    """
    parts = [_placements(positive, score) for score in (first, second)]
    areas = [float(of_positive.mean()) if len(of_positive) else np.nan for of_positive, _ in parts]
    sides = [np.array([part[side] for part in parts]) for side in (0, 1)]
    if min(side.shape[1] for side in sides) < 2:
        return DeLong(*areas, float("nan"), "a side has fewer than two samples")
    gains = [after - before for before, after in sides]
    if max(np.ptp(gain) for gain in gains) < STEP:
        # A spread that was not seen is not a spread of 0, by which any difference were certain.
        same = abs(areas[1] - areas[0]) < STEP
        return DeLong(*areas, 1.0, "") if same else DeLong(*areas, float("nan"), ALIKE)
    # Variance of a difference, by the placements of each side: 1, -1 of the covariance matrix.
    variance = sum(float(np.var(gain, ddof=1)) / len(gain) for gain in gains)
    return DeLong(*areas, float(2 * norm.sf(abs(areas[1] - areas[0]) / np.sqrt(variance))))


def _placements(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of negatives below each positive, and of positives above each negative."""
    up, down = np.sort(score[positive]), np.sort(score[~positive])
    if not (len(up) and len(down)):
        return up[:0], down[:0]
    below, above = _share_below(score[positive], down), 1 - _share_below(score[~positive], up)
    return below, above


def _share_below(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Share of the sorted `others` below each of the values; those level with it count half."""
    sides = [np.searchsorted(others, values, side) for side in ("left", "right")]
    return (sides[0] + sides[1]) / (2 * len(others))


def holm(p_values: Sequence[float]) -> list[float]:
    """p values that allow for their number (Holm 1979, Scand J Stat 6:65), in the order given."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    # Never below the one before: a larger p must not become the smaller one.
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted.tolist()
