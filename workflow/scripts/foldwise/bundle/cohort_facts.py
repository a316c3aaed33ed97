"""What a cohort looks like in a few numbers over all its images: nothing of one patient.

The same numbers are taken where a model was trained and where it is tried, so that the two can be
laid side by side without an image leaving either place.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from foldwise.pixels.cache import Images

BINS = 32  # of the histogram of prepared grey levels
# Without the least and the largest value, which are of single patients.
DECILES = tuple(range(10, 100, 10))
# Images that are in memory at a time.
CHUNK = 64
# An image is far when it is farther from the centre than this share of the training cohort's.
FAR = 95
# Standard deviations beyond which 5 % of a normal distribution lie.
NORMAL_95 = 1.959964


def cohort_facts(
    rows: Sequence[dict[str, str]], columns: Iterable[str], images: Images, channels: int
) -> dict[str, Any]:
    """Sizes, labels (column -> value -> count), and grey levels of prepared images.

    rows: of cohort.csv; columns: those of labels; images: the cache that the rows name.
    """
    return {
        "images": len(rows),
        "groups": len({row["group"] for row in rows}),
        "labels": {name: _counts(rows, name) for name in columns},
        "foreground": _spread([float(r["foreground"]) for r in rows if r.get("foreground")]),
        "intensity": intensity(images, images.places(rows), channels),
    }


def _counts(rows: Sequence[dict[str, str]], column: str) -> dict[str, int]:
    return dict(sorted(Counter(row[column] for row in rows if row.get(column)).items()))


def label_groups(rows: Sequence[dict[str, str]], columns: Iterable[str]) -> dict[str, Any]:
    """Column -> value -> how many groups have it; rows and columns as of `cohort_facts`."""
    return {
        name: {
            value: len({row["group"] for row in rows if row.get(name) == value})
            for value in _counts(rows, name)
        }
        for name in columns
    }


def intensity(images: Images, places: np.ndarray, channels: int) -> dict[str, Any]:
    """Grey levels as shares of full scale: histogram over all images, spread of images' means.

    Masks, the planes after the channels, have no part in it.
    """
    histogram = np.zeros(BINS, np.int64)
    means, contrasts = [], []
    for pixels in scaled(images, places, channels):
        # A fixed range: histograms of two sites have the same bins without either seeing the other.
        histogram += np.histogram(pixels, BINS, (0, 1))[0]
        means += pixels.mean(axis=1).tolist()
        contrasts += pixels.std(axis=1).tolist()
    shares = histogram / max(int(histogram.sum()), 1)
    return {
        "histogram": [round(float(share), 6) for share in shares],
        "mean": _spread(means),
        "contrast": _spread(contrasts),
    }


def planes(images: Images, places: np.ndarray, channels: int) -> Iterator[np.ndarray]:
    """Some images at a time, (B, C, H, W) as they lie, without what comes after the channels."""
    buffer = np.empty((CHUNK, *images.shape), images.dtype)
    for start in range(0, len(places), CHUNK):
        part = places[start : start + CHUNK]
        yield images.take(part, buffer[: len(part)])[:, :channels]


def scaled(images: Images, places: np.ndarray, channels: int) -> Iterator[np.ndarray]:
    """The same, (B, pixels) as 0..1."""
    # Shards of 8 and of 16 bits come to one scale.
    top = int(np.iinfo(images.dtype).max)
    for pixels in planes(images, places, channels):
        yield pixels.reshape(len(pixels), -1) / np.float64(top)


def grey_distances(
    images: Images, places: np.ndarray, channels: int, facts: Mapping[str, Any]
) -> np.ndarray:
    """(N,) how unlike in brightness or contrast, whichever is more: 1 is as far as one in twenty.

    facts: what `intensity` gave of the training images.
    """
    distances_n = []
    for pixels in scaled(images, places, channels):
        own = {"mean": pixels.mean(axis=1), "contrast": pixels.std(axis=1)}
        parts = [
            # Of a cohort of one brightness anything else is far, without a division by 0.
            np.abs(values - facts[name]["mean"]) / max(NORMAL_95 * facts[name]["std"], 1e-6)
            for name, values in own.items()
        ]
        # Far in one is far: a mean of both would hide it.
        distances_n.append(np.maximum(*parts))
    return np.concatenate(distances_n) if distances_n else np.empty(0)


def _spread(values: list[float]) -> dict[str, Any]:
    """n, mean, standard deviation (n - 1) and deciles; empty where there is nothing."""
    if not values:
        return {}
    array = np.array(values, np.float64)
    return {
        "n": len(array),
        "mean": float(array.mean()),
        "std": float(array.std(ddof=1)) if len(array) > 1 else 0.0,
        "deciles": np.percentile(array, DECILES).tolist(),
    }


def feature_facts(embedding_nd: np.ndarray) -> dict[str, Any]:
    """Centre and spread of a model's features (N, D), and how far from it is far."""
    mean, std = embedding_nd.mean(axis=0), embedding_nd.std(axis=0)
    far = np.percentile(distances(embedding_nd, mean, std), FAR) if len(embedding_nd) else 0.0
    return {"mean": mean.tolist(), "std": std.tolist(), "far": float(far), "n": len(embedding_nd)}


def distances(embedding_nd: np.ndarray, mean_d: np.ndarray, std_d: np.ndarray) -> np.ndarray:
    """(N,) root mean square distance from the centre, each dimension in its own spread."""
    # A feature that never varies says nothing of distance.
    varied = np.asarray(std_d) > 1e-6
    if not varied.any():
        return np.zeros(len(embedding_nd))
    scaled = (embedding_nd - mean_d)[:, varied] / np.asarray(std_d)[varied]
    return np.sqrt((scaled**2).mean(axis=1))
