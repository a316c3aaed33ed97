"""What pixels between 0 and 1 are normalised by."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from foldwise.train.feed.images import Images

# ImageNet's: what torchvision's pretrained weights were trained with.
FIXED = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "half": ((0.5,), (0.5,)),
    "unit": ((0.0,), (1.0,)),
    # Of no part of the data: each picture's own are taken when it is fed (`levels_by_picture`).
    "image": ((0.0,), (1.0,)),
}
# Pictures in memory at once.
CHUNK = 64


def by_picture(params: Mapping[str, Any]) -> bool:
    """Whether a run normalises each picture by its own mean and standard deviation."""
    return params["model"]["normalisation"] == "image"


def levels_by_picture(images: Images, places: np.ndarray, channels: int) -> np.ndarray:
    """(2, N, C) mean and standard deviation of each picture, for pixels scaled to 0..1."""
    levels = [measured(images, places[n : n + 1], channels) for n in range(len(places))]
    return np.array(levels, np.float64).reshape(-1, 2, channels).transpose(1, 0, 2)


def normalisation(
    choice: str | Sequence[Any], images: Images, rows: np.ndarray, channels: int
) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each of `channels` channels, for pixels scaled to 0..1.

    `choice` is a name, or own values [mean, std] (numbers, or one for each channel). With one
    channel `imagenet` is the mean over the three colours. `train` measures images[rows].
    """
    if isinstance(choice, str) and choice == "train":
        return measured(images, rows, channels)
    mean, std = FIXED[choice] if isinstance(choice, str) else choice
    return _spread(mean, channels), _spread(std, channels)


def _spread(values: Any, channels: int) -> list[float]:
    listed = [float(value) for value in np.atleast_1d(values)]
    return listed if len(listed) == channels else [float(np.mean(listed))] * channels


def measured(images: Images, rows: np.ndarray, channels: int) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of images[rows]; exact: from counts of each grey level."""
    # Counts, and not running sums of floats: the result hangs on no order and on no chunk.
    levels = int(np.iinfo(images.dtype).max) + 1
    counts = np.zeros((channels, levels), dtype=np.int64)
    buffer = np.empty((min(CHUNK, len(rows)), *images.shape), dtype=images.dtype)
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        images.take(part, buffer[: len(part)])
        inside = images.inside(part)
        for channel in range(channels):
            counts[channel] += _histogram(buffer[: len(part), channel], inside, levels)
    grey = np.arange(levels) / (levels - 1)
    share = counts / counts.sum(axis=1, keepdims=True)
    mean = share @ grey
    # Of deviations: mean of squares less square of the mean would cancel digits of dark pictures.
    variance = (share * (grey - mean[:, None]) ** 2).sum(axis=1)
    # A constant channel would divide by zero; it carries nothing either way.
    std = np.where(variance > 0, np.sqrt(variance), 1.0)
    return mean.tolist(), std.tolist()


def _histogram(pixels: np.ndarray, inside: np.ndarray, levels: int) -> np.ndarray:
    cut = (one[a:b, c:d] for one, (a, b, c, d) in zip(pixels, inside, strict=True))
    # A picture at a time: OpenCV counts in float32, which skips numbers above 2^24.
    counts = (
        cv2.calcHist([np.ascontiguousarray(one)], [0], None, [levels], [0, levels]) for one in cut
    )
    return sum(count.ravel().astype(np.int64) for count in counts)
