"""Three formats with equal numbers, at three levels."""

import json

import numpy as np
import pytest
import yaml
from sklearn.metrics import accuracy_score, cohen_kappa_score

from foldwise.errors import FoldwiseError
from foldwise.evaluate.fold import evaluate_fold
from foldwise.evaluate.metrics.averaging import average
from foldwise.files import write_csv
from foldwise.registry import load

CLASSES = ["A", "B", "C"]


DENSITY = load("MEASURES", "classification")({"classes": CLASSES})


def made_rows(n_patients: int, seed: int = 0, sharpness: float = 1.0) -> list[dict]:
    """Two exams a patient, two images an exam; the truth is the patient's."""
    random = np.random.default_rng(seed)
    rows = []
    for patient in range(n_patients):
        truth = patient % 3
        for image in range(4):
            odds = np.exp(random.normal(size=3) + sharpness * np.eye(3)[truth])
            p = dict(zip([f"p_{c}" for c in CLASSES], odds / odds.sum(), strict=True))
            names = {"sample": f"s{patient}{image}", "group": f"g{patient}"}
            exam = f"e{patient}{image // 2}"
            rows.append({**names, "exam": exam, "label": CLASSES[truth], "predicted": "A", **p})
    return rows


def written(folder, rows):
    write_csv(folder / "val_predictions.csv", list(rows[0]), rows)
    evaluate_fold(folder / "val_predictions.csv", DENSITY, folder / "metrics")
    return json.loads((folder / "metrics" / "val_metrics.json").read_text())


def test_three_formats_hold_equal_numbers(tmp_path):
    got = written(tmp_path, made_rows(9))
    as_yaml = yaml.safe_load((tmp_path / "metrics" / "val_metrics.yaml").read_text())
    assert as_yaml == got
    text = (tmp_path / "metrics" / "val_metrics.txt").read_text()
    for block in text.split("[")[1:]:
        level = got["levels"][block[: block.index("]")]]
        pairs = [line.split(": ") for line in block.splitlines() if ": " in line]
        shown = {name: float(value) for name, value in pairs}
        assert shown == level["metrics"]


def test_levels_average_the_probabilities(tmp_path):
    rows = made_rows(9)
    got = written(tmp_path, rows)["levels"]
    assert [got[name]["n"] for name in ("image", "exam", "patient")] == [36, 18, 9]
    p = np.array([[row[f"p_{c}"] for c in CLASSES] for row in rows]).reshape(9, 4, 3).mean(axis=1)
    truth = np.arange(9) % 3
    assert got["patient"]["metrics"]["accuracy"] == accuracy_score(truth, p.argmax(axis=1))
    kappa = cohen_kappa_score(truth, p.argmax(axis=1), weights="quadratic")
    assert got["patient"]["metrics"]["kappa"] == pytest.approx(kappa, abs=1e-9)


def test_exams_that_are_groups_are_no_patients(tmp_path):
    """By accession nobody knows whose an exam is: the same figures, called what they are."""
    rows = [row | {"exam": f"other {row['exam']}", "group": row["exam"]} for row in made_rows(9)]
    write_csv(tmp_path / "val_predictions.csv", list(rows[0]), rows)
    evaluate_fold(tmp_path / "val_predictions.csv", DENSITY, tmp_path, "accession")
    by_exam = json.loads((tmp_path / "val_metrics.json").read_text())["levels"]
    by_patient = written(tmp_path, made_rows(9))["levels"]
    assert set(by_exam) == {"image", "exam"} and by_exam["exam"] == by_patient["exam"]
    assert "[patient]" not in (tmp_path / "val_metrics.txt").read_text()


def test_a_patient_with_two_truths_is_left_out_and_counted(tmp_path):
    rows = made_rows(6)
    rows[0]["label"] = rows[1]["label"] = "C"
    got = written(tmp_path, rows)["levels"]
    assert (got["patient"]["n"], got["patient"]["left_out"]) == (5, 1)
    assert (got["exam"]["n"], got["exam"]["left_out"]) == (12, 0)
    assert "1 left out" in (tmp_path / "metrics" / "val_metrics.txt").read_text()


def test_undefined_metrics_are_null_with_a_reason(tmp_path):
    rows = [row for row in made_rows(9) if row["label"] != "C"]
    got = written(tmp_path, rows)
    assert got["auc"] is None
    assert "no sample of class C" in got["levels"]["image"]["details"]["undefined"]["auc"]
    text = (tmp_path / "metrics" / "val_metrics.txt").read_text()
    assert "auc: undefined: no sample of class C" in text


def test_rows_that_are_alone_in_their_units_are_their_own_mean():
    rows = [{"exam": f"e{n}", "label": "A", "p_A": f"0.{n}", "p_B": "1"} for n in range(1, 4)]
    assert average(rows, "exam") == (rows, 0)
    assert average([], "exam") == ([], 0)
    double = average([*rows, *rows], "exam")[0]
    assert [float(row["p_A"]) for row in double] == [float(row["p_A"]) for row in rows]


def test_order_of_averaged_rows_follows_the_table_and_not_the_names():
    rows = [{"sample": n, "group": n, "label": "A", "p_A": "1"} for n in ("z", "a", "z")]
    merged, _ = average(rows, "group")
    assert [row["group"] for row in merged] == ["z", "a"]


def test_an_empty_table_is_named(tmp_path):
    (tmp_path / "val_predictions.csv").write_text("sample,label\n")
    with pytest.raises(FoldwiseError, match="no rows"):
        evaluate_fold(tmp_path / "val_predictions.csv", DENSITY, tmp_path)
