"""A picture's answer put together from overlapping tiles, where the whole does not fit."""

import math
from collections.abc import Callable

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
    apply: Apply, image_bchw: Tensor, tile: int | None, overlap: float
) -> tuple[Tensor, Tensor]:
    """Answer (B, K, H, W) float32 of an image from its tiles, and the mean of their rows (B, D).

    With `tile` None, or not smaller than the image, `apply` sees the image itself.
    """
    side = image_bchw.shape[-1]
    if tile is None or tile >= side:
        answer, row = apply(image_bchw)
        return answer.float(), row.float()
    places = [
        (top, left) for top in starts(side, tile, overlap) for left in starts(side, tile, overlap)
    ]
    weight = blend(tile, overlap).to(image_bchw.device, torch.float32)
    total = sums = None
    rows = 0
    for top, left in places:
        part = (..., slice(top, top + tile), slice(left, left + tile))
        # A slice has gaps: it is copied into the layout for which convolutions are fast.
        answer, row = apply(image_bchw[part].contiguous(memory_format=torch.channels_last))
        if total is None:
            total = image_bchw.new_zeros((*answer.shape[:2], side, side), dtype=torch.float32)
            sums = torch.zeros_like(total[:1, :1])
        total[part] += answer.float() * weight
        sums[part] += weight
        rows = rows + row.float() / len(places)
    return total / sums, rows
