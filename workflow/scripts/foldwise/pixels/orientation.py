"""The way a picture is looked at, as EXIF tells it."""

import numpy as np
from PIL import Image

TAG = 0x0112
# EXIF 2.32, tag 274: how rows and columns lie in the file; what brings them up.
TURNS = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels.swapaxes(0, 1)[::-1, ::-1],
    8: lambda pixels: np.rot90(pixels),
}


def orientation_of(image: Image.Image) -> int:
    """1 to 8; 1 where the file says nothing that has a meaning."""
    said = image.getexif().get(TAG, 1)
    return said if said in TURNS else 1


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(rows, columns[, samples]) as it is looked at."""
    return TURNS[orientation](pixels) if orientation in TURNS else pixels
