"""From a Picture to the array that is cached: window, fit, exact area mean, rounding."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from foldwise.pixels.digest import pixel_digest
from foldwise.pixels.fit import TISSUE, Place, place, tissue_box
from foldwise.pixels.percentiles import extremes
from foldwise.pixels.picture import Picture
from foldwise.pixels.prepared import IN_COLOUR, Prepared
from foldwise.pixels.resize import area_mean
from foldwise.pixels.window import Tone, grey, tone_of

# Halves go up, also those that float32 means miss by a hair: encodings must not differ by that.
HALF = 0.5 + 1e-4


@dataclass(frozen=True)
class ImageSettings:
    """How pictures are prepared; part of the cache's key.

    `percentiles` in percent; `bits` per channel, 8 or 16; `reduce_levels` of JPEG 2000 left out.
    `digested`, which no study names: whether what a picture shows gets a digest, by which an audit
    finds it again; it takes half as long as decoding.
    """

    size: int
    fit: str  # letterbox | crop | breast | stretch | native
    window: str  # percentile | voi | minmax | none
    percentiles: tuple[float, float]
    channels: int
    bits: int
    reduce_levels: int
    mask: str  # half | nonzero
    digested: bool = True

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.uint8 if self.bits == 8 else np.uint16)

    @property
    def top(self) -> int:
        return (1 << self.bits) - 1


def prepare(picture: Picture, settings: ImageSettings) -> np.ndarray:
    """(C, size, size) uint8 or uint16: black 0, white the largest value.

    Modality and polarity, window, then the mean over each output pixel's area of the windowed
    values, rounded once. Raises UnreadableImage: constant, not_finite, bad_rescale.
    """
    picture = as_channels(picture, settings.channels)
    return _laid(picture, settings, tone_of(picture, settings.window, settings.percentiles))


def _laid(picture: Picture, settings: ImageSettings, tone: Tone) -> np.ndarray:
    where = locate(picture, settings, tone)
    box = tuple(_level_edge(edge, picture.reduced) for edge in where.box)
    small = area_mean(picture.stored, tone, box, where.rows, where.columns, picture.padding)
    small = (small * settings.top + HALF).astype(settings.dtype)
    # Black beside the picture: a letterbox's margin looks like the air around a breast.
    out = np.zeros((settings.channels, settings.size, settings.size), settings.dtype)
    rows = slice(where.top_row, where.top_row + where.rows)
    columns = slice(where.left_column, where.left_column + where.columns)
    # Grey fills all channels: pretrained networks take three.
    out[:, rows, columns] = np.moveaxis(np.atleast_3d(small), -1, 0)
    return out


def prepared(picture: Picture, settings: ImageSettings) -> Prepared:
    """`prepare` with what the cache notes beside the pixels."""
    shown = as_channels(picture, settings.channels)
    tone = tone_of(shown, settings.window, settings.percentiles)
    rows, columns = picture.full_shape
    low, high = extremes(picture.seen)
    facts = {
        "rows": rows,
        "columns": columns,
        "bits_stored": picture.bits_stored,
        "min": float(low),
        "max": float(high),
    }
    if picture.stored.ndim == 3:
        facts[IN_COLOUR] = True  # by its pixels: grey stored as colour is grey
    if settings.window == "voi":
        facts["voi"] = tone.by_file  # without one the window is that of the percentiles
    if settings.fit == "native":
        facts["inside"] = _inside(locate(shown, settings, tone))
    digest = pixel_digest(picture) if settings.digested else ""
    return Prepared(_laid(shown, settings, tone), digest, facts)


def _inside(where: Place) -> list[int]:
    """First row, row after the last, first column, column after the last of the square."""
    bottom, right = where.top_row + where.rows, where.left_column + where.columns
    return [where.top_row, bottom, where.left_column, right]


def as_channels(picture: Picture, channels: int) -> Picture:
    """Colour as grey by luma (ITU-R BT.601) for one channel."""
    if picture.stored.ndim == 2 or channels == 3:
        return picture
    stored = np.ascontiguousarray(picture.stored)
    if stored.dtype in (np.uint8, np.uint16, np.float32):
        grey = cv2.cvtColor(stored, cv2.COLOR_RGB2GRAY)
    else:
        grey = stored @ np.array([0.299, 0.587, 0.114])
    return replace(picture, stored=grey, photometric="MONOCHROME2")


def place_of(picture: Picture, settings: ImageSettings) -> Place:
    """Which part of a picture goes where: for what must lie exactly on it."""
    picture = as_channels(picture, settings.channels)
    return locate(picture, settings, tone_of(picture, settings.window, settings.percentiles))


def locate(picture: Picture, settings: ImageSettings, tone: Tone) -> Place:
    """Which part of the picture goes where in the square."""
    rows, columns = picture.full_shape
    box: tuple[float, ...] = (0, rows, 0, columns)
    if settings.fit == "breast":
        top, bottom, left, right = breast_box(picture.stored, tone, picture.padding)
        step = 1 << picture.reduced
        box = (
            # Back to full resolution, where sample k of a level is the centre of pixel `step` k.
            top * step,
            (bottom - 1) * step + 1,
            left * step,
            (right - 1) * step + 1,
        )
    return place(settings.fit, settings.size, box)


def breast_box(
    stored: np.ndarray, tone: Tone, padding: np.ndarray | None = None
) -> tuple[int, int, int, int]:
    """Bounding box (top, bottom, left, right) of the largest connected tissue, in stored pixels."""

    def foreground(rows: slice, columns: slice, step: int) -> np.ndarray:
        outside = None if padding is None else padding[rows, columns][::step, ::step]
        values = grey(stored[rows, columns][::step, ::step], tone, outside)
        values = values if values.ndim == 2 else values.max(axis=-1)
        return (values > TISSUE).astype(np.uint8)

    return tissue_box(foreground, stored.shape[:2])


def _level_edge(edge: float, reduced: int) -> float:
    """Full-resolution pixel edge on the grid of JPEG 2000 level `reduced`.

    Sample k of level r lies at the centre of pixel 2^r k, not in the middle of 2^r pixels.
    """
    return (edge - 0.5) / (1 << reduced) + 0.5 if reduced else edge
