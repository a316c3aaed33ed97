"""From stored integers to the floats that a model sees: on the CPU by OpenCV, or on a GPU.

Both take rows (B,), a side in pixels and what was drawn for the batch, and return the image
(B, C, S, S) float32 and the planes of masks (B, P, S, S), uint8 or (of 16 bits) int32. On a CPU
OpenCV on integers is many times faster than PyTorch on floats; on a GPU whole batches are.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional

from foldwise.train.feed.augment import (
    Augmentation,
    Drawn,
    cropping,
    pixel_matrices,
    sides_of,
    toned,
    warp_pixels,
    warp_planes,
    warp_tensor,
)
from foldwise.train.feed.device import sent
from foldwise.train.feed.images import Images
from foldwise.train.feed.normalise import levels_by_picture

Normalisation = tuple[list[float], list[float]]  # mean and standard deviation of each channel
Levelled = tuple[torch.Tensor, torch.Tensor]  # the same of each row, (B, C) each


@dataclass(frozen=True)
class Preparation:
    """How stored integers become a network's input, and on which device."""

    normalise: Normalisation
    device: torch.device
    augmentation: Augmentation | None = None
    seed: int = 0  # of the augmentation's draws
    tile: int | None = None  # side of the crops that augmented batches are made of; None: whole
    by_picture: bool = False  # each picture by its own mean and deviation, not by `normalise`


class Levels:
    """What each row's picture is normalised by."""

    def __init__(self, images: Images, places: np.ndarray, prepare: Preparation) -> None:
        channels = len(prepare.normalise[0])
        self.by_picture = prepare.by_picture
        if prepare.by_picture:
            # Of whole pictures, also where crops are trained on: a tile of nothing but ground must
            # not be stretched until its noise looks like objects.
            levels = levels_by_picture(images, places, channels)
        else:
            levels = np.array(prepare.normalise)[:, None]
        # On the device from the start: a copy a batch would wait for the device each time.
        self.mean, self.std = torch.from_numpy(levels.astype(np.float32)).to(prepare.device)

    def __call__(self, rows: np.ndarray, drawn: Drawn | None) -> Levelled:
        """Mean and standard deviation (B, C), (1, C) where all rows share them, on the device."""
        if not self.by_picture:
            return self.mean, self.std
        index = sent(rows, self.mean.device)
        mean = self.mean[index]
        if drawn is not None:
            # The ground of a picture whose grey levels were turned round lies on the other side.
            turned = sent(drawn.gain < 0, mean.device)
            mean = torch.where(turned[:, None], 1 - mean, mean)
        return mean, self.std[index]


RESIDENT_SHARE = 0.5  # of a GPU's free memory that the images may take
CHUNK = 64  # pictures that are brought there at once


