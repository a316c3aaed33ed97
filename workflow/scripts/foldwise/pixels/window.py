"""Grey levels: modality, polarity and window as a ramp, a table over all stored values, a curve."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from foldwise.pixels.display import Lut, Window
from foldwise.pixels.percentiles import extremes, percentiles
from foldwise.pixels.picture import Picture, UnreadableImage

Curve = Callable[[np.ndarray], np.ndarray]
# Slopes and modality values beyond these overflow in single precision.
SMALLEST, LARGEST = 1e-37, 3.4e38


@dataclass(frozen=True)
class Tone:
    """Stored value to grey in 0..1: `table[code]`, `curve(value)`, or else
    clip(scale * value + offset, 0, 1).

    `code` is the stored value's bits read as an unsigned number. `by_file`: the file's own window.
    """

    scale: float = 1.0
    offset: float = 0.0
    table: np.ndarray | None = None
    curve: Curve | None = None
    by_file: bool = False

    def flat_ends(self) -> tuple[float, float]:
        """Stored values beyond which the ramp is black or white, ascending."""
        ends = -self.offset / self.scale, (1 - self.offset) / self.scale
        return min(ends), max(ends)

    def is_plain(self, stored: np.ndarray) -> bool:
        """Whether a clipped mean in single precision is exact: a ramp over 8 or 16 bits."""
        return self.table is None and self.curve is None and stored.dtype.itemsize <= 2


def tone_of(picture: Picture, window: str, shares: tuple[float, float]) -> Tone:
    """`window`: percentile (with `shares` in percent) | voi | minmax | none.

    A picture without a usable VOI window gets the percentile one. Padding counts in none of them.
    Raises UnreadableImage: constant, not_finite, bad_rescale.
    """
    if not picture.is_integer:
        _ends(picture.seen)  # finds values that are no numbers
    _check_rescale(picture)
    if window == "voi" and picture.voi:
        ends = _ends(picture.seen)
        for item in picture.voi:
            if _shows(picture, item, ends):
                return _voi_tone(picture, item)
    if picture.modality_lut:
        return _lut_tone(picture, window, shares)
    if window in ("percentile", "voi"):
        return _ramp(picture, *_shares_of(picture, shares))
    ends = _ends(picture.seen)
    return _ramp(
        picture, *(picture.stored_range if window == "none" and picture.is_integer else ends)
    )


def _ends(values: np.ndarray) -> tuple[float, float]:
    """Smallest and largest value; raises where a picture shows nothing."""
    if not values.size:
        raise UnreadableImage("constant")  # padding alone
    low, high = (float(end) for end in extremes(values))
    if not np.isfinite(high - low):
        raise UnreadableImage("not_finite")
    if low == high:
        raise UnreadableImage("constant")
    return low, high


def _check_rescale(picture: Picture) -> None:
    """Raise where slope and intercept leave no two stored values apart, or overflow."""
    low, high = picture.stored_range if picture.is_integer else extremes(picture.seen)
    low, high = float(low), float(high)
    largest = max(abs(end * picture.slope + picture.intercept) for end in (low, high))
    step = 1 if picture.is_integer else high - low
    # A float64 has 53 bits: with fewer than three of them left, neighbours run together.
    apart = abs(picture.slope) * step > largest * 2.0**-50
    if not (SMALLEST < abs(picture.slope) < LARGEST and largest < LARGEST and apart):
        raise UnreadableImage("bad_rescale")


def _shares_of(picture: Picture, shares: tuple[float, float]) -> tuple[float, float]:
    """Percentiles in stored values, ascending; `shares` count from the dark end of the picture."""
    seen = picture.seen
    if not seen.size:
        raise UnreadableImage("constant")  # padding alone
    # Turned: where large is dark, the dark end of the picture is the upper end of the values.
    low, high = shares if rises(picture) else (100 - shares[1], 100 - shares[0])
    low, high = percentiles(seen, (low, high))
    # Nearly all pixels have one value: the few others must still be seen.
    return (low, high) if high > low else _ends(seen)


def rises(picture: Picture) -> bool:
    """Whether a larger stored value is a brighter one."""
    return (picture.slope > 0) == (picture.photometric != "MONOCHROME1")


def _ramp(picture: Picture, low: float, high: float, by_file: bool = False) -> Tone:
    """Black at stored value `low` and white at `high`, or the other way round."""
    scale = 1 / (high - low)
    if rises(picture):
        return Tone(scale, -low * scale, by_file=by_file)
    return Tone(-scale, high * scale, by_file=by_file)


def modality(picture: Picture, stored: np.ndarray) -> np.ndarray:
    """Modality LUT, else slope and intercept (PS3.3 C.11.1), float64."""
    if picture.modality_lut:
        return picture.modality_lut(stored)
    return stored.astype(np.float64) * picture.slope + picture.intercept


def inverted(picture: Picture, stored: np.ndarray) -> np.ndarray:
    """MONOCHROME1 turned within the range of the stored bits; other pictures unchanged."""
    if picture.photometric != "MONOCHROME1":
        return stored
    if not picture.is_integer:
        low, high = extremes(picture.seen)
        # Floats have no range of bits: they are turned within what is there.
        return high + low - stored
    low, high = picture.stored_range
    # int64: low + high - value leaves 16 bits where values lie beyond the stored bits.
    return np.clip(low + high - stored.astype(np.int64), low, high).astype(stored.dtype)


def _has_few_codes(picture: Picture) -> bool:
    return picture.is_integer and picture.stored.dtype.itemsize <= 2


def _tone(picture: Picture, curve: Curve, by_file: bool = False) -> Tone:
    """The curve as a table over all codes where there are few enough of them."""
    if not _has_few_codes(picture):
        return Tone(curve=curve, by_file=by_file)
    bits = 8 * picture.stored.dtype.itemsize
    codes = np.arange(1 << bits, dtype=f"u{bits // 8}").view(picture.stored.dtype)
    return Tone(table=curve(codes).astype(np.float32), by_file=by_file)


def _lut_tone(picture: Picture, window: str, shares: tuple[float, float]) -> Tone:
    """Percentile, min-max or full range of values that a modality LUT gives."""

    def values(stored: np.ndarray) -> np.ndarray:
        return modality(picture, inverted(picture, stored))

    whole = _tone(picture, values)
    pixels = whole.curve(picture.seen) if whole.curve else look_up(picture.seen, whole.table)
    low, high = ends = _ends(pixels)
    if window == "none":
        low, high = 0.0, picture.modality_lut.top
    elif window != "minmax":
        low, high = percentiles(pixels, shares)
    low, high = (low, high) if high > low else ends
    return _tone(picture, lambda stored: np.clip((values(stored) - low) / (high - low), 0, 1))


def _shows(picture: Picture, item: Lut | Window, ends: tuple[float, float]) -> bool:
    """Whether a window leaves anything of what lies between two stored values."""
    # 4,096 places between the ends are enough to see any window that shows something.
    grey = item.grey(modality(picture, np.linspace(*ends, 4096)))
    return bool(grey.max() > grey.min())


def _voi_tone(picture: Picture, item: Lut | Window) -> Tone:
    """VOI LUT or window of modality values (PS3.3 C.11.2); polarity comes last."""
    ends = item.ramp() if isinstance(item, Window) and not picture.modality_lut else None
    if ends and not _has_few_codes(picture):
        # The same ramp in stored values, which keeps the digits of large ones.
        stored = sorted((end - picture.intercept) / picture.slope for end in ends)
        return _ramp(picture, *stored, by_file=True)

    def shown(stored: np.ndarray) -> np.ndarray:
        grey = item.grey(modality(picture, stored))
        return 1 - grey if picture.photometric == "MONOCHROME1" else grey

    return _tone(picture, shown, by_file=True)


def unsigned(stored: np.ndarray) -> np.ndarray:
    """The same bits as table indices."""
    return stored.view(f"u{stored.dtype.itemsize}")


def look_up(stored: np.ndarray, table: np.ndarray) -> np.ndarray:
    """`table[code]` of 8- or 16-bit integers."""
    codes = unsigned(np.ascontiguousarray(stored))
    try:
        return cv2.LUT(codes, table).reshape(codes.shape)
    except cv2.error:  # OpenCV 4 looks up 8 bits only
        return table[codes]


def shades(
    stored: np.ndarray,
    tone: Tone,
    padding: np.ndarray | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Float32 that a mean may be taken of, same shape: grey in 0..1, or of a plain ramp the stored
    values clipped to it. Padding is black."""
    values, black = _shades(stored, tone, out)
    if padding is not None:
        values[padding] = black
    return values


def _shades(stored: np.ndarray, tone: Tone, out: np.ndarray | None) -> tuple[np.ndarray, float]:
    if tone.table is not None:
        return look_up(stored, tone.table), 0
    if tone.curve is not None:
        return tone.curve(stored).astype(np.float32), 0
    if not tone.is_plain(stored):
        low, high = tone.flat_ends()
        # In double precision: of large values that differ by little single keeps no digit.
        values = np.clip((stored.astype(np.float64) - low) / (high - low), 0, 1)
        return (values if tone.scale > 0 else 1 - values).astype(np.float32), 0
    values = np.empty(stored.shape, np.float32) if out is None else out
    np.copyto(values, stored, casting="unsafe")
    low, high = (np.float32(end) for end in tone.flat_ends())
    return np.clip(values, low, high, out=values), low if tone.scale > 0 else high


def grey(stored: np.ndarray, tone: Tone, padding: np.ndarray | None = None) -> np.ndarray:
    """Float32 in 0..1, same shape."""
    values = shades(stored, tone, padding)
    if not tone.is_plain(stored):
        return values
    return values * np.float32(tone.scale) + np.float32(tone.offset)
