"""Tiny made-up bead tiles with masks, with faults on demand."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from phantoms.segmentation import Tile, make_segmentation


def segmentation_archive(
    folder: Path, specimens: int = 4, size: int = 64, seed: int = 1, faults: Iterable[str] = ()
) -> Path:
    """`images/`, `masks/` (equal names, four tiles a specimen) and `tiles.csv`.

    `faults` are names out of MASK_FAULTS; each spoils a tile of its own.
    """
    tiles = make_segmentation(folder, specimens, seed, size)
    for fault in faults:
        MASK_FAULTS[fault](folder, tiles[list(MASK_FAULTS).index(fault)])
    return folder


def _rewrite(folder: Path, tile: Tile, change) -> None:
    path = str(folder / "masks" / tile.name)
    assert cv2.imwrite(path, change(cv2.imread(path, cv2.IMREAD_UNCHANGED)))


def _other_size(folder: Path, tile: Tile) -> None:
    _rewrite(folder, tile, lambda mask: mask[:-8])


def _grey_edges(folder: Path, tile: Tile) -> None:
    _rewrite(folder, tile, lambda mask: cv2.GaussianBlur(mask, (0, 0), 1.0))


def _empty_mask(folder: Path, tile: Tile) -> None:
    _rewrite(folder, tile, np.zeros_like)


def _mask_without_image(folder: Path, tile: Tile) -> None:
    (folder / "images" / tile.name).unlink()


def _image_without_mask(folder: Path, tile: Tile) -> None:
    (folder / "masks" / tile.name).unlink()


def _truncated_mask(folder: Path, tile: Tile) -> None:
    path = folder / "masks" / tile.name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


MASK_FAULTS = {
    "other_size": _other_size,
    "grey_edges": _grey_edges,
    "empty_mask": _empty_mask,
    "mask_without_image": _mask_without_image,
    "image_without_mask": _image_without_mask,
    "truncated_mask": _truncated_mask,
}
