"""From a Picture to the array that is cached: window, fit, exact area mean, rounding."""

from dataclasses import dataclass

import cv2
import numpy as np

from foldwise.data.fit import TISSUE, Place, place, tissue_box
from foldwise.data.picture import Picture
from foldwise.data.prepared import Prepared
from foldwise.data.resize import resample
from foldwise.data.window import grey_values, pixel_digest


@dataclass(frozen=True)
class ImageSettings:
    """How pictures are prepared; part of the cache's key.

    `percentiles` in percent; `bits` per channel, 8 or 16; `reduce_levels` of JPEG 2000 left out.
    """

    size: int = 256
    fit: str = "letterbox"  # crop | breast | stretch
    window: str = "percentile"  # voi | minmax | none
    percentiles: tuple[float, float] = (0.5, 99.5)
    channels: int = 1
    bits: int = 8
    reduce_levels: int = 0

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.uint8 if self.bits == 8 else np.uint16)

    @property
    def top(self) -> int:
        return (1 << self.bits) - 1


def prepare(picture: Picture, settings: ImageSettings) -> np.ndarray:
    """(C, size, size) uint8 or uint16: black 0, white the largest value.

    Modality and polarity, window, then the mean over each output pixel's area of the windowed
    values, rounded once. Raises UnreadableImage: constant, not_finite, bad_header.
    """
    picture = as_channels(picture, settings.channels)
    values = grey_values(picture, settings.window, settings.percentiles, settings.top)
    where = locate(picture, settings, values)
    box = tuple(_level_edge(edge, picture.reduced) for edge in where.box)
    small = resample(values, box, where.rows, where.columns)
    small = np.clip(np.rint(small), 0, settings.top).astype(settings.dtype)
    out = np.zeros((settings.channels, settings.size, settings.size), settings.dtype)
    rows = slice(where.top_row, where.top_row + where.rows)
    columns = slice(where.left_column, where.left_column + where.columns)
    out[:, rows, columns] = np.moveaxis(np.atleast_3d(small), -1, 0)
    return out


def prepared(picture: Picture, settings: ImageSettings) -> Prepared:
    """`prepare` with what the cache notes beside the pixels."""
    rows, columns = picture.full_shape
    facts = {
        "rows": rows,
        "columns": columns,
        "bits_stored": picture.bits_stored,
        "min": float(picture.stored.min()),
        "max": float(picture.stored.max()),
    }
    return Prepared(prepare(picture, settings), pixel_digest(picture), facts)


def as_channels(picture: Picture, channels: int) -> Picture:
    """Colour as grey by luma (ITU-R BT.601) for one channel."""
    if picture.stored.ndim == 2 or channels == 3:
        return picture
    grey = cv2.cvtColor(np.ascontiguousarray(picture.stored), cv2.COLOR_RGB2GRAY)
    changed = {name: getattr(picture, name) for name in picture.__dataclass_fields__}
    return Picture(**changed | {"stored": grey, "photometric": "MONOCHROME2"})


def locate(picture: Picture, settings: ImageSettings, values: np.ndarray) -> Place:
    """Where the picture goes; `values` are its windowed pixels."""
    rows, columns = picture.full_shape
    box: tuple[float, ...] = (0, rows, 0, columns)
    if settings.fit == "breast":
        box = breast_box(values, TISSUE * settings.top, picture.reduced)
        box = tuple(np.clip(box, 0, (rows, rows, columns, columns)))
    return place(settings.fit, settings.size, box)


def breast_box(values: np.ndarray, level: float, reduced: int) -> tuple[int, ...]:
    """Bounding box of the largest connected part brighter than `level`, full-resolution pixels."""
    grey = values if values.ndim == 2 else values.max(axis=-1)

    def foreground(rows: slice, columns: slice, step: int) -> np.ndarray:
        return (grey[rows, columns][::step, ::step] > level).astype(np.uint8)

    box = tissue_box(foreground, grey.shape)
    return tuple(edge << reduced for edge in box)


def _level_edge(edge: float, reduced: int) -> float:
    """Full-resolution pixel edge on the grid of JPEG 2000 level `reduced`.

    Sample k of level r lies at the centre of pixel 2^r k, not in the middle of 2^r pixels.
    """
    return (edge - 0.5) / (1 << reduced) + 0.5 if reduced else edge


def prepare_mask(mask: Picture, settings: ImageSettings, method: str = "nearest") -> np.ndarray:
    """(1, size, size) uint8 of 0 and 1: foreground is what lies above half of the scale.

    `method`: "nearest" takes the pixel under each output pixel's centre, "area" asks whether
    foreground covers at least half of it. A mask that holds only 0 and 1 has the scale 1.
    """
    mask = as_channels(mask, 1)
    top = mask.stored_range[1] if mask.is_integer else 1.0
    half = top / 2 if mask.stored.max() > 1 else 0.5
    foreground = mask.stored > half
    rows, columns = foreground.shape
    where = place(settings.fit, settings.size, (0, rows, 0, columns))
    if method == "area":
        small = resample(foreground.astype(np.float32), where.box, where.rows, where.columns)
        small = small >= 0.5
    else:
        down = _nearest(where.box[:2], where.rows, rows)
        small = foreground[np.ix_(down, _nearest(where.box[2:], where.columns, columns))]
    out = np.zeros((1, settings.size, settings.size), np.uint8)
    bottom, right = where.top_row + where.rows, where.left_column + where.columns
    out[0, where.top_row : bottom, where.left_column : right] = small
    return out


def _nearest(edges: tuple[float, float], out: int, length: int) -> np.ndarray:
    """Sample under each of `out` cell centres."""
    centres = edges[0] + (np.arange(out) + 0.5) * (edges[1] - edges[0]) / out
    return np.clip(centres.astype(int), 0, length - 1)
