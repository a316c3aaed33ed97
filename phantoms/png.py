"""Pictures as PNG files, whole or absent."""

from pathlib import Path

import cv2
import numpy as np

from foldwise.files import replacing


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 or uint16 pixels (H, W), or (H, W, 3) with blue first."""
    _, encoded = cv2.imencode(".png", pixels)
    with replacing(path) as temporary:
        temporary.write_bytes(encoded.tobytes())
