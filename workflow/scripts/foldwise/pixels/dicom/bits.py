"""From the words that a file holds to stored values: which bits count, and their sign."""

from dataclasses import dataclass

import numpy as np
from pydicom import uid

from foldwise.pixels.dicom.pixel_module import PixelFacts

# What these decode to may lie beyond the stored bits, by the loss alone.
LOSSY = (uid.JPEGExtended12Bit, uid.JPEGLSNearLossless, uid.JPEG2000, uid.HTJ2K)


@dataclass(frozen=True)
class Coded:
    """Words as decoded; `bits` and `signed` are what a code stream says, if it does."""

    pixels: np.ndarray
    photometric: str
    bits: int | None = None
    signed: bool = False


def stored_values(coded: Coded, facts: PixelFacts) -> np.ndarray:
    """The stored values (PS3.5 8.1.1) of integers; other pixels unchanged."""
    pixels = coded.pixels
    if pixels.dtype.kind not in "iu" or facts.bits_allocated == 1:
        return pixels
    # A code stream's own sign counts: a header that knows none would turn what is dark into white.
    if coded.signed or facts.signed:
        pixels = pixels.view(f"i{pixels.dtype.itemsize}")
    narrow = coded.bits is not None and coded.bits <= facts.bits_stored
    if narrow and (coded.signed or not facts.signed):
        return pixels  # the stream has no other bits
    shift = facts.high_bit + 1 - facts.bits_stored
    if shift and not narrow and not _is_right_justified(pixels, facts, shift):
        return _left_justified(pixels, facts, shift)
    return pixels if coded.signed and not facts.signed else _unused_bits_away(pixels, facts)


def _is_right_justified(pixels: np.ndarray, facts: PixelFacts, shift: int) -> bool:
    """Whether the header's High Bit is wrong: the values use low bits, and no high ones."""
    if not (pixels & ((1 << shift) - 1)).any():
        return False
    low, high = _range(facts.bits_stored, pixels.dtype.kind == "i")
    smallest, largest = pixels.min(), pixels.max()
    return (low <= smallest and largest <= high) or (
        smallest >= 0 and largest < 1 << facts.bits_stored
    )


def _left_justified(pixels: np.ndarray, facts: PixelFacts, shift: int) -> np.ndarray:
    above = 8 * pixels.dtype.itemsize - 1 - facts.high_bit
    # Up first, then down: that takes unused high bits away and carries the sign along.
    return (pixels << above) >> (above + shift)


def _range(bits: int, signed: bool) -> tuple[int, int]:
    low = -(1 << (bits - 1)) if signed else 0
    return low, low + (1 << bits) - 1


def _unused_bits_away(pixels: np.ndarray, facts: PixelFacts) -> np.ndarray:
    """Bits above `bits_stored` may hold anything (PS3.5 8.1.1); mostly they hold nothing."""
    unused = 8 * pixels.dtype.itemsize - facts.bits_stored
    if unused <= 0:
        return pixels
    signed = pixels.dtype.kind == "i"
    low, high = _range(facts.bits_stored, signed)
    if pixels.max() <= high and (not signed or pixels.min() >= low):
        return pixels
    if facts.syntax in LOSSY and not signed:
        return np.minimum(pixels, pixels.dtype.type(high))  # a lossy codec has overshot white
    return (pixels << unused) >> unused


def padding_of(
    coded: Coded, stored: np.ndarray, facts: PixelFacts, ends: tuple[int | None, int | None]
) -> np.ndarray | None:
    """(rows, columns) bool: pixels that are padding by Pixel Padding Value and Range Limit.

    `ends` are the two as the header holds them, whatever VR they have (PS3.3 C.7.5.1.1.2). None
    where there is none.
    """
    value, limit = ends
    if value is None or stored.ndim != 2 or stored.dtype.kind not in "iu":
        return None
    pair = (value, value if limit is None else limit)
    first, last = sorted(_as_word(end, stored.dtype) for end in pair)
    low, high = _range(facts.bits_stored, stored.dtype.kind == "i")
    words = coded.pixels.view(stored.dtype)
    if low <= first and last <= high:
        padding = (stored >= first) & (stored <= last)
        if padding.any():
            return padding
    # Written as a word, with what lies beside its stored bits.
    padding = (words >= first) & (words <= last)
    return padding if padding.any() else None


def _as_word(value: int, dtype: np.dtype) -> int:
    """A value by its bits: 63536 in a picture of signed words is -2000."""
    return int(np.array(value & ((1 << 8 * dtype.itemsize) - 1), f"u{dtype.itemsize}").view(dtype))
