"""The report pack: each number traced to its file, nothing from the network, nothing private."""

import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from foldwise.evaluate import evaluate_fold
from foldwise.files import read_csv, read_json, write_csv, write_json
from foldwise.hashing import file_digest
from foldwise.registry import load
from foldwise.report.beside import beside
from foldwise.report.catalogue import figure_inputs, figures_of
from foldwise.report.draw import figure
from foldwise.report.entries import FIGURES
from foldwise.report.ledger import Ledger
from foldwise.report.pack import report_pack
from foldwise.report.sections import Sections
from foldwise.report.versus import comparisons
from foldwise.summary import read_fold, summarise
from made_heads import with_two_labels
from made_runs import make_gradcam, make_holdout, make_run

STUDY = {
    "name": "density",
    "kind": "classification",
    "seed": 42,
    "data": {
        "root": "/archive/CANARY",
        "table": {"path": "CANARY.csv"},
        "group": "patient",
        "splits": {},
    },
    "folds": {"preset": None, "holdout": 0.0},
    "report": {"title": None},
}
OUT = Path("results/density/report")
STARTED = {"command": "snakemake --cores 2", "started": "2026-01-01T12:00:00+00:00"}


def build(root, n_folds=3, classes=("A", "B"), study=STUDY, patients=8, group_by="patient"):
    """A made-up run in `root` (the working folder) and its pack."""
    run = make_run(root, n_folds, classes, patients=40, group_by=group_by)
    make_gradcam(run)
    held = study["folds"]["holdout"] > 0
    if held:
        make_holdout(run, patients)
    figures = {}
    for name in figures_of("classification", holdout=held):
        figures[name] = OUT / "figures" / f"{name}.png"
        figure(name, figure_inputs(name, "density", "cv", run.folds), figures[name])
    report_pack(study, "cv", run.folds, figures, OUT, STARTED)
    return root / OUT


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    root = tmp_path_factory.mktemp("pack")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        yield build(root)


class Page(HTMLParser):
    """Numbers (value, title, text), cells that hold digits outside of them, and all addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.numbers, self.addresses, self.untraced = [], [], []
        self.cell = self.number = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.addresses += [found[name] for name in ("src", "href") if name in found]
        if tag == "data":
            self.number = [found["value"], found["title"], ""]
        if tag == "td":
            self.cell = "right" in found.get("style", "")

    def handle_endtag(self, tag):
        if tag == "data":
            self.numbers.append(self.number)
            self.number = None
        if tag == "td":
            self.cell = None

    def handle_data(self, data):
        if self.number:
            self.number[2] += data
        elif self.cell and re.search(r"\d", data):
            self.untraced.append(data)


def looked_up(path, key):
    """The value at a dotted key, found without the ledger's code."""
    found = read_csv(path) if path.endswith(".csv") else json.loads(Path(path).read_text())
    while key:
        if isinstance(found, list):
            head, _, key = key.partition(".")
            found = found[int(head)]
            continue
        # Keys may hold dots themselves: the longest that fits.
        head = max((k for k in found if key == k or key.startswith(f"{k}.")), key=len)
        found, key = found[head], key[len(head) + 1 :]
    return found


def test_every_number_on_the_page_stands_in_the_file_that_it_names(pack):
    page = Page((pack / "index.html").read_text())
    assert len(page.numbers) > 150
    assert page.untraced == []
    for value, title, shown in page.numbers:
        key, path = re.fullmatch(r"(.*) in (\S+), made by .*", title).groups()
        exact = looked_up(path, key)
        assert value == ("" if exact is None else str(exact))
        if re.fullmatch(r"-?\d+\.\d{3}", shown):
            assert float(shown) == pytest.approx(exact, abs=0.0005001)


def test_the_ledger_lists_each_with_file_key_value_and_job(pack):
    ledger = read_json(pack / "ledger.json")
    page = Page((pack / "index.html").read_text())
    listed = {f"{n['key']} in {n['file']}, made by {n['job']}" for n in ledger["numbers"]}
    assert {title for _, title, _ in page.numbers} <= listed
    for path, entry in ledger["files"].items():
        assert entry["sha256"] == file_digest(path)
    jobs = {entry["job"] for entry in ledger["files"].values()}
    assert {"cv_summary density cv", "train_fold density cv fold 2", "audit density"} <= jobs


