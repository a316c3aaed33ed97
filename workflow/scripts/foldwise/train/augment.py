"""Augmentation of whole batches: every draw is keyed by seed, epoch and sample.

One affine map a sample moves the image and all planes that belong to it (masks by nearest
neighbour), then brightness and contrast change the image alone. The same draws are applied by
OpenCV to integer pixels in memory (many times faster than PyTorch on a CPU) or by PyTorch to
float pixels on the device.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional

from foldwise.hashing import stream_seed
from foldwise.train.draws import uniform

DRAWS = 8


@dataclass(frozen=True)
class Augmentation:
    """Strengths as in the settings' branch `augment`."""

    flip_horizontal: float = 0.0
    flip_vertical: float = 0.0
    rotate_deg: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0

    @property
    def moves(self) -> bool:
        """True if any pixel may change its place."""
        strengths = self.flip_horizontal, self.flip_vertical, self.rotate_deg, self.zoom, self.shift
        return any(strengths)

    @property
    def tones(self) -> bool:
        """True if any grey value may change."""
        return bool(self.brightness or self.contrast)


@dataclass(frozen=True)
class Drawn:
    """What one batch of B samples gets."""

    matrix: np.ndarray  # (B, 2, 3): from target to source, coordinates in sides from the centre
    gain: np.ndarray  # (B,)
    offset: np.ndarray  # (B,), share of the grey range
    mirrored: np.ndarray  # (B,) bool: flipped left to right


def draw(
    augmentation: Augmentation, seed: int, epoch: int, keys: np.ndarray, repeats: np.ndarray
) -> Drawn:
    """Draw for samples `keys` (B,); `repeats` (B,) tells apart one sample drawn several times."""
    stream = stream_seed(seed, "augment", epoch)
    u = uniform(stream, keys ^ repeats.astype(np.uint64), DRAWS)
    signed = 2 * u - 1
    mirrored = u[:, 0] < augmentation.flip_horizontal
    matrix = _matrices(augmentation, signed, mirrored, u[:, 1] < augmentation.flip_vertical)
    gain = 1 + augmentation.contrast * signed[:, 6]
    # Contrast turns about the middle of the grey range.
    offset = augmentation.brightness * signed[:, 7] + (1 - gain) / 2
    return Drawn(matrix, gain, offset, mirrored)


def _matrices(
    augmentation: Augmentation, signed: np.ndarray, mirrored: np.ndarray, turned: np.ndarray
) -> np.ndarray:
    angle = np.deg2rad(augmentation.rotate_deg) * signed[:, 2]
    scale = 1 / (1 + augmentation.zoom * signed[:, 3])
    flip = np.stack([np.where(mirrored, -1.0, 1.0), np.where(turned, -1.0, 1.0)], axis=1)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = rotation.transpose(2, 0, 1) * scale[:, None, None] * flip[:, :, None]
    moved = augmentation.shift * signed[:, 4:6]
    return np.concatenate([linear, moved[:, :, None]], axis=2)


def pixel_matrices(matrix: np.ndarray, height: int, width: int) -> np.ndarray:
    """(B, 2, 3) maps between pixel indices, from those between coordinates in sides."""
    side = np.array([width, height], dtype=np.float64)
    middle = (side - 1) / 2
    linear = matrix[:, :, :2] * side[:, None] / side[None, :]
    shift = matrix[:, :, 2] * side + middle - linear @ middle
    return np.concatenate([linear, shift[:, :, None]], axis=2)


def warp_pixels(pixels: np.ndarray, matrix: np.ndarray, channels: int) -> None:
    """Move `pixels` (B, C, H, W) of integers in place; planes from `channels` on by nearest."""
    size = pixels.shape[:1:-1]
    for planes, inverse in zip(pixels, pixel_matrices(matrix, *pixels.shape[2:]), strict=True):
        for number, plane in enumerate(planes):
            how = cv2.INTER_LINEAR if number < channels else cv2.INTER_NEAREST
            planes[number] = cv2.warpAffine(plane, inverse, size, flags=how | cv2.WARP_INVERSE_MAP)


def warp_tensor(image: torch.Tensor, matrix: np.ndarray, mask: bool = False) -> torch.Tensor:
    """Move `image` (B, C, S, S) float on its device; masks by nearest."""
    # grid_sample counts in half sides from the centre.
    halves = torch.from_numpy(matrix * [1, 1, 2]).to(image.device, image.dtype)
    grid = functional.affine_grid(halves, list(image.shape), align_corners=False)
    mode = "nearest" if mask else "bilinear"
    if not image.shape[1]:
        return image
    return functional.grid_sample(image, grid, mode=mode, align_corners=False)


def toned(values: Any, gain: Any, offset: Any) -> Any:
    """Brightness and contrast of values in 0..1, arrays or tensors, kept within 0..1."""
    return (values * gain + offset).clip(0, 1)
