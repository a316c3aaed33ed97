"""Study files of tests, small enough for seconds."""

import copy
from pathlib import Path

from flow import write_study
from made import density_archive

DENSITY = {
    "kind": "classification",
    "seed": 7,
    "data": {
        "reader": "dicom",
        "root": "made/archive",
        "table": {"path": "made/labels.csv", "format": "accession"},
        "columns": {"accession": "AccessionNumber", "label": "Classification"},
        "classes": {
            "mapping": {"1": "A", "2": "A", "3": "B", "4": "B"},
            "order": ["A", "B"],
            "drop": ["5"],
        },
    },
    "image": {"size": 32},
    "folds": {"n": 2},
    "model": {"name": "small_cnn"},
    "training": {"epochs": 2, "batch_size": 8, "lr": 0.01},
    "report": {"gradcam_per_class": 1},
}

# Plain images and a table of their names, `archive/` and `labels.csv`.
PICTURES = {
    "kind": "classification",
    "data": {
        "reader": "images",
        "root": "archive",
        "table": {"path": "labels.csv", "format": "paths"},
        "columns": {"image": "image", "label": "label"},
        "classes": {"mapping": {"1": "A", "2": "B"}, "order": ["A", "B"]},
    },
    "image": {"size": 100},
    "model": {"name": "resnet50", "weights": "none"},
}


def density_study(folder: Path, patients: int = 12, **branches: dict) -> Path:
    """A folder with a made-up archive and the study `mine`; branches replace settings."""
    density_archive(folder / "made", patients=patients, size=64)
    write_study(folder, "mine", settings(**branches))
    return folder


def settings(**branches: dict) -> dict:
    """The density study's settings with branches merged in."""
    merged = copy.deepcopy(DENSITY)
    for name, value in branches.items():
        if isinstance(value, dict):
            merged[name] = merged.get(name, {}) | value
        else:
            merged[name] = value
    return merged
