"""Zones by the real rules: unknown zones, PNG and NIfTI, a second reader, a search of weights."""

import csv

import pytest

from flow import run, write_study
from foldwise.evaluate.metrics.zones import UNKNOWN
from foldwise.files import read_csv, read_json, write_text
from foldwise.settings.zones import CHEST
from made_zones import zones_archive

RESULTS = "results/mine"
STUDY = {
    "kind": "zones",
    "seed": 5,
    "data": {
        "reader": "zones",
        "root": "made",
        "table": {"path": "made/zones.csv", "separator": ";"},
        "columns": {"second": {zone: f"second_{zone}" for zone in CHEST}},
    },
    "image": {"size": 32},
    "folds": {"n": 2},
    "training": {"epochs": 2, "batch_size": 8, "lr": 0.003},
    "report": {"gradcam_per_class": 1, "baselines": ["second_reader"]},
    "search": {
        "trials": 3,
        "window": 2,
        "folds": 1,
        "sampler": {"name": "tpe", "startup": 2},
        "space": {
            "loss.unknown_weight": {"type": "float", "low": 0.1, "high": 1.0},
            "training.lr": {"type": "float", "low": 1e-3, "high": 0.1, "log": True},
            "model.zone_windows": {"type": "categorical", "choices": [True, False]},
        },
    },
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The report and three trials of made-up films, the second reader's scores a step lower."""
    folder = tmp_path_factory.mktemp("zones")
    made = zones_archive(folder / "made", patients=14, size=48)
    rows = list(csv.DictReader((made / "zones.csv").open(), delimiter=";"))
    for row in rows:
        lower = {zone: str(max(int(row[zone] or 0) - 1, 0)) for zone in CHEST}
        row |= {f"second_{zone}": score for zone, score in lower.items()}
    lines = [";".join(rows[0]), *(";".join(row.values()) for row in rows)]
    write_text(made / "zones.csv", "\n".join(lines) + "\n")
    write_study(folder, "mine", STUDY)
    run(folder, f"{RESULTS}/report/index.html", f"{RESULTS}/search/study_summary.json")
    return folder


def test_every_film_is_judged_once_and_empty_cells_are_unknown(finished):
    table = list(csv.DictReader((finished / "made" / "zones.csv").open(), delimiter=";"))
    judged = [
        row
        for fold in (1, 2)
        for row in read_csv(finished / RESULTS / f"runs/cv/fold_{fold}/results/val_predictions.csv")
    ]
    assert len({row["sample"] for row in judged}) == len(judged) == len(table)
    said = sorted(tuple(row[f"label_{zone}"] for zone in CHEST) for row in judged)
    assert said == sorted(tuple(row[zone] or str(UNKNOWN) for zone in CHEST) for row in table)
    kinds = {row["file"].partition(".")[2] for row in read_csv(private(finished))}
    assert kinds == {"png", "nii.gz"}


def private(folder):
    return folder / RESULTS / "private" / "id_map.csv"


def test_the_page_tells_zones_bands_unknown_and_the_second_reader(finished):
    text = (finished / RESULTS / "report" / "report.md").read_text()
    for said in ("## Zones\n", "### Severity bands", "## Zones that cannot be scored"):
        assert said in text
    assert "| Second reader | " in text
    found = read_json(finished / RESULTS / "report" / "comparisons.json")["against"]
    assert found["baseline_second_reader"]["metrics"]["within_one"]["first"] == 1
    films = read_json(finished / RESULTS / "runs/cv/fold_1/results/gradcam/gradcam.json")["films"]
    assert [film["part"] for film in films] == list(CHEST)


def test_trials_try_weights_of_unknown(finished):
    runs = [finished / RESULTS / f"runs/trial_{n:04}" for n in range(3)]
    weights = [read_json(run / "params.json")["loss"]["unknown_weight"] for run in runs]
    assert len(set(weights)) == 3 and all(0.1 <= weight <= 1 for weight in weights)
