"""Comparisons over the studies of an article: one family, by Holm's correction."""

import shutil

import pytest
from statsmodels.stats.multitest import multipletests

from foldwise.article.across import COLUMNS, across, read_reported
from foldwise.article.study import Study
from foldwise.article.tables import TABLES
from foldwise.evaluate.fold import evaluate_fold
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_csv, read_json, write_csv, write_json
from foldwise.registry import load
from foldwise.report.ledger import Ledger
from made_runs import make_run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Studies `density` and `blurred` on the same patients, and `few` on some others."""
    for name, patients in (("blurred", 40), ("few", 30)):
        make_run(tmp_path / name, 3, ("A", "B"), patients=patients)
        (tmp_path / "results").mkdir(exist_ok=True)
        shutil.move(tmp_path / name / "results/density", tmp_path / "results" / name)
        (tmp_path / "results" / name / "report/comparisons.json").unlink()
    make_run(tmp_path, 3, ("A", "B"), patients=40)
    monkeypatch.chdir(tmp_path)
    for fold in (1, 2, 3):
        blur(tmp_path / f"results/blurred/runs/cv/fold_{fold}/results")
    numbers = dict.fromkeys(COLUMNS, 0.1)
    against = {
        f"baseline_{name}": {"metrics": {"kappa": numbers | {"p": p}}}
        for name, p in (("weak", 0.012), ("strong", 0.2), ("undefined", None))
    }
    path = tmp_path / "results/density/report/comparisons.json"
    write_json(path, {"metric": "kappa", "against": against})
    return tmp_path


def blur(results):
    """Turn every third right answer of a fold around, and measure the fold anew."""
    rows = read_csv(results / "val_predictions.csv")
    right = [row for row in rows if float(row[f"p_{row['label']}"]) > 0.5]
    for row in right[::3]:
        row["p_A"], row["p_B"] = row["p_B"], row["p_A"]
    write_csv(results / "val_predictions.csv", list(rows[0]), rows)
    task = load("MEASURES", "classification")({"classes": ["A", "B"]})
    evaluate_fold(results / "val_predictions.csv", task, results / "metrics", "patient")


def compared(*names):
    studies = [read_reported(name, "cv", [1, 2, 3]) for name in names]
    params = studies[0].params
    task = load("MEASURES", params["kind"])(params["task"])
    return across(studies, task, Bootstrap(1, "patient", 100), "kappa")


def test_all_comparisons_of_all_studies_are_one_family(folder):
    found = compared("density", "blurred", "few")
    rows = {row["against"]: row for row in found["comparisons"]}
    assert set(rows) == {
        "baseline_weak",
        "baseline_strong",
        "baseline_undefined",
        "blurred, cv",
    }
    assert rows["blurred, cv"]["difference"] > 0
    defined = [row for row in rows.values() if row["p"] is not None]
    expected = multipletests([row["p"] for row in defined], method="holm")[1]
    assert [row["p_holm"] for row in defined] == pytest.approx(list(expected))
    assert found["number"] == 3 and rows["baseline_undefined"]["p_holm"] is None
    assert [one["study"] for one in found["apart"]] == ["few"]
    assert "other images or other folds" in found["apart"][0]["reason"]


def test_studies_of_something_else_are_set_apart(folder):
    path = folder / "results/blurred/runs/cv/params.json"
    params = read_json(path)
    params["task"]["classes"] = ["A", "C"]
    write_json(path, params)
    found = compared("density", "blurred")
    assert found["apart"] == [{"study": "blurred", "reason": "it predicts something else"}]


def test_the_table_reads_them_through_the_ledger(folder):
    write_json("across.json", compared("density", "blurred"))
    ledger = Ledger()
    settings = {"name": "density", "report": {"run": "cv"}}
    table = TABLES["across"](Study(settings, {"across": "across.json"}, {}, ledger))
    assert [row[1] for row in table.text()] == ["strong", "undefined", "weak", "blurred, cv"]
    assert table.text()[1][-2:] == ["–", "–"]
    assert {number.file for number in ledger.numbers} == {"across.json"}


def test_a_studys_own_comparisons_bear_their_corrected_p(folder):
    path = "results/density/report/comparisons.json"
    content = read_json(path)
    content["against"]["baseline_weak"]["metrics"]["kappa"]["p_holm"] = 0.024
    write_json(path, content)
    settings = {"name": "density", "report": {"run": "cv"}}
    table = TABLES["comparisons"](Study(settings, {"comparisons": path}, {}, Ledger()))
    assert {row[0]: row[-1] for row in table.text()} == {
        "weak": "0.024",
        "strong": "–",
        "undefined": "–",
    }
