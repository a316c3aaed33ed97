"""The audit of one picture in two files: a copy counts once, two labels of it are a conflict."""

import os

import cv2
import pytest

from cohorts import Study
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv, write_csv
from made import picture_archive
from usual import conflicts


def recoded(study, patient_of_second):
    """One picture twice: once as PNG, once as TIFF, the second under another name."""
    rows = read_csv(study.table)
    path = study.root / rows[0]["image_path"]
    copy = path.with_suffix(".tif")
    cv2.imwrite(str(copy), cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    extra = {**rows[0], "image_path": os.path.relpath(copy, study.root), **patient_of_second}
    write_csv(study.table, list(rows[0]), [*rows, extra])


@pytest.fixture
def pictures(tmp_path):
    folder = picture_archive(tmp_path / "made", patients=12, size=32)
    return Study(tmp_path / "r", folder, folder / "paths.csv", reader="images", layout="paths")


def test_a_picture_encoded_twice_counts_once(pictures):
    recoded(pictures, {})
    flow = pictures.cohort()
    manifest = pictures.audit()
    assert manifest["images"] == flow["usable"] - 1
    assert manifest["left_out"] == {"copy": 1}
    assert manifest["flow"][-2]["reason"] == "copy"


def test_a_picture_encoded_twice_with_two_labels_is_a_conflict(pictures):
    rows = read_csv(pictures.table)
    recoded(pictures, {"density_label": "D" if rows[0]["density_label"] != "D" else "A"})
    pictures.cohort()
    with pytest.raises(FoldwiseError, match=r"^1 picture with two different labels \(2 images"):
        pictures.audit()
    assert pictures.audit(conflicts=conflicts(labels="drop"))["quarantine"] == {"two_labels": 2}


def test_a_picture_in_colour_is_kept_out_where_grey_is_asked_for(pictures):
    first, second = (pictures.root / row["image_path"] for row in read_csv(pictures.table)[:2])
    grey = cv2.imread(str(first), cv2.IMREAD_GRAYSCALE)
    tinted = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    tinted[: len(tinted) // 2, :, 2] = 255
    assert cv2.imwrite(str(first), tinted)
    # Grey stored as colour: three equal channels.
    grey = cv2.imread(str(second), cv2.IMREAD_GRAYSCALE)
    assert cv2.imwrite(str(second), cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
    flow = pictures.cohort()
    assert pictures.audit()["images"] == flow["usable"]
    manifest = pictures.audit(grey=True)
    assert manifest["quarantine"] == {"other_photometric": 1}
    assert manifest["images"] == flow["usable"] - 1
    (row,) = pictures.rows("private/quarantine")
    assert row["file"].endswith(first.name) and row["reason"] == "other_photometric"
