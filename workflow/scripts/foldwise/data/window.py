"""Grey levels: modality, polarity and window as one table over all stored values."""

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from foldwise.data.dicom_stream import faults
from foldwise.data.picture import Picture, UnreadableImage

CHUNK = 1 << 23  # pixels: calcHist counts in float32, exact up to 2^24


@dataclass(frozen=True)
class Levels:
    """Modality values of a picture, brighter = more: how many pixels have which.

    `table[code]` is the value of a stored code viewed as unsigned; `values` the distinct present
    ones in ascending order, `counts` their pixels.
    """

    table: np.ndarray
    values: np.ndarray
    counts: np.ndarray

    def percentile(self, share: float) -> float:
        """As numpy.percentile (linear interpolation), from the counts. `share` in 0..100."""
        ends = np.cumsum(self.counts)
        rank = (ends[-1] - 1) * share / 100
        low, high = np.searchsorted(ends, [np.floor(rank), np.ceil(rank)], side="right")
        below, above = self.values[low], self.values[high]
        return float(below + (above - below) * (rank - np.floor(rank)))


def has_table(picture: Picture) -> bool:
    return picture.is_integer and picture.stored.dtype.itemsize <= 2


def unsigned(stored: np.ndarray) -> np.ndarray:
    """The same bits as table indices."""
    return stored.view(f"u{stored.dtype.itemsize}")


def histogram(stored: np.ndarray) -> np.ndarray:
    """Pixels per code, int64, of 8- or 16-bit integers viewed as unsigned."""
    codes = unsigned(np.ascontiguousarray(stored)).reshape(1, -1)
    size = 1 << (8 * codes.dtype.itemsize)
    counts = np.zeros(size, np.int64)
    top = int(codes.max()) + 1
    for start in range(0, codes.shape[1], CHUNK):
        part = codes[:, start : start + CHUNK]
        counts[:top] += cv2.calcHist([part], [0], None, [top], [0, top]).ravel().astype(np.int64)
    return counts


def _codes(picture: Picture) -> np.ndarray:
    bits = 8 * picture.stored.dtype.itemsize
    return np.arange(1 << bits, dtype=f"u{bits // 8}").view(picture.stored.dtype)


def _modality(picture: Picture, stored: np.ndarray) -> np.ndarray:
    """Modality LUT, else slope and intercept (PS3.3 C.11.1), float64."""
    module = picture.grey_module
    if module is not None and "ModalityLUTSequence" in module:
        return apply_modality_lut(stored, module).astype(np.float64)
    return stored.astype(np.float64) * picture.slope + picture.intercept


def _inverted(picture: Picture, stored: np.ndarray) -> np.ndarray:
    """MONOCHROME1 turned within the range of the stored bits; other pictures unchanged."""
    if picture.photometric != "MONOCHROME1":
        return stored
    if picture.is_integer:
        low, high = picture.stored_range
        turned = np.clip(low + high - stored.astype(np.int64), low, high)
        return turned.astype(stored.dtype)
    return stored.max() + stored.min() - stored


def levels(picture: Picture) -> Levels:
    """Raise `constant` when all pixels have one value."""
    table = _modality(picture, _inverted(picture, _codes(picture)))
    counts = histogram(picture.stored)
    present = np.flatnonzero(counts)
    values, place = np.unique(table[present], return_inverse=True)
    if len(values) < 2:
        raise UnreadableImage("constant")
    return Levels(table, values, np.bincount(place, counts[present]).astype(np.int64))


def has_voi(picture: Picture) -> bool:
    module = picture.grey_module
    return module is not None and ("WindowWidth" in module or "VOILUTSequence" in module)


def modality_range(picture: Picture) -> tuple[float, float]:
    """Smallest and largest modality value that the stored bits can give."""
    module = picture.grey_module
    if module is not None and "ModalityLUTSequence" in module:
        return 0.0, float((1 << int(module.ModalityLUTSequence[0].LUTDescriptor[2])) - 1)
    ends = np.array(picture.stored_range) * picture.slope + picture.intercept
    return float(ends.min()), float(ends.max())


