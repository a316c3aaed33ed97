"""Lookup tables and windows of a header, as far as they can be used."""

from collections.abc import Iterable

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from foldwise.pixels.dicom.values import as_number, numbers, text, values
from foldwise.pixels.display import FUNCTIONS, Lut, Window


def read_luts(holder: Dataset, keyword: str, below_zero: bool, order: str) -> list[Lut]:
    """The usable tables of a LUT sequence. `below_zero`: what they are looked up by may be
    negative; `order` is the byte order of the file, `<` or `>`."""
    tables = (read_lut(item, below_zero, order) for item in values(holder, keyword))
    return [lut for lut in tables if lut is not None]


def read_lut(item: Dataset, below_zero: bool, order: str) -> Lut | None:
    """One table by its descriptor and its data (PS3.3 C.11.1.1); None where they make none.

    The descriptor's bits are often wrong (Agfa writes 16 over tables of 12): the data tell.
    """
    descriptor = numbers(item, "LUTDescriptor")
    if len(descriptor) != 3:
        return None
    number, first, bits = (int(value) for value in descriptor)
    entries = _entries(_bytes(item, order), number & 0xFFFF or 1 << 16, bits)
    # A table of one value would show every picture as one grey: it is passed over.
    if entries is None or entries.min() == entries.max():
        return None
    # An unsigned VR may hold a negative start.
    first -= (first > 0x7FFF and below_zero) << 16
    largest = int(entries.max())
    # A table that fills its bits ends at their white, any other one at its own largest value.
    full = largest.bit_length() == bits
    return Lut(first, entries, float((1 << bits) - 1 if full else largest))


def _bytes(item: Dataset, order: str) -> bytes:
    """LUT Data as little-endian bytes, whatever VR they have."""
    value = getattr(item.get_item(Tag("LUTData")), "value", b"")
    if isinstance(value, bytes):
        even = value[: len(value) // 2 * 2]
        return np.frombuffer(even, order + "u2").astype("<u2").tobytes() + value[len(even) :]
    return np.array(values(item, "LUTData"), np.int64).astype("<u2").tobytes()


def _entries(data: bytes, number: int, bits: int) -> np.ndarray | None:
    """`number` values of two bytes each, or of one where two of them are packed in a word."""
    if len(data) >= 2 * number:
        entries = np.frombuffer(data, "<u2")[:number]
        # Some writers put 8-bit entries into the upper half of their words.
        in_high_bytes = bits == 8 and not (entries & 0xFF).any()
        return entries >> 8 if in_high_bytes else entries
    if number <= len(data) <= number + 1:
        return np.frombuffer(data, np.uint8)[:number].astype(np.uint16)
    return None


def read_windows(holder: Dataset) -> list[Window]:
    """Pairs of centre and width, by their positions, that make a window (PS3.3 C.11.2.1.2)."""
    function = text(holder, "VOILUTFunction").upper() or "LINEAR"
    if function not in FUNCTIONS:
        return []
    # PS3.3 C.11.2.1: LINEAR needs a width of 1 or more, the others one above 0.
    least = 1.0 if function == "LINEAR" else 1e-9
    pairs = zip(_each(holder, "WindowCenter"), _each(holder, "WindowWidth"), strict=False)
    return [
        Window(centre, width, function)
        for centre, width in pairs
        if centre is not None and width is not None and width >= least
    ]


def _each(holder: Dataset, keyword: str) -> Iterable[float | None]:
    """One entry a value: leaving out those that are no numbers would pair others wrongly."""
    return (as_number(value) for value in values(holder, keyword))
