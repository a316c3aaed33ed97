"""Ridge regression of scores on the pixels of small pictures."""

from typing import Any

import cv2
import numpy as np
from sklearn.linear_model import RidgeCV

from foldwise.baselines.run import planes_of
from foldwise.evaluate.metrics.zones import UNKNOWN

SIDE = 16
# Tried on the training part, each image left out in turn.
ALPHAS = (1.0, 10.0, 100.0, 1000.0)


def ridge_pixels(
    params: Any, task: Any, images: Any, train_rows: Any, val_rows: Any
) -> dict[str, np.ndarray]:
    """{"probability": (N, Z, V)}: a score between two whole ones is shared by these two.

    The last value is "unknown": a regression of its own says how likely.
    """
    channels = params["image"]["channels"]
    train, val = (small(images, rows, channels) for rows in (train_rows, val_rows))
    scores = task.targets(train_rows)["score"]
    top = UNKNOWN - 1
    zones = [_zone(train, val, scores[:, zone], UNKNOWN, top) for zone in range(scores.shape[1])]
    return {"probability": np.stack(zones, axis=1)}


def _zone(
    train: np.ndarray, val: np.ndarray, scores: np.ndarray, unknown: int, top: int
) -> np.ndarray:
    """(N, V) of one zone."""
    scored = scores != unknown
    rest = _fit(train, val, (~scored).astype(float)).clip(0, 1)
    # A line knows no ends: scores beyond the scale would have no neighbours to be shared by.
    score = _fit(train[scored], val, scores[scored].astype(float)).clip(0, top)
    values = np.arange(top + 1)
    shares = (1 - np.abs(score[:, None] - values)).clip(0)
    return np.concatenate([shares * (1 - rest[:, None]), rest[:, None]], axis=1)


def _fit(train: np.ndarray, val: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Predictions (N,) for val; the mean where there is nothing to learn from."""
    if len(set(values)) < 2:
        return np.full(len(val), values.mean() if len(values) else 0.0)
    return RidgeCV(alphas=ALPHAS).fit(train, values).predict(val)


def small(images: Any, rows: list[dict], channels: int) -> np.ndarray:
    """(N, channels x 16 x 16) area means of pictures in 0..1."""
    top = float(np.iinfo(images.dtype).max)
    return np.array(
        [
            [
                cv2.resize(plane, (SIDE, SIDE), interpolation=cv2.INTER_AREA) / top
                for plane in planes[:channels]
            ]
            for planes in planes_of(images, rows)
        ]
    ).reshape(len(rows), -1)
