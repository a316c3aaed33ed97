"""A made-up mammography archive: `<root>/archive/<Accession>/<n>.dcm` and `<root>/labels.csv`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import cv2
import numpy as np

from foldwise.files import write_csv
from foldwise.hashing import stream_seed
from phantoms.breast import Breast, draw_breast, film
from phantoms.encodings import SYNTAXES
from phantoms.fields import Shape, generator
from phantoms.mammogram import Film, stored_pixels, write_film

COLUMNS = ["AccessionNumber", "Classification", "ClassificationDate"]
CLASSES = (1, 2, 3, 4)
FILMS = (("CC", "R"), ("CC", "L"), ("MLO", "R"), ("MLO", "L"))
FIRST_NAMES = ("ADA", "BEA", "CLEO", "DINA", "EDDA", "FAY", "GRETA", "HEDY", "IDA", "JUNE")


@dataclass(frozen=True)
class Exam:
    """One accession: four films of one patient on one day."""

    patient: int  # from 0
    number: int  # of the patient's exam, from 0
    accession: str  # six digits
    label: int  # 1 (almost all fat) to 4 (extremely dense)
    date: date
    breast: Breast


def make_density(root: Path, patients: int = 60, seed: int = 1, size: int = 512) -> list[Exam]:
    """Write the archive and its table of labels; films are `size` pixels high and 13/16 as wide.

    Every fifth patient has a second exam, a year or two later, of the same class.
    """
    exams = plan_exams(patients, seed)
    for start, exam in enumerate(exams):
        write_exam(root, exam, seed, size, first=4 * start)
    write_labels(root, exams)
    return exams


def plan_exams(patients: int, seed: int) -> list[Exam]:
    """Who comes when, with which class: as many patients of each class as can be."""
    rng = generator(seed, "plan")
    classes = np.resize(CLASSES, patients)
    rng.shuffle(classes)
    accessions = iter(_accessions(rng, 2 * patients))
    exams = []
    for patient, label in enumerate(classes.tolist()):
        breast = draw_breast(stream_seed(seed, "patient", patient), _density(rng, label))
        day = date(2019, 1, 7) + timedelta(days=int(rng.integers(0, 1400)))
        for number in range(2 if patient % 5 == 4 else 1):
            day += timedelta(days=number * int(rng.integers(330, 760)))
            exams.append(Exam(patient, number, next(accessions), label, day, breast))
    return exams


def films_of(exam: Exam, seed: int, first: int = 0) -> Iterator[Film]:
    """Headers of an exam's four films; `first` counts the films before it in the archive."""
    for place, (view, side) in enumerate(FILMS):
        count = first + place
        yield Film(
            seed=seed,
            patient=f"PHANTOM-{exam.patient:04d}",
            name=f"PHANTOM^{FIRST_NAMES[exam.patient % len(FIRST_NAMES)]}",
            birth_date=_birth_date(seed, exam.patient),
            accession=exam.accession,
            date=f"{exam.date:%Y%m%d}",
            view=view,
            side=side,
            number=place + 1,
            # The round of syntaxes starts one later each time, or each view would keep its own.
            syntax=SYNTAXES[(count + count // len(SYNTAXES)) % len(SYNTAXES)],
            inverted=count % 3 == 1,
            slope=0.25 if count % 5 == 2 else 1.0,
            intercept=-32.0 if count % 5 == 2 else 0.0,
            curve="SIGMOID" if count % 7 == 3 else "LINEAR",
        )


def draw_film(exam: Exam, view: str, side: str, size: int) -> np.ndarray:
    """One film of an exam with its lead letters, float32 (H, W), 0 (air) to 1."""
    shape = (size, size * 13 // 16)
    picture = film(exam.breast, view, side, shape, exam.number)
    return np.maximum(picture, _letters(f"{side} {view}", side, shape))


def write_exam(root: Path, exam: Exam, seed: int, size: int, first: int = 0) -> None:
    """Write an exam's films to `<root>/archive/<accession>/`."""
    for head in films_of(exam, seed, first):
        pixels = stored_pixels(head, draw_film(exam, head.view, head.side, size))
        write_film(root / "archive" / exam.accession / f"{head.number}.dcm", head, pixels)


def write_labels(root: Path, exams: list[Exam], more: list[dict[str, str]] | None = None) -> None:
    """Write labels.csv; leading zeros of accessions are lost, as a spreadsheet loses them."""
    rows = [
        dict(zip(COLUMNS, (int(e.accession), e.label, e.date.isoformat()), strict=True))
        for e in exams
    ]
    write_csv(root / "labels.csv", COLUMNS, rows + (more or []))


def _density(rng: np.random.Generator, label: int) -> float:
    """An amount of gland for a class; readers disagree near the limits, so classes overlap."""
    centre = {1: 0.06, 2: 0.34, 3: 0.62, 4: 0.92}[label]
    return float(np.clip(rng.normal(centre, 0.06), 0, 1))


def _accessions(rng: np.random.Generator, count: int) -> list[str]:
    """Six-digit numbers without repeats, from 000100 to 899999, one in eight below 100000."""
    numbers = rng.choice(np.arange(100_000, 900_000), count, replace=False)
    numbers[::8] = rng.choice(np.arange(100, 100_000), len(numbers[::8]), replace=False)
    return [f"{number:06d}" for number in numbers]


def _birth_date(seed: int, patient: int) -> str:
    days = int(generator(seed, "birth", patient).integers(0, 365 * 35))
    return f"{date(1940, 1, 1) + timedelta(days=days):%Y%m%d}"


def _letters(text: str, side: str, shape: Shape) -> np.ndarray:
    """The lead letters that name side and view, in the corner away from the chest wall."""
    height, width = shape
    canvas = np.zeros(shape, np.uint8)
    scale, thick = height / 900, max(1, height // 450)
    (long, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    left = width - long - high if side == "L" else high
    where = (left, 2 * high + height // 60)
    cv2.putText(canvas, text, where, cv2.FONT_HERSHEY_SIMPLEX, scale, 230, thick, cv2.LINE_AA)
    return canvas.astype(np.float32) / 255
