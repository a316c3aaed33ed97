"""The corners in which intervals and tests once missed the truth, simulated; docs/statistics.md."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from interval_coverage import Setting, coverage, over_folds, p_values, pooled, right_of_runs

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("images", [1, 4])
@pytest.mark.parametrize("skill", ["middling", "high"])
def test_accuracy_is_covered_from_50_patients_on(images, skill):
    held, none = coverage(Setting(50, images, "equal", skill), pooled, 200)["accuracy"]
    assert held >= 0.91 and none == 0


def test_few_patients_without_an_error_have_an_interval_that_holds_the_truth():
    held, none = coverage(Setting(20, 1, "equal", "high"), pooled, 300)["accuracy"]
    assert held >= 0.9 and none == 0


@pytest.mark.parametrize("images", [1, 4])
def test_the_calibration_error_of_a_calibrated_model_is_covered(images):
    """0 lies in the interval; percentiles of the draws never held it."""
    held, _ = coverage(Setting(100, images, "equal", "middling"), pooled, 100)["ece"]
    assert held >= 0.89


def test_an_auc_near_one_is_covered_over_folds():
    def make(setting, random):
        return over_folds(5, setting, random)

    held, _ = coverage(Setting(200, 1, "equal", "high"), make, 200)["auc"]
    assert held >= 0.93


@pytest.mark.parametrize("images", [1, 4])
def test_sign_flips_are_a_test_at_five_per_cent_with_the_power_of_images(images):
    random = np.random.default_rng(3)
    runs = {gain: [] for gain in (0, 0.06)}
    for gain, found in runs.items():
        for _ in range(400):
            found.append(p_values(*right_of_runs([0, gain], images, random), images))
    equal = np.mean([p["sign flips, patients"] < 0.05 for p in runs[0]])
    assert 0.02 <= equal <= 0.08
    power = {n: np.mean([p[n] < 0.05 for p in runs[0.06]]) for n in runs[0.06][0]}
    assert power["sign flips, patients"] >= power["McNemar, patients"] - 0.03
    assert power["sign flips, patients"] > power["t over folds"]
