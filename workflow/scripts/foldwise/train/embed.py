"""Embeddings made: features of a frozen network, in the form of `foldwise.tasks.embeddings`."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from foldwise.contents import public_content
from foldwise.errors import FoldwiseError
from foldwise.files import replacing, write_csv
from foldwise.models import torchvision_networks
from foldwise.tasks.embeddings import FEATURES, METADATA
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.normalise import normalisation
from foldwise.train.feed.rows import places_of, sorted_rows
from foldwise.train.machine import make_deterministic
from foldwise.train.predict import infer


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
    model = torchvision_networks.build({"name": "resnet50", "weights": weights}, channels, 1)
    model.trainable(0)
    model = model.to(device, memory_format=torch.channels_last)
    normalise = normalisation("imagenet", images, places_of(images, rows), channels)
    feed = Feed(None, images, rows, {}, normalise, device)
    size = images.shape[-1]
    found = infer(Describe(), model, feed, size=size, batch_size=batch_size, precision="float32")
    write_embeddings(folder, [public_content(row) for row in rows], found["embedding"])


def write_embeddings(folder: str | Path, contents: list[str], features: np.ndarray) -> None:
    """Write features (N, E) and whose they are."""
    with replacing(Path(folder, FEATURES)) as temporary:
        np.save(temporary, features.astype(np.float32))
    write_csv(Path(folder, METADATA), ["content"], [{"content": name} for name in contents])
