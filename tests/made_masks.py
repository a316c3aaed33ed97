"""A made-up segmentation study in memory: bright discs on an uneven ground."""

import numpy as np

from training import Memory, make_params, make_rows


def mask_rows(number: int) -> list[dict]:
    """Rows of the cohort as the segmentation task reads them."""
    return make_rows(number)


def mask_images(rows: list[dict], size: int = 32) -> Memory:
    """A grey channel and a plane with the truth, (N, 2, size, size) uint8."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[:size, :size]
    pixels = np.empty((len(rows), 2, size, size), np.uint8)
    for planes in pixels:
        found = np.zeros((size, size), bool)
        for _ in range(rng.integers(1, 4)):
            row, column, radius = rng.uniform(0, size), rng.uniform(0, size), size * 0.15
            found |= np.hypot(y - row, x - column) < radius
        ground = 60 + 80 * x / size + rng.normal(0, 12, (size, size))
        planes[:] = np.clip(ground + 70 * found, 0, 255), found
    return Memory(pixels, [row["content"] for row in rows])


def mask_params(size: int = 32, **changes) -> dict:
    """Params of a tiny U-Net."""
    tiles = changes.get("training__tiles", {"size": None, "overlap": 0.25, "per_image": 1})
    own = {
        "kind": "segmentation",
        "task": {"threshold": 0.5, "tiles": tiles},
        "model__name": "unet",
        "model__width": 4,
        "model__dropout": 0.1,
        "loss__name": "combined",
    }
    return make_params(size, **own | changes)
