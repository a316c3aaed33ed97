"""Batches without worker processes: integers gathered into one buffer, made float on the device.

`images` is anything with `shape` (C, H, W), `dtype` (uint8 or uint16), `len`, and
`take(indices, out)` that fills out (B, C, H, W); `foldwise.data.cache.Images` is.
"""

from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional

from foldwise.train.augment import (
    Augmentation,
    Drawn,
    augment_pixels,
    augment_tensor,
    draw,
    swap_sides,
)
from foldwise.train.draws import content_keys

RESIDENT_SHARE = 0.5


class Feed:
    """Makes batches of some rows: {"image": (B, C, S, S) float, <targets>, "sample_index": (B,)}.

    Planes of an image beyond `channels` (masks) come as batch["planes"], (B, P, S, S) integers.
    """

    def __init__(
        self,
        task: Any,
        images: Any,
        rows: list[dict],
        places: np.ndarray,
        targets: dict[str, np.ndarray],
        normalise: tuple[list[float], list[float]],
        device: torch.device,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        """`places` (N,) are the rows' indices in `images`; `targets` have N as first axis."""
        self.task, self.images, self.places, self.device = task, images, places, device
        self.keys = content_keys([row["content"] for row in rows])
        self.targets = {
            name: torch.from_numpy(np.asarray(v)).to(device) for name, v in targets.items()
        }
        self.augmentation, self.seed = augmentation, seed
        self.channels = len(normalise[0])
        self.scale, self.shift = _affine(normalise, images.dtype, device)
        self.buffer = np.empty((0, *images.shape), dtype=images.dtype)
        self.resident = _resident(images, places, device)

    def __len__(self) -> int:
        return len(self.places)

    def batch(
        self,
        rows: np.ndarray,
        size: int,
        epoch: int | None = None,
        repeats: np.ndarray | None = None,
    ) -> dict[str, torch.Tensor]:
        """The batch of `rows` (B,) at side `size`; augmented if an epoch is named.

        Valid until the next call: the pixels' buffer is used again.
        """
        index = torch.from_numpy(rows).to(self.device)
        batch = {name: values[index] for name, values in self.targets.items()}
        batch["sample_index"] = index
        drawn = None
        if epoch is not None and self.augmentation is not None:
            repeats = np.zeros_like(rows) if repeats is None else repeats
            drawn = draw(self.augmentation, self.seed, epoch, self.keys[rows], repeats)
        on_gpu = self.device.type != "cpu"
        image, planes = (
            self._on_device(rows, size, drawn) if on_gpu else self._on_cpu(rows, size, drawn)
        )
        batch["image"] = image
        if planes.shape[1]:
            batch["planes"] = planes
        return batch if drawn is None else swap_sides(self.task, batch, drawn)

    def _pixels(self, rows: np.ndarray) -> np.ndarray:
        if len(rows) > len(self.buffer):
            self.buffer = np.empty((len(rows), *self.images.shape), dtype=self.images.dtype)
        pixels = self.buffer[: len(rows)]
        self.images.take(self.places[rows], pixels)
        return pixels

    def _on_cpu(self, rows: np.ndarray, size: int, drawn: Drawn | None) -> tuple[torch.Tensor, ...]:
        """OpenCV on integers, then one pass to float."""
        pixels = _resized(self._pixels(rows), size, self.channels)
        if drawn is not None:
            augment_pixels(pixels, drawn, self.augmentation, self.channels)
        tensor = torch.from_numpy(pixels)
        return self._floats(tensor[:, : self.channels]), tensor[:, self.channels :]

    def _on_device(
        self, rows: np.ndarray, size: int, drawn: Drawn | None
    ) -> tuple[torch.Tensor, ...]:
        """Everything after the gathering on the device, in whole batches."""
        if self.resident is not None:
            tensor = self.resident[torch.from_numpy(rows).to(self.device)]
        else:
            tensor = torch.from_numpy(self._pixels(rows)).to(self.device)
        top = float(np.iinfo(self.images.dtype).max)
        image = tensor[:, : self.channels].to(torch.float32) / top
        planes = tensor[:, self.channels :].to(torch.float32)
        if size != image.shape[-1]:
            image = functional.interpolate(image, (size, size), mode="bilinear", antialias=True)
        if size != planes.shape[-1] and planes.shape[1]:
            planes = functional.interpolate(planes, (size, size), mode="nearest-exact")
        if drawn is not None:
            image = augment_tensor(image, drawn, self.augmentation)
            if planes.shape[1]:
                planes = augment_tensor(planes, drawn, self.augmentation, mask=True)
        image = (image * (self.scale * top) + self.shift).contiguous(
            memory_format=torch.channels_last
        )
        return image, planes.to(tensor.dtype)

    def _floats(self, pixels: torch.Tensor) -> torch.Tensor:
        image = torch.empty(pixels.shape, memory_format=torch.channels_last)
        return image.copy_(pixels).mul_(self.scale).add_(self.shift)


def _affine(
    normalise: tuple[list[float], list[float]], dtype: np.dtype, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    mean, std = (torch.tensor(part, dtype=torch.float64)[:, None, None] for part in normalise)
    scale = 1 / (std * float(np.iinfo(dtype).max))
    return scale.to(device, torch.float32), (-mean / std).to(device, torch.float32)


def _resized(pixels: np.ndarray, size: int, channels: int) -> np.ndarray:
    """Area means for images, nearest for masks; the same array if the size fits."""
    if size == pixels.shape[-1]:
        return pixels
    out = np.empty((*pixels.shape[:2], size, size), dtype=pixels.dtype)
    for number in range(pixels.shape[1]):
        how = cv2.INTER_AREA if number < channels else cv2.INTER_NEAREST_EXACT
        for source, target in zip(pixels[:, number], out[:, number], strict=True):
            cv2.resize(source, (size, size), dst=target, interpolation=how)
    return out


def _resident(images: Any, places: np.ndarray, device: torch.device) -> torch.Tensor | None:
    """All pixels of the rows in the GPU's memory, or None where they take too large a share."""
    if device.type != "cuda":
        return None
    needed = len(places) * int(np.prod(images.shape)) * images.dtype.itemsize
    if needed > RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]:
        return None
    pixels = np.empty((len(places), *images.shape), dtype=images.dtype)
    images.take(places, pixels)
    return torch.from_numpy(pixels).to(device)
