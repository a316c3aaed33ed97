"""Operating points: counts against scikit-learn, bounds that hold what they should, bad input."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from foldwise.evaluate.metrics.intervals import bootstrap
from foldwise.files import read_json, write_csv
from foldwise.report.explorer import thresholds

CLASSES = ["A", "B", "C"]


def made(folder, n=90, classes=CLASSES, part="", **changes):
    """operating_points.json of made-up predictions, the truth and the probabilities."""
    random = np.random.default_rng(5)
    truth = random.integers(0, len(classes), n)
    p = random.dirichlet(np.ones(len(classes)), n) + np.eye(len(classes))[truth]
    p = (p / p.sum(axis=1, keepdims=True)).round(2)
    end = f"_{part}" if part else ""
    rows = [
        {"sample": f"s{i}", "group": f"g{i // 3}", f"label{end}": classes[truth[i]]}
        | {f"p{end}_{name}": p[i, k] for k, name in enumerate(classes)}
        | changes
        for i in range(n)
    ]
    write_csv(folder / "p.csv", list(rows[0]) if rows else ["sample"], rows)
    task = {"heads": {part: classes}} if part else {"classes": classes}
    out = folder / "operating_points.json"
    thresholds.write_operating_points({"task": task, "seed": 1}, [folder / "p.csv"], out)
    return read_json(out), truth, p


@pytest.mark.parametrize("part", ["", "density"])
def test_counts_at_each_threshold_are_those_of_scikit_learn(tmp_path, part):
    found, truth, p = made(tmp_path, part=part)
    assert [one["class"] for one in found["curves"]] == CLASSES
    for k, curve in enumerate(found["curves"]):
        for threshold, counts in zip(found["thresholds"], curve["counts"], strict=True):
            tn, fp, fn, tp = confusion_matrix(
                truth == k, np.round(p[:, k] - threshold, 9) >= 0, labels=[False, True]
            ).ravel()
            assert counts == [tp, fp, fn, tn]


def test_bounds_surround_their_rates(tmp_path):
    found, _, _ = made(tmp_path)
    for curve in found["curves"]:
        tp, fp, fn, tn = np.array(curve["counts"]).T
        at = 50
        t = found["thresholds"][at]
        values = {
            "sensitivity": tp / (tp + fn),
            "specificity": tn / (tn + fp),
            "net_benefit": (tp - fp * t / (1 - t)) / curve["n"],
        }
        for name, value in values.items():
            low, high = curve["bounds"][name][at]
            assert low - 1e-3 <= value[at] <= high + 1e-3
            assert low < high


def test_bounds_of_a_predictive_value_move_with_the_prevalence(tmp_path):
    """What the page works out of the bounds at even odds is the bootstrap at that prevalence."""
    _, truth, p = made(tmp_path)
    curve, groups = thresholds._Curve(truth == 0, p[:, 0]), [f"g{i // 3}" for i in range(90)]
    prior, at = 0.05, 25

    def at_prior(weights):
        rates = curve._rates(weights)
        sensitivity, specificity = rates[f"sensitivity {at}"], rates[f"specificity {at}"]
        found = sensitivity * prior
        return {"ppv": found / (found + (1 - specificity) * (1 - prior))}

    options = (1, thresholds.RESAMPLES, thresholds.LEVEL, "percentile")
    direct = bootstrap(at_prior, groups, *options)["ppv"]
    even = bootstrap(curve._rates, groups, *options)[f"ppv_even {at}"]
    moved = [b * prior / (b * prior + (1 - b) * (1 - prior)) for b in (even.low, even.high)]
    assert moved == pytest.approx([direct.low, direct.high], rel=2e-3)


def test_a_share_that_none_misses_is_known_as_well_as_its_patients_are_many(tmp_path):
    """Wilson's interval of all right, with the patients who have the class."""
    found, truth, _ = made(tmp_path, p_A=1)
    patients = len({i // 3 for i in range(90) if truth[i] == 0})
    expected = binomtest(patients, patients).proportion_ci(0.95, "wilson")
    bounds = found["curves"][0]["bounds"]
    assert bounds["sensitivity"][50] == pytest.approx([expected.low, expected.high], abs=1e-4)
    low, high = bounds["specificity"][50]
    assert low == 0 < high
    # What holds whatever the model says has no interval.
    assert bounds["sensitivity"][0] is None


def test_little_or_missing_input_has_a_curve_and_no_bounds(tmp_path):
    assert made(tmp_path, n=0)[0]["curves"][0]["bounds"] == {}
    single, _, _ = made(tmp_path, n=1)
    assert set(single["curves"][0]["bounds"]["sensitivity"]) == {None}
    for missing in ("", "nan"):
        assert made(tmp_path, p_A=missing)[0]["curves"][0]["n"] == 0
    one_class, _, _ = made(tmp_path, label="A")
    assert set(one_class["curves"][0]["bounds"]["specificity"]) == {None}
    assert all(one_class["curves"][0]["bounds"]["sensitivity"][1:])


def test_a_task_without_classes_has_no_curve(tmp_path):
    write_csv(tmp_path / "p.csv", ["sample"], [{"sample": "s"}])
    out = tmp_path / "o.json"
    task = {"task": {"threshold": 0.5}, "seed": 1}
    thresholds.write_operating_points(task, [tmp_path / "p.csv"], out)
    assert read_json(out)["curves"] == []
