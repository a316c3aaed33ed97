"""Paired tests against scipy and against the formula's own special cases."""

import MLstatkit as mlstatkit
import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from foldwise.evaluate.metrics import paired as ours
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.paired_tests import areas_of_classes


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


def test_a_difference_that_is_the_same_in_all_folds_has_neither_interval_nor_p():
    # 0.3 - 0.1 and 0.4 - 0.2 differ in their last bit.
    for second in ([0.6, 0.7, 0.8], [0.3, 0.4, 0.5]):
        got = ours.corrected_t([one - 0.2 for one in second], second, 0.25)
        assert got.mean == pytest.approx(0.2)
        assert np.isnan(got.p) and np.isnan(got.t) and not got.interval.there
        assert "one and the same value" in got.interval.why
    same = ours.corrected_t([0.5, 0.6], [0.5, 0.6], 0.25)
    assert same.p == 1.0 and not same.interval.there


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


@pytest.mark.parametrize("seed", range(6))
def test_sign_flips_are_those_of_scipys_exact_permutations(seed):
    differences = np.random.default_rng(seed).integers(-3, 4, 10)
    expected = stats.permutation_test(
        (differences, np.zeros(10)),
        lambda x, y: (x - y).sum(),
        permutation_type="samples",
        n_resamples=np.inf,
    ).pvalue
    assert ours.sign_flip(differences) == pytest.approx(expected)


def test_sign_flip_of_single_images_is_mcnemar():
    random = np.random.default_rng(3)
    one, other = random.random((2, 60)) < 0.7
    flips = ours.sign_flip(other.astype(int) - one.astype(int))
    assert flips == pytest.approx(ours.mcnemar(one, other).p)
    assert ours.sign_flip(np.zeros(5, int)) == 1


@pytest.mark.parametrize("seed", range(3))
def test_delong_is_that_of_mlstatkit(seed):
    random = np.random.default_rng(seed)
    truth = random.random(80) < 0.4
    first = truth + random.normal(size=80)
    second = (truth * 1.5 + random.normal(size=80)).round(1)
    found = mlstatkit.Delong_test(truth.astype(int), first, second)
    p, first_area, second_area = found[1], *found[-3:-1]
    got = ours.delong(truth, first, second)
    assert (got.first, got.second, got.p) == pytest.approx((first_area, second_area, p), abs=1e-9)


def test_delong_says_where_it_cannot_be_made():
    truth = np.array([True, False, False])
    few = ours.delong(truth, np.arange(3.0), np.arange(3.0))
    assert np.isnan(few.p) and few.why == "a side has fewer than two samples"
    truth = np.array([True, True, False, False])
    assert ours.delong(truth, np.arange(4.0), np.arange(4.0)).p == 1


@pytest.mark.parametrize("positives", [2, 3, 7])
@pytest.mark.parametrize("negatives", [2, 10, 1000])
def test_delong_has_no_p_where_no_spread_was_seen(positives, negatives):
    truth = np.repeat([True, False], [positives, negatives])
    # One run separates the sides entirely, the other has them all level: .5 for each sample.
    level = ours.delong(truth, np.zeros(len(truth)), truth.astype(float))
    assert (level.first, level.second) == (0.5, 1.0)
    assert np.isnan(level.p) and "one and the same value" in level.why
    both = ours.delong(truth, truth * 2.0, truth * 1.0)
    assert (both.p, both.why) == (1.0, "")


def test_classes_whose_areas_cannot_be_tested_are_listed_with_the_reason():
    truth = ["a", "a", "b", "b", "c"]

    def run(score):
        return [
            {"sample": str(n), "group": str(n), "exam": "", "label": label}
            | {f"p_{name}": str(score(name, label)) for name in "abc"}
            for n, label in enumerate(truth)
        ]

    sure, unsure = run(lambda name, label: float(name == label)), run(lambda *_: 1 / 3)
    tests = areas_of_classes(unsure, sure)
    assert set(tests) == {"a", "b", "c"}
    assert all(one["p"] is None and one["p_holm"] is None for one in tests.values())
    assert "one and the same value" in tests["a"]["why"]
    assert tests["c"]["why"] == "a side has fewer than two samples"
    assert (tests["a"]["first"], tests["a"]["second"]) == (0.5, 1.0)


def test_holm_is_that_of_statsmodels():
    p = [0.01, 0.04, 0.03, 0.005, 0.9]
    assert ours.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert ours.holm([]) == []
    stepped = [p <= 0.05 for p in ours.holm([0.01, 0.04, 0.03, 0.005])]
    assert stepped == [True, False, False, True]
