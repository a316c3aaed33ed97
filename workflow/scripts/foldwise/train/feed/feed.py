"""Batches without worker processes, for training and for predicting.

`images` is anything with `shape` (C, H, W), `dtype` (uint8 or uint16), `places(rows)` and
`take(indices, out)`, which fills out (B, C, H, W); `foldwise.pixels.cache.Images` is.
"""

from typing import Any

import numpy as np
import torch

from foldwise.train.feed.augment import Augmentation, draw
from foldwise.train.feed.draws import content_keys
from foldwise.train.feed.pixels import OnCpu, OnDevice
from foldwise.train.feed.rows import places_of


class Feed:
    """Makes batches of some rows: {"image": (B, C, S, S) float, <targets>, "sample_index": (B,)}.

    Planes of an image beyond the channels (masks) come as batch["planes"], (B, P, S, S) integers.
    """

    def __init__(
        self,
        task: Any,
        images: Any,
        rows: list[dict],
        targets: dict[str, np.ndarray],
        normalise: tuple[list[float], list[float]],
        device: torch.device,
        augmentation: Augmentation | None = None,
        seed: int = 0,
        tile: int | None = None,
    ) -> None:
        """`targets` have the rows as first axis; `normalise` holds mean and std of each channel.

        `tile`: side of the crops that augmented batches are made of, None for whole pictures.
        """
        self.task, self.device = task, device
        self.keys = content_keys([row["content"] for row in rows])
        self.targets = {name: torch.from_numpy(v).to(device) for name, v in targets.items()}
        self.augmentation, self.seed = augmentation, seed
        common = images, places_of(images, rows), normalise, augmentation
        on_cpu = device.type == "cpu"
        self.pixels = OnCpu(*common, tile) if on_cpu else OnDevice(*common, device, tile)

    def __len__(self) -> int:
        return len(self.keys)

    def batch(
        self,
        rows: np.ndarray,
        size: int,
        epoch: int | None = None,
        repeats: np.ndarray | None = None,
    ) -> dict[str, torch.Tensor]:
        """The batch of `rows` (B,) at side `size`; augmented if an epoch is named.

        `repeats` (B,) tells apart one row drawn several times. Valid until the next call: the
        pixels' buffers are used again.
        """
        index = torch.from_numpy(rows).to(self.device)
        batch = {name: values[index] for name, values in self.targets.items()}
        drawn = None
        if epoch is not None and self.augmentation is not None:
            repeats = np.zeros_like(rows) if repeats is None else repeats
            drawn = draw(self.augmentation, self.seed, epoch, self.keys[rows], repeats)
        batch["image"], planes = self.pixels(rows, size, drawn)
        batch["sample_index"] = index
        if planes.shape[1]:
            batch["planes"] = planes
        if drawn is not None and drawn.mirrored.any():
            # Left and right trade places in some targets (zones of the lungs).
            mirrored = torch.from_numpy(drawn.mirrored).to(self.device)
            batch = self.task.flip_targets(batch, mirrored)
        return batch
