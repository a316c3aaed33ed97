"""Made-up mammograms: only their size, bits and grain are like real ones."""

import cv2
import numpy as np


def film(rows: int, columns: int, bits: int = 12, seed: int = 0) -> np.ndarray:
    """(rows, columns) uint16: half an ellipse of structured tissue with grain on black."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : rows * 1j, 0 : 1.05 : columns * 1j]
    depth = np.clip(1 - (y / 0.92) ** 2 - (x / 0.85) ** 2, 0, None)
    texture = np.zeros((rows, columns), np.float32)
    for cells in (6, 20, 70, 240):
        coarse = random.normal(size=(cells, cells)).astype(np.float32)
        texture += cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC) / cells**0.5
    grain = random.normal(size=(rows, columns)).astype(np.float32)
    value = np.sqrt(depth) * (0.55 + 0.25 * texture) + 0.004 * grain * (depth > 0)
    return (np.clip(value, 0, 1) * ((1 << bits) - 1)).astype(np.uint16)
