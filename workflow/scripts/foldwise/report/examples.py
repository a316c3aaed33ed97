"""Images that a reader wants to see: the best, those in the middle, the worst of all folds."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from foldwise.files import read_csv, replacing, write_json
from foldwise.report.explorer.overlays import middle, shares_of

EACH = 2
NAMES = ("best", "median", "worst")


def choose(values: Sequence[float], each: int = EACH) -> list[tuple[int, str]]:
    """(row, "best" | "median" | "worst") of `each` rows a place, larger values being better.

    Rows whose value is NaN are passed over; with too few rows each stands once, best first.
    """
    defined = [row for row in range(len(values)) if not np.isnan(values[row])]
    # Ties keep the table's order, which is that of the content.
    order = sorted(defined, key=lambda row: -values[row])
    # A third of the images at most, so that the best are not the worst as well.
    each = max(1, min(each, len(order) // len(NAMES)))
    middle = (len(order) - each + 1) // 2
    places = {"best": order[:each], "median": order[middle : middle + each], "worst": order[-each:]}
    chosen: dict[int, str] = {}
    for name, rows in places.items():
        for row in rows:
            chosen.setdefault(row, name)
    return list(chosen.items())


def write_examples(
    images: Any,
    cohort: Sequence[dict[str, str]],
    channels: int,
    metric: str,
    folds: Sequence[tuple[str | Path, str | Path]],
    out_json: str | Path,
) -> None:
    """Write examples.json (rows of predictions, with their place) and examples.npz beside it.

    `folds`: val_predictions.csv and maps_val.npy of each; `metric`: a column of the former.
    examples.npz: pictures (N, S, S[, 3]) uint8, truth (N, S, S) bool, predicted (N, S, S) uint8
    probabilities of 0..255, at the side of the maps.
    """
    rows = [row for path, _ in folds for row in read_csv(path)]
    of_fold = [np.load(path, mmap_mode="r") for _, path in folds]
    place = [(fold, row) for fold, predicted in enumerate(of_fold) for row in range(len(predicted))]
    values = [float(row[metric]) if row[metric] else np.nan for row in rows]
    chosen = choose(values)
    by_sample = {row["sample"]: row for row in cohort}
    pictures, truths, predicted = [], [], []
    for number, _ in chosen:
        fold, row = place[number]
        sample = by_sample[rows[number]["sample"]]
        share = shares_of(images, [sample]).get(sample["sample"], 1)
        side = of_fold[fold].shape[-1]
        predicted.append(_enlarged(middle(np.asarray(of_fold[fold][row]), share), side))
        # At the side of the maps: a picture may be stored finer than its fold's model was kept at.
        picture, truth = _planes(images, sample, channels, side, share)
        pictures.append(picture)
        truths.append(truth)
    entries = [rows[number] | {"place": name} for number, name in chosen]
    write_json(out_json, {"metric": metric, "pictures": entries})
    with replacing(Path(out_json).with_suffix(".npz")) as temporary:
        np.savez_compressed(temporary, pictures=pictures, truth=truths, predicted=predicted)


def _enlarged(plane: np.ndarray, side: int) -> np.ndarray:
    # Means where it shrinks, whole pixels where it grows: neither shows what is not there.
    how = cv2.INTER_AREA if side <= len(plane) else cv2.INTER_NEAREST
    return cv2.resize(plane, (side, side), interpolation=how)


def _planes(
    images: Any, row: dict[str, str], channels: int, side: int, share: Fraction | int
) -> tuple[np.ndarray, np.ndarray]:
    """Picture (side, side[, 3]) uint8 and mask (side, side) bool of one cached image."""
    planes = np.empty((1, *images.shape), images.dtype)
    images.take(images.places([row]), planes)
    shown = [middle(plane, share) for plane in planes[0]]
    shift = 8 * (images.dtype.itemsize - 1)
    grey = [(_enlarged(plane, side) >> shift).astype(np.uint8) for plane in shown[:channels]]
    truth = cv2.resize(shown[channels], (side, side), interpolation=cv2.INTER_NEAREST_EXACT)
    return (np.dstack(grey) if channels == 3 else grey[0]), truth != 0
