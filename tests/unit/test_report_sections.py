"""The page is a list of sections: each for every part of a study that may or may not be made."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flow import copy_project
from foldwise.errors import FoldwiseError
from foldwise.evaluate.compare import compare
from foldwise.evaluate.comparisons import Folds
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_json, write_json, write_text
from foldwise.registry import load
from foldwise.report import render, templates
from foldwise.report.figures.flow import stages_of
from foldwise.report.files import paths_of
from foldwise.report.ledger import Ledger
from foldwise.report.page import SECTIONS, kinds_read, name_of, shown
from foldwise.report.record import run_record
from foldwise.report.run import Run
from foldwise.report.sections import cohort, folds
from made_heads import with_two_labels
from made_holdout import make_holdout
from made_runs import make_run
from made_search_run import make_search
from made_zone_run import with_zones
from report_pages import STUDY, reporting

FOLDS = [1, 2, 3]
PARTS = ("search", "tuned", "nested")
SUBSETS = [part for n in range(4) for part in itertools.combinations(PARTS, n)]
KINDS = {
    "classification": (lambda run: run, "kappa", "logistic_statistics"),
    "zones": (with_zones, "exact", "ridge_pixels"),
    "distillation": (with_two_labels, "mean_f1", "none"),
}
PROBE = {
    "columns": [
        {"column": "text", "head": "label"}
        | dict.fromkeys(("balanced_accuracy", "accuracy", "majority"), 0.5)
    ],
    "threshold": 0.9,
    "method": "A bag of words.",
    "warnings": [{"kind": "label_in_text", "text": "The column text gives the label away."}],
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request, tmp_path_factory):
    """A folder with all that a study of a kind can make, as the working folder."""
    turned, metric, baseline = KINDS[request.param]
    root = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        run = make_run(root, 3, "AB", patients=30)
        make_holdout(run)
        turned(run)
        make_search(run, metric, trials=6)
        write_json(run.results / "audit" / "text_probe.json", PROBE)
        make_comparisons(run, metric, baseline)
        paths = paths_of(["histories"], STUDY, FOLDS)["histories"]
        record = run_record(STUDY, Path("results/density"), paths)
        write_json(run.results / "report" / "record.json", record)
        yield request.param, baseline


def make_comparisons(run, metric, baseline):
    """The run against one called `alone` and against a classical method, and what models cost."""
    params = read_json(run.paths()["params"][0])
    task = load("MEASURES", params["kind"])(params["task"])
    each = Folds(run.results / "folds", run.folds).of(run.results / "runs" / "cv")
    found = compare(each, each, task, Bootstrap(42, "patient", 20), metric)
    against = {"alone": found, f"baseline_{baseline}": found}
    write_json(
        run.results / "report" / "comparisons.json",
        {"run": "cv", "metric": metric, "against": against},
    )
    cost = {"parameters": 1, "megabytes": 0.5, "milliseconds": 0.4, "samples": 8, "device": "cpu"}
    for name in ("cv", "alone"):
        write_json(run.results / "runs" / name / "cost.json", cost)


def page_of(study):
    """Markdown of a study's page, and its ledger."""
    ledger = Ledger()
    return render.markdown(shown(Run(ledger, study, FOLDS))), ledger


@pytest.mark.parametrize("parts", SUBSETS, ids="-".join)
def test_every_subset_of_what_a_study_can_make_has_a_page(kind, parts):
    name, baseline = kind
    choices = itertools.product(([], ["alone"]), (0.0, 0.2), ([], ["text"]), ([], [baseline]))
    for compared, share, texts, methods in choices:
        # The holdout of this fixture is of classes; other kinds have none here.
        share = share if name == "classification" else 0.0
        columns = {"texts": texts, "second": None, "subgroups": {}}
        study = reporting(compare=compared, search=list(parts), baselines=methods) | {
            "kind": name,
            "data": STUDY["data"] | {"columns": columns},
            "folds": {"preset": None, "holdout": share},
        }
        text, ledger = page_of(study)
        assert text.count("\n## Search\n") == bool(parts)
        assert ("### Tuned against baseline" in text) == ("tuned" in parts)
        assert ("### Nested cross-validation" in text) == ("nested" in parts)
        assert ("\n## Comparison\n" in text) == bool(compared)
        assert ("\n## Holdout\n" in text) == bool(share)
        assert ("\n### Texts\n" in text) == ("Label in the text" in text) == bool(texts)
        assert ("\n### Other methods\n" in text) == bool(methods)
        # What is read is an input of the rule, so that no page is stale unseen.
        declared = paths_of(kinds_read(study), study, FOLDS).values()
        known = {path for paths in declared for path in paths}
        read = {number.file for number in ledger.numbers}
        assert read <= known | {"results/density/report/record.json"}


