"""A bundle from a real run of each kind: predicted with, and validated at another site."""

import csv
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from flow import ROOT, plan, rules_of, run, write_study
from foldwise.files import read_csv, read_json
from made_studies import CANARY, EXAMPLES, example_of

TRAINING = {"train_fold", "predict_fold", "folds", "run_params", "cv_summary"}
BUNDLE = "results/mine/bundle/mine-0.1.0.zip"
KINDS = [
    "classification",
    *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("zones", "segmentation")),
    pytest.param("distillation", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=KINDS)
def handed_over(request, tmp_path_factory):
    """A study whose bundle was made, and its settings."""
    folder = tmp_path_factory.mktemp(request.param)
    example = EXAMPLES[example_of(request.param)]
    study = example.make(folder, "made")
    example.models(folder / "made")
    write_study(
        folder,
        "mine",
        study | {"bundle": {"tokenizer": "checked", "onnx": False, "torch_export": False}},
    )
    assert rules_of(run(folder, "bundle")) >= {"make_bundle", "train_fold"}
    return folder, study


def predicted(folder: Path, *arguments: str) -> list[dict[str, str]]:
    script = str(ROOT / "workflow/scripts/predict.py")
    command = [sys.executable, script, BUNDLE, *arguments, "-o", "out/p.csv"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stdout + done.stderr
    return read_csv(folder / "out/p.csv")


def test_prediction_is_the_workflows_byte_for_byte(handed_over):
    folder, study = handed_over
    results = folder / "results/mine"
    part = {row["sample"]: row["part"] for row in read_csv(results / "folds/fold_1.csv")}
    names = {row["sample"]: row["file"] for row in read_csv(results / "private/id_map.csv")}
    validated = [sample for sample in part if part[sample] == "val"]
    # Of an image and its mask the first.
    file_of = {s: str(Path(study["data"]["root"], names[s].split(" ")[0])) for s in validated}
    texts = texts_of(folder, file_of)
    rows = predicted(folder, *file_of.values(), "--fold", "1", *texts)
    found = {row["sample"]: row["file"] for row in read_csv(folder / "out/private/p/files.csv")}
    rows = {found[row.pop("sample")]: row for row in rows}
    expected = read_csv(results / "runs/cv/fold_1/results/val_predictions.csv")
    assert len(rows) == len(expected) == len(validated)
    for row in expected:
        own = rows[file_of[row["sample"]]]
        columns = [name for name in own if name in row]
        assert any(name.startswith(("p_", "soft_predicted")) for name in columns)
        assert {name: own[name] for name in columns} == {name: row[name] for name in columns}


def texts_of(folder: Path, names: dict[str, str]) -> list[str]:
    """The texts of a study that has any, as a new user has them: beside the names of files."""
    private = folder / "results/mine/private/texts.csv"
    found = [row for row in read_csv(private) if row["sample"] in names]
    if not found or len(found[0]) < 2:
        return []
    with open(folder / "texts.csv", "w", newline="") as stream:
        columns = [name for name in found[0] if name != "sample"]
        writer = csv.DictWriter(stream, ["file", *columns])
        writer.writeheader()
        for row in found:
            writer.writerow({"file": names[row.pop("sample")]} | row)
    return ["--texts", "texts.csv"]


def test_another_site_measures_it_without_training(handed_over):
    folder, study = handed_over
    write_study(folder, "site", {"data": study["data"], "validate": {"bundle": BUNDLE}})
    jobs = rules_of(run(folder))
    assert jobs >= {"cohort", "audit", "predict_site", "evaluate_site", "site_page"}
    assert not jobs & TRAINING
    summary = read_json(folder / "results/site/external/external_summary.json")
    samples = read_csv(folder / "results/site/cohort.csv")
    assert summary["n"] == len(samples)
    assert not summary["absent"]
    for label in summary["shift"]["labels"].values():
        assert label["distance"] == 0
    page = (folder / "results/site/report/index.html").read_text()
    assert "validation of mine" in page
    for leaving in (page, str(summary)):
        assert CANARY not in leaving
        assert not [row["sample"] for row in samples if row["sample"] in leaving]
    assert plan(folder) == set()


def test_nothing_identifying_is_handed_over(handed_over):
    folder, _ = handed_over
    with zipfile.ZipFile(folder / BUNDLE) as archive:
        inside = [archive.read(name) for name in archive.namelist()]
    assert not [content for content in inside if CANARY.encode() in content]
    outside = [p for p in (folder / "results").rglob("*") if p.is_file()]
    outside += [p for p in (folder / "out").rglob("*") if p.is_file()]
    public = [path for path in outside if "private" not in path.parts]
    assert not [path for path in public if CANARY.encode() in path.read_bytes()]
