"""Grey levels: modality, polarity and window as a ramp, or as one table over all stored values."""

from dataclasses import dataclass

import cv2
import numpy as np
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from foldwise.pixels.dicom.stream import faults
from foldwise.pixels.percentiles import extremes, percentiles
from foldwise.pixels.picture import Picture, UnreadableImage


@dataclass(frozen=True)
class Tone:
    """Stored value to grey in 0..1: `table[code]`, or else clip(scale * value + offset, 0, 1).

    `code` is the stored value's bits read as an unsigned number.
    """

    scale: float = 1.0
    offset: float = 0.0
    table: np.ndarray | None = None

    def flat_ends(self) -> tuple[float, float]:
        """Stored values beyond which the ramp is black or white, ascending."""
        ends = -self.offset / self.scale, (1 - self.offset) / self.scale
        return min(ends), max(ends)


def tone_of(picture: Picture, window: str, shares: tuple[float, float]) -> Tone:
    """`window`: percentile (with `shares` in percent) | voi | minmax | none.

    A picture without a VOI window gets the percentile one. Raises UnreadableImage: constant,
    not_finite, bad_header.
    """
    if window == "voi" and has_voi(picture):
        _ends(picture.stored)
        return _voi_tone(picture)
    if has_modality_lut(picture):
        return _lut_tone(picture, window, shares)
    if window in ("percentile", "voi"):
        return _ramp(picture, *_shares_of(picture, shares))
    ends = _ends(picture.stored)
    return _ramp(
        picture, *(picture.stored_range if window == "none" and picture.is_integer else ends)
    )


def _ends(values: np.ndarray) -> tuple[float, float]:
    """Smallest and largest value; raises where a picture shows nothing."""
    low, high = (float(end) for end in extremes(values))
    if not np.isfinite(low + high):
        raise UnreadableImage("not_finite")
    if low == high:
        raise UnreadableImage("constant")
    return low, high


def _shares_of(picture: Picture, shares: tuple[float, float]) -> tuple[float, float]:
    """Percentiles in stored values, ascending; `shares` count from the dark end of the picture."""
    if not picture.is_integer:
        _ends(picture.stored)  # finds values that are no numbers
    low, high = shares if rises(picture) else (100 - shares[1], 100 - shares[0])
    low, high = percentiles(picture.stored, (low, high))
    # Nearly all pixels have one value: the few others must still be seen.
    return (low, high) if high > low else _ends(picture.stored)


def rises(picture: Picture) -> bool:
    """Whether a larger stored value is a brighter one."""
    return (picture.slope > 0) == (picture.photometric != "MONOCHROME1")


def _ramp(picture: Picture, low: float, high: float) -> Tone:
    """Black at stored value `low` and white at `high`, or the other way round."""
    scale = 1 / (high - low)
    return Tone(scale, -low * scale) if rises(picture) else Tone(-scale, high * scale)


def has_voi(picture: Picture) -> bool:
    module = picture.grey_module
    return module is not None and ("WindowWidth" in module or "VOILUTSequence" in module)


def has_modality_lut(picture: Picture) -> bool:
    return picture.grey_module is not None and "ModalityLUTSequence" in picture.grey_module


def modality(picture: Picture, stored: np.ndarray) -> np.ndarray:
    """Modality LUT, else slope and intercept (PS3.3 C.11.1), float64."""
    if has_modality_lut(picture):
        with faults("bad_header"):
            return apply_modality_lut(stored, picture.grey_module).astype(np.float64)
    return stored.astype(np.float64) * picture.slope + picture.intercept


def inverted(picture: Picture, stored: np.ndarray) -> np.ndarray:
    """MONOCHROME1 turned within the range of the stored bits; other pictures unchanged."""
    if picture.photometric != "MONOCHROME1":
        return stored
    if not picture.is_integer:
        return picture.stored.max() + picture.stored.min() - stored
    low, high = picture.stored_range
    return np.clip(low + high - stored.astype(np.int64), low, high).astype(stored.dtype)


def modality_range(picture: Picture) -> tuple[float, float]:
    """Smallest and largest modality value that the stored bits can give."""
    if has_modality_lut(picture):
        return 0.0, _lut_top(picture.grey_module.ModalityLUTSequence)
    ends = [bound * picture.slope + picture.intercept for bound in picture.stored_range]
    return min(ends), max(ends)


def _lut_top(sequence) -> float:
    return float((1 << int(sequence[0].LUTDescriptor[2])) - 1)


def _codes(picture: Picture) -> np.ndarray:
    """All values that the container of the stored pixels can hold, in the order of their codes."""
    if not picture.is_integer or picture.stored.dtype.itemsize > 2:
        raise UnreadableImage("bad_header", "a lookup table needs integers of 8 or 16 bits")
    bits = 8 * picture.stored.dtype.itemsize
    return np.arange(1 << bits, dtype=f"u{bits // 8}").view(picture.stored.dtype)


def _table(values: np.ndarray, low: float, high: float) -> Tone:
    return Tone(table=np.clip((values - low) / (high - low), 0, 1).astype(np.float32))


def _lut_tone(picture: Picture, window: str, shares: tuple[float, float]) -> Tone:
    """Percentile, min-max or full range of values that a modality LUT gives."""
    values = modality(picture, inverted(picture, _codes(picture)))
    pixels = look_up(picture.stored, values.astype(np.float32))
    low, high = ends = _ends(pixels)
    if window == "none":
        low, high = modality_range(picture)
    elif window != "minmax":
        low, high = percentiles(pixels, shares)
    return _table(values, *((low, high) if high > low else ends))


def _voi_tone(picture: Picture) -> Tone:
    """VOI LUT or window of modality values by pydicom; polarity comes last."""
    values, low, high = voi_values(picture, _codes(picture))
    if picture.photometric == "MONOCHROME1":
        values = low + high - values
    return _table(values, low, high)


def voi_values(picture: Picture, stored: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Presentation values (PS3.3 C.11.2) of stored ones, and the range they can have."""
    module = picture.grey_module
    values = modality(picture, stored)
    with faults("bad_header"):
        if "VOILUTSequence" in module:
            # A LUT is indexed by integers.
            values = apply_voi_lut(np.rint(values).astype(np.int64), module)
            return values.astype(np.float64), 0.0, _lut_top(module.VOILUTSequence)
        return apply_voi_lut(values, module), *modality_range(picture)


def unsigned(stored: np.ndarray) -> np.ndarray:
    """The same bits as table indices."""
    return stored.view(f"u{stored.dtype.itemsize}")


def look_up(stored: np.ndarray, table: np.ndarray) -> np.ndarray:
    """`table[code]` of 8- or 16-bit integers."""
    codes = unsigned(np.ascontiguousarray(stored))
    try:
        return cv2.LUT(codes, table)
    except cv2.error:  # OpenCV 4 looks up 8 bits only
        return table[codes]


def grey(stored: np.ndarray, tone: Tone) -> np.ndarray:
    """Float32 in 0..1, same shape."""
    if tone.table is not None:
        return look_up(stored, tone.table)
    values = stored.astype(np.float32)
    np.clip(values, *(np.float32(end) for end in tone.flat_ends()), out=values)
    return values * np.float32(tone.scale) + np.float32(tone.offset)
