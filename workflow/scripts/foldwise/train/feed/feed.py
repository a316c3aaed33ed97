"""Batches without worker processes, for training and for predicting."""

import numpy as np
import torch

from foldwise.tasks.base import Batch, Rows, Task
from foldwise.train.feed.augment import draw
from foldwise.train.feed.device import sent
from foldwise.train.feed.draws import content_keys
from foldwise.train.feed.images import Images
from foldwise.train.feed.pixels import Normalisation, OnCpu, OnDevice, Preparation
from foldwise.train.feed.rows import places_of


class Feed:
    """Makes batches of some rows: {"image": (B, C, S, S) float, <targets>, "sample_index": (B,)}.

    Planes of an image beyond the channels (masks) come as batch["planes"], (B, P, S, S) integers;
    where pictures fill a part of their square alone, and are not augmented, batch["inside"] (B, 4)
    says which: top, bottom, left, right.
    """

    def __init__(
        self,
        task: Task | None,
        images: Images,
        rows: Rows,
        targets: dict[str, np.ndarray],
        prepare: Preparation,
    ) -> None:
        """`targets` have the rows as first axis. Without a task flips change no targets."""
        self.task, self.device = task, prepare.device
        self.keys = content_keys([row["content"] for row in rows])
        self.targets = {name: torch.from_numpy(v).to(self.device) for name, v in targets.items()}
        self.augmentation, self.seed = prepare.augmentation, prepare.seed
        make = OnCpu if self.device.type == "cpu" else OnDevice
        self.pixels = make(images, places_of(images, rows), prepare)
        changes = self.augmentation and (self.augmentation.moves or self.augmentation.tones)
        if not changes and prepare.tile is None and self.pixels.inside.whole:
            self.augmentation = None  # Nothing that is drawn would change a pixel.

    def __len__(self) -> int:
        return len(self.keys)

    def batch(
        self,
        rows: np.ndarray,
        size: int,
        epoch: int | None = None,
        repeats: np.ndarray | None = None,
    ) -> Batch:
        """The batch of `rows` (B,) at side `size`; augmented if an epoch is named.

        `repeats` (B,) tells apart one row drawn several times. Valid until the next call: the
        pixels' buffers are used again.
        """
        index = sent(rows, self.device)
        batch = {name: values[index] for name, values in self.targets.items()}
        drawn = None
        if epoch is not None and self.augmentation is not None:
            repeats = np.zeros_like(rows) if repeats is None else repeats
            drawn = draw(self.augmentation, self.seed, epoch, self.keys[rows], repeats)
        batch["image"], planes = self.pixels(rows, size, drawn)
        batch["sample_index"] = index
        if drawn is None and not self.pixels.inside.whole:
            # On the CPU: whoever cuts pictures into tiles counts there.
            batch["inside"] = torch.from_numpy(self.pixels.inside(rows, size))
        if planes.shape[1]:
            batch["planes"] = planes
        if self.task is not None and drawn is not None and drawn.mirrored.any():
            # Left and right trade places in some targets (zones of the lungs).
            batch = self.task.flip_targets(batch, sent(drawn.mirrored, self.device))
        return batch

    def normalisation(self, row: int) -> Normalisation:
        """What the pixels of a row are normalised by where they are not augmented."""
        mean, std = self.pixels.levels(np.array([row]), None)
        return mean[0].tolist(), std[0].tolist()
