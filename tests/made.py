"""Tiny made-up archives for tests: each function fills a folder and returns it.

Small pictures of few patients, drawn by the same phantoms as the demonstrations; faults on demand.
"""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from foldwise.files import write_csv, write_text
from phantoms.damage import add_damage
from phantoms.density import FILMS, Exam, draw_film, make_density, plan_exams, write_labels
from phantoms.fields import levels

CLASS_NAMES = {1: "A", 2: "B", 3: "C", 4: "D"}
PATH_COLUMNS = ["image_path", "density_label", "accession", "view", "side", "patient_id"]


def density_archive(
    folder: Path, patients: int = 12, size: int = 64, seed: int = 1, faults: Iterable[str] = ()
) -> Path:
    """DICOM: `archive/<Accession>/<n>.dcm` and `labels.csv` (AccessionNumber, Classification, ...).

    Four films an exam, a second exam of every fifth patient. `faults` are names out of
    phantoms.damage.FAULTS; each has an accession of its own, from 900001 on in that order.
    """
    exams = make_density(folder, patients, seed, size)
    write_labels(folder, exams, add_damage(folder, exams, seed, size, faults)[1])
    return folder


def picture_archive(
    folder: Path,
    patients: int = 12,
    size: int = 64,
    seed: int = 1,
    ending: str = "png",
    bits: int = 8,
    views: Iterable[str] = ("CC", "MLO"),
    faults: Iterable[str] = (),
) -> Path:
    """The same films as `images/<accession>/<n>.<ending>` with `paths.csv` (PATH_COLUMNS).

    `ending` is png, tif, pgm or jpg (8 bits only). `faults` are names out of PICTURE_FAULTS.
    """
    rows = []
    for exam in plan_exams(patients, seed):
        for number, (view, side) in enumerate(FILMS, 1):
            if view in views:
                name = f"images/{exam.accession}/{number}.{ending}"
                _write_picture(folder / name, levels(draw_film(exam, view, side, size), bits))
                rows.append(_path_row(name, exam, view, side))
    for fault in faults:
        PICTURE_FAULTS[fault](folder, rows)
    write_csv(folder / "paths.csv", PATH_COLUMNS, rows)
    return folder


def feature_s_archive(
    folder: Path, patients: int = 12, size: int = 64, seed: int = 1, ending: str = "png"
) -> Path:
    """One folder of pictures a patient, `featureS.txt`: a line a file name, then a label 0-3."""
    lines = []
    for exam in plan_exams(patients, seed):
        for number, (view, side) in enumerate(FILMS, 1 + 4 * exam.number):
            name = f"p{exam.patient:03d}/{number}.{ending}"
            _write_picture(folder / name, levels(draw_film(exam, view, side, size), 8))
            lines += [name, str(exam.label - 1)]
    write_text(folder / "featureS.txt", "\n".join(lines) + "\n")
    return folder


def read_picture(path: Path) -> np.ndarray:
    """Pixels as they are stored, (H, W) or (H, W, 3)."""
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def _write_picture(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels), path


def _path_row(name: str, exam: Exam, view: str, side: str) -> dict[str, str]:
    values = (name, CLASS_NAMES[exam.label], exam.accession, view, side, f"PHANTOM-{exam.patient}")
    return dict(zip(PATH_COLUMNS, values, strict=True))


def _spoilt_row(rows: list[dict[str, str]], fault: str) -> dict[str, str]:
    """The first film of a patient of the fault's own choice, so that faults do not meet."""
    wanted = list(PICTURE_FAULTS).index(fault)
    patients = list(dict.fromkeys(row["patient_id"] for row in rows))
    return next(row for row in rows if row["patient_id"] == patients[wanted % len(patients)])


def _truncated(folder: Path, rows: list[dict[str, str]]) -> None:
    path = folder / _spoilt_row(rows, "truncated")["image_path"]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty_file(folder: Path, rows: list[dict[str, str]]) -> None:
    (folder / _spoilt_row(rows, "empty_file")["image_path"]).write_bytes(b"")


def _text_file(folder: Path, rows: list[dict[str, str]]) -> None:
    (folder / _spoilt_row(rows, "text_file")["image_path"]).write_text("not a picture\n")


def _missing_file(folder: Path, rows: list[dict[str, str]]) -> None:
    (folder / _spoilt_row(rows, "missing_file")["image_path"]).unlink()


def _constant(folder: Path, rows: list[dict[str, str]]) -> None:
    path = folder / _spoilt_row(rows, "constant")["image_path"]
    _write_picture(path, np.full_like(read_picture(path), 77))


def _same_pixels(folder: Path, rows: list[dict[str, str]]) -> None:
    spoilt = _spoilt_row(rows, "same_pixels")
    other = next(row for row in reversed(rows) if row["patient_id"] != spoilt["patient_id"])
    _write_picture(folder / spoilt["image_path"], read_picture(folder / other["image_path"]))


def _colour(folder: Path, rows: list[dict[str, str]]) -> None:
    path = folder / _spoilt_row(rows, "colour")["image_path"]
    grey = read_picture(path)
    _write_picture(path, np.dstack([grey, grey // 2, grey]))


def _unknown_class(folder: Path, rows: list[dict[str, str]]) -> None:
    _spoilt_row(rows, "unknown_class")["density_label"] = "E"


def _two_labels(folder: Path, rows: list[dict[str, str]]) -> None:
    spoilt = _spoilt_row(rows, "two_labels")
    rows.append(spoilt | {"density_label": "D" if spoilt["density_label"] == "A" else "A"})


def _two_patients(folder: Path, rows: list[dict[str, str]]) -> None:
    _spoilt_row(rows, "two_patients")["patient_id"] = "PHANTOM-8999"


PICTURE_FAULTS = {
    "truncated": _truncated,
    "empty_file": _empty_file,
    "text_file": _text_file,
    "missing_file": _missing_file,
    "constant": _constant,
    "same_pixels": _same_pixels,
    "colour": _colour,
    "unknown_class": _unknown_class,
    "two_labels": _two_labels,
    "two_patients": _two_patients,
}
