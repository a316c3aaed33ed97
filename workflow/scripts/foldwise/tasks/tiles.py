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
    if inside is not None and tile is not None:
        return _tiled_parts(apply, image_bchw, tile, overlap, inside)
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


def _tiled_parts(
    apply: Apply, image_bchw: Tensor, tile: int, overlap: float, inside: Tensor
) -> tuple[Tensor, Tensor]:
    parts = inside.tolist()
    places = [
        (n, top + down, left + across)
        for n, (top, bottom, left, right) in enumerate(parts)
        for down in starts(bottom - top, tile, overlap)
        for across in starts(right - left, tile, overlap)
    ]
    weight = blend(tile, overlap).to(image_bchw.device, torch.float32)
    total, sums, rows = _asked(apply, image_bchw, parts, places, weight)
    count = torch.bincount(torch.tensor([n for n, _, _ in places]), minlength=len(parts))
    # No tile reaches where the sum of weights is 0, and none has said anything there.
    return total / sums.where(sums > 0, 1.0), rows / count.to(rows.device)[:, None]


def _asked(
    apply: Apply,
    image_bchw: Tensor,
    parts: list[list[int]],
    places: list[tuple[int, int, int]],
    weight: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Sums of weighted answers (B, K, H, W), of weights (B, 1, H, W), of rows (B, D)."""
    tile, total = len(weight), None
    # Tiles of several images together, as many as a batch has: small images have few of them.
    for first in range(0, len(places), len(parts)):
        chunk = places[first : first + len(parts)]
        seen = torch.stack([_window(image_bchw[n], parts[n], (y, x), tile) for n, y, x in chunk])
        answers, features = apply(seen.contiguous(memory_format=torch.channels_last))
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
            rows[n] += row
    return total, sums, rows


def _window(image_chw: Tensor, part: list[int], corner: tuple[int, int], tile: int) -> Tensor:
    """(C, T, T) of an image from `corner` on, mirrored beyond the edges of its part."""
    top, bottom, left, right = part
    rows = mirrored(corner[0] - top, bottom - top, tile).to(image_chw.device) + top
    columns = mirrored(corner[1] - left, right - left, tile).to(image_chw.device) + left
    return image_chw[:, rows][:, :, columns]


def mirrored(first: int, length: int, count: int) -> Tensor:
    """`count` places from `first` on of a row of `length`, which is mirrored at its ends."""
    place = (torch.arange(count) + first) % (2 * length)
    return torch.where(place < length, place, 2 * length - 1 - place)
