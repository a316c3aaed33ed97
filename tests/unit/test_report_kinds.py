"""Report packs of zones and of several labels, and their comparison with other runs."""

import shutil

from foldwise.files import read_json, write_json
from foldwise.report.catalogue import figure_inputs, figures_of
from foldwise.report.draw import figure
from foldwise.report.ledger import Ledger
from foldwise.report.pack import report_pack
from foldwise.report.run import Run
from foldwise.report.sections import answers, baselines, comparison
from made_heads import with_two_labels
from made_runs import make_run
from made_zone_run import with_zones
from report_pages import OUT, STUDY, Page, reporting


def test_a_study_of_zones_has_a_page_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = make_run(tmp_path, 3, "AB", patients=30)
    with_zones(run)
    figures = {name: OUT / "figures" / f"{name}.png" for name in figures_of("zones", False)}
    for name, path in figures.items():
        figure(name, figure_inputs(name, STUDY, run.folds), path)
    report_pack(reporting(baselines=[]) | {"kind": "zones"}, run.folds, figures, OUT)
    page = Page((tmp_path / OUT / "index.html").read_text())
    assert page.untraced == []
    text = (tmp_path / OUT / "report.md").read_text()
    assert "have a suspect zone" in text and "| Suspect zones |" in text.replace("Image | ", "", 1)
    assert "### Severity bands" in text and "## Zones that cannot be scored" in text
    assert (
        "Within one" in text
        and "| left | 0." in text
        and "| **all** | 0." in text
        and "zone_confusion.png" in text
    )
    assert [file.name for file in (tmp_path / OUT / "assets").iterdir()] == [
        "density_train_seed42.png"
    ]


def test_where_no_zone_is_unknown_or_called_so_no_table_says_nothing_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = make_run(tmp_path, 3, "AB", patients=30)
    with_zones(run)
    path = run.results / "runs" / "cv" / "cv_summary.json"
    summary, tables = read_json(path), []
    for defined in (True, False):
        if not defined:
            for zone in summary["pooled"]["image"]["details"]["per_zone"].values():
                zone |= {name: None for name in zone if name.startswith("unknown_")}
            write_json(path, summary)
        shown = answers.values(Run(Ledger(), STUDY | {"kind": "zones"}, run.folds))
        tables.append([table["title"] for table in shown["parts"]])
    assert tables == [["Zones", "Zones that cannot be scored"], ["Zones"]]


def test_a_comparison_without_the_monitored_metric_has_dashes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = with_two_labels(make_run(tmp_path, 3, "AB", patients=30))
    path = run.results / "report" / "comparisons.json"
    found = read_json(path)
    alone = found["against"]["alone"]
    del alone["metrics"][found["metric"]]
    alone["metrics"]["mean_accuracy"] |= {"low": None, "high": None}
    write_json(path, found | {"against": {"alone": alone, "baseline_otsu": alone}})
    study = reporting(baselines=["otsu"], compare=["alone"])
    reported = Run(Ledger(), study, run.folds)
    (row,) = baselines.values(reported)["rows"]
    assert (str(row["difference"]), row["folds"], row["groups"]) == ("–", [], [])
    (other,) = comparison.values(reported)["comparisons"]
    by_name = {row["name"]: row for row in other["metrics"]}
    assert "Mean F1" not in by_name and by_name["Mean accuracy"]["interval"] == []


def test_a_study_of_several_labels_has_a_page_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = with_two_labels(make_run(tmp_path, 3, "AB", patients=30))
    figures = {name: OUT / "figures" / f"{name}.png" for name in figures_of("distillation")}
    figure("confusion", figure_inputs("confusion", STUDY, run.folds), figures["confusion"])
    for name in figures.keys() - {"confusion"}:
        # The page asks for a picture; test_figures.py draws each of them of such a run.
        shutil.copy(figures["confusion"], figures[name])
    study = reporting(compare=["alone"]) | {"kind": "distillation"}
    report_pack(study, run.folds, figures, OUT)
    assert Page((tmp_path / OUT / "index.html").read_text()).untraced == []
    text = (tmp_path / OUT / "report.md").read_text()
    for said in (
        "### Body part",
        "| Thorax |",
        "Modality: Macro F1",
        "Body part: of",
        "| Teacher |",
    ):
        assert said in text, said
    assert "| alone | 12,345 |" in text and "Initial weights" not in text
