"""Tiny made-up cases of pictures and texts with tiny encoders, with faults on demand."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path

from foldwise.files import write_csv, write_text
from phantoms.distillation import COLUMNS, make_distillation, texts_of
from phantoms.encoders import write_encoders


def distillation_archive(
    folder: Path,
    cases: int = 25,
    size: int = 48,
    seed: int = 1,
    faults: Iterable[str] = (),
    encoders: bool = True,
) -> Path:
    """JSON lines in three splits, `pictures.csv`, `images/`, and `encoders/` unless not wanted.

    `faults` are names out of TEXT_FAULTS; each spoils a picture of its own in the training part,
    in the JSON lines and in the table.
    """
    planned = make_distillation(folder, cases, seed, size)
    if encoders:
        write_encoders(folder, texts_of(planned), seed, size)
    path = folder / "descriptions_train.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    rows = list(csv.DictReader((folder / "pictures.csv").open()))
    for fault in faults:
        number = 2 * list(TEXT_FAULTS).index(fault)
        name = f"images/{lines[number]['image']}.png"
        row = next(row for row in rows if row["image"] == name)
        TEXT_FAULTS[fault](folder, lines[number], row)
    write_text(path, "".join(json.dumps(line) + "\n" for line in lines))
    write_csv(folder / "pictures.csv", COLUMNS, rows)
    return folder


def _unknown_modality(folder: Path, line: dict, row: dict) -> None:
    line["Type"] = row["modality"] = "XR"


def _unknown_location(folder: Path, line: dict, row: dict) -> None:
    line["Location Category"] = row["location"] = "Elsewhere"


def _no_text(folder: Path, line: dict, row: dict) -> None:
    line["Description"]["Caption"], row["caption"] = None, ""


def _missing_file(folder: Path, line: dict, row: dict) -> None:
    (folder / row["image"]).unlink()


def _no_case(folder: Path, line: dict, row: dict) -> None:
    line["U_id"] = "PHANTOM9999"
    row["case_id"] = ""


TEXT_FAULTS = {
    "unknown_modality": _unknown_modality,
    "unknown_location": _unknown_location,
    "no_text": _no_text,
    "missing_file": _missing_file,
    "no_case": _no_case,
}