def apply_voi(picture: Picture, stored: np.ndarray) -> tuple[np.ndarray, float, float]:
    """VOI LUT or window of modality values by pydicom, polarity last, and the output's range."""
    module = picture.grey_module
    with faults("bad_header"):
        by_lut = "ModalityLUTSequence" in module
        # A LUT is indexed by integers; slopes that keep integers keep them here too.
        values = apply_modality_lut(stored, module) if by_lut else _modality(picture, stored)
        if "VOILUTSequence" in module:
            values = apply_voi_lut(np.rint(values).astype(np.int64), module)
            low, high = 0.0, float((1 << int(module.VOILUTSequence[0].LUTDescriptor[2])) - 1)
        else:
            values = apply_voi_lut(values, module)
            low, high = modality_range(picture)
    values = values.astype(np.float64)
    if picture.photometric == "MONOCHROME1":
        values = low + high - values
    return values, low, high


def bounds(found: Levels, picture: Picture, window: str, share: tuple[float, float]) -> tuple:
    """Values that become black and white."""
    ends = float(found.values[0]), float(found.values[-1])
    if window == "none":
        return modality_range(picture)
    if window == "minmax":
        return ends
    low, high = found.percentile(share[0]), found.percentile(share[1])
    # Nearly all pixels have one value: the few others must still be seen.
    return (low, high) if high > low else ends


def grey_table(picture: Picture, window: str, share: tuple[float, float], top: float) -> np.ndarray:
    """Float32 table (256 or 65536,) from stored code to 0..top. `share` in percent.

    A picture without window or VOI LUT gets the percentile window.
    """
    found = levels(picture)
    if window == "voi" and has_voi(picture):
        values, low, high = apply_voi(picture, _codes(picture))
    else:
        values = found.table
        low, high = bounds(found, picture, window, share)
    return (np.clip((values - low) / (high - low), 0, 1) * top).astype(np.float32)


def grey_values(
    picture: Picture, window: str, share: tuple[float, float], top: float
) -> np.ndarray:
    """Windowed pixels, float32 in 0..top, same shape as the stored ones.

    Raises UnreadableImage: constant, not_finite, bad_header.
    """
    if has_table(picture):
        return look_up(picture.stored, grey_table(picture, window, share, top))
    return _values_without_table(picture, window, share, top)


def _values_without_table(
    picture: Picture, window: str, share: tuple[float, float], top: float
) -> np.ndarray:
    """The same for floating point and 32-bit pixels."""
    if not np.isfinite(picture.stored).all():
        raise UnreadableImage("not_finite")
    values = _modality(picture, _inverted(picture, picture.stored))
    ends = float(values.min()), float(values.max())
    if ends[0] == ends[1]:
        raise UnreadableImage("constant")
    if window == "voi" and has_voi(picture):
        values, low, high = apply_voi(picture, picture.stored)
    elif window == "percentile" or window == "voi":
        low, high = (float(value) for value in np.percentile(values, share))
        low, high = (low, high) if high > low else ends
    else:
        low, high = modality_range(picture) if window == "none" and picture.is_integer else ends
    return (np.clip((values - low) / (high - low), 0, 1) * top).astype(np.float32)


def look_up(stored: np.ndarray, table: np.ndarray) -> np.ndarray:
    """`table[stored]`, float32, by the code's bits."""
    codes = unsigned(np.ascontiguousarray(stored))
    try:
        return cv2.LUT(codes, table)
    except cv2.error:  # OpenCV 4 looks up 8 bits only
        return table[codes]


def pixel_digest(picture: Picture) -> str:
    """SHA-256 of the modality values above their minimum, bright = high.

    Equal for the same picture in another lossless encoding, polarity, or rescaling.
    """
    if has_table(picture) and picture.photometric == "MONOCHROME2" and picture.slope == 1:
        values = picture.stored
        module = picture.grey_module
        if module is not None and "ModalityLUTSequence" in module:
            values = _modality(picture, values)
    else:
        values = _modality(picture, _inverted(picture, picture.stored))
    return canonical_digest(values)


def canonical_digest(values: np.ndarray) -> str:
    """The narrowest of uint8, uint16, uint32, float64 that holds the values exactly is hashed."""
    least = values.min()
    above = values - least if least else values
    if above.dtype.kind == "f" and (above == np.rint(above)).all():
        above = above.astype(np.uint64)
    top = above.max()
    kinds = [kind for kind in ("u1", "u2", "u4") if top <= np.iinfo(kind).max]
    kind = kinds[0] if kinds and above.dtype.kind in "iu" else "<f8"
    head = f"{above.shape} {kind}\n".encode()
    flat = np.ascontiguousarray(above.astype(np.dtype(kind).newbyteorder("<"), copy=False))
    return hashlib.sha256(head + flat.tobytes()).hexdigest()
