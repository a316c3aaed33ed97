"""A study as a crate: what is in it, that nothing private is, and its tables made again."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from flow import ROOT
from foldwise.article.inputs import article_files
from foldwise.article.study import Study
from foldwise.article.table import write_table
from foldwise.article.tables import TABLES
from foldwise.crate.rebuild import rebuild
from foldwise.crate.write import write_crate
from foldwise.errors import FoldwiseError
from foldwise.evaluate.metrics.classification import Measures
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.summary import read_fold, summarise
from foldwise.files import read_json, write_json
from foldwise.report.ledger import Ledger
from foldwise.settings.study import load_study
from made_runs import make_run

STUDY = {"name": "density", "title": "Density", "made": "2026-01-01T00:00:00+00:00"}
SUMMARY = "results/density/runs/cv/cv_summary.json"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The crate of a made-up study with something private, and the folder it was made in."""
    folder = tmp_path_factory.mktemp("crate")
    summarised(make_run(folder, 2, "ABCD", patients=24))
    for name in ("private/id_map.csv", "logs/audit.log", "runs/cv/fold_1/results/best_model.pt"):
        path = folder / "results/density" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("CANARY")
    counts = {"images": 24, "groups": 12, "classes": dict.fromkeys("ABCD", 6)}
    balance = {"folds": {"1": counts, "2": counts}}
    write_json(folder / "results/density/folds/balance.json", balance)
    settings = load_study("density", ROOT / "config/studies")
    settings["report"]["baselines"] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_tables(settings)
        settings.pop("name")
        texts = {"config/studies/density.yaml": yaml.safe_dump(settings)}
        made = {SUMMARY: {"rule": "cv_summary", "made": "2026-01-01T00:00:00+00:00"}}
        write_crate(STUDY, texts, made, ROOT, folder / "density.zip")
        write_crate(STUDY, texts, made, ROOT, folder / "again.zip")
    return folder


def summarised(run):
    """Write the summary as rule cv_summary does, from the study's settings."""
    paths = run.paths()
    params = read_json(paths["params"][0])
    params["training"]["monitor"] = "kappa"
    write_json(paths["params"][0], params)
    kinds = ("metrics", "predictions", "folds", "histories")
    files = zip(run.folds, *(paths[kind] for kind in kinds), strict=True)
    folds, task = [read_fold(*one) for one in files], Measures({"classes": run.classes})
    summary = summarise(folds, task, Bootstrap(params["seed"], "patient"), "kappa")
    write_json(paths["summary"][0], summary)


def write_tables(settings):
    """The tables of the article, as its rule writes them."""
    study = Study(settings, article_files(settings), {}, Ledger())
    for name in ("cohort", "results", "classes"):
        folder = Path("results/density/article/tables")
        write_table(TABLES[name](study), folder, f"density-{name}")


@pytest.fixture
def crate(packed, tmp_path):
    """The crate, unpacked."""
    with zipfile.ZipFile(packed / "density.zip") as archive:
        archive.extractall(tmp_path / "crate")
    return tmp_path / "crate"


def test_nothing_private_is_in_it_and_equal_content_gives_equal_bytes(packed):
    assert (packed / "density.zip").read_bytes() == (packed / "again.zip").read_bytes()
    with zipfile.ZipFile(packed / "density.zip") as archive:
        names = archive.namelist()
        assert not [name for name in names if b"CANARY" in archive.read(name)]
    assert not [name for name in names if "private" in name.split("/")]
    assert {"Snakefile", "requirements.lock", SUMMARY, "workflow/scripts/rebuild.py"} <= set(names)


def test_its_metadata_name_every_file_the_workflow_and_who_made_what(crate):
    graph = json.loads((crate / "ro-crate-metadata.json").read_text())["@graph"]
    entities = {one["@id"]: one for one in graph}
    files = {str(path.relative_to(crate)) for path in crate.rglob("*") if path.is_file()}
    assert files - {"ro-crate-metadata.json"} <= set(entities)
    assert entities["./"]["mainEntity"] == {"@id": "Snakefile"}
    assert "ComputationalWorkflow" in entities["Snakefile"]["@type"]
    actions = [one for one in graph if one["@type"] == "CreateAction"]
    of_summary = [one for one in actions if one["name"] == "Rule cv_summary"]
    assert of_summary[0]["instrument"] == {"@id": "workflow/scripts/cv_summary.py"}
    results = of_summary[0]["result"]
    assert (results if isinstance(results, list) else [results]) == [{"@id": SUMMARY}]


def test_its_own_script_makes_its_tables_again_of_its_predictions(crate):
    command = [sys.executable, "workflow/scripts/rebuild.py", "."]
    done = subprocess.run(command, cwd=crate, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "16 of 16 files are made again byte for byte" in done.stdout


def test_a_number_that_was_edited_is_named(crate, tmp_path):
    summary = read_json(crate / SUMMARY)
    summary["kappa"]["mean"] += 0.1
    write_json(crate / SUMMARY, summary)
    (tmp_path / "out").mkdir()
    found = rebuild(crate, tmp_path / "out")
    assert [path for path, same in found.items() if not same] == [SUMMARY]


def test_what_is_no_crate_is_told(tmp_path):
    with pytest.raises(FoldwiseError, match="no unpacked crate"):
        rebuild(tmp_path, tmp_path / "out")


@pytest.mark.slow
def test_the_validator_finds_no_error(crate):
    """roc-validator, in an environment of its own since it wants other versions than ours.

    Its shapes ask for terms; what the terms are stands on the web, so they are written out here.
    """
    program = shutil.which("rocrate-validator")
    assert program, "pipx install roc-validator (0.13), and put it on PATH"
    path = crate / "ro-crate-metadata.json"
    content = json.loads(path.read_text())
    used = {key for one in content["@graph"] for key in one if not key.startswith("@")}
    types = {
        name
        for one in content["@graph"]
        for name in (one["@type"] if isinstance(one["@type"], list) else [one["@type"]])
    }
    terms = {name: f"http://schema.org/{name}" for name in used | types}
    terms |= {
        "File": "http://schema.org/MediaObject",
        "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
        "conformsTo": "http://purl.org/dc/terms/conformsTo",
    }
    path.write_text(json.dumps(content | {"@context": [terms]}))
    command = [program, "-y", "validate", str(crate), "-p", "workflow-run-crate", "--no-paging"]
    done = subprocess.run(
        [*command, "-l", "required", "--offline"], capture_output=True, text=True, timeout=300
    )
    assert "is a valid workflow-run-crate" in done.stdout, done.stdout
