"""Deflated DICOM files as plain ones, in memory."""

import io
import struct
import zlib

from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from foldwise.pixels.dicom.codecs import imagecodecs
from foldwise.pixels.picture import UnreadableImage

MAX_BYTES = 4 << 30
HEAD = 1 << 18  # bytes that hold any header worth reading


def plain(content: bytes, header_only: bool) -> io.BytesIO:
    """The same file with its elements inflated; with `header_only` their first bytes alone.

    Raises UnreadableImage: truncated, too_large; zlib.error for bytes that are not deflated.
    """
    end = _meta_end(content)
    # The syntax that the inflated bytes have, filled up to the same length.
    syntax = ExplicitVRLittleEndian.encode().ljust(len(DeflatedExplicitVRLittleEndian), b"\0")
    meta = content[:end].replace(DeflatedExplicitVRLittleEndian.encode(), syntax)
    body = memoryview(content)[end:]
    head = zlib.decompressobj(-zlib.MAX_WBITS).decompress(body, HEAD)
    if header_only or len(head) < HEAD:
        return io.BytesIO(meta + head)
    size = _size_of(meta + head) - len(meta)
    return io.BytesIO(meta + _inflate(body, size))


def _inflate(body: memoryview, size: int) -> bytes:
    """By libdeflate, three times faster, if the size is right; else by zlib."""
    if imagecodecs is not None:
        try:
            return imagecodecs.deflate_decode(body, raw=True, out=size)
        except imagecodecs.DeflateError:
            pass  # more elements after the pixels, or a file cut short: zlib tells which
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    found = inflate.decompress(body, MAX_BYTES)
    if inflate.unconsumed_tail:
        raise UnreadableImage("too_large")
    if not inflate.eof:
        raise UnreadableImage("truncated")
    return found


def _size_of(start: bytes) -> int:
    """Bytes up to the end of the pixel element, as its length says; 0 if it is not there."""
    stream = io.BytesIO(start)
    dcmread(stream, stop_before_pixels=True, specific_tags=[])
    head = stream.read(12)
    if head[4:6] not in (b"OW", b"OB") or len(head) < 12:
        return 0
    return min(stream.tell() + struct.unpack_from("<I", head, 8)[0], MAX_BYTES)


def _meta_end(start: bytes) -> int:
    """Offset after the last element of group 2 (always explicit VR, little endian)."""
    offset = 132 if start[128:132] == b"DICM" else 0
    while start[offset : offset + 2] == b"\x02\0":
        long_form = start[offset + 4 : offset + 6] in (b"OB", b"UN", b"UT")
        place, form = (offset + 8, "<I") if long_form else (offset + 6, "<H")
        offset = place + struct.calcsize(form) + struct.unpack_from(form, start, place)[0]
    return offset
