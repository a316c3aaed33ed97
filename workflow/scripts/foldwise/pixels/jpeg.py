"""Whether a JPEG code stream holds all of its picture.

libjpeg fills what is missing, and passes over what is too much, with warnings that no Python
binding hands on. An end marker proves nothing: a copy that lost its middle still has one.
"""

import os
import re
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np

from foldwise.pixels.picture import UnreadableImage
from foldwise.pixels.window import look_up

SOF_LOSSLESS, DHT, SOS, DRI, EOI = 0xC3, 0xC4, 0xDA, 0xDD, b"\xff\xd9"
SEQUENTIAL = (0xC0, 0xC1)
# Pixels that a byte can stand for: blocks of 64 pixels take two bits each (DC and end of block),
# in progressive pictures the first scan one; lossless pixels take one bit each.
FEWEST = {0xC0: 256, 0xC1: 256, 0xC2: 512, 0xC3: 8}
FRAMES = (0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA)
# Bytes between the last coded bit and the end marker that encoders are known to leave there.
SLACK = 16
ROWS = 64  # at a time: they stay in the processor's cache
CHUNK = 1 << 17
PREMATURE, EXTRANEOUS = "premature end", re.compile(r"(\d+) extraneous bytes before marker 0xd9")
Decode = Callable[[bytes], np.ndarray]
# Neither a stuffed byte, nor a restart, nor a fill byte.
NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
BROKEN = ("bad Huffman code", "corrupt data", "Inconsistent progression")


@dataclass
class Headers:
    """What the marker segments say that counting needs."""

    kind: int = 0
    bits: int = 0
    rows: int = 0
    columns: int = 0
    components: int = 0
    # Huffman table (class and number) to code length by symbol.
    lengths: dict[int, np.ndarray] = field(default_factory=dict)
    tables: tuple[int, ...] = ()
    predictor: int = 0
    shift: int = 0
    restarts: int = 0
    data: int = 0


def headers_of(stream: bytes | memoryview) -> Headers:
    """Segments up to the first scan (ISO 10918-1 B); `data` is where its coded bits begin, or 0."""
    headers, offset = Headers(), 2
    while offset + 4 <= len(stream) and stream[offset] == 0xFF:
        marker = stream[offset + 1]
        if marker == 0xFF:  # fill byte
            offset += 1
            continue
        (length,) = struct.unpack_from(">H", stream, offset + 2)
        body = bytes(stream[offset + 4 : offset + 2 + length])
        _read(headers, marker, body)
        offset += 2 + length
        if marker == SOS:
            headers.data = offset
            break
    return headers


def _read(headers: Headers, marker: int, body: bytes) -> None:
    if marker in FRAMES:
        headers.kind, headers.bits = marker, body[0]
        headers.rows, headers.columns, headers.components = struct.unpack_from(">HHB", body, 1)
    elif marker == DHT:
        while body:
            number, counts = body[0], body[1:17]
            lengths, place = np.zeros(256, np.int64), 17
            for bits, count in enumerate(counts, 1):
                lengths[list(body[place : place + count])] = bits
                place += count
            headers.lengths[number], body = lengths, body[place:]
    elif marker == DRI:
        (headers.restarts,) = struct.unpack(">H", body[:2])
    elif marker == SOS:
        number = body[0]
        headers.tables = tuple(body[2 + 2 * place] >> 4 for place in range(number))
        headers.predictor, headers.shift = body[1 + 2 * number], body[3 + 2 * number] & 15


def check_length(stream: bytes | memoryview) -> None:
    """Raise `truncated` for a picture that no stream of this length can hold.

    A header of a kilobyte may claim gigapixels, which a codec fills for half a minute.
    """
    headers = headers_of(stream)
    if headers.kind in FEWEST and headers.rows * headers.columns // FEWEST[headers.kind] > len(
        stream
    ):
        raise UnreadableImage("truncated")


