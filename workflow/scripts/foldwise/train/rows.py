"""Rows of a fold's parts, in an order that depends on the images' content alone."""

from pathlib import Path
from typing import Any

import numpy as np

from foldwise.files import read_csv


def sorted_rows(rows: list[dict]) -> list[dict]:
    """By content: names of samples are random for each results tree and must decide nothing."""
    return sorted(rows, key=lambda row: row["content"])


def parts(cohort: str | Path, fold_file: str | Path, fold: int) -> dict[str, list[dict]]:
    """Rows of the cohort by part (train, val, holdout) of one fold, with "fold" added."""
    part_of = {row["sample"]: row["part"] for row in read_csv(fold_file)}
    found: dict[str, list[dict]] = {}
    for row in sorted_rows(read_csv(cohort)):
        if row["sample"] in part_of:
            found.setdefault(part_of[row["sample"]], []).append(row | {"fold": fold})
    return found


def places_of(images: Any, rows: list[dict]) -> np.ndarray:
    """(N,) int64: where each row's image is in `images`."""
    return images.places(rows)
