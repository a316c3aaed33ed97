"""Mended probabilities and decision curves: as scikit-learn and dcurves have them, no leaks."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.reliability.calibration import cross_fitted, mend
from foldwise.reliability.calibrators import apply, fit
from foldwise.reliability.decision import net_benefit, of_all
from foldwise.reliability.parts import crossed, few, parts_of
from oracles import Same, overconfident

QUICK = Bootstrap(1, "patient", 50)
TASK = {"classes": ["A", "B", "C"]}


def table(n=240, folds=4, images=2, seed=0):
    labels, probabilities = overconfident(n, seed)
    rows = []
    for i, (label, p) in enumerate(zip(labels, probabilities, strict=True)):
        group = i // images
        named = {"sample": f"s{i}", "group": f"g{group}", "exam": f"e{i}"}
        named |= {"fold": str(1 + group % folds), "label": "ABC"[label]}
        rows.append(named | {f"p_{c}": repr(float(v)) for c, v in zip("ABC", p, strict=True)})
    return rows


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_maps_are_those_of_scikit_learn(method):
    labels, probabilities = overconfident(400)
    _, others = overconfident(50, seed=1)
    whole = FrozenEstimator(Same().fit(probabilities, labels))
    model = CalibratedClassifierCV(whole, method=method).fit(probabilities, labels)
    mine = apply(fit(method, labels, probabilities), others)
    assert mine == pytest.approx(model.predict_proba(others), abs=1e-4)
    assert mine.sum(axis=1) == pytest.approx(1)


def test_a_temperature_takes_back_what_was_made_too_sure():
    labels, probabilities = overconfident(4000)
    assert fit("temperature", labels, probabilities)["temperature"] == pytest.approx(3, abs=0.2)


def test_no_group_is_fitted_on_and_judged():
    for folds in (4, 1):
        part = parts_of(table(folds=folds), TASK)[0]
        seen = np.zeros(len(part.labels), int)
        for fitted, judged in crossed(part):
            assert not set(part.group[fitted]) & set(part.group[judged])
            seen += judged
        assert (seen == 1).all()


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_a_samples_own_label_does_not_reach_its_probability(method):
    rows = table()
    before, _ = cross_fitted(parts_of(rows, TASK)[0], method)
    own = [i for i, row in enumerate(rows) if row["fold"] == "2"]
    for i in own:
        rows[i]["label"] = {"A": "B", "B": "C", "C": "A"}[rows[i]["label"]]
    after, _ = cross_fitted(parts_of(rows, TASK)[0], method)
    assert (after[own] == before[own]).all()
    assert (after != before).any()


def test_before_and_after_with_intervals():
    found, rows = mend(table(), TASK, "temperature", QUICK)
    (part,) = found["parts"]
    after = part["metrics"]["temperature"]
    assert after["change"]["interval"][1] < 0
    assert after["ece"]["value"] < part["metrics"]["before"]["ece"]["value"]
    assert part["maps"]["temperature"]["all"]["temperature"] == pytest.approx(3, abs=1)
    labels = np.array(["ABC".index(row["label"]) for row in rows])
    p = np.array([[float(row[f"p_{c}"]) for c in "ABC"] for row in rows])
    loss = -np.log(p[np.arange(len(p)), labels]).mean()
    assert after["log_loss"]["value"] == pytest.approx(loss)
    assert [row["label"] for row in rows] == [row["label"] for row in table()]


def test_too_few_are_told_with_the_number_that_would_do():
    small, _ = mend(table(n=24, folds=3), TASK, "temperature", QUICK)
    few_of = small["parts"][0]["few"]
    assert few_of["temperature"].startswith("8 groups remain to fit on")
    assert "it takes 10" in few_of["temperature"] and "it takes 50" in few_of["isotonic"]
    # What can be told is: as predicted, and its decision curves.
    assert set(small["parts"][0]["metrics"]) == {"before"}
    assert small["parts"][0]["decision"]["A"]["before"]
    one = [row | {"label": "A"} for row in table()]
    assert "one class" in few(parts_of(one, TASK)[0], 1)


# Made by dcurves 1.1.7: dca(data, "y", ["p"], thresholds=THRESHOLDS), columns net_benefit.
TRUTH = "000110100011100000001101100000011101010110000010000010110000"
PROBABILITY = [
    *(0.248, 0.144, 0.607, 0.308, 0.678, 0.591, 0.697, 0.186, 0.307, 0.367, 0.406, 0.814, 0.639),
    *(0.409, 0.222, 0.421, 0.041, 0.362, 0.667, 0.576, 0.512, 0.647, 0.286, 0.52, 0.635, 0.178),
    *(0.136, 0.425, 0.406, 0.162, 0.369, 0.522, 0.701, 0.674, 0.336, 0.611, 0.296, 0.48, 0.764),
    *(0.56, 0.5, 0.349, 0.301, 0.163, 0.111, 0.072, 0.433, 0.114, 0.119, 0.082, 0.316, 0.553),
    *(0.659, 0.171, 0.457, 0.577, 0.172, 0.38, 0.389, 0.373),
]
THRESHOLDS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7]
OF_MODEL = [0.316667, 0.283333, 0.245833, 0.200000, 0.222222, 0.166667, -0.005556]
OF_ALL = [0.315789, 0.277778, 0.187500, 0.071429, -0.083333, -0.300000, -1.166667]


def test_net_benefit_is_that_of_dcurves():
    truth = np.array([one == "1" for one in TRUTH])
    thresholds = np.array(THRESHOLDS)
    mine = net_benefit(truth, np.array(PROBABILITY), thresholds)
    assert mine == pytest.approx(OF_MODEL, abs=1e-6)
    assert of_all(truth, thresholds) == pytest.approx(OF_ALL, abs=1e-6)
