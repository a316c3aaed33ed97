"""What the tags of a TIFF say of its samples, and which of them are read as they are.

Pillow opens more kinds than it reads rightly: planes of 16 bits come out as bytes of each other,
words without a sign with one. Only what is listed here is taken from it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from foldwise.pixels.picture import UnreadableImage

COMPRESSION = 259
BITS, PHOTOMETRIC, SAMPLES, PLANES, FORMAT = 258, 262, 277, 284, 339
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
# Where strips or tiles lie, and how they are compressed: what each plane keeps.
PARTS = (273, 279, 324, 325)
OF_COLOURS = (BITS, PHOTOMETRIC, SAMPLES, PLANES, FORMAT, 338)
KEPT = (256, 257, 259, 266, 278, 317, 322, 323)
# Sample format and bits of grey, by what numpy calls them.
GREY = {
    (UNSIGNED, 1): "?",
    (UNSIGNED, 2): "u1",
    (UNSIGNED, 4): "u1",
    (UNSIGNED, 8): "u1",
    (UNSIGNED, 12): "u2",
    (UNSIGNED, 16): "u2",
    (UNSIGNED, 32): "u4",
    (SIGNED, 8): "i1",
    (SIGNED, 16): "i2",
    (SIGNED, 32): "i4",
    (FLOAT, 32): "f4",
    (FLOAT, 64): "f4",
}


@dataclass(frozen=True)
class Samples:
    """The tags that matter; `bits` of one sample."""

    number: int
    bits: int
    kind: int
    photometric: int
    planes: int

    @property
    def is_grey(self) -> bool:
        return self.number == 1 and self.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO)

    @property
    def is_in_planes(self) -> bool:
        return self.number > 1 and self.planes == 2

    @property
    def is_wide_colour(self) -> bool:
        return self.number > 1 and self.bits == 16


def samples_of(image: Image.Image) -> Samples:
    """Raises UnreadableImage sample_format for what is not known to be read rightly."""
    tags = image.tag_v2
    number = tags.get(SAMPLES, 1)
    bits, kinds = _all(tags.get(BITS, 1)), _all(tags.get(FORMAT, UNSIGNED))
    # Channels of different widths: no reader here unpacks them rightly.
    if len(bits) != 1 or len(kinds) != 1:
        raise UnreadableImage("sample_format")
    kind = kinds.pop()
    kind = UNSIGNED if kind == 4 else kind  # 4: not said
    samples = Samples(number, bits.pop(), kind, tags.get(PHOTOMETRIC, -1), tags.get(PLANES, 1))
    _check(samples)
    compressed = tags.get(COMPRESSION, 1) != 1
    if samples.kind != UNSIGNED and samples.bits > 8 and tags.prefix == b"MM" and compressed:
        raise UnreadableImage("sample_format")  # Pillow swaps bytes that libtiff has swapped
    return samples


def _all(values: int | tuple[int, ...]) -> set[int]:
    return set(values) if isinstance(values, tuple) else {values}


def _check(samples: Samples) -> None:
    if samples.is_grey:
        read = (samples.kind, samples.bits) in GREY
    elif samples.is_wide_colour:
        read = (samples.photometric, samples.kind) == (RGB, UNSIGNED)
        # What a fourth plane is to the others is not looked after.
        read = read and samples.number in ((3,) if samples.is_in_planes else (3, 4))
    else:
        read = samples.kind == UNSIGNED and samples.bits <= 8
    if not read:
        raise UnreadableImage("sample_format")


def as_tagged(pixels: np.ndarray, samples: Samples) -> np.ndarray:
    """Grey as Pillow gives it, with the type that the tags name; white is still where it was.

    Pillow turns white-is-zero in 8 bits and less only. Raises UnreadableImage sample_format where
    it has given something else than grey.
    """
    if pixels.ndim != 2:
        raise UnreadableImage("sample_format")
    wanted = np.dtype(GREY[samples.kind, samples.bits])
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if samples.bits in (1, 2, 4):
        return pixels  # spread over 8 bits
    if pixels.dtype.kind in "iu" and wanted.kind in "iu":
        if pixels.dtype.itemsize == wanted.itemsize:
            return pixels.view(wanted)  # the same bits, read with the wrong sign
        ends = np.iinfo(wanted)
        if pixels.min() < ends.min or pixels.max() > ends.max:
            raise UnreadableImage("sample_format")
    elif pixels.dtype != wanted:
        raise UnreadableImage("sample_format")
    return pixels.astype(wanted)


def planes(content: bytes, image: Image.Image, samples: Samples) -> Iterator[bytes]:
    """Each plane of colours as a grey TIFF."""
    tags = image.tag_v2
    for plane in range(samples.number):
        own = {SAMPLES: 1, BITS: samples.bits, FORMAT: samples.kind, PHOTOMETRIC: BLACK_IS_ZERO}
        for tag in PARTS:
            if tag in tags:
                step = len(tags[tag]) // samples.number
                own[tag] = tags[tag][plane * step : (plane + 1) * step]
        yield _with_directory(content, own | {tag: tags[tag] for tag in KEPT if tag in tags})


def unturned(content: bytes, image: Image.Image) -> bytes:
    """The same TIFF without an orientation: OpenCV obeys it, asked or not."""
    tags = image.tag_v2
    kept = (*KEPT, *PARTS, *OF_COLOURS)
    return _with_directory(content, {tag: tags[tag] for tag in kept if tag in tags})


def _with_directory(content: bytes, tags: dict[int, int | tuple[int, ...]]) -> bytes:
    """The same bytes with a directory of its own behind them."""
    order = "<" if content[:2] == b"II" else ">"
    # TIFF 6.0: a directory begins at an even offset.
    start = len(content) + len(content) % 2
    whole = content[:4] + struct.pack(order + "I", start) + content[8:]
    return whole.ljust(start, b"\0") + _directory(tags, order, start)


def _directory(tags: dict[int, int | tuple[int, ...]], order: str, start: int) -> bytes:
    """A TIFF directory of whole numbers at offset `start`, with what does not fit into entries."""
    behind, entries = b"", struct.pack(order + "H", len(tags))
    end = start + 2 + 12 * len(tags) + 4
    for tag, value in sorted(tags.items()):
        values = value if isinstance(value, tuple) else (value,)
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            packed, behind = struct.pack(order + "I", end + len(behind)), behind + packed
        # Type 4 (LONG) for all tags: readers take it wherever the standard says SHORT as well.
        entries += struct.pack(order + "HHI", tag, 4, len(values)) + packed
    return entries + b"\0\0\0\0" + behind
