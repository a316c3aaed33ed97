"""Embeddings made: features of a frozen network, in the form of `foldwise.tasks.embeddings`."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from foldwise.contents import public_content
from foldwise.errors import FoldwiseError
from foldwise.files import replacing, write_csv
from foldwise.models import torchvision_networks
from foldwise.tasks.base import Batch, Rows
from foldwise.tasks.embeddings import FEATURES, METADATA
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.images import Images
from foldwise.train.feed.normalise import normalisation
from foldwise.train.feed.pixels import Preparation
from foldwise.train.feed.rows import places_of, sorted_rows
from foldwise.train.machine import make_deterministic
from foldwise.train.predict import Cut, infer

BATCH = 32  # images at once; the last bits of features may depend on it


def embed(model: nn.Module, batch: Batch) -> Batch:
    """{"embedding": (B, E)}."""
    return {"embedding": model.embed(batch["image"])}


def make_embeddings(
    folder: str | Path,
    images: Images,
    rows: Rows,
    channels: int,
    weights: str,
    device: torch.device,
) -> None:
    """Write the 2,048 features of a frozen ResNet-50 for cohort rows (column `content`).

    `weights`: imagenet or a file; random ones describe nothing and are refused.
    """
    if weights in (None, "none"):
        raise FoldwiseError(
            "model.embeddings: the network that makes embeddings needs trained weights. "
            "Give `imagenet` or the path of a state dict."
        )
    rows = sorted_rows(rows)
    make_deterministic(device)
    # Only the features below the head are asked for, so its dropout plays no part.
    settings = {"name": "resnet50", "weights": weights, "dropout": 0.0}
    model = torchvision_networks.build(settings, channels, 1)
    model.trainable(0)
    # The layout of training, so that the same kernels and thus the same last bits are used.
    model = model.to(device, memory_format=torch.channels_last)
    normalise = normalisation("imagenet", images, places_of(images, rows), channels)
    feed = Feed(None, images, rows, {}, Preparation(normalise, device))
    features = infer(embed, model, feed, Cut(images.shape[-1], BATCH, "float32"))["embedding"]
    write_embeddings(folder, [public_content(row) for row in rows], features)


def write_embeddings(folder: str | Path, contents: list[str], features: np.ndarray) -> None:
    """Write features (N, E) and whose they are."""
    with replacing(Path(folder, FEATURES)) as temporary:
        np.save(temporary, features.astype(np.float32))
    # Last: a folder whose table is there has its features too.
    write_csv(Path(folder, METADATA), ["content"], [{"content": name} for name in contents])
