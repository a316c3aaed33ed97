"""The holdout in the report: a section apart from cross-validation, none without a holdout."""

from foldwise.files import read_json
from foldwise.report.catalogue import figure_inputs
from foldwise.report.draw import figure
from made_holdout import make_holdout
from made_runs import make_run
from report_pages import STUDY, Page, build


def test_a_holdout_has_a_section_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folds = {"preset": None, "holdout": 0.2}
    pack = build(tmp_path, study=STUDY | {"folds": folds})
    text, page = (pack / "report.md").read_text(), Page((pack / "index.html").read_text())
    section = text.partition("## Holdout")[2].partition("\n## ")[0]
    assert "24 images of 8 patients were set aside" in section
    assert "The [holdout](#holdout) has chosen nothing." in text
    assert "never used for training, for selection" in " ".join(section.split())
    assert "figures/holdout.png" in section and "figures/holdout_confusion.png" in section
    held = read_json("results/density/runs/cv/holdout_summary.json")
    value = held["ensemble"]["image"]["metrics"]["kappa"]["value"]
    assert f"| Quadratic kappa | {value:.3f} |" in section
    assert page.untraced == []
    methods = " ".join(text.partition("### Other methods")[2].partition("\n## ")[0].split())
    assert "On the holdout of 24 images: this run by the models of all folds together" in methods
    path = "results/density/runs/baseline_logistic_statistics/holdout_summary.json"
    method = read_json(path)
    assert method["methods"]["ensemble"].startswith("one model, fitted to")
    theirs = method["ensemble"]["image"]["metrics"]["kappa"]
    low, high = theirs["interval"]
    row = f"| {theirs['value']:.3f} ({low:.3f} to {high:.3f})"
    assert (
        f"| Logistic regression on pixel statistics {row}" in methods
        and f"| **This run** | {value:.3f} (" in methods
    )
    jobs = {entry["job"] for entry in read_json(pack / "ledger.json")["files"].values()}
    assert "evaluate_holdout density cv" in jobs
    assert "evaluate_holdout density baseline_logistic_statistics" in jobs


def test_a_holdout_of_one_patient_is_told_as_such(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = STUDY | {"folds": {"preset": None, "holdout": 0.2}}
    text = (build(tmp_path, 2, study=study, patients=1) / "report.md").read_text()
    section = " ".join(text.partition("## Holdout")[2].split())
    assert "3 images of 1 patient were set aside" in section
    assert "One patient says nothing of others, so that there is no interval." in section


def test_data_without_a_holdout_have_no_section(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_holdout(make_run(tmp_path, 2, "AB", patients=20), patients=0)
    path = tmp_path / "holdout.png"
    figure("holdout", figure_inputs("holdout", STUDY, [1, 2]), path)
    assert path.stat().st_size
    pack = build(tmp_path, 2, study=STUDY | {"folds": {"preset": None, "holdout": 0.2}}, patients=0)
    assert "## Holdout" not in (pack / "report.md").read_text()
    assert "holdout.png" not in (pack / "report.md").read_text()