class Inside:
    """Which part of the square each row's picture fills."""

    def __init__(self, images: Images, places: np.ndarray) -> None:
        self.side = images.shape[-1]
        self.parts = images.inside(places)
        self.whole = bool((self.parts == [0, self.side, 0, self.side]).all())

    def __call__(self, rows: np.ndarray, size: int) -> np.ndarray:
        """(B, 4) top, bottom, left, right, at a square of side `size`."""
        parts = self.parts[rows]
        if size == self.side:
            return parts
        # Outwards: a pixel that shows any of the picture belongs to it.
        ends = -(-parts[:, [1, 3]] * size // self.side)
        return np.stack([parts[:, [0, 2]] * size // self.side, ends], axis=2).reshape(-1, 4)


class OnCpu:
    """Integers are gathered, moved, and looked up in a table of tone and normalisation."""

    def __init__(
        self,
        images: Images,
        places: np.ndarray,
        prepare: Preparation,
    ) -> None:
        self.images, self.places = images, places
        self.augmentation, self.tile = prepare.augmentation, prepare.tile
        self.levels, self.inside = Levels(images, places, prepare), Inside(images, places)
        self.channels, self.top = len(prepare.normalise[0]), int(np.iinfo(images.dtype).max)
        self.buffers: dict[str, np.ndarray] = {}
        # OpenCV has threads of its own, which no variable of the environment sets.
        cv2.setNumThreads(torch.get_num_threads())

    def __call__(self, rows: np.ndarray, size: int, drawn: Drawn | None) -> tuple[Any, Any]:
        if crops(drawn, self.tile, size):
            pixels = self._cropped(rows, size, drawn)
        else:
            pixels = self._resized(self._gather(rows), size)
            if drawn is not None and self.augmentation.moves:
                warp_pixels(pixels, drawn.matrix, self.channels, self.augmentation.border)
        shape = (len(rows), self.channels, *pixels.shape[2:])
        image = self._buffer("image", shape, np.float32)
        tables = self._tables(rows, drawn)
        for number in range(len(rows)):
            for channel in range(self.channels):
                source, target = pixels[number, channel], image[number, channel]
                cv2.LUT(source, tables[number, channel], dst=target)
        # Channels last is 1.1 to 1.4 times faster on a CPU (measured), and fixes the last bits.
        tensor = torch.from_numpy(image).contiguous(memory_format=torch.channels_last)
        planes = pixels[:, self.channels :]
        # PyTorch computes little with uint16.
        return tensor, torch.from_numpy(planes if self.top == 255 else planes.astype(np.int32))

    def _gather(self, rows: np.ndarray) -> np.ndarray:
        pixels = self._buffer("pixels", (len(rows), *self.images.shape), self.images.dtype)
        self.images.take(self.places[rows], pixels)
        return pixels

    def _cropped(self, rows: np.ndarray, size: int, drawn: Drawn) -> np.ndarray:
        """One whole picture at a time: they may be large."""
        shape = (len(rows), self.images.shape[0], self.tile, self.tile)
        out = self._buffer("crops", shape, self.images.dtype)
        inside = self.inside(rows, size)
        sides = sides_of(inside)
        inverses = pixel_matrices(cropping(drawn, sides, self.tile), sides, shape[:1:-1])
        for number, (inverse, (a, b, c, d)) in enumerate(zip(inverses, inside, strict=True)):
            whole = self._resized(self._gather(rows[number : number + 1]), size)[0]
            part = whole[:, a:b, c:d]
            warp_planes(part, inverse, out[number], self.channels, self.augmentation.border)
        return out

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """The first rows of a buffer that stays: fresh memory costs more than what fills it."""
        buffer = self.buffers.get(name)
        if buffer is None or buffer.shape[1:] != shape[1:] or len(buffer) < shape[0]:
            buffer = self.buffers[name] = np.empty(shape, dtype)
        return buffer[: shape[0]]

    def _resized(self, pixels: np.ndarray, size: int) -> np.ndarray:
        """Area means for images, nearest for masks; the same array if the size fits."""
        if size == pixels.shape[-1]:
            return pixels
        out = self._buffer("resized", (*pixels.shape[:2], size, size), pixels.dtype)
        for number in range(pixels.shape[1]):
            # EXACT samples at pixels' centres, as "nearest-exact" does; INTER_NEAREST is half off.
            how = cv2.INTER_AREA if number < self.channels else cv2.INTER_NEAREST_EXACT
            for source, target in zip(pixels[:, number], out[:, number], strict=True):
                cv2.resize(source, (size, size), dst=target, interpolation=how)
        return out

    def _tables(self, rows: np.ndarray, drawn: Drawn | None) -> np.ndarray:
        """(B, C, levels) float32: what each grey level becomes."""
        grey = np.linspace(0, 1, self.top + 1, dtype=np.float32)
        if drawn is not None and self.augmentation.tones:
            gain, offset = (part.astype(np.float32) for part in (drawn.gain, drawn.offset))
            grey = toned(grey, gain[:, None, None], offset[:, None, None])
        mean, std = (part.numpy()[:, :, None] for part in self.levels(rows, drawn))
        table = (grey - mean) / std
        # Where one table serves all: a view of it, no copies.
        return np.broadcast_to(table, (len(rows), *table.shape[-2:]))


class OnDevice:
    """The same in whole batches of floats; all images stay in the device's memory if they fit."""

    def __init__(
        self,
        images: Images,
        places: np.ndarray,
        prepare: Preparation,
    ) -> None:
        self.images, self.places, self.device = images, places, prepare.device
        self.augmentation, self.tile = prepare.augmentation, prepare.tile
        self.levels, self.inside = Levels(images, places, prepare), Inside(images, places)
        self.channels, self.top = len(prepare.normalise[0]), int(np.iinfo(images.dtype).max)
        # Stored integers, not floats: a quarter of the memory for 8 bits.
        needed = len(places) * int(np.prod(images.shape)) * images.dtype.itemsize
        fits = needed <= RESIDENT_SHARE * free_memory(self.device)
        # PyTorch indexes no uint16 on a GPU: 16 bits travel as int16.
        self.kind = torch.uint8 if self.top == 255 else torch.int16
        self.resident = self._all() if fits else None

    def __call__(self, rows: np.ndarray, size: int, drawn: Drawn | None) -> tuple[Any, Any]:
        if self.resident is None:
            pixels = self._gather(rows)
        else:
            pixels = self.resident[sent(rows, self.device)]
        # As int16 the upper half of 16 bits is negative: the mask makes it 32768 and more again.
        values = (pixels if self.top == 255 else pixels.int() & self.top).float()
        image, planes = values[:, : self.channels] / self.top, values[:, self.channels :]
        if size != image.shape[-1]:
            weights = area_weights(image.shape[-1], size).to(self.device, non_blocking=True)
            image = weights @ image @ weights.T
            planes = resized_masks(planes, size)
        if crops(drawn, self.tile, size):
            inside = self.inside(rows, size)
            matrix = cropping(drawn, sides_of(inside), self.tile)
            how = (matrix, self.augmentation.border, self.tile)
            part = None if self.inside.whole else inside
            image = warp_tensor(image, *how, inside=part)
            planes = warp_tensor(planes, *how, mask=True, inside=part)
        elif drawn is not None and self.augmentation.moves:
            image = warp_tensor(image, drawn.matrix, self.augmentation.border)
            planes = warp_tensor(planes, drawn.matrix, self.augmentation.border, mask=True)
        if drawn is not None and self.augmentation.tones:
            image = toned(image, self._column(drawn.gain), self._column(drawn.offset))
        mean, std = (part[:, :, None, None] for part in self.levels(rows, drawn))
        image = (image - mean) / std
        whole = planes.to(torch.uint8 if self.top == 255 else torch.int32)
        return image.contiguous(memory_format=torch.channels_last), whole

    def _all(self) -> torch.Tensor:
        shape = (len(self.places), *self.images.shape)
        resident = torch.empty(shape, dtype=self.kind, device=self.device)
        # In parts: what has been pinned is kept by PyTorch, and takes that memory from all others.
        for start in range(0, len(resident), CHUNK):
            part = np.arange(start, min(start + CHUNK, len(resident)))
            resident[start : start + CHUNK] = self._gather(part)
        return resident

    def _gather(self, rows: np.ndarray) -> torch.Tensor:
        # Pinned memory goes to a GPU while others are computed on there. Of each batch its own:
        # PyTorch uses it again once it has been copied, and not before.
        pinned = self.device.type == "cuda"
        pixels = torch.empty((len(rows), *self.images.shape), dtype=self.kind, pin_memory=pinned)
        self.images.take(self.places[rows], pixels.numpy().view(self.images.dtype))
        return pixels.to(self.device, non_blocking=True)

    def _column(self, values: np.ndarray) -> torch.Tensor:
        return sent(values, self.device, torch.float32)[:, None, None, None]


def crops(drawn: Drawn | None, tile: int | None, size: int) -> bool:
    """Whether a batch is made of crops: where it is augmented, and a tile smaller than that."""
    return drawn is not None and tile is not None and tile < size


def free_memory(device: torch.device) -> int:
    """Free bytes of a GPU; 0 for other devices, where nothing is kept."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


def area_weights(source: int, target: int) -> torch.Tensor:
    """(target, source) float32 with rows summing to one: share of each old pixel in a new one."""
    # float64: an edge that should fall on a pixel's would else leave a sliver of its neighbour.
    edges = torch.arange(target + 1, dtype=torch.float64) * source / target
    left = torch.arange(source, dtype=torch.float64)
    overlap = torch.minimum(edges[1:, None], left + 1) - torch.maximum(edges[:-1, None], left)
    return (overlap.clamp(min=0) * target / source).float()


def resized_masks(planes: torch.Tensor, size: int) -> torch.Tensor:
    """Masks (B, P, H, W) float at another side, by nearest neighbour."""
    if not planes.shape[1]:
        return planes.new_empty((len(planes), 0, size, size))
    return functional.interpolate(planes, (size, size), mode="nearest-exact")
