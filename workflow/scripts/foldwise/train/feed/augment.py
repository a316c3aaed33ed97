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
from foldwise.train.feed.device import sent
from foldwise.train.feed.draws import uniform

# All are drawn whatever is switched on, so that one strength does not shift another's draws.
DRAWS = 12
# What lies beyond the picture: the same for OpenCV and PyTorch.
BORDERS = {"black": (cv2.BORDER_CONSTANT, "zeros"), "reflect": (cv2.BORDER_REFLECT, "reflection")}


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
    border: str = "black"
    quarter_turn: float = 0.0
    invert: float = 0.0

    @property
    def moves(self) -> bool:
        """True if any pixel may change its place."""
        flips = self.flip_horizontal, self.flip_vertical, self.quarter_turn
        return any((*flips, self.rotate_deg, self.zoom, self.shift))

    @property
    def tones(self) -> bool:
        """True if any grey value may change."""
        return bool(self.brightness or self.contrast or self.invert)


@dataclass(frozen=True)
class Drawn:
    """What one batch of B samples gets."""

    matrix: np.ndarray  # (B, 2, 3): from target to source, coordinates in sides from the centre
    gain: np.ndarray  # (B,), negative where grey levels are turned round
    offset: np.ndarray  # (B,), share of the grey range
    mirrored: np.ndarray  # (B,) bool: flipped left to right
    corner: np.ndarray  # (B, 2) in 0..1: where a crop lies, across and down


def draw(
    augmentation: Augmentation, seed: int, epoch: int, keys: np.ndarray, repeats: np.ndarray
) -> Drawn:
    """Draw for samples `keys` (B,); `repeats` (B,) tells apart one sample drawn several times."""
    # Keyed by sample and not by place in the batch: resuming, another batch size or another order
    # give each picture the same draws.
    stream = stream_seed(seed, "augment", epoch)
    u = uniform(stream, keys ^ repeats.astype(np.uint64), DRAWS)
    # -1..1: a strength is the largest change to either side, so that none is the middle of all.
    signed = 2 * u - 1
    mirrored = u[:, 0] < augmentation.flip_horizontal
    matrix = _matrices(augmentation, signed, mirrored, u[:, 1] < augmentation.flip_vertical)
    if augmentation.quarter_turn:
        matrix[:, :, :2] = matrix[:, :, :2] @ _quarters(u[:, 10], augmentation.quarter_turn)
    gain = 1 + augmentation.contrast * signed[:, 6]
    # Contrast turns about the middle of the grey range.
    offset = augmentation.brightness * signed[:, 7] + (1 - gain) / 2
    # 1 - (gain v + offset): the clipping to 0..1 that follows is the same from either end.
    inverted = u[:, 11] < augmentation.invert
    gain, offset = np.where(inverted, -gain, gain), np.where(inverted, 1 - offset, offset)
    return Drawn(matrix, gain, offset, mirrored, u[:, 8:10])


def _matrices(
    augmentation: Augmentation, signed: np.ndarray, mirrored: np.ndarray, turned: np.ndarray
) -> np.ndarray:
    angle = np.deg2rad(augmentation.rotate_deg) * signed[:, 2]
    # The map goes from target to source, so that no target pixel stays empty: it holds inverses.
    scale = 1 / (1 + augmentation.zoom * signed[:, 3])
    # Multiplies rows, that is the source's coordinates: a picture is mirrored first, then turned.
    flip = np.stack([np.where(mirrored, -1.0, 1.0), np.where(turned, -1.0, 1.0)], axis=1)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = rotation.transpose(2, 0, 1) * scale[:, None, None] * flip[:, :, None]
    moved = augmentation.shift * signed[:, 4:6]
    return np.concatenate([linear, moved[:, :, None]], axis=2)


def _quarters(u: np.ndarray, probability: float) -> np.ndarray:
    """(B, 2, 2) turns by 90, 180 or 270 degrees, each as likely; none where u is not below."""
    # Whole numbers, not sines: a quarter of a turn moves pixels without interpolating them.
    turns = np.array([np.eye(2), [[0, -1], [1, 0]], -np.eye(2), [[0, 1], [-1, 0]]])
    return turns[np.where(u < probability, 1 + np.floor(3 * u / probability), 0).astype(int)]


def cropping(drawn: Drawn, sides: np.ndarray, tile: int) -> np.ndarray:
    """(B, 2, 3) maps from a crop of `tile` pixels to its place in a picture.

    `sides` (B, 2) are the pictures' width and height. Coordinates are in sides from the centre, of
    the crop and of the picture.
    """
    # Whole pixels, so that a crop that is not moved otherwise is not interpolated either.
    corner = np.floor(drawn.corner * (np.maximum(sides - tile, 0) + 1))
    moved = drawn.matrix[:, :, 2] * tile + corner + (tile - sides) / 2
    linear = drawn.matrix[:, :, :2] * (tile / sides)[:, :, None]
    return np.concatenate([linear, (moved / sides)[:, :, None]], axis=2)


