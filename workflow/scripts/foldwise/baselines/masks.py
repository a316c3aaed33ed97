"""Foreground by one threshold for each picture (Otsu 1979, IEEE Trans SMC 9:62), no learning.

What such a method leaves open - which channel, whether objects are darker or brighter, how wide the
background is - is settled by the mean Jaccard of the training part. Where a background is taken
away, what lies on its other side counts as nothing: noise there is no second kind of object.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from foldwise.baselines.run import planes_of
from foldwise.evaluate.metrics.segmentation import jaccard

# What a pixel is compared with: nothing, or a background of some width, a share of the side.
Ground = tuple[str, float] | None
GAUSSIAN = tuple(("gaussian", width) for width in (0.01, 0.02, 0.04, 0.08, 0.16))
MEDIAN = (("median", 0.2),)
# Wider blurs than this, in pixels, are made on a smaller picture: as good, and many times faster.
WIDEST = 6.0

# Channel, sign (1: objects are brighter, -1: darker, 0: whichever covers less), background.
Way = tuple[int, int, Ground]


def otsu(params: Any, task: Any, images: Any, train_rows: Any, val_rows: Any) -> dict[str, Any]:
    """Threshold of one channel as it is."""
    return _best(params, task, images, train_rows, val_rows, _both([None]))


def otsu_smaller(
    params: Any, task: Any, images: Any, train_rows: Any, val_rows: Any
) -> dict[str, Any]:
    """The same, of each picture the side of the threshold that covers less of it.

    For sets in which objects are brighter than their ground in some pictures and darker in others.
    """
    return _best(params, task, images, train_rows, val_rows, [(0, None)])


def otsu_flat(
    params: Any, task: Any, images: Any, train_rows: Any, val_rows: Any
) -> dict[str, Any]:
    """Threshold of one channel from which a wide Gaussian blur was taken: uneven light is gone."""
    return _best(params, task, images, train_rows, val_rows, _both(GAUSSIAN))


def otsu_median(
    params: Any, task: Any, images: Any, train_rows: Any, val_rows: Any
) -> dict[str, Any]:
    """The same with the median of a fifth of the side around each pixel, which objects leave be."""
    return _best(params, task, images, train_rows, val_rows, _both(MEDIAN))


def _both(grounds: Sequence[Ground]) -> list[tuple[int, Ground]]:
    """Each ground with objects that are brighter, then each with darker ones."""
    return list(itertools.product((1, -1), grounds))


def _best(
    params: Any,
    task: Any,
    images: Any,
    train_rows: Any,
    val_rows: Any,
    kinds: Sequence[tuple[int, Ground]],
) -> dict[str, Any]:
    channels = params["image"]["channels"]
    ways = [(channel, *kind) for channel in range(channels) for kind in kinds]
    scores = np.zeros(len(ways))
    for planes in planes_of(images, train_rows):
        for number, way in enumerate(ways):
            scores[number] += overlap(foreground(planes, way), planes[channels] != 0)
    # Sums and not means: all ways have seen the same pictures. argmax takes the first of equals.
    chosen = ways[int(scores.argmax())]
    measured = [
        task.measure(foreground(planes, chosen)[None].astype(np.float32), planes[None, channels])[0]
        for planes in planes_of(images, val_rows)
    ]
    return {"measured": np.stack(measured)}


def foreground(planes: np.ndarray, way: Way) -> np.ndarray:
    """(H, W) bool of planes (C, H, W): above Otsu's threshold of what is left in one channel."""
    channel, sign, ground = way
    if sign == 0:
        bright = foreground(planes, (channel, 1, ground))
        return ~bright if bright.mean() > 0.5 else bright
    # Turned instead of cut from below: what follows is the same for dark objects.
    values = sign * planes[channel].astype(np.float32)
    if ground is not None:
        values = np.maximum(values - sign * background(planes[channel], ground), 0)
    low, high = float(values.min()), float(values.max())
    if high == low:
        return np.zeros(values.shape, bool)
    # Grey levels stay what they are where 256 suffice: finer ones would only be gaps between them.
    grey = np.round((values - low) * min(1.0, 255 / (high - low))).astype(np.uint8)
    threshold, _ = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return grey > threshold


def background(plane: np.ndarray, ground: tuple[str, float]) -> np.ndarray:
    """(H, W) float32 of a plane (H, W) uint8 or uint16: its blur or its median."""
    kind, width = ground
    if kind == "median":
        return running_median(plane, int(width * len(plane)))
    return blur(plane.astype(np.float32), width * len(plane))


def running_median(plane: np.ndarray, side: int) -> np.ndarray:
    """Median (H, W) float32 of squares of at most `side` pixels, of 256 levels."""
    # OpenCV's median of wide squares is for 8 bits; 65535 is 257 times 255.
    scale = 1 if plane.dtype == np.uint8 else 257
    small = plane if scale == 1 else np.round(plane / scale).astype(np.uint8)
    # The square has a middle.
    return cv2.medianBlur(small, max(side - (side + 1) % 2, 1)).astype(np.float32) * scale


def blur(values: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur (H, W) of standard deviation `sigma` pixels."""
    shrink = max(1.0, sigma / WIDEST)
    side = tuple(max(1, round(length / shrink)) for length in values.shape[::-1])
    small = cv2.resize(values, side, interpolation=cv2.INTER_AREA) if shrink > 1 else values
    # By the width that rounding has left, not by `shrink`.
    blurred = cv2.GaussianBlur(small, (0, 0), sigma * side[0] / values.shape[1])
    return cv2.resize(blurred, values.shape[::-1], interpolation=cv2.INTER_LINEAR)


def overlap(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Jaccard of two foregrounds (H, W); 0 where both are empty, which tells ways not apart."""
    both = jaccard((predicted & truth).sum(), truth.sum(), predicted.sum())
    return float(np.nan_to_num(both))
