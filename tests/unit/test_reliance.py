"""A bundle's calibration and conformal sets: as scikit-learn and crepes have them, and checked."""

import numpy as np
import pytest
from crepes import ConformalClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from foldwise.bundle.predict import Request, predict
from foldwise.bundle.reliance import checked, columns
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_csv, read_json
from foldwise.reliability.calibration import mend
from foldwise.reliability.conformal import conformal, limits
from foldwise.reliability.new_images import carried, mended, sets
from foldwise.reliability.parts import parts_of
from foldwise.settings.bundle_file import LATER, read_manifest
from made_bundles import CLASSES, ERROR, make
from oracles import Same, overconfident

QUICK = Bootstrap(1, "patient", 50)
TASK = {"classes": CLASSES}


def rows_of(labels, p, fold="1", first=0):
    return [
        {"sample": f"s{first + i}", "group": f"g{first + i}", "fold": fold, "label": CLASSES[k]}
        | {f"p_{name}": repr(float(v)) for name, v in zip(CLASSES, row, strict=True)}
        for i, (k, row) in enumerate(zip(labels, p, strict=True))
    ]


@pytest.fixture(scope="module")
def study():
    """Validation predictions of two folds, and what a bundle carries of them by either method."""
    rows = [
        row for f in (1, 2) for row in rows_of(*overconfident(300, f, sharpness=2), str(f), 300 * f)
    ]
    sets_of = conformal(rows, TASK, 0.1, QUICK)
    methods = ("temperature", "isotonic")
    return rows, {
        m: carried("classification", mend(rows, TASK, m, QUICK)[0], sets_of) for m in methods
    }


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_the_map_of_a_bundle_is_scikit_learns(study, method):
    rows, found = study
    part = parts_of(rows, TASK)[0]
    whole = FrozenEstimator(Same().fit(part.probabilities, part.labels))
    oracle = CalibratedClassifierCV(whole, method=method).fit(part.probabilities, part.labels)
    _, asked = overconfident(80, 9, sharpness=2)
    fitted = found[method]["parts"][""]["calibration"]["map"]
    # Knots of single images are rounded before they leave.
    expected = oracle.predict_proba(asked)
    assert mended(fitted, asked[None]) == pytest.approx(expected, abs=0.02)
    each = np.stack([asked, asked[::-1]])
    both = (expected + expected[::-1]) / 2
    assert mended(fitted, each) == pytest.approx(both, abs=0.02)


@pytest.mark.parametrize("by_class", [False, True])
def test_sets_of_new_images_are_those_of_crepes(study, by_class):
    rows, found = study
    part = parts_of(rows, TASK)[0]
    own = 1 - part.probabilities[np.arange(600), part.labels]
    _, p = overconfident(200, 9, sharpness=2)
    oracle = ConformalClassifier()
    if by_class:
        oracle.fit(own, bins=part.labels)
        expected = np.stack(
            [
                oracle.predict_p(
                    1 - p[:, [k]], bins=np.full(200, k), all_classes=True, smoothing=False
                ).ravel()
                for k in range(3)
            ],
            axis=1,
        )
    else:
        oracle.fit(own)
        expected = oracle.predict_p(1 - p, all_classes=True, smoothing=False)
    exact = sets(limits(part, 0.1, by_class), p[None])
    assert (exact == (expected > 0.1)).all()
    kind = "by_class" if by_class else "all"
    rounded = sets(found["isotonic"]["parts"][""]["sets"][kind]["limits"], p[None])
    # Rounded upwards: no class is lost by it, and hardly any gained.
    assert rounded[exact].all() and (rounded != exact).mean() < 0.01


def test_too_few_leave_every_class_in_and_say_why():
    few = rows_of(*overconfident(8, 1, sharpness=2))
    part = parts_of(few, TASK)[0]
    assert limits(part, 0.1, False) == dict.fromkeys(CLASSES)
    assert sets(limits(part, 0.1, False), part.probabilities[None]).all()
    maps, _ = mend(few, TASK, "temperature", QUICK)
    found = carried("classification", maps, conformal(few, TASK, 0.1, QUICK))
    assert "groups remain to fit on" in found["parts"][""]["calibration"]["reason"]
    assert "groups remain to fit on" in found["parts"][""]["sets"]["reason"]


