"""Logistic regression on a few dozen numbers an image: how bright, how uneven, how coarse."""

from typing import Any

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from foldwise.baselines.run import planes_of

PERCENTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99)
SIDES = (4, 8, 16, 32, 64)


def logistic_statistics(
    params: Any, task: Any, images: Any, train_rows: Any, val_rows: Any
) -> dict[str, np.ndarray]:
    """{"probability": (N, K)}; a class that the training part lacks has probability 0."""
    channels = params["image"]["channels"]
    train, val = (statistics_of(images, rows, channels) for rows in (train_rows, val_rows))
    labels = task.targets(train_rows)["label"]
    probability = np.zeros((len(val), len(task.classes)))
    # scikit-learn fits no regression to one class.
    if len(set(labels)) == 1:
        probability[:, labels[0]] = 1
        return {"probability": probability}
    # Scaled: percentiles and slopes differ by orders, and the penalty treats all alike.
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    model.fit(train, labels)
    probability[:, model.classes_] = model.predict_proba(val)
    return {"probability": probability}


def statistics_of(images: Any, rows: list[dict], channels: int) -> np.ndarray:
    """(N, features) float64, the same for each channel."""
    top = np.iinfo(images.dtype).max
    return np.array(
        [
            np.concatenate([statistics(plane / np.float32(top)) for plane in planes[:channels]])
            for planes in planes_of(images, rows)
        ]
    )


def statistics(grey: np.ndarray) -> np.ndarray:
    """Of a picture (H, W) in 0..1: percentiles, moments, share of black, slope, and how much of
    it varies at each of several scales."""
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    coarse = [
        cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA).std()
        for side in SIDES
        if side <= min(grey.shape)
    ]
    return np.array(
        [
            *np.percentile(grey, PERCENTILES),
            grey.mean(),
            grey.std(),
            (grey == 0).mean(),
            np.hypot(across, down).mean(),
            *coarse,
        ],
        dtype=np.float64,
    )
