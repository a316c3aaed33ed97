"""Each validation image with its answer and a thumbnail: what the page's gallery shows."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from foldwise.files import read_csv, write_json
from foldwise.report.explorer.overlays import SIDE, Overlays, merged, true_masks

QUALITY = 60  # of WebP: about 2 kB a picture, so that MOST of them can be mailed
MOST = 2000


def write_cases(
    params: Mapping[str, Any],
    predictions: Sequence[str | Path],
    cohort: Sequence[dict[str, str]],
    images: Any,
    out: str | Path,
    overlays: Overlays | None = None,
) -> None:
    """Write cases.json: parts of an answer with their classes, and a case an image, worst first.

    `predictions`: val_predictions.csv of each fold. Of more than MOST images those with the largest
    error are kept. `images`: the cache, or None for cases without pictures. `overlays`: those that
    there are beyond the masks of the cache.
    """
    parts = parts_of(params["task"])
    rows = [row for path in predictions for row in read_csv(path)]
    cases = sorted((case_of(row, parts) for row in rows), key=lambda one: -(one["error"] or 0))
    kept = cases[:MOST]
    if images is not None:
        by_sample = {row["sample"]: row for row in cohort}
        shown = [by_sample[case["sample"]] for case in kept]
        channels = params["image"]["channels"]
        pictures = thumbnails(images, shown, channels)
        above = merged(true_masks(images, shown, channels), overlays or {})
        kept = [
            case | {"picture": one, "overlays": above.get(case["sample"], {})}
            for case, one in zip(kept, pictures, strict=True)
        ]
    # A list: JSON is written with sorted keys, and a case's answers are in the order of the parts.
    named = [{"name": part, "classes": list(classes)} for part, classes in parts.items()]
    write_json(out, {"parts": named, "images": len(cases), "shown": len(kept), "cases": kept})


def parts_of(task: Mapping[str, Any]) -> dict[str, list[str]]:
    """Part of an answer -> its classes in order; the one part of a plain class is called ""."""
    if task.get("classes"):
        return {"": task["classes"]}
    # A zone has scores, not named classes: those that occur are the page's to list.
    return task.get("heads") or {zone: [] for zone in task.get("zones") or []}


def case_of(row: Mapping[str, str], parts: Mapping[str, Any]) -> dict[str, Any]:
    """Truth and prediction of each part, mean confidence, and error.

    Error is 1 less the probability of the truth; of a mask, 1 less its Jaccard. Parts
    without a truth or an answer count in neither mean.
    """
    answers = {part: _answer(row, part) for part in parts}
    sure = [one["confidence"] for one in answers.values() if one["confidence"] is not None]
    wrong = [1 - one["p_truth"] for one in answers.values() if one["p_truth"] is not None]
    if not parts and row.get("jaccard"):
        wrong = [1 - float(row["jaccard"])]
    return {
        "sample": row["sample"],
        "fold": row["fold"],
        "truth": [one["truth"] for one in answers.values()],
        "predicted": [one["predicted"] for one in answers.values()],
        "confidence": _mean(sure),
        "error": _mean(wrong),
    }


def _answer(row: Mapping[str, str], part: str) -> dict[str, Any]:
    end = f"_{part}" if part else ""
    truth, predicted = row.get(f"label{end}", ""), row.get(f"predicted{end}", "")
    p_truth, confidence = (row.get(f"p{end}_{name}") for name in (truth, predicted))
    return {
        "truth": truth,
        "predicted": predicted,
        "p_truth": float(p_truth) if p_truth else None,
        "confidence": float(confidence) if confidence else None,
    }


def _mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def thumbnails(images: Any, rows: Sequence[dict[str, str]], channels: int) -> Iterator[str]:
    """WebP of each image as the network is given it, before augmentation, in base64."""
    planes = np.empty((1, *images.shape), images.dtype)
    for row in rows:
        images.take(images.places([row]), planes)
        yield encoded(planes[0, :channels])


def encoded(planes_chw: np.ndarray) -> str:
    """Base64 of a WebP of at most SIDE pixels; 16-bit pictures lose their lower half."""
    height, width = planes_chw.shape[1:]
    scale = min(1, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    shift = 8 * (planes_chw.dtype.itemsize - 1)
    small = [
        (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) >> shift).astype(np.uint8)
        for plane in planes_chw
    ]
    # OpenCV's order of colours is blue, green, red.
    picture = np.dstack(small[::-1]) if len(small) == 3 else small[0]
    done, content = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    return base64.b64encode(content).decode() if done else ""
