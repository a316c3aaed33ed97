"""Rows of a fold's parts, in an order that depends on the images' content alone."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from foldwise.contents import read_cohort
from foldwise.files import read_csv
from foldwise.train.feed.images import Images


def sorted_rows(rows: list[dict]) -> list[dict]:
    """By content: names of samples are random for each results tree and must decide nothing."""
    return sorted(rows, key=lambda row: row["content"])


def parts(
    cohort: str | Path, fold_file: str | Path, fold: int, texts: Iterable[str | Path] = ()
) -> dict[str, list[dict]]:
    """Rows of the cohort by part (train, val, holdout) of one fold, with "fold" added.

    With `texts` (files keyed by sample) a row also has "texts": column -> text.
    """
    text_of = {row.pop("sample"): row for path in texts for row in read_csv(path)}
    part_of = {row["sample"]: row["part"] for row in read_csv(fold_file)}
    by_part: dict[str, list[dict]] = {}
    for row in sorted_rows(read_cohort(cohort)):
        if row["sample"] in part_of:
            own = {"texts": text_of[row["sample"]]} if row["sample"] in text_of else {}
            by_part.setdefault(part_of[row["sample"]], []).append(row | {"fold": fold} | own)
    return by_part


def places_of(images: Images, rows: list[dict]) -> np.ndarray:
    """(N,) int64: where each row's image is in `images`."""
    return images.places(rows)