def test_half_of_the_models_keep_a_class_in_a_set():
    p = np.array([[[0.9, 0.1]], [[0.2, 0.8]]])
    assert sets({"A": 0.5, "B": 0.5}, p).tolist() == [[True, True]]
    assert sets({"A": 0.5, "B": 0.5}, p[[0, 0, 1]]).tolist() == [[True, False]]


def test_coverage_and_calibration_of_a_site_are_counted_by_hand(study):
    _, found = study
    labels, p = overconfident(150, 11, sharpness=2)
    rows = rows_of(labels, p)
    manifest = {"reliability": found["temperature"], "classes": {"": CLASSES}}
    (part,) = checked(manifest, (rows, rows), QUICK, 5)
    table = columns(manifest, [row["sample"] for row in rows], rows)
    holds = [CLASSES[k] in row["set"].split("|") for k, row in zip(labels, table, strict=True)]
    here = part["sets"]["all"]["here"]
    assert here["coverage"]["value"] == pytest.approx(np.mean(holds))
    for k, name in enumerate(CLASSES):
        own = np.mean([hold for hold, label in zip(holds, labels, strict=True) if label == k])
        assert here["by_class"][name]["value"] == pytest.approx(own)
    named = [f"calibrated_p_{CLASSES[k]}" for k in labels]
    better = [float(row[name]) for name, row in zip(named, table, strict=True)]
    metrics = part["calibration"]["metrics"]
    assert metrics["mended"]["log_loss"]["value"] == pytest.approx(-np.log(better).mean(), rel=1e-4)
    assert metrics["mended"]["log_loss"]["value"] < metrics["before"]["log_loss"]["value"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("bundle"), number=48)


def test_predictions_have_calibrated_probabilities_and_sets(made, tmp_path):
    predict(Request(str(made.bundle), (str(made.pictures),), tmp_path / "p.csv"))
    rows, told = read_csv(tmp_path / "p.csv"), read_json(tmp_path / "p_about.json")
    for row in rows:
        better = [float(row[f"calibrated_p_{name}"]) for name in CLASSES]
        assert sum(better) == pytest.approx(1, abs=1e-4)
        assert set(row["set"].split("|")) <= {*CLASSES, ""}
        assert "set_by_class" in row
    assert told["reliability"]["answer"]["calibration"].startswith("temperature ")
    assert "80%" in told["reliability"]["answer"]["sets"]
    assert (told["predicted"], told["quarantine"]) == (48, 0)
    assert read_manifest(made.bundle)["reliability"]["error"] == ERROR


def test_without_them_the_table_says_why(made, tmp_path, monkeypatch):
    manifest = read_manifest(made.bundle) | {"reliability": LATER["reliability"]}
    monkeypatch.setattr("foldwise.bundle.predict.read_manifest", lambda path: manifest)
    predict(Request(str(made.bundle), (str(made.pictures),), tmp_path / "p.csv"))
    row = read_csv(tmp_path / "p.csv")[0]
    assert not [name for name in row if name.startswith(("calibrated", "set"))]
    told = read_json(tmp_path / "p_about.json")["reliability"]
    assert told["sets"] == "The bundle is of a version of Foldwise that put none in."


def test_kinds_without_classes_say_so():
    found = carried("segmentation", None, None)
    assert found["parts"] == {} and "kind segmentation" in found["reason"]


def test_of_a_class_of_few_patients_no_coverage_is_told_nor_of_the_next_rarest(study):
    _, found = study
    labels, p = overconfident(150, 11, sharpness=2)
    # One patient with many images of the last class: patients count, not images.
    keep = np.flatnonzero(labels != 2)
    few = np.flatnonzero(labels == 2)[:9]
    rows = rows_of(labels[np.r_[keep, few]], p[np.r_[keep, few]])
    rows[-9:] = [row | {"group": "one"} for row in rows[-9:]]
    manifest = {"reliability": found["temperature"], "classes": {"": CLASSES}}
    (part,) = checked(manifest, (rows, rows), QUICK, 2)
    counts = {name: sum(row["label"] == name for row in rows) for name in CLASSES[:2]}
    rarest = min(counts, key=counts.get)
    for kind in ("all", "by_class"):
        here = part["sets"][kind]["here"]["by_class"]
        assert {name for name, one in here.items() if one.get("few")} == {"C", rarest}
        assert all(here[name]["value"] is None for name in ("C", rarest))
    (part,) = checked(manifest, (rows, rows), QUICK, 1)
    assert not [one for one in part["sets"]["all"]["here"]["by_class"].values() if "few" in one]
