"""A second made-up hospital: other patients, and films that another maker's scanners took.

`<root>/archive/<Accession>/<n>.dcm` and `<root>/labels.csv`, which also names the hospital's unit:
two scanners, of which the second is noisier, so that subgroups of the site differ.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from foldwise.files import write_csv
from foldwise.hashing import stream_seed
from phantoms.density import COLUMNS, Exam, draw_film, films_of, plan_exams
from phantoms.fields import generator
from phantoms.mammogram import stored_pixels, write_film

UNITS = ("North", "South")
# A steeper curve than the first site's, and softer: shares of the film's height for the blur.
GAMMA, BLUR = 1.35, 0.004
NOISE = {"North": 0.012, "South": 0.05}


def make_site_b(root: Path, patients: int, seed: int, size: int) -> list[Exam]:
    """Write the second site's archive and table; films are `size` pixels high."""
    # Of another stream: no patient of the first site is here, whatever the seed.
    own = stream_seed(seed, "site b")
    exams = plan_exams(patients, own)
    for start, exam in enumerate(exams):
        _write_exam(root, exam, own, size, 4 * start)
    rows = [(int(e.accession), e.label, e.date.isoformat(), unit_of(e)) for e in exams]
    columns = [*COLUMNS, "Unit"]
    write_csv(root / "labels.csv", columns, [dict(zip(columns, row, strict=True)) for row in rows])
    return exams


def unit_of(exam: Exam) -> str:
    """Two of three patients go to the first unit, and come back to it."""
    return UNITS[exam.patient % 3 == 2]


def scanned(picture: np.ndarray, unit: str, rng: np.random.Generator) -> np.ndarray:
    """A film float32 (H, W) of 0..1 as this site's scanner has it."""
    height = picture.shape[0]
    soft = cv2.GaussianBlur(picture, (0, 0), max(BLUR * height, 0.3))
    noise = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(NOISE[unit])
    # Air stays black: noise is of what the tissue lets through.
    return np.clip(soft**GAMMA + noise * np.sqrt(soft), 0, 1).astype(np.float32)


def _write_exam(root: Path, exam: Exam, seed: int, size: int, first: int) -> None:
    for head in films_of(exam, seed, first):
        own = replace(
            head,
            patient=head.patient.replace("PHANTOM", "SITE-B"),
            manufacturer="PHANTOM OPTICS",
            institution="SECOND PHANTOM HOSPITAL",
        )
        rng = generator(seed, "scanner", exam.accession, head.number)
        picture = scanned(draw_film(exam, head.view, head.side, size), unit_of(exam), rng)
        path = root / "archive" / exam.accession / f"{head.number}.dcm"
        write_film(path, own, stored_pixels(own, picture))
