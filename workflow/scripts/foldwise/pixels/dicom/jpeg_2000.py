"""The structure of a JPEG 2000 or HTJ2K code stream: its picture, its tile-parts, what is missing.

OpenJPEG and OpenJPH fill up what a stream lacks: that all is there is seen here in microseconds.
"""

import struct
from collections.abc import Iterator

from foldwise.pixels.picture import UnreadableImage

START, END = b"\xff\x4f\xff\x51", b"\xff\xd9"
COD, SOT = 0xFF52, 0xFF90
# Zeros in a row that coded data may hold by chance.
ZEROS = 64
BYPASS = 1  # code-block style: bits that are not entropy-coded, up to a block of them


def code_stream(data: memoryview) -> memoryview:
    """The bare code stream, also out of a JP2 file. Raises wrong_transfer_syntax."""
    if data[:4] == START:
        return data
    place = bytes(data[:4096]).find(START) if data[4:8] == b"jP  " else -1
    if place < 0:
        raise UnreadableImage("wrong_transfer_syntax")
    return data[place:]


def check_complete(stream: memoryview) -> None:
    """Raise `truncated` or `damaged` unless all tile-parts are there and filled with data."""
    start, cod = _main_header(stream)
    parts = list(_tile_parts(stream, start))
    end = parts[-1][1] if parts else start
    # Tiles, not tile-parts, are counted: each may come in several.
    if bytes(stream[end : end + 2]) not in (END, b"") or len(dict(parts)) < _grid(stream):
        raise UnreadableImage("truncated")
    # A packet that holds nothing is a byte of zero: so many may stand in a row, and no more.
    empty = _packets(stream, cod)
    # A block has 4,096 coefficients at most: 1,024 bytes are two raw bits of each.
    bypass = 1024 if cod and cod[8] & BYPASS else 0
    if bytes(stream).rstrip(b"\0").find(bytes(ZEROS + bypass + empty)) >= 0:
        raise UnreadableImage("damaged")


def _main_header(stream: memoryview) -> tuple[int, bytes]:
    """Offset of the first tile-part, and the body of COD (ISO 15444-1 A.6.1)."""
    offset, cod = 2, b""
    while offset + 4 <= len(stream):
        marker, length = struct.unpack_from(">HH", stream, offset)
        if marker == SOT:
            return offset, cod
        if marker == COD:
            cod = bytes(stream[offset + 4 : offset + 2 + length])
        offset += 2 + length
    raise UnreadableImage("truncated")


def _tile_parts(stream: memoryview, offset: int) -> Iterator[tuple[int, int]]:
    """Tile and end of each tile-part (A.4.2). Raises `truncated` where one ends behind the data."""
    while offset + 12 <= len(stream):
        marker, _, tile, length = struct.unpack_from(">HHHI", stream, offset)
        if marker != SOT:
            return
        if length == 0:  # the last one may leave it open
            yield tile, bytes(stream).rstrip(b"\0").rfind(END)
            return
        offset += max(length, 12)
        if offset > len(stream):
            raise UnreadableImage("truncated")
        yield tile, offset


def _grid(stream: memoryview) -> int:
    """Number of tiles (B.3)."""
    right, bottom = struct.unpack_from(">2I", stream, 8)
    wide, high, left, top = struct.unpack_from(">4I", stream, 24)
    if not wide or not high:
        raise UnreadableImage("bad_header")
    return max(1, -(-(right - left) // wide)) * max(1, -(-(bottom - top) // high))


def _packets(stream: memoryview, cod: bytes) -> int:
    """Most packets that a tile can have: layers, resolutions, components and precincts (B.12)."""
    if len(cod) < 10:
        return 0
    right, bottom, left, top, wide, high = struct.unpack_from(">6I", stream, 8)
    sides = min(wide, right - left), min(high, bottom - top)
    (components,) = struct.unpack_from(">H", stream, 40)
    layers, levels = struct.unpack_from(">H", cod, 2)[0], cod[5]
    # Without sizes of their own precincts have the largest, 2^15 both ways (A.6.1).
    sizes = cod[10:] if cod[0] & 1 else b"\xff" * (levels + 1)
    precincts = 0
    for resolution, exponents in enumerate(sizes[: levels + 1]):
        across, down = (
            -(-(side >> (levels - resolution)) // (1 << exponent)) + 1
            for side, exponent in zip(sides, (exponents & 15, exponents >> 4), strict=True)
        )
        precincts += across * down
    return layers * components * precincts
