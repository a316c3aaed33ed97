"""Masks: foreground by a stated rule, laid into the square exactly as the image is."""

import hashlib

import numpy as np

from foldwise.pixels.fit import Place
from foldwise.pixels.picture import Picture, UnreadableImage
from foldwise.pixels.window import inverted

# Values that smooth edges of a mask do not have: a photograph has.
MANY = 64


def foreground(mask: Picture, rule: str) -> np.ndarray:
    """(H, W) bool. `half`: above half of the scale, `nonzero`: anything but 0, in any channel.

    The scale is that of the stored bits, or 1 where nothing is larger. What is no number is
    background. Raises UnreadableImage mask_dim where there are values other than 0 and none above
    half: object numbers, most often.
    """
    values = mask_values(mask)
    if rule == "nonzero":
        return values != 0
    mask_hw = values > half_scale(mask)
    if values.any() and not mask_hw.any():
        raise UnreadableImage("mask_dim")
    return mask_hw


def mask_values(mask: Picture) -> np.ndarray:
    """(H, W): the largest channel, since grey of a dark or blue colour rounds to nothing; NaN and
    padding as 0."""
    values = inverted(mask, mask.stored)
    values = values if values.ndim == 2 else values.max(axis=-1)
    if mask.padding is not None:
        values = np.where(mask.padding, 0, values)
    return values if mask.is_integer else np.nan_to_num(values)


def half_scale(mask: Picture) -> float:
    """Half of the largest value that the mask's pixels can have."""
    largest = mask_values(mask).max()
    if largest <= 1:
        return 0.5
    if mask.is_integer:
        return mask.stored_range[1] / 2
    return 255 / 2 if largest <= 255 else largest / 2  # floats of a program that counts in bytes


def is_grey(mask: Picture) -> bool:
    """Whether there are values between the two that a mask of two values has."""
    values = mask_values(mask)
    return not ((values == 0) | (values == values.max())).all()


def is_swapped(image: Picture, mask: Picture) -> bool:
    """Whether the image has two values and the mask many, as where two columns are mixed up."""
    # Every fourth pixel is enough to see that a film has many values, sixteen times faster.
    values = np.unique(mask_values(image)[::4, ::4])
    return len(values) <= 2 and not is_grey(image) and len(np.unique(mask_values(mask))) > MANY


def mask_digest(mask_hw: np.ndarray) -> str:
    """SHA-256 of a foreground (H, W) bool."""
    total = hashlib.sha256(f"{mask_hw.shape}\n".encode())
    total.update(np.packbits(mask_hw))
    return total.hexdigest()


def placed(mask_hw: np.ndarray, where: Place, size: int) -> np.ndarray:
    """(size, size) bool: of a foreground (H, W) the pixel under each output pixel's centre."""
    rows, columns = mask_hw.shape
    down = _nearest(where.box[:2], where.rows, rows)
    across = _nearest(where.box[2:], where.columns, columns)
    out = np.zeros((size, size), bool)
    bottom, right = where.top_row + where.rows, where.left_column + where.columns
    out[where.top_row : bottom, where.left_column : right] = mask_hw[np.ix_(down, across)]
    return out


def _nearest(edges: tuple[float, float], out: int, length: int) -> np.ndarray:
    """Sample under each of `out` cell centres."""
    centres = edges[0] + (np.arange(out) + 0.5) * (edges[1] - edges[0]) / out
    return np.clip(centres.astype(int), 0, length - 1)