def test_the_page_needs_no_network(pack):
    page = Page((pack / "index.html").read_text())
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in page.addresses)
    assert sum(address.startswith("data:") for address in page.addresses) == 9
    targets = set(re.findall(r'id="([^"]+)"', (pack / "index.html").read_text()))
    assert {a[1:] for a in page.addresses if a.startswith("#")} <= targets


def test_pictures_of_the_markdown_are_there(pack):
    text = (pack / "report.md").read_text()
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert len(pictures) == 9
    assert all((pack / name).is_file() for name in pictures)
    assert "<data" not in text


def test_assets_are_of_the_best_fold(pack):
    for asset in ("train", "confusion", "gradcam"):
        assert (pack / "assets" / f"density_{asset}_seed42.png").is_file()
    best = read_json("results/density/runs/cv/cv_summary.json")["best_fold"]
    kappas = {
        k: read_json(f"results/density/runs/cv/fold_{k}/results/metrics/val_metrics.json")["kappa"]
        for k in (1, 2, 3)
    }
    assert best["fold"] == max(kappas, key=kappas.get)
    assert f"is fold {best['fold']}" in (pack / "report.md").read_text()


def test_the_archives_paths_are_nowhere(pack):
    files = [path for path in pack.rglob("*") if path.is_file()]
    assert {"index.html", "report.md", "record.json", "ledger.json"} < {file.name for file in files}
    # The study names the archive: only a report that left it out passes.
    assert "CANARY" in str(STUDY)
    assert not [file for file in files if b"CANARY" in file.read_bytes()]


def test_the_record_says_how_it_was_made(pack):
    record = read_json(pack / "record.json")
    assert record["command"] == "snakemake --cores 2"
    assert record["settings"]["training"]["lr"] == 1e-4
    assert record["versions"]["numpy"]
    assert record["rules"][0]["jobs"] == 3


def test_grouping_by_accession_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pack = build(tmp_path, group_by="accession")
    text = (pack / "report.md").read_text()
    assert "Grouped by accession" in text
    assert "one patient may stand on both sides" in text
    assert "images of one exam are in one fold" in text
    assert "95% interval, over exams" in text and "### Per image, exam" in text
    assert "bootstrap over exams" in text.partition("## Methods")[2]
    assert "patients" not in text.replace("not patients", "")


def test_it_is_said_that_the_judging_part_chose_the_epoch(pack, tmp_path, monkeypatch):
    said = "on the validation part, which judges it too"
    text = " ".join((pack / "report.md").read_text().split())
    assert f"the one with the best quadratic kappa {said}" in text
    assert "A holdout (`folds.holdout`) or a fixed number of epochs" in text
    monkeypatch.chdir(tmp_path)
    run = make_run(tmp_path, 2, "AB", patients=20)
    params = read_json(run.paths()["params"][0])
    fixed = params | {"training": params["training"] | {"stop_after": 15}}
    write_json(run.paths()["params"][0], fixed)
    figures = {}
    report_pack(STUDY, "cv", run.folds, figures, OUT)
    text = " ".join((tmp_path / OUT / "report.md").read_text().split())
    assert said not in text and "no epoch was chosen on the part that judges it" in text


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
    jobs = {entry["job"] for entry in read_json(pack / "ledger.json")["files"].values()}
    assert "evaluate_holdout density cv" in jobs


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
    figure("holdout", figure_inputs("holdout", "density", "cv", [1, 2]), path)
    assert path.stat().st_size
    pack = build(tmp_path, 2, study=STUDY | {"folds": {"preset": None, "holdout": 0.2}}, patients=0)
    assert "## Holdout" not in (pack / "report.md").read_text()
    assert "holdout.png" not in (pack / "report.md").read_text()


