"""What a real archive holds too: broken files, contradicting rows, pictures that come twice.

Each fault has an accession of its own, from 900001 on, and a patient of its own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless

from foldwise.errors import choose
from phantoms.density import COLUMNS, Exam, draw_film, films_of
from phantoms.encodings import encoded
from phantoms.mammogram import Film, header, stored_pixels, write_film

FIRST_ACCESSION = 900_001


@dataclass
class Case:
    """One fault's place: its folder, a sound film to spoil, and the rows it adds to the table."""

    folder: Path
    film: Film
    pixels: np.ndarray  # uint16 (H, W), stored as `film` says
    sound: tuple[Film, np.ndarray]  # the first film of the archive, of another patient
    rows: list[dict[str, str | int]] = field(default_factory=list)

    def write(self, film: Film | None = None, pixels: np.ndarray | None = None) -> Path:
        """Write a film to the folder and return its path."""
        film = film or self.film
        path = self.folder / f"{film.number}.dcm"
        write_film(path, film, self.pixels if pixels is None else pixels)
        return path

    def add_row(self, label: int | str = 2, accession: str | None = None) -> None:
        """Add a row for the accession to the table of labels."""
        values = (self.film.accession if accession is None else accession, label, "2021-06-01")
        self.rows.append(dict(zip(COLUMNS, values, strict=True)))


def add_damage(
    root: Path, exams: list[Exam], seed: int, size: int, faults: Iterable[str] | None = None
) -> tuple[dict[str, str], list[dict[str, str | int]]]:
    """Add faults (by default all of FAULTS) to an archive made of `exams`.

    Returns fault -> accession, and the rows to append to labels.csv.
    """
    places, rows = {}, []
    for fault in FAULTS if faults is None else faults:
        choose(fault, FAULTS, "fault", "Made-up archive")
        case = _case(root, exams, seed, size, list(FAULTS).index(fault))
        FAULTS[fault](case)
        places[fault] = case.film.accession
        rows += case.rows
    return places, rows


def _case(root: Path, exams: list[Exam], seed: int, size: int, number: int) -> Case:
    model = exams[number % len(exams)]
    other = replace(model, patient=9000 + number, number=7, accession=str(FIRST_ACCESSION + number))
    film = replace(next(films_of(other, seed)), syntax=ExplicitVRLittleEndian)
    first = next(films_of(exams[0], seed))
    return Case(
        folder=root / "archive" / other.accession,
        film=film,
        pixels=stored_pixels(film, draw_film(other, film.view, film.side, size)),
        sound=(first, stored_pixels(first, draw_film(exams[0], first.view, first.side, size))),
    )


def _truncated(case: Case) -> None:
    path = case.write()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    case.add_row()


def _empty_file(case: Case) -> None:
    case.write().write_bytes(b"")
    case.add_row()


def _text_file(case: Case) -> None:
    case.write().write_text("This is a text file under a picture's name.\n")
    case.add_row()


def _no_pixels(case: Case) -> None:
    path = case.write()
    header(case.film, case.pixels).save_as(path, enforce_file_format=True)
    case.add_row()


def _wrong_syntax(case: Case) -> None:
    path = case.write()
    dataset = header(replace(case.film, syntax=JPEGLSLossless), case.pixels)
    dataset.PixelData = encoded(case.pixels, JPEG2000Lossless, 12)
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.save_as(path, enforce_file_format=True)
    case.add_row()


def _constant(case: Case) -> None:
    case.write(pixels=np.full_like(case.pixels, 700))
    case.add_row()


def _same_pixels(case: Case) -> None:
    film, pixels = case.sound
    who = {name: getattr(case.film, name) for name in ("patient", "name", "birth_date")}
    case.write(replace(film, accession=case.film.accession, **who), pixels)
    case.add_row()


def _two_patients(case: Case) -> None:
    case.write()
    case.write(replace(case.film, patient="PHANTOM-8999", number=2), case.pixels[::-1].copy())
    case.add_row()


def _burned_in(case: Case) -> None:
    path = case.write()
    dataset = header(case.film, case.pixels)
    dataset.BurnedInAnnotation = "YES"
    dataset.PixelData = encoded(case.pixels, case.film.syntax, 12)
    dataset["PixelData"].VR = "OW"
    dataset.save_as(path, enforce_file_format=True)
    case.add_row()


def _folder_without_row(case: Case) -> None:
    case.write()


def _row_without_folder(case: Case) -> None:
    case.add_row()


def _empty_folder(case: Case) -> None:
    case.folder.mkdir(parents=True)
    case.add_row()


def _class_out_of_range(case: Case) -> None:
    case.write()
    case.add_row(7)


def _class_missing(case: Case) -> None:
    case.write()
    case.add_row("")


def _row_without_accession(case: Case) -> None:
    case.add_row(1, accession="")


def _two_labels(case: Case) -> None:
    case.write()
    case.add_row(1)
    case.add_row(3)


FAULTS: dict[str, Callable[[Case], None]] = {
    "truncated": _truncated,
    "empty_file": _empty_file,
    "text_file": _text_file,
    "no_pixels": _no_pixels,
    "wrong_syntax": _wrong_syntax,
    "constant": _constant,
    "same_pixels": _same_pixels,
    "two_patients": _two_patients,
    "burned_in": _burned_in,
    "folder_without_row": _folder_without_row,
    "row_without_folder": _row_without_folder,
    "empty_folder": _empty_folder,
    "class_out_of_range": _class_out_of_range,
    "class_missing": _class_missing,
    "row_without_accession": _row_without_accession,
    "two_labels": _two_labels,
}
