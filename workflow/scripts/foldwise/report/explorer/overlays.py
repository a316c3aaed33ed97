"""Maps that the page can lay over a thumbnail: what was predicted, the true mask, Grad-CAM."""

import base64
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from foldwise.files import read_csv, read_json

# Pixels of the longer side, of thumbnails too: 2,000 cases with two overlays take 9 MB at the most.
SIDE = 224
# Few steps of opacity: the eye sees no more, and the picture is a third of the size.
STEPS = 5
OPAQUE = 170  # of 255: the picture stays visible below
# Blue, green, red. The truth is an outline, what a model says is an area: both read in grey.
TRUTH, PREDICTED, GRADCAM = (255, 220, 0), (0, 120, 255), (60, 60, 255)

Overlays = dict[str, dict[str, str]]
# Sample -> share of its square's side that a picture fills, exactly: a float would not give whole
# pixels again at another side.
Shares = Mapping[str, Fraction]


def shares_of(images: Any, rows: Sequence[Mapping[str, str]]) -> dict[str, Fraction]:
    """Shares below 1: pictures that are smaller than their square, and lie in its middle."""
    inside = images.inside(images.places(rows))
    filled = np.maximum(inside[:, 1] - inside[:, 0], inside[:, 3] - inside[:, 2])
    side = images.shape[-1]
    parts = zip(rows, filled.tolist(), strict=True)
    return {row["sample"]: Fraction(pixels, side) for row, pixels in parts if pixels < side}


def middle(values_hw: np.ndarray, share: Fraction | int) -> np.ndarray:
    """The square in the middle of a square that has `share` of its side: what a picture fills."""
    side = len(values_hw)
    kept = min(side, math.ceil(share * side))
    # As `pixels.fit.place` centres: the odd pixel lies below and to the right.
    first = (side - kept) // 2
    return values_hw[first : first + kept, first : first + kept]


def predicted_maps(
    predictions: Sequence[str | Path], maps: Sequence[str | Path], shares: Shares
) -> Overlays:
    """Sample -> "prediction", of the maps_val.npy of each fold; nothing where a task has no maps.

    `predictions`: val_predictions.csv of the same folds, whose rows are those of the maps.
    """
    overlays = {}
    for table, path in zip(predictions, maps, strict=True):
        stored = np.load(path, mmap_mode="r")
        # Tasks without maps leave an array of (N, 0) in their place.
        if stored.ndim == 3:
            rows = read_csv(table)
            for row, values in zip(rows, stored, strict=True):
                shown = middle(np.asarray(values), shares.get(row["sample"], 1))
                overlays[row["sample"]] = {"prediction": area(shown, PREDICTED)}
    return overlays


def gradcam_maps(films: Sequence[str | Path], shares: Shares) -> Overlays:
    """Sample -> "Grad-CAM", once a part of the answer, of the gradcam.json of each fold."""
    overlays: Overlays = {}
    for path in films:
        entries = read_json(path)["films"]
        with np.load(Path(path).with_name("gradcam.npz")) as stored:
            for entry, values in zip(entries, stored["maps"], strict=True):
                name = ", ".join(
                    filter(None, ["Grad-CAM", (entry.get("part") or "").replace("_", " ")])
                )
                shown = middle(values, shares.get(entry["sample"], 1))
                overlays.setdefault(entry["sample"], {})[name] = area(shown, GRADCAM)
    return overlays


def true_masks(images: Any, rows: Sequence[Mapping[str, str]], channels: int) -> Overlays:
    """Sample -> "truth", the outline of the mask in the cache; nothing where it has none."""
    if images.shape[0] <= channels:
        return {}
    planes, overlays = np.empty((1, *images.shape), images.dtype), {}
    shares = shares_of(images, rows)
    for row in rows:
        images.take(images.places([row]), planes)
        shown = middle(planes[0, channels], shares.get(row["sample"], 1))
        overlays[row["sample"]] = {"truth": outline(shown)}
    return overlays


def merged(*many: Overlays) -> Overlays:
    """Sample -> all its overlays by name."""
    joined: Overlays = {}
    for overlays in many:
        for sample, named in overlays.items():
            joined.setdefault(sample, {}).update(named)
    return joined


def area(values_hw: np.ndarray, colour: tuple[int, int, int]) -> str:
    """Base64 of a WebP of one colour that is the less transparent the larger a value (0..255)."""
    small = cv2.resize(values_hw, _size(values_hw), interpolation=cv2.INTER_AREA)
    levels = np.round(small / 255 * STEPS) / STEPS
    return _encoded((levels * OPAQUE).astype(np.uint8), colour)


def outline(mask_hw: np.ndarray) -> str:
    """Base64 of a WebP of the inner edge of a mask."""
    # An object of few pixels would vanish between the pixels of a smaller picture: any part counts.
    small = cv2.resize((mask_hw != 0).astype(np.float32), _size(mask_hw), 0, 0, 0, cv2.INTER_AREA)
    # Padded, so that an object at the picture's edge has an outline there too.
    inside = np.pad((small > 0.2).astype(np.uint8), 1)
    edge = inside - cv2.erode(inside, np.ones((3, 3), np.uint8))
    return _encoded(edge[1:-1, 1:-1] * 255, TRUTH)


def _size(values_hw: np.ndarray) -> tuple[int, int]:
    height, width = values_hw.shape
    scale = min(1, SIDE / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _encoded(alpha_hw: np.ndarray, colour: tuple[int, int, int]) -> str:
    painted = np.full((*alpha_hw.shape, 3), colour, np.uint8)
    picture = np.dstack([painted, alpha_hw])
    # Lossless: areas of one value take a few hundred bytes, and their edges stay sharp.
    done, content = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 101])
    return base64.b64encode(content).decode() if done else ""
