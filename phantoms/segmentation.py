"""Made-up bead micrographs cut into tiles: `<root>/images`, `<root>/masks`, `<root>/tiles.csv`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foldwise.files import write_csv
from foldwise.hashing import stream_seed
from phantoms.beads import Specimen, draw_specimen, micrograph
from phantoms.fields import levels
from phantoms.png import write_png

COLUMNS = ["image", "mask", "specimen"]
TILES_ACROSS = 2


@dataclass(frozen=True)
class Tile:
    """One part of a micrograph; image and mask have the same file name."""

    name: str
    specimen: str
    row: int
    column: int


def make_segmentation(
    root: Path, specimens: int = 16, seed: int = 1, size: int = 128
) -> list[Tile]:
    """Write one micrograph a specimen as four colour tiles of `size` x `size` pixels with masks.

    Tiles of one specimen share light, dilution and beads cut by their borders: split by specimen.
    """
    tiles = []
    for number in range(specimens):
        specimen = draw_specimen(stream_seed(seed, "specimen", number))
        tiles += _write_tiles(root, f"beads_{number:03d}", specimen, size)
    write_tiles_table(root, tiles)
    return tiles


def write_tiles_table(root: Path, tiles: list[Tile]) -> None:
    """Write tiles.csv: image, mask and specimen of each tile."""
    rows = [(f"images/{t.name}", f"masks/{t.name}", t.specimen) for t in tiles]
    write_csv(root / "tiles.csv", COLUMNS, [dict(zip(COLUMNS, row, strict=True)) for row in rows])


def _write_tiles(root: Path, name: str, specimen: Specimen, size: int) -> list[Tile]:
    picture, mask = micrograph(specimen, TILES_ACROSS * size)
    tiles = []
    for row, column in np.ndindex(TILES_ACROSS, TILES_ACROSS):
        place = np.s_[row * size : (row + 1) * size, column * size : (column + 1) * size]
        tile = Tile(f"{name}_r{row}_c{column}.png", name, row, column)
        write_png(root / "images" / tile.name, levels(picture[place], 8))
        write_png(root / "masks" / tile.name, mask[place])
        tiles.append(tile)
    return tiles