def check_complete(stream: bytes | memoryview, pixels: np.ndarray, decode: Decode) -> None:
    """Raise `damaged` where a stream of any kind holds too little or too much for its picture.

    `pixels` as `decode(stream)` gives them. Lossless colours and restarts are not looked at.
    """
    headers = headers_of(stream)
    if headers.kind == SOF_LOSSLESS:
        check_lossless(stream, pixels)
    elif headers.bits == 8:
        check_transformed(stream)
    elif pixels.ndim == 2 and headers.kind in SEQUENTIAL:
        check_by_its_end(stream, pixels, decode)


def check_lossless(stream: bytes | memoryview, pixels: np.ndarray) -> None:
    """Raise `damaged` unless the picture's bits are as many as the stream holds.

    The bits that `pixels` (rows, columns) need are counted with the stream's own codes: where
    some were missing or zeroed the decoder has made up others.
    """
    headers = headers_of(stream)
    plain = headers.kind == SOF_LOSSLESS and headers.components == 1 and not headers.restarts
    if not plain or not 1 <= headers.predictor <= 7 or headers.tables[0] not in headers.lengths:
        return
    coded = bytes(stream[headers.data :])
    coded = coded[: coded.rfind(EOI)]
    # A zero after each 0xFF is stuffing (F.1.2.3) and holds no bits of the picture.
    stored = len(coded) - coded.count(b"\xff\x00")
    needed = -(-_bits(pixels, headers) // 8)
    if not needed <= stored <= needed + SLACK:
        raise UnreadableImage("damaged")


def _bits(pixels: np.ndarray, headers: Headers) -> int:
    """Of all differences to their prediction (ISO 10918-1 H.1.2): code and further bits."""
    values = np.ascontiguousarray(pixels, np.uint16)
    values = values >> headers.shift if headers.shift else values
    price = _prices(headers)
    # What predicts the first value of all: half of the scale (H.1.2.1).
    start = np.uint16(1 << (headers.bits - headers.shift - 1))
    total = int(price[np.diff(values[:, 0], prepend=start)].sum(dtype=np.int64))
    if headers.predictor == 1:
        return total + _bits_of_lines(values, price)
    for top in range(0, len(values), ROWS):
        total += _sum(price, _differences(values, top, headers.predictor))
    return total


def _prices(headers: Headers) -> np.ndarray:
    """Bits that each difference, as 16 bits, takes."""
    signed = np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(np.int64)
    category = np.ceil(np.log2(np.abs(signed) + 1)).astype(int)
    further = np.where(category < 16, category, 0)  # 32768 stands alone in its category
    return (headers.lengths[headers.tables[0]][category] + further).astype(np.uint8)


def _sum(price: np.ndarray, differences: np.ndarray) -> int:
    return int(cv2.sumElems(look_up(differences, price))[0])


def _bits_of_lines(values: np.ndarray, price: np.ndarray) -> int:
    """Each value less its left neighbour, but for the first column."""
    flat = values.reshape(-1)
    total = sum(
        _sum(price, np.subtract(flat[place + 1 : place + CHUNK + 1], flat[place:-1][:CHUNK]))
        for place in range(0, flat.size - 1, CHUNK)
    )
    # One run over all lines is faster; what it adds from line to line is taken off again.
    turns = np.subtract(values[1:, 0], values[:-1, -1])
    return total - int(price[turns].sum(dtype=np.int64))


def _differences(values: np.ndarray, top: int, predictor: int) -> np.ndarray:
    """Of a strip of rows, all columns but the first, modulo 2^16."""
    strip = values[top : top + ROWS]
    above = values[top - 1 : top - 1 + len(strip)] if top else np.vstack([strip[:1], strip[:-1]])
    neighbours = (strip[:, :-1], above[:, 1:], above[:, :-1])
    a, b, c = (part.astype(np.int32) for part in neighbours)
    guess = {
        2: lambda: b,
        3: lambda: c,
        4: lambda: a + b - c,
        5: lambda: a + ((b - c) >> 1),
        6: lambda: b + ((a - c) >> 1),
        7: lambda: (a + b) >> 1,
    }[predictor]()
    if not top:
        guess[0] = a[0]  # the first row has no other neighbour
    return (strip[:, 1:] - guess).astype(np.uint16)


def check_transformed(stream: bytes | memoryview) -> None:
    """Raise `damaged` where libjpeg warns of missing, broken or left-over bits of 8-bit pictures.

    OpenCV alone lets the warnings through, to the process's error stream. At an eighth of the size
    nearly nothing but the bits is decoded.
    """
    _check_scans(bytes(stream))
    with _errors_of_c() as messages:
        cv2.imdecode(np.frombuffer(stream, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
        words = messages()
    left_over = EXTRANEOUS.search(words)
    if PREMATURE in words or any(one in words for one in BROKEN):
        raise UnreadableImage("damaged")
    if left_over and int(left_over.group(1)) > SLACK:
        raise UnreadableImage("damaged")


@contextmanager
def _errors_of_c() -> Iterator[Callable[[], str]]:
    """What C libraries write to the error stream meanwhile; it is told by calling what is given."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        # The descriptor and not `sys.stderr`: C libraries write below Python.
        own = os.dup(2)
        try:
            os.dup2(kept.fileno(), 2)
            yield lambda: os.pread(kept.fileno(), 1 << 16, 0).decode("ascii", "replace")
        finally:
            os.dup2(own, 2)
            os.close(own)


def _check_scans(stream: bytes) -> None:
    """Raise `damaged` unless a progressive picture has all bits of all its coefficients (G.1.2).

    Scans that are gone leave no gap that a decoder would warn of.
    """
    missing: dict[int, np.ndarray] = {}
    for marker, body in _segments(stream):
        # C2 alone: other frames have no scans of parts of the bits.
        if marker == 0xC2:
            missing = {body[6 + 3 * place]: np.ones(64, bool) for place in range(body[5])}
        elif marker == SOS and len(body) == 4 + 2 * body[0]:
            first, last, bits = body[-3:]
            for place in range(body[0]):
                # A coefficient's last bit (Al = 0): where it is there, those above it came before.
                if bits & 15 == 0 and body[1 + 2 * place] in missing:
                    missing[body[1 + 2 * place]][first : last + 1] = False
    if any(of_component.any() for of_component in missing.values()):
        raise UnreadableImage("damaged")


def _segments(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of each segment; coded bits are stepped over."""
    offset = 2
    while offset + 4 <= len(stream) and stream[offset : offset + 2] != EOI:
        marker, length = stream[offset + 1], struct.unpack_from(">H", stream, offset + 2)[0]
        yield marker, bytes(stream[offset + 4 : offset + 2 + length])
        offset += 2 + length
        if marker == SOS:
            match = NEXT_MARKER.search(stream, offset)
            offset = match.start() if match else len(stream)


def check_by_its_end(stream: bytes, pixels: np.ndarray, decode: Decode) -> None:
    """Raise `damaged` unless the last coded bytes are those of the last blocks.

    For pictures of 12 bits, whose warnings nothing lets through: decoded once more with another
    end, only the last blocks may differ. If bits were missing, others do; if some were left over,
    none.
    """
    end = bytes(stream).rfind(EOI)
    changed = bytes(stream[: end - len(OTHER_END) // 8]) + OTHER_END + EOI
    rows, columns = np.nonzero(decode(changed) != pixels)
    blocks = -(-pixels.shape[0] // 8), -(-pixels.shape[1] // 8)
    # Two bits are the fewest that a block takes.
    fewest = blocks[0] * blocks[1] - 4 * len(OTHER_END) // 8 - 1
    if not len(rows) or (rows // 8 * blocks[1] + columns // 8).min() < fewest:
        raise UnreadableImage("damaged")


# Codes of few zeros, so that they stand for coefficients and not for empty blocks.
OTHER_END = b"\xb5\x6b\x9d\x3a" * 24
