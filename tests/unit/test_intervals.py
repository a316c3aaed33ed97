"""Intervals against scipy's own bootstrap and against simulated truth."""

import numpy as np
import pytest
from scipy import stats

from foldwise.evaluate.metrics import draws as draws_of
from foldwise.evaluate.metrics import intervals as ours
from foldwise.evaluate.metrics.classification import scores


def mean_of(values, name="m"):
    """A statistic as `bootstrap` takes it: of all rows, or of weighted draws."""
    return lambda w: {name: values.mean() if w is None else w @ values / w.sum(axis=1)}


@pytest.mark.parametrize("method", ["percentile", "BCa"])
def test_bootstrap_agrees_with_scipy(method):
    values = np.random.default_rng(7).lognormal(size=40)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=999, method=method, rng=np.random.default_rng(11)
    ).confidence_interval
    got = ours.bootstrap(
        mean_of(values, "mean"),
        [str(i) for i in range(40)],
        seed=11,
        resamples=999,
        method=method,
    )["mean"]
    assert (got.low, got.high) == pytest.approx(tuple(expected), abs=1e-12)


def test_patients_are_drawn_whole():
    groups = ["a", "b", "a", "c"]
    seen = []

    def look(weights):
        if weights is None:
            return {"n": 4.0}
        seen.extend(weights)
        return {"n": weights.sum(axis=1)}

    ours.bootstrap(look, groups, 0, 200, method="percentile")
    assert len(seen) == 200
    assert all(row[0] == row[2] for row in seen)
    assert len({row.sum() for row in seen}) > 1


def test_one_patient_alone_says_nothing_of_others():
    """scipy refuses a sample of one; five images of one patient are no more than that."""
    with pytest.raises(ValueError, match="two or more observations"):
        stats.bootstrap((np.ones(1),), np.mean)
    got = ours.bootstrap(mean_of(np.ones(5), "n"), ["a"] * 5, 0, 50)["n"]
    assert np.isnan([got.low, got.high]).all()


def test_names_of_patients_do_not_matter():
    values = np.random.default_rng(0).normal(size=30)
    results = [
        ours.bootstrap(mean_of(values), [f"{salt}{k % 10}" for k in range(30)], 5)
        for salt in ("x", "a")
    ]
    assert results[0] == results[1]


