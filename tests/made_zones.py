"""Tiny made-up chest films with six zone scores, with faults on demand."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from foldwise.files import write_text
from phantoms.zones import make_zones


def zones_archive(
    folder: Path, patients: int = 12, size: int = 64, seed: int = 1, faults: Iterable[str] = ()
) -> Path:
    """`images/<FileID>.png|.nii.gz` (every third film) and `zones.csv` (separator ;).

    `faults` are names out of ZONE_FAULTS; each spoils a film of its own.
    """
    make_zones(folder, patients, seed, size)
    lines = (folder / "zones.csv").read_text().splitlines()
    for fault in faults:
        ZONE_FAULTS[fault](folder, lines, 1 + 3 * list(ZONE_FAULTS).index(fault))
    write_text(folder / "zones.csv", "\n".join(lines) + "\n")
    return folder


def _with_first_score(line: str, score: str) -> str:
    name, _, *rest = line.split(";")
    return ";".join([name, score, *rest])


def _out_of_range(folder: Path, lines: list[str], row: int) -> None:
    lines[row] = _with_first_score(lines[row], "5")


def _not_a_number(folder: Path, lines: list[str], row: int) -> None:
    lines[row] = _with_first_score(lines[row], "two")


def _no_score(folder: Path, lines: list[str], row: int) -> None:
    name, *_, patient = lines[row].split(";")
    lines[row] = ";".join([name, *[""] * 6, patient])


def _missing_file(folder: Path, lines: list[str], row: int) -> None:
    (folder / "images" / f"{lines[row].split(';')[0]}.png").unlink()


def _constant(folder: Path, lines: list[str], row: int) -> None:
    path = folder / "images" / f"{lines[row].split(';')[0]}.png"
    assert cv2.imwrite(str(path), np.full((64, 64), 9, np.uint8))


ZONE_FAULTS = {
    "out_of_range": _out_of_range,
    "not_a_number": _not_a_number,
    "no_score": _no_score,
    "missing_file": _missing_file,
    "constant": _constant,
}