def sides_of(inside: np.ndarray) -> np.ndarray:
    """(B, 2) width and height of parts (B, 4) that are given as top, bottom, left, right."""
    return inside[:, [3, 1]] - inside[:, [2, 0]]


def pixel_matrices(matrix: np.ndarray, source: np.ndarray, out: np.ndarray) -> np.ndarray:
    """(B, 2, 3) maps between pixel indices, from those between coordinates in sides.

    `source` (2,) or (B, 2) and `out` (2,) are the widths and heights of the picture and of what is
    made of it.
    """
    # Index 0 is the centre of the first pixel, half a pixel inside the side: hence the (n - 1) / 2.
    side, made = (np.asarray(shape, dtype=np.float64) for shape in (source, out))
    linear = matrix[:, :, :2] * side[..., :, None] / made[None, :]
    shift = matrix[:, :, 2] * side + (side - 1) / 2 - linear @ ((made - 1) / 2)
    return np.concatenate([linear, shift[:, :, None]], axis=2)


def warp_planes(
    planes: np.ndarray, inverse: np.ndarray, out: np.ndarray, channels: int, border: str
) -> None:
    """Move one picture's `planes` (C, H, W) of integers into `out`; from `channels` on by nearest.

    `inverse` (2, 3) maps pixel indices of `out` to those of `planes`.
    """
    for number, plane in enumerate(planes):
        # Between two labels lies no label: masks take the nearest.
        how = cv2.INTER_LINEAR if number < channels else cv2.INTER_NEAREST
        out[number] = cv2.warpAffine(
            plane,
            inverse,
            # OpenCV's sizes are (width, height).
            out.shape[:0:-1],
            # `inverse` leads from target to source already: without the flag OpenCV inverts it.
            flags=how | cv2.WARP_INVERSE_MAP,
            borderMode=BORDERS[border][0],
        )


def warp_pixels(
    pixels: np.ndarray, matrix: np.ndarray, channels: int, border: str = "black"
) -> None:
    """Move `pixels` (B, C, H, W) of integers in place; planes from `channels` on by nearest."""
    shape = pixels.shape[:1:-1]
    for planes, inverse in zip(pixels, pixel_matrices(matrix, shape, shape), strict=True):
        warp_planes(planes, inverse, planes, channels, border)


def warp_tensor(
    image: torch.Tensor,
    matrix: np.ndarray,
    border: str = "black",
    out: int | None = None,
    mask: bool = False,
    inside: np.ndarray | None = None,
) -> torch.Tensor:
    """Move `image` (B, C, S, S) float on its device to side `out`; masks by nearest.

    With `inside` (B, 4) the matrix leads into that part of the square, and beyond it is `border`.
    """
    out = out or image.shape[-1]
    # A study without masks has no planes to move.
    if not image.shape[1]:
        return image.new_empty((*image.shape[:2], out, out))
    # grid_sample counts in half sides from the centre.
    halves = sent(matrix * [1, 1, 2], image.device, image.dtype)
    shape = [*image.shape[:2], out, out]
    # -1 and 1 are the outer edges of pixels, not their centres, as `pixel_matrices` has it.
    grid = functional.affine_grid(halves, shape, align_corners=False)
    if inside is not None:
        grid = _into(grid, inside, image.shape[-1], border)
    return functional.grid_sample(
        image,
        grid,
        mode="nearest" if mask else "bilinear",
        padding_mode=BORDERS[border][1],
        align_corners=False,
    )


def _into(grid: torch.Tensor, inside: np.ndarray, side: int, border: str) -> torch.Tensor:
    """Coordinates (B, S, S, 2) in half sides of parts of a square as those in its half sides."""
    corner, sides = (
        sent(part, grid.device, grid.dtype)[:, None, None]
        for part in (inside[:, [2, 0]], sides_of(inside))
    )
    pixel = (grid + 1) / 2 * sides
    if border == "reflect":
        # By hand: grid_sample would mirror at the square's edge. Black is what lies there anyway.
        pixel = sides - (sides - pixel.remainder(2 * sides)).abs()
        pixel = torch.minimum(pixel.clamp(min=0.5), sides - 0.5)
    return (corner + pixel) / side * 2 - 1


def toned(values: Any, gain: Any, offset: Any) -> Any:
    """Brightness and contrast of values in 0..1, arrays or tensors, kept within 0..1."""
    return (values * gain + offset).clip(0, 1)
