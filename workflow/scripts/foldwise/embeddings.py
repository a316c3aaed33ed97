"""Embedding fusion: features of a frozen network that are joined to the head's input.

A folder holds `features.npy` (N, E) and `metadata.csv`, whose column `content` names the image of
each row by the SHA-256 of its file (what `sha256sum` prints; the first 32 digits are enough).
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from foldwise.errors import FoldwiseError
from foldwise.files import read_csv, replacing, write_csv
from foldwise.models.resnet import resnet50
from foldwise.predict import infer
from foldwise.train.feed import Feed
from foldwise.train.machine import make_deterministic
from foldwise.train.normalise import normalisation
from foldwise.train.rows import places_of, sorted_rows

FEATURES, METADATA = "features.npy", "metadata.csv"
CONTENT_DIGITS = 32


class Describe:
    """What inference asks of a task, for features alone."""

    def predict(self, model: Any, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """{"embedding": (B, E)}."""
        return {"embedding": model.embed(batch["image"])}


def make_embeddings(
    folder: str | Path,
    images: Any,
    rows: list[dict],
    channels: int,
    weights: str = "imagenet",
    batch_size: int = 32,
    device: str | torch.device = "cpu",
) -> None:
    """Write the 2,048 features of a frozen ResNet-50 for cohort rows (column `content`).

    `weights`: imagenet or a file; random ones describe nothing and are refused.
    """
    if weights in (None, "none"):
        raise FoldwiseError(
            "model.embeddings: the network that makes embeddings needs trained weights. "
            "Give `imagenet` or the path of a state dict."
        )
    device, rows = torch.device(device), sorted_rows(rows)
    make_deterministic(device)
    model = resnet50({"name": "resnet50", "weights": weights}, channels, 1)
    model.trainable(0)
    model = model.to(device, memory_format=torch.channels_last)
    normalise = normalisation("imagenet", images, places_of(images, rows), channels)
    feed = Feed(None, images, rows, {}, normalise, device)
    size = images.shape[-1]
    found = infer(Describe(), model, feed, size=size, batch_size=batch_size, precision="float32")
    write_embeddings(folder, [row["content"] for row in rows], found["embedding"])


def write_embeddings(folder: str | Path, contents: list[str], features: np.ndarray) -> None:
    """Write features (N, E) and whose they are."""
    with replacing(Path(folder, FEATURES)) as temporary:
        np.save(temporary, features.astype(np.float32))
    write_csv(Path(folder, METADATA), ["content"], [{"content": name} for name in contents])


def embeddings_of(folder: str | Path, rows: list[dict]) -> np.ndarray:
    """(N, E) float32: the embeddings of cohort rows (columns sample, content).

    Raises FoldwiseError when a file is missing or does not fit the other, an image is named twice
    with different features, a value is not finite, or a row has none.
    """
    features, contents = read_embeddings(folder)
    place: dict[str, int] = {}
    for index, content in enumerate(contents):
        first = place.setdefault(content, index)
        if not np.array_equal(features[first], features[index]):
            raise FoldwiseError(
                f"model.embeddings: {folder}/{METADATA} names one image twice (data rows "
                f"{first + 1} and {index + 1}) with different features. Keep one of them."
            )
    absent = [row["sample"] for row in rows if row["content"] not in place]
    if absent:
        raise FoldwiseError(
            f"model.embeddings: {len(absent)} of {len(rows)} samples have no row in {folder}/"
            f"{METADATA}, the first is {absent[0]}. Make embeddings of all images, or set "
            "model.embeddings to null."
        )
    return features[[place[row["content"]] for row in rows]]


def read_embeddings(folder: str | Path) -> tuple[np.ndarray, list[str]]:
    """Features (N, E) float32 and the content of each row."""
    absent = [name for name in (FEATURES, METADATA) if not Path(folder, name).is_file()]
    if absent:
        raise FoldwiseError(
            f"model.embeddings: {folder} lacks {' and '.join(absent)}. Name a folder with both."
        )
    try:
        features = np.load(Path(folder, FEATURES), allow_pickle=False).astype(np.float32)
    except (ValueError, EOFError) as error:
        raise FoldwiseError(
            f"model.embeddings: {folder}/{FEATURES} is no array of numbers. Write it by numpy.save."
        ) from error
    rows = read_csv(Path(folder, METADATA))
    if not all(row.get("content") for row in rows):
        raise FoldwiseError(
            f"model.embeddings: {folder}/{METADATA} needs a column `content` with the SHA-256 of "
            "each image file. Add it: `sha256sum` prints it."
        )
    if features.ndim != 2 or len(features) != len(rows):
        raise FoldwiseError(
            f"model.embeddings: {folder}/{FEATURES} has shape {features.shape} and {METADATA} "
            f"{len(rows)} rows. Give one row of features for each row there."
        )
    if not np.isfinite(features).all():
        bad = int((~np.isfinite(features).all(axis=1)).sum())
        raise FoldwiseError(
            f"model.embeddings: {folder}/{FEATURES} has {bad} rows with values that are not "
            "finite. Make them again."
        )
    return features, [row["content"][:CONTENT_DIGITS] for row in rows]
