"""What an encapsulated pixel stream says about itself, read before any codec sees it.

A codec that is given another codec's stream, or one that claims a huge picture, may crash or
hang; a header that lies is found here in microseconds.
"""

import struct
from dataclasses import dataclass

from pydicom import uid

from foldwise.pixels import jpeg
from foldwise.pixels.dicom import jpeg_2000
from foldwise.pixels.dicom.decoders import HTJ2K, JPEG, JPEG_2000, JPEG_LS
from foldwise.pixels.picture import UnreadableImage

ITEM, DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
# Bytes that may follow the end marker: padding with zeros; a few others.
TAIL, SLACK = 4096, 64
# Pixels that a byte can stand for: two bytes of RLE repeat one 128 times; the longest run of
# JPEG-LS is 2^15 and takes a bit. A code block of JPEG 2000 has 4,096 at the most; blocks that hold
# nothing take less than a byte, but a picture of them alone is none to learn from.
FEWEST = {uid.RLELossless: 64} | dict.fromkeys(JPEG_LS, 1 << 18)
FEWEST |= dict.fromkeys((*JPEG_2000, *HTJ2K), 4096)
SOF_JPEG, SOF_JPEG_LS = (0xC0, 0xC1, 0xC2, 0xC3), (0xF7,)


@dataclass(frozen=True)
class Frame:
    """The picture that a code stream's own header describes."""

    rows: int
    columns: int
    bits: int
    signed: bool = False


def fragments(buffer: memoryview) -> list[memoryview]:
    """The non-empty fragments after the offset table; a file cut short is found by the way."""
    if buffer[:4] != ITEM:
        raise UnreadableImage("wrong_transfer_syntax")
    offset, items = 0, []
    while buffer[offset : offset + 4] == ITEM:
        (length,) = struct.unpack_from("<I", buffer, offset + 4)
        items.append(buffer[offset + 8 : offset + 8 + length])
        offset += 8 + length
    if offset > len(buffer):
        raise UnreadableImage("truncated")
    pixels = [fragment for fragment in items[1:] if len(fragment)]
    if not pixels:
        raise UnreadableImage(
            "no_pixels" if buffer[offset : offset + 4] == DELIMITER else "truncated"
        )
    return pixels


def check(stream: memoryview, syntax: uid.UID, rows: int, columns: int) -> Frame | None:
    """Raise unless the stream is of the family that `syntax` names and of the header's size.

    Gives what the stream's header says, if it does.
    """
    if syntax == uid.RLELossless:
        segments, first = struct.unpack("<2I", bytes(stream[:8]).ljust(8, b"\0"))
        # PS3.5 G.5: at most 15 segments, of which the first follows the header of 64 bytes.
        if not (1 <= segments <= 15 and first == 64):
            raise UnreadableImage("wrong_transfer_syntax")
        return None
    if syntax in JPEG:
        frame = _jpeg_frame(stream, SOF_JPEG)
    elif syntax in JPEG_LS:
        frame = _jpeg_frame(stream, SOF_JPEG_LS)
    else:
        frame = _jpeg_2000_frame(stream)
    if frame and (frame.rows, frame.columns) != (rows, columns):
        raise UnreadableImage("bad_header")
    return frame


def check_length(stream: memoryview, syntax: uid.UID, pixels: int) -> None:
    """Raise `truncated` for more pixels than a stream of this length can hold.

    What is below that is bounded by memory.
    """
    if syntax in JPEG:
        jpeg.check_length(stream)
    elif pixels // FEWEST.get(syntax, pixels) > len(stream):
        raise UnreadableImage("truncated")


def check_end(last: memoryview, syntax: uid.UID) -> None:
    """Raise `truncated` unless the last fragment ends with an end-of-image marker.

    libjpeg and OpenJPH give half a picture without a word. A copy that broke off may have been
    filled up with zeros; inside coded data the marker cannot occur.
    """
    if syntax == uid.RLELossless:
        return
    if b"\xff\xd9" not in bytes(last[-TAIL:]).rstrip(b"\0")[-SLACK:]:
        raise UnreadableImage("truncated")


def _jpeg_frame(stream: memoryview, expected: tuple[int, ...]) -> Frame | None:
    """Rows, columns and bits of the frame header (ISO 10918-1 B.2.2); None where it leaves them
    open."""
    if stream[:2] != b"\xff\xd8":
        raise UnreadableImage("wrong_transfer_syntax")
    offset = 2
    while offset + 9 <= len(stream) and stream[offset] == 0xFF:
        marker = stream[offset + 1]
        if marker == 0xFF:  # fill byte
            offset += 1
        elif marker in SOF_JPEG or marker in SOF_JPEG_LS:
            if marker not in expected:
                raise UnreadableImage("wrong_transfer_syntax")
            bits, rows, columns = struct.unpack_from(">B2H", stream, offset + 4)
            # JPEG may give 0 lines here and their number after the first scan (DNL).
            return Frame(rows, columns, bits) if rows and columns else None
        else:
            offset += 2 + struct.unpack_from(">H", stream, offset + 2)[0]
    return None


def _jpeg_2000_frame(stream: memoryview) -> Frame:
    """Rows, columns, bits and sign of the SIZ marker (ISO 15444-1 A.5.1)."""
    stream = jpeg_2000.code_stream(stream)
    # Up to the depth of the first component (Ssiz), the last byte that is read here.
    if len(stream) < 43:
        raise UnreadableImage("truncated")
    right, bottom, left, top = struct.unpack_from(">4I", stream, 8)
    depth = stream[42]
    # The highest bit of Ssiz is the sign, the others are the depth less one.
    return Frame(bottom - top, right - left, (depth & 0x7F) + 1, depth > 0x7F)