def test_one_fold_and_odd_class_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = ["<=B|C", "*D*", "_e_"]
    pack = build(tmp_path, 1, odd, study=STUDY | {"report": {"title": "Density & <age>"}})
    text = (pack / "index.html").read_text()
    assert "&lt;=B|C</td>" in text
    assert "*D*</td>" in text
    page = Page(text)
    assert page.untraced == []
    of_class = [title for _, title, _ in page.numbers if "per_class.<=B|C." in title]
    assert len(of_class) == 7
    assert "<title>Density &amp; &lt;age&gt;</title>" in text
    assert "± – |" in (pack / "report.md").read_text()


def test_a_study_of_zones_has_a_page_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = make_run(tmp_path, 3, "AB", patients=30)
    zones(run)
    figures = {name: OUT / "figures" / f"{name}.png" for name in figures_of("zones", False)}
    for name, path in figures.items():
        figure(name, figure_inputs(name, "density", "cv", run.folds), path)
    report_pack(STUDY | {"kind": "zones"}, "cv", run.folds, figures, OUT)
    page = Page((tmp_path / OUT / "index.html").read_text())
    assert page.untraced == []
    text = (tmp_path / OUT / "report.md").read_text()
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


def test_a_comparison_without_the_monitored_metric_has_dashes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = with_two_labels(make_run(tmp_path, 3, "AB", patients=30))
    path = run.results / "report" / "comparisons.json"
    found = read_json(path)
    alone = found["against"]["alone"]
    del alone["metrics"][found["metric"]]
    alone["metrics"]["mean_accuracy"] |= {"low": None, "high": None}
    write_json(path, found | {"against": {"alone": alone, "baseline_otsu": alone}})
    sections = Sections(Ledger(), "density", "cv", run.folds)
    (row,) = beside(sections, ["otsu"])["rows"]
    assert (str(row["difference"]), row["folds"], row["groups"]) == ("–", [], [])
    (other,) = comparisons(sections, ["alone"])
    by_name = {row["name"]: row for row in other["metrics"]}
    assert "Mean F1" not in by_name and by_name["Mean accuracy"]["interval"] == []


def test_a_study_of_several_labels_has_a_page_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = with_two_labels(make_run(tmp_path, 3, "AB", patients=30))
    figures = {name: OUT / "figures" / f"{name}.png" for name in figures_of("distillation")}
    for name, path in figures.items():
        figure(name, figure_inputs(name, "density", "cv", run.folds), path)
    study = STUDY | {"kind": "distillation", "report": {"title": None, "compare": ["alone"]}}
    report_pack(study, "cv", run.folds, figures, OUT)
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


def zones(run):
    """Turn a run into one of two zones: other predictions, metrics and summary."""
    random, names = np.random.default_rng(0), ["left", "right"]
    paths = run.paths()
    write_json(paths["params"][0], read_json(paths["params"][0]) | {"task": {"zones": names}})
    measures = load("MEASURES", "zones")({"zones": names})
    cohort = read_csv(paths["cohort"][0])
    scored = [row | dict.fromkeys(names, str(n % 5)) for n, row in enumerate(cohort)]
    write_csv(paths["cohort"][0], list(scored[0]), scored)
    for path in paths["predictions"]:
        rows = [{key: row[key] for key in ("sample", "group", "exam")} for row in read_csv(path)]
        for row, zone in itertools.product(rows, names):
            row[f"label_{zone}"] = truth = int(random.integers(5))
            p = random.dirichlet(1 + 4 * np.eye(5)[truth])
            row |= {f"p_{zone}_{k}": repr(float(value)) for k, value in enumerate(p)}
        write_csv(path, list(rows[0]), rows)
        evaluate_fold(path, measures, path.parent / "metrics")
    each = zip(run.folds, paths["metrics"], paths["predictions"], paths["folds"], strict=True)
    folds = [read_fold(*one) for one in each]
    write_json(paths["summary"][0], summarise(folds, measures, 42, resamples=50))


def test_captions_of_snakemakes_report_are_those_of_the_page():
    text = (Path(__file__).parents[2] / "workflow" / "report" / "figure.rst").read_text()
    for name, entry in FIGURES.items():
        assert f'"{name}": "{entry.title}. {entry.caption}"' in text
