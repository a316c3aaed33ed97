"""An article of three studies, two of which can be compared: text, tables and documents."""

import re
import shutil
import zipfile

import cv2
import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from foldwise.article.across import across, read_reported
from foldwise.article.build import write_article
from foldwise.article.inputs import article_figures, article_files
from foldwise.article.study import Study
from foldwise.article.table import SPACE, Table
from foldwise.evaluate.fold import evaluate_fold
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.summary import read_fold, summarise
from foldwise.files import read_csv, read_json, write_csv, write_json
from foldwise.registry import load
from foldwise.report.ledger import Ledger
from made_runs import make_run
from made_zone_run import with_zones
from report_pages import STUDY, build

SETTINGS = {"template": None, "title": "Films", "authors": ["A. Author"], "bibliography": []}
NAMES = ("density", "blurred", "zones")
KINDS = dict.fromkeys(NAMES, "classification") | {"zones": "zones"}


def small_picture(name, files, path):
    """A picture in the place of a figure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((60, 90), 128, np.uint8))


def blur(run):
    """Turn every third right answer around, and measure anew."""
    task = load("MEASURES", "classification")({"classes": run.classes})
    paths = run.paths()
    for path in paths["predictions"]:
        rows = read_csv(path)
        for row in [row for row in rows if float(row[f"p_{row['label']}"]) > 0.5][::3]:
            row["p_A"], row["p_B"] = row["p_B"], row["p_A"]
        write_csv(path, list(rows[0]), rows)
        evaluate_fold(path, task, path.parent / "metrics")
    each = zip(run.folds, paths["metrics"], paths["predictions"], paths["folds"], strict=True)
    folds = [read_fold(*one) for one in each]
    write_json(paths["summary"][0], summarise(folds, task, Bootstrap(42, "patient", 50)))


def finish(root, name):
    """Counts of the folds and the record of the run, of a study that was made as `density`."""
    made, own = root / "results/density", root / "results" / name
    counts = {"images": 20, "groups": 10, "classes": {"A": 12, "B": 8}}
    write_json(own / "folds/balance.json", {"folds": {str(k): counts for k in (1, 2, 3)}})
    (own / "report").mkdir(exist_ok=True)
    # A folder of code that is no git repository.
    write_json(own / "report/record.json", read_json(made / "report/record.json") | {"git": {}})
    if name != "density":
        (own / "report/comparisons.json").unlink(missing_ok=True)
    if name == "zones":
        summary = read_json(own / "runs/cv/cv_summary.json")
        # No fold has called a zone unknown, so that this is not defined.
        summary["unknown_precision"] |= {"mean": None, "std": None}
        write_json(own / "runs/cv/cv_summary.json", summary)
        manifest = read_json(own / "audit/data_manifest.json")
        write_json(own / "audit/data_manifest.json", manifest | {"views": {"unknown": 132}})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with three finished studies and what is told across them."""
    root = tmp_path_factory.mktemp("studies")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr("report_pages.figure", small_picture)
        for name in NAMES[1:]:
            run = make_run(root / name, 3, ("A", "B"), patients=40)
            with_zones(run) if name == "zones" else blur(run)
            (root / "results").mkdir(exist_ok=True)
            shutil.move(run.results, root / "results" / name)
        build(root)
        for name in NAMES:
            finish(root, name)
        studies = [read_reported(name, "cv", [1, 2, 3]) for name in NAMES]
        task = load("MEASURES", "classification")(studies[0].params["task"])
        found = across(studies, task, Bootstrap(1, "patient", 100), "kappa")
        write_json(root / "results/density/article/across.json", found)
    return root


@pytest.fixture
def here(finished, monkeypatch):
    """That folder as the working folder."""
    monkeypatch.chdir(finished)


