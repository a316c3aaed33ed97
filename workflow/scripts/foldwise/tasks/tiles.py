"""A picture's answer put together from overlapping tiles, where the whole does not fit."""

import math
from collections import Counter
from collections.abc import Callable
from itertools import zip_longest

import torch
from torch import Tensor

# What a tile gives: its answer (B, K, T, T), and one row an image (B, D).
Apply = Callable[[Tensor], tuple[Tensor, Tensor]]


def starts(side: int, tile: int, overlap: float) -> list[int]:
    """First pixels of tiles that cover `side`, neighbours sharing at least `overlap` of a tile."""
    if tile >= side:
        return [0]
    steps = math.ceil((side - tile) / max(1, math.floor(tile * (1 - overlap))))
    # Spread evenly: else the last tile would share most of its pixels with the one before it.
    return [round((side - tile) * number / steps) for number in range(steps + 1)]


def blend(tile: int, overlap: float) -> Tensor:
    """(T, T) positive weights: 1 in the middle, falling evenly to the edge over the overlap."""
    place = torch.arange(tile, dtype=torch.float64)
    inside = torch.minimum(place, tile - 1 - place) + 0.5
    # Never 0, as `inside` starts at a half: each pixel is divided by the sum of its weights.
    ramp = (inside / max(overlap * tile, 0.5)).clamp_max(1)
    return ramp[:, None] * ramp[None, :]


def tiled(
    apply: Apply,
    image_bchw: Tensor,
    tile: int | None,
    overlap: float,
    inside: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Answer (B, K, H, W) float32 of an image from its tiles, and the mean of their rows (B, D).

    With `tile` None, or not smaller than the image, `apply` sees the image itself. With `inside`
    (B, 4: top, bottom, left, right) tiles lie in that part of each image, and beyond it the answer
    is 0.
    """
    side = image_bchw.shape[-1]
    if tile is None or (inside is None and tile >= side):
        answer, row = apply(image_bchw)
        return answer.float(), row.float()
    parts = [[0, side, 0, side]] * len(image_bchw) if inside is None else inside.tolist()
    weight = blend(tile, overlap).to(image_bchw.device, torch.float32)
    total, sums, rows = _summed(apply, image_bchw, parts, _corners(parts, tile, overlap), weight)
    # No tile reaches where the sum of weights is 0, and none has said anything there.
    return total / sums.where(sums > 0, 1.0), rows


def _corners(parts: list[list[int]], tile: int, overlap: float) -> list[tuple[int, int, int]]:
    """Number of the image, top and left of each tile: the first of every image, the second, ..."""
    of_image = [
        [
            (n, top + down, left + across)
            for down in starts(bottom - top, tile, overlap)
            for across in starts(right - left, tile, overlap)
        ]
        for n, (top, bottom, left, right) in enumerate(parts)
    ]
    # Small images have fewer tiles than large ones.
    return [one for step in zip_longest(*of_image) for one in step if one is not None]


def _summed(
    apply: Apply,
    image_bchw: Tensor,
    parts: list[list[int]],
    corners: list[tuple[int, int, int]],
    weight: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Sums of weighted answers (B, K, H, W) and of weights (B, 1, H, W); mean rows (B, D)."""
    tile, total = len(weight), None
    counts = Counter(n for n, _, _ in corners)
    # As many tiles together as a batch has images: they fit into memory like those.
    for first in range(0, len(corners), len(parts)):
        chunk = corners[first : first + len(parts)]
        shape = (len(chunk), image_bchw.shape[1], tile, tile)
        # The layout for which convolutions are fast.
        seen = torch.empty(
            shape,
            dtype=image_bchw.dtype,
            device=image_bchw.device,
            memory_format=torch.channels_last,
        )
        for target, (n, y, x) in zip(seen, chunk, strict=True):
            target.copy_(_window(image_bchw[n], parts[n], (y, x), tile))
        answers, features = apply(seen)
        answers, features = answers.float(), features.float()
        if total is None:
            total = answers.new_zeros((len(parts), answers.shape[1], *image_bchw.shape[2:]))
            sums, rows = total[:, :1].clone(), features.new_zeros((len(parts), features.shape[1]))
        for (n, y, x), answer, row in zip(chunk, answers, features, strict=True):
            # Of a picture smaller than a tile, only what is the picture.
            height, width = min(tile, parts[n][1] - y), min(tile, parts[n][3] - x)
            place = (n, slice(None), slice(y, y + height), slice(x, x + width))
            total[place] += (answer * weight)[:, :height, :width]
            sums[place] += weight[:height, :width]
            rows[n] += row / counts[n]
    return total, sums, rows


def _window(image_chw: Tensor, part: list[int], corner: tuple[int, int], tile: int) -> Tensor:
    """(C, T, T) of an image from `corner` on, mirrored beyond the edges of its part."""
    top, bottom, left, right = part
    y, x = corner
    if y + tile <= bottom and x + tile <= right:
        return image_chw[:, y : y + tile, x : x + tile]
    rows = mirrored(y - top, bottom - top, tile).to(image_chw.device) + top
    columns = mirrored(x - left, right - left, tile).to(image_chw.device) + left
    return image_chw[:, rows][:, :, columns]


def mirrored(first: int, length: int, count: int) -> Tensor:
    """`count` places from `first` on of a row of `length`, which is mirrored at its ends."""
    place = (torch.arange(count) + first) % (2 * length)
    return torch.where(place < length, place, 2 * length - 1 - place)
