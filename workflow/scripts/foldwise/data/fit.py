"""Where a picture's pixels land in the square that is cached."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

# Share of the grey scale above which a pixel counts as tissue when the breast is looked for.
TISSUE = 0.05
STEP = 8


@dataclass(frozen=True)
class Place:
    """`box` (top, bottom, left, right) in full-resolution pixel edges becomes (rows, columns)
    at (top_row, left_column) of the square; the rest stays black."""

    box: tuple[float, float, float, float]
    rows: int
    columns: int
    top_row: int
    left_column: int


def place(fit: str, size: int, box: tuple[float, float, float, float]) -> Place:
    """`stretch` and `crop` fill the square; `letterbox` and `breast` keep all, centred."""
    top, bottom, left, right = box
    height, width = bottom - top, right - left
    if fit == "stretch":
        return Place(box, size, size, 0, 0)
    if fit == "crop":
        side = min(height, width)
        down, across = (height - side) / 2, (width - side) / 2
        return Place((top + down, bottom - down, left + across, right - across), size, size, 0, 0)
    scale = size / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    return Place(box, rows, columns, (size - rows) // 2, (size - columns) // 2)


Mask = Callable[[slice, slice, int], np.ndarray]


def tissue_box(foreground_of: Mask, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Bounding box (top, bottom, left, right) of the largest connected foreground.

    `foreground_of(rows, columns, step)` gives the mask (uint8) of a part of the picture. Found on
    every eighth pixel; each side is then moved to the exact row or column.
    """
    rows, columns = shape
    coarse = foreground_of(slice(0, rows), slice(0, columns), STEP)
    count, _, stats, _ = cv2.connectedComponentsWithStats(coarse, connectivity=8)
    if count < 2:
        return 0, rows, 0, columns
    found = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    x, y, width, height = (int(value) for value in stats[found, :4])
    top, bottom = _widen(y, y + height, rows)
    left, right = _widen(x, x + width, columns)
    return (
        _first(foreground_of(slice(top, top + STEP), slice(left, right), 1), 1, top),
        _last(foreground_of(slice(bottom - STEP, bottom), slice(left, right), 1), 1, bottom),
        _first(foreground_of(slice(top, bottom), slice(left, left + STEP), 1), 0, left),
        _last(foreground_of(slice(top, bottom), slice(right - STEP, right), 1), 0, right),
    )


def _first(mask: np.ndarray, axis: int, start: int) -> int:
    return start + int(np.argmax(mask.any(axis=axis)))


def _last(mask: np.ndarray, axis: int, stop: int) -> int:
    return stop - int(np.argmax(mask.any(axis=axis)[::-1]))


def _widen(start: int, stop: int, length: int) -> tuple[int, int]:
    """Full-resolution range that surely holds the coarse one [start, stop)."""
    return max(0, (start - 1) * STEP + 1), min(length, stop * STEP)
