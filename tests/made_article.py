"""Finished results of a made-up study, and an article written of them."""

import shutil

import cv2
import numpy as np
import pytest

from foldwise.article.build import write_article
from foldwise.article.study import Study
from foldwise.files import write_json
from foldwise.report.ledger import Ledger
from report_pages import STUDY, build

SETTINGS = {"template": None, "title": "Density", "authors": ["A. Author"], "bibliography": []}
FIGURES = ("cohort_flow", "metrics", "confusion", "roc", "calibration", "triage")


def small_picture(name, files, path):
    """A picture in the place of a figure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((60, 90), 128, np.uint8))


def make_finished(root, n_folds=3):
    """A folder with the report of a made-up run, and the counts of its folds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr("report_pages.figure", small_picture)  # Drawn in other tests.
        build(root, n_folds)
    counts = {"images": 20, "groups": 10, "classes": {"A": 12, "B": 8}}
    folds = {str(fold): counts for fold in range(1, n_folds + 1)}
    write_json(root / "results/density/folds/balance.json", {"folds": folds})
    return root


def copy_of(finished, folder, monkeypatch):
    """A copy of such a folder to change, as the working folder."""
    shutil.copytree(finished, folder / "copy")
    monkeypatch.chdir(folder / "copy")
    return folder / "copy"


def study_of(ledger, **changes):
    """The made-up study; `changes`: other places of its files, None for one that was not made."""
    names = {"study": "density", "run": "cv"}
    places = {
        "manifest": "results/{study}/audit/data_manifest.json",
        "params": "results/{study}/runs/{run}/params.json",
        "summary": "results/{study}/runs/{run}/cv_summary.json",
        "record": "results/{study}/report/record.json",
        "balance": "results/{study}/folds/balance.json",
    } | changes
    files = {kind: path.format(**names) for kind, path in places.items() if path}
    figures = {name: f"results/density/report/figures/{name}.png" for name in FIGURES}
    return Study(STUDY, files, figures, ledger)


def write(folder, **settings):
    """Write the article; returns its folder."""
    ledger = Ledger()
    write_article([study_of(ledger)], SETTINGS | settings, ledger, folder / "article")
    return folder / "article"
