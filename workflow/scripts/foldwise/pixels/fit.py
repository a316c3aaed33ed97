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
    """`stretch` and `crop` fill the square; the others keep all, centred; `native` enlarges not."""
    top, bottom, left, right = box
    height, width = bottom - top, right - left
    if fit == "stretch":
        return Place(box, size, size, 0, 0)
    if fit == "crop":
        side = min(height, width)
        down, across = (height - side) / 2, (width - side) / 2
        return Place((top + down, bottom - down, left + across, right - across), size, size, 0, 0)
    scale = size / max(height, width)
    if fit == "native":
        scale = min(scale, 1.0)
    # At least 1: a very long strip would else have no pixel left.
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    return Place(box, rows, columns, (size - rows) // 2, (size - columns) // 2)


Mask = Callable[[slice, slice, int], np.ndarray]


def tissue_box(foreground_of: Mask, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Bounding box (top, bottom, left, right) of the largest connected foreground.

    `foreground_of(rows, columns, step)` gives the mask (uint8) of a part of the picture. Found on
    every eighth pixel; each side is then moved to the exact row or column. A part that hangs on by
    less than eight pixels may be left out.
    """
    rows, columns = shape
    coarse = foreground_of(slice(0, rows), slice(0, columns), STEP)
    # On the subsample: on the whole picture this alone takes ten times as long as all the rest.
    count, labels, stats, _ = cv2.connectedComponentsWithStats(coarse, connectivity=8)
    if count < 2:
        return 0, rows, 0, columns
    # The largest: letters and markers beside the breast are foreground too. 0 is the background.
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    part = labels == largest
    down, across = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    turned = _turned(foreground_of)
    return (
        # The outermost pixel may stand on a cell of the second line: the first may just miss it.
        _near(foreground_of, part[down[:2]].any(axis=0), int(down[0]), columns),
        _far(foreground_of, part[down[-2:]].any(axis=0), int(down[-1]), shape),
        _near(turned, part[:, across[:2]].any(axis=1), int(across[0]), rows),
        _far(turned, part[:, across[-2:]].any(axis=1), int(across[-1]), shape[::-1]),
    )


def _turned(foreground_of: Mask) -> Mask:
    def turned(rows: slice, columns: slice, step: int) -> np.ndarray:
        return foreground_of(columns, rows, step).T

    return turned


def _near(foreground_of: Mask, line: np.ndarray, coarse: int, width: int) -> int:
    """First row of the foreground that hangs together with the component's first coarse rows."""
    start = max(0, (coarse - 2) * STEP + 1)
    used = _used(foreground_of, line, slice(start, coarse * STEP + 1), width)
    return coarse * STEP + 1 - _run(used[::-1])


def _far(foreground_of: Mask, line: np.ndarray, coarse: int, shape: tuple[int, int]) -> int:
    """Row after the last one that hangs together with the component's last coarse rows."""
    stop = min(shape[0], (coarse + 2) * STEP)
    used = _used(foreground_of, line, slice(coarse * STEP, stop), shape[1])
    return coarse * STEP + _run(used)


def _run(used: np.ndarray) -> int:
    """Rows up to the first unused one. The strip spans two steps: a round tip may pass between
    two samples; beyond a gap another part begins."""
    gaps = np.flatnonzero(~used)
    return int(gaps[0]) if len(gaps) else len(used)


def _used(foreground_of: Mask, line: np.ndarray, rows: slice, width: int) -> np.ndarray:
    """Which rows of a strip hold foreground within eight pixels of the component's cells."""
    cells = np.flatnonzero(line)
    left = max(0, (int(cells[0]) - 1) * STEP + 1)
    right = min(width, (int(cells[-1]) + 1) * STEP)
    strip = foreground_of(rows, slice(left, right), 1)
    near = np.convolve(line, [1, 1, 1], mode="same") > 0
    allowed = np.repeat(near, STEP)[: width + STEP]
    return (strip & allowed[left:right][: strip.shape[1]]).any(axis=1)
