"""Paired tests against scipy and against the formula's own special cases."""

import numpy as np
import pytest
from scipy import stats

from foldwise.evaluate.metrics import paired as ours
from foldwise.evaluate.metrics.intervals import Bootstrap


def test_mcnemar_is_the_binomial_sign_test():
    first = np.array([True] * 9 + [False] * 2 + [True] * 20 + [False] * 5)
    second = np.array([False] * 9 + [True] * 2 + [True] * 20 + [False] * 5)
    got = ours.mcnemar(first, second)
    assert (got.only_first, got.only_second) == (9, 2)
    # Two-sided by hand: 2 * P(X <= 2), X ~ B(11, 1/2) = 2 * (1 + 11 + 55) / 2048.
    assert got.p == pytest.approx(2 * 67 / 2048)


def test_mcnemar_of_runs_that_never_disagree():
    same = np.array([True, False, True])
    assert ours.mcnemar(same, same).p == 1


def test_mcnemar_refuses_other_samples():
    with pytest.raises(ValueError, match="not pairs"):
        ours.mcnemar(np.ones(3, bool), np.ones(4, bool))


def test_corrected_t_without_overlap_is_the_paired_t_test():
    random = np.random.default_rng(1)
    first, second = random.normal(size=(2, 8))
    got = ours.corrected_t(first, second, test_over_train=0)
    expected = stats.ttest_rel(second, first)
    assert (got.t, got.p) == pytest.approx((expected.statistic, expected.pvalue))
    low, high = expected.confidence_interval(0.95)
    assert (got.interval.low, got.interval.high) == pytest.approx((low, high))


def test_overlap_widens_by_the_stated_factor():
    first, second = [0.7, 0.72, 0.69, 0.75, 0.7], [0.74, 0.73, 0.75, 0.76, 0.71]
    plain = ours.corrected_t(first, second, 0)
    corrected = ours.corrected_t(first, second, 1 / 4)
    assert plain.t / corrected.t == pytest.approx(np.sqrt((1 / 5 + 1 / 4) / (1 / 5)))


def test_equal_runs_show_no_difference():
    got = ours.corrected_t([0.5, 0.6], [0.5, 0.6], 0.25)
    assert (got.mean, got.p) == (0, 1)


def mean_of(values):
    return lambda w: {"m": values.mean() if w is None else w @ values / w.sum(axis=1)}


def test_bootstrap_of_a_difference_pairs_the_patients():
    random = np.random.default_rng(2)
    hard = random.normal(size=200)
    first, second = hard, hard + 0.1 + random.normal(size=200) * 0.01
    groups = [str(i // 2) for i in range(200)]
    got = ours.bootstrap_difference(
        mean_of(first),
        mean_of(second),
        groups,
        Bootstrap(1, "patient", 500),
    )["m"]
    # The common part cancels: unpaired, the interval would be ten times as wide as this.
    assert 0.095 < got.low < 0.1 < got.high < 0.105