def test_more_images_of_a_patient_add_less_than_more_patients():
    values = np.repeat(np.random.default_rng(3).normal(size=30), 4)
    one = ours.bootstrap(mean_of(values), [str(k // 4) for k in range(120)], 1)
    naive = ours.bootstrap(mean_of(values), [str(k) for k in range(120)], 1)
    ratio = (one["m"].high - one["m"].low) / (naive["m"].high - naive["m"].low)
    assert ratio == pytest.approx(2, abs=0.3)


def test_a_metric_mostly_undefined_has_no_bounds():
    def rare(weights):
        return {"m": 1.0 if weights is None else np.where(weights[:, 0] > 2, 1.0, np.nan)}

    assert np.isnan(ours.bootstrap(rare, [str(i) for i in range(20)], 0, 200)["m"].low)


def test_block_jackknife_gives_nearly_the_same_acceleration(monkeypatch):
    values = np.random.default_rng(9).lognormal(size=390)
    groups = [str(i) for i in range(390)]

    def run():
        return ours.bootstrap(mean_of(values), groups, 2, 2000)["m"]

    full = run()
    monkeypatch.setattr(draws_of, "JACKKNIFE_UNITS", 130)
    blocks = run()
    assert (blocks.low, blocks.high) == pytest.approx((full.low, full.high), abs=0.02)


def test_without_overlap_the_fold_interval_is_students():
    values = [0.7, 0.75, 0.8, 0.72, 0.69]
    got = ours.fold_mean(values, test_over_train=0)
    expected = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert (got.low, got.high) == pytest.approx(expected)


def test_an_interval_ends_where_the_metric_does():
    """On the logit scale neither end is passed; in the middle of the range it changes little."""
    values = [0.99, 0.7, 1.0]
    got, plain = ours.fold_mean(values, 0.5, limits=(0, 1)), ours.fold_mean(values, 0.5)
    assert plain.low < 1 < plain.high
    assert 0 < got.low < np.mean(values) < got.high < 1
    middle = [0.5, 0.51, 0.49]
    got, plain = ours.fold_mean(middle, 0.5, limits=(0, 1)), ours.fold_mean(middle, 0.5)
    assert (got.low, got.high) == pytest.approx((plain.low, plain.high), abs=1e-3)
    of_loss = ours.fold_mean([0.1, 0.9, 0.2], 0.5, limits=(0, np.inf))
    assert 0 < of_loss.low < 0.4 < of_loss.high


def test_no_interval_has_zero_width():
    """With no error seen Wilson's interval (scipy) says how far the share may be from 1."""
    groups = [str(i // 4) for i in range(80)]
    draws = draws_of.resample(mean_of(np.ones(80)), groups, 1, 200)
    got = ours.of_draws(draws, "m", 0.95, "proportion")
    expected = stats.binomtest(20, 20).proportion_ci(0.95, "wilson")
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high))
    nothing = ours.of_draws(draws, "m", 0.95)
    assert not nothing.there and "one and the same value" in nothing.why
    assert not ours.fold_mean([0.8, 0.8, 0.8], 0.5).there


def test_shares_of_independent_samples_have_wilsons_interval():
    values = (np.arange(100) < 83).astype(float)
    draws = draws_of.resample(
        mean_of(values), [str(i) for i in range(100)], 1, 20000, jackknife=False
    )
    got = ours.of_draws(draws, "m", 0.95, "proportion")
    expected = stats.binomtest(83, 100).proportion_ci(0.95, "wilson")
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high), abs=2e-3)


def test_calibration_error_has_an_interval_of_what_its_bins_move():
    """Against draws by hand: rows repeated, bins by scipy, no weights."""
    random, n = np.random.default_rng(1), 60
    p = random.dirichlet([1, 1, 1], n)
    labels = random.integers(0, 3, n)
    patients = np.arange(n) // 2

    def gaps(rows):
        confidence, right = p[rows].max(axis=1), p[rows].argmax(axis=1) == labels[rows]
        # Negated, since scipy's bins are closed on the left and ours on the right.
        edges = {"statistic": "sum", "bins": 10, "range": (-1, 0)}
        sums = stats.binned_statistic(-confidence, confidence - right, **edges).statistic
        return sums / len(rows)

    whole, drawn = gaps(np.arange(n)), np.random.default_rng(11).integers(0, 30, (999, 30))
    moved = [
        np.abs(gaps(np.concatenate([np.flatnonzero(patients == one) for one in draw])) - whole)
        for draw in drawn
    ]
    reach = np.quantile(np.sum(moved, axis=1), 0.95) * np.sqrt(30 / 29)
    value = np.abs(whole).sum()
    draws = draws_of.resample(
        lambda weights: scores(labels, p, weights), [str(one) for one in patients], 11, 999
    )
    got = ours.of_draws(draws, "ece", 0.95, "biased")
    expected = max(value - reach, 0), min(value + reach, 1)
    assert (got.low, got.high) == pytest.approx(expected, abs=1e-12)


def test_one_fold_has_no_interval():
    assert np.isnan(ours.fold_mean([0.7], 0.25).low)


def test_fold_interval_covers_where_the_naive_one_does_not():
    """Five folds of 100 samples, a linear fit with 10 features: how often is the truth inside?

    The truth is the expected error of fits of 80 samples, from many of them.
    """
    random = np.random.default_rng(4)

    def errors(x, y):
        folds = np.array_split(random.permutation(len(y)), 5)
        out = []
        for held in folds:
            rest = np.setdiff1d(np.arange(len(y)), held)
            fit = np.linalg.lstsq(x[rest], y[rest], rcond=None)[0]
            out.append(np.mean((x[held] @ fit - y[held]) ** 2))
        return np.array(out)

    def draw():
        x = random.normal(size=(100, 10))
        return x, x @ np.ones(10) + random.normal(size=100)

    runs = np.array([errors(*draw()) for _ in range(400)])
    truth = runs.mean()
    corrected = [ours.fold_mean(run, 0.25) for run in runs]
    naive = [ours.fold_mean(run, 0) for run in runs]
    covered = np.mean([i.low <= truth <= i.high for i in corrected])
    assert covered >= 0.93
    assert covered > np.mean([i.low <= truth <= i.high for i in naive])