@pytest.fixture(scope="module")
def out(finished):
    """The folder of their article, its documents included."""
    ledger, studies = Ledger(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(finished)
        for name in NAMES:
            others = list(NAMES[1:]) if name == "density" else []
            settings = STUDY | {"name": name, "kind": KINDS[name], "article": {"studies": others}}
            settings["report"] = STUDY["report"] | {"baselines": []}
            files = article_files(settings)
            if name != "density":
                files.pop("comparisons", None)
            figures = article_figures(settings)
            for path in figures.values():
                small_picture("", {}, finished / path)
            studies.append(Study(settings, files, figures, ledger))
        write_article(studies, SETTINGS, ledger, finished / "article")
    return finished / "article"


@pytest.mark.usefixtures("here")
def test_methods_results_and_limitations_are_of_each_study_in_all_formats(out):
    text = (out / "article.md").read_text()
    for name in NAMES[1:]:
        for heading in (f"## Study {name}", f"## Results of study {name}"):
            assert text.count(f"\n{heading}\n") == 1
        assert f"\nOf study {name}:\n" in text
        summary = read_json(f"results/{name}/runs/cv/cv_summary.json")
        mean = summary[summary["best_fold"]["metric"]]["mean"]
        # In the abstract and in the results.
        assert text.count(f"kappa was {mean:.3f}") == 2
        assert {f"{name}-results.csv", f"{name}-cohort.csv"} <= {
            path.name for path in (out / "tables").iterdir()
        }
        assert (out / "figures" / f"{name}-metrics.png").is_file()
    assert "Zones were scored: left, right." in text and "Classes are counted" in text
    # Equal titles are told apart; the table across studies is of none.
    captions = re.findall(r"^(?:!\[|: )\*\*.*$", text, re.MULTILINE)
    (of_none,) = [caption for caption in captions if "** Study " not in caption]
    assert "Every comparison of this article" in of_none
    page = (out / "article.html").read_text()
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets - set(re.findall(r'id="([^"]+)"', page)) == set()
    assert "in results/zones/runs/cv/cv_summary.json, made by cv_summary zones cv" in page
    with zipfile.ZipFile(out / "article.docx") as document:
        body = document.read("word/document.xml").decode()
    assert all(f"Results of study {name}" in body for name in NAMES[1:])
    assert (out / "article.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.usefixtures("here")
def test_one_correction_is_for_the_tests_of_all_studies(out):
    found = read_json("results/density/article/across.json")
    rows = read_csv(out / "tables" / "density-across.csv")
    expected = multipletests([row["p"] for row in found["comparisons"]], method="holm")[1]
    assert [row["p, Holm"] for row in rows] == [f"{p:.2g}" for p in expected]
    assert [row["Compared with"] for row in rows] == [
        "Logistic regression on pixel statistics",
        "blurred, cv",
    ]
    text = (out / "article.md").read_text()
    assert "Study zones was not compared with density: it predicts something else." in text
    assert f"number of tests among them, {found['number']}" in text


def test_classes_and_views_are_told_of_where_there_are_any(out):
    tables = {name: (out / "tables" / f"{name}-cohort.md").read_text() for name in NAMES}
    assert "Classes are counted" in tables["density"] and "View CC" in tables["density"]
    assert "Classes are counted" not in tables["zones"] and "View" not in tables["zones"]


def test_what_is_not_defined_is_a_dash_and_code_without_git_is_not_told(out):
    rows = {row["Metric"]: row for row in read_csv(out / "tables" / "zones-results.csv")}
    assert rows["Unknown, precision"]["Mean over folds"] == "–"
    assert "The results were made on Python" in (out / "article.md").read_text()
    assert "| Code |" not in (out / "model_card.md").read_text()


def test_a_column_has_its_share_of_the_page(out):
    table = Table("", ("Metric", "Mean over folds", "Interval"), (("A" * 50, "0.1", "0.1 to 0.2"),))
    first, mean, interval = table.widths()
    assert mean - SPACE == 7 and interval - SPACE == 10 and first - SPACE == 20
    lines = (out / "article.md").read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("| Metric |"))
    # A mean has less room than the interval beside it.
    _, _, mean, _, interval, *_ = lines[at + 1].split("|")
    assert len(mean) < len(interval)
