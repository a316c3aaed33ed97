"""Foreground by one threshold for each picture (Otsu 1979, IEEE Trans SMC 9:62), no learning.

What such a method leaves open - which channel, whether objects are darker or brighter, how wide the
background is - is settled by the mean Jaccard of the training part.
"""

import itertools
from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np

from foldwise.baselines.run import planes_of
from foldwise.metrics.segmentation import jaccard

# Widths of the background's blur, as shares of the picture's side.
WIDTHS = (0.01, 0.02, 0.04, 0.08, 0.16)
# Wider blurs than this, in pixels, are made on a smaller picture: as good, and many times faster.
WIDEST = 6.0

# Channel, sign (1: objects are brighter), width of the background or None.
Way = tuple[int, int, float | None]


def otsu(params: Any, task: Any, images: Any, train_rows: Any, val_rows: Any) -> dict[str, Any]:
    """Threshold of one channel as it is."""
    return _best(params, task, images, train_rows, val_rows, [None])


def otsu_flat(
    params: Any, task: Any, images: Any, train_rows: Any, val_rows: Any
) -> dict[str, Any]:
    """Threshold of one channel from which a wide Gaussian blur was taken: uneven light is gone."""
    return _best(params, task, images, train_rows, val_rows, WIDTHS)


def _best(
    params: Any, task: Any, images: Any, train_rows: Any, val_rows: Any, widths: Iterable
) -> dict[str, Any]:
    channels = params["image"]["channels"]
    ways = list(itertools.product(range(channels), (1, -1), widths))
    scores = np.zeros(len(ways))
    for planes in planes_of(images, train_rows):
        for number, way in enumerate(ways):
            scores[number] += overlap(foreground(planes, way), planes[channels] != 0)
    chosen = ways[int(scores.argmax())]
    measured = [
        task.measure(foreground(planes, chosen)[None].astype(np.float32), planes[None, channels])[0]
        for planes in planes_of(images, val_rows)
    ]
    return {"measured": np.stack(measured)}


def foreground(planes: np.ndarray, way: Way) -> np.ndarray:
    """(H, W) bool of planes (C, H, W): above Otsu's threshold of what is left in one channel."""
    channel, sign, width = way
    values = sign * planes[channel].astype(np.float32)
    if width is not None:
        values -= background(values, width * values.shape[0])
    low, high = float(values.min()), float(values.max())
    if high == low:
        return np.zeros(values.shape, bool)
    grey = np.round((values - low) * (255 / (high - low))).astype(np.uint8)
    threshold, _ = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return grey > threshold


def background(values: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur (H, W) of standard deviation `sigma` pixels."""
    shrink = max(1.0, sigma / WIDEST)
    side = tuple(max(1, round(length / shrink)) for length in values.shape[::-1])
    small = cv2.resize(values, side, interpolation=cv2.INTER_AREA) if shrink > 1 else values
    blurred = cv2.GaussianBlur(small, (0, 0), sigma * side[0] / values.shape[1])
    return cv2.resize(blurred, values.shape[::-1], interpolation=cv2.INTER_LINEAR)


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    """Jaccard of two foregrounds (H, W); 0 where both are empty, which tells ways not apart."""
    both = jaccard((found & truth).sum(), truth.sum(), found.sum())
    return float(np.nan_to_num(both))