def test_each_section_has_a_template_and_each_template_a_section():
    names = [name_of(section) for section in SECTIONS]
    there = {path.name.removesuffix(".md.j2") for path in templates.TEMPLATES.glob("sections/*")}
    assert set(names) == there and len(names) == len(there)


def test_a_section_may_read_only_what_it_declares(kind):
    run = Run(Ledger(), STUDY, FOLDS).of_section(folds.__name__, folds.reads(STUDY))
    with pytest.raises(FoldwiseError, match=r"sections/folds.py reads 'checks' without declaring"):
        run.file("checks")


def test_classes_stand_in_the_order_of_the_study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = make_run(tmp_path, 3, ["low", "high", "between"], patients=30)
    manifest = read_json(run.paths()["manifest"][0])
    assert list(manifest["classes"]) == ["between", "high", "low"]
    found = cohort.values(Run(Ledger(), STUDY, FOLDS))["classes"]
    assert [row["name"] for row in found] == ["low", "high", "between"]
    analysed = stages_of(manifest)[-1].lines
    places = [" ".join(analysed).index(f"{name}: ") for name in ("low", "high", "between")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("## Folds\n\n{{ one }} {{ none_such }}\n", r"folds.md.j2, line 3: 'none_such' is undefi"),
        ("## Folds\n{% if one %}\n", r"sections/folds.md.j2, line 2: Unexpected end of template"),
        ("{{ holdout.n }}\n", r"sections/folds.md.j2, line 1: 'None' has no attribute 'n'"),
    ],
)
def test_what_a_template_cannot_show_stops_the_page_with_file_and_line(
    tmp_path, monkeypatch, text, said
):
    (tmp_path / "sections").mkdir()
    (tmp_path / "sections" / "folds.md.j2").write_text(text)
    monkeypatch.setattr(render, "TEMPLATES", tmp_path)
    render._environment.cache_clear()
    try:
        with pytest.raises(FoldwiseError, match=said):
            render.markdown([("folds", {"one": "patient", "holdout": None})])
    finally:
        render._environment.cache_clear()


NEW = '''"""A new section."""

from foldwise.report.run import Run, Study


def applies(study: Study) -> bool:
    """To any study."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """What a probe of the texts found."""
    return ("probe",)


def values(run: Run) -> dict:
    """One number."""
    return {"count": run.file("probe")("threshold")}
'''
PROGRAM = """
import sys
from foldwise.files import read_json
from foldwise.report import render
from foldwise.report.ledger import Ledger
from foldwise.report.page import kinds_read, shown
from foldwise.report.run import Run
study = read_json("study.json")
print(kinds_read(study))
print(render.markdown(shown(Run(Ledger(), study, [1, 2, 3]))))
"""


def page_by(project, folder):
    """What the project's own code says of the run in a folder: kinds of files, then the page."""
    path = {"PYTHONPATH": str(project / "workflow" / "scripts")}
    program = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(program, cwd=folder, env=os.environ | path, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_a_new_section_is_a_module_a_template_and_its_name_in_the_list(kind, tmp_path):
    project, folder = copy_project(tmp_path), Path.cwd()
    package = project / "workflow" / "scripts" / "foldwise" / "report"
    write_text(package / "sections" / "novelty.py", NEW)
    template = "## Novelty\n\nThe threshold is {{ count }}.\n"
    write_text(project / "workflow" / "report" / "sections" / "novelty.md.j2", template)
    write_json(folder / "study.json", reporting(baselines=[]) | {"kind": kind[0]})
    text = (package / "page.py").read_text()
    write_text(package / "page.py", text.replace("    methods,\n", "    methods,\n    novelty,\n"))
    kinds, _, page = page_by(project, folder).partition("\n")
    assert "'probe'" in kinds and "## Novelty\n\nThe threshold is 0.9." in page
    write_text(package / "page.py", text)
    kinds, _, page = page_by(project, folder).partition("\n")
    assert "'probe'" not in kinds and "Novelty" not in page


def test_what_a_training_warned_of_stands_on_the_page(kind):
    history = Path("results/density/runs/cv/fold_2/results/train_history.json")
    kept, study = history.read_text(), reporting(compare=[]) | {"kind": kind[0]}
    warned = {"kind": "by_heart", "text": "Fold 2: The teacher knows 16 images by heart."}
    assert "by heart" not in page_of(study)[0]
    try:
        write_json(history, read_json(history) | {"warnings": [warned]})
        text, _ = page_of(study)
    finally:
        history.write_text(kept)
    assert "**Teacher that knows its training part by heart.** Fold 2: The teacher" in text
